/** Every line of the inventory has a test of its name, and one only. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { LATER, PARITY } from "./parity.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

test("each line of the inventory has its test", () => {
  const tested: string[] = [];
  for (const file of globSync(`${FOLDER}/parity-*.test.ts`)) {
    const text = readFileSync(file, "utf8");
    for (const [, line = ""] of text.matchAll(/^\s+parity\("([\d.]+)",/gm)) tested.push(line);
  }
  const lines = Object.keys(PARITY);
  assert.deepEqual(
    lines.filter((line) => !tested.includes(line)),
    [],
    "lines without a test",
  );
  assert.deepEqual(
    tested.filter((line, i) => !lines.includes(line) || tested.indexOf(line) !== i),
    [],
    "tests without a line, or of one that has another",
  );
  const numbers = lines.map((line) => line.split(".").map(Number));
  for (const section of ["1.1", "1.2", "1.3", "1.4", "1.11"]) {
    const [, second] = section.split(".").map(Number);
    const own = numbers.filter(([, part]) => part === second).map(([, , place]) => place);
    assert.deepEqual(
      own,
      Array.from(own, (_, i) => i + 1),
      `${section} is numbered without gaps`,
    );
    assert.ok(own.length >= 17, section);
  }
  for (const reason of Object.values(LATER)) assert.ok(reason.length > 10);
});
