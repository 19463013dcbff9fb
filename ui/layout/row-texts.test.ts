/** Tests of sets of rows as texts: written and read they are the same, nonsense is nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { treeColumns } from "../../test/support/trace-columns.ts";
import {
  foldsOfText,
  foldsText,
  foldsWith,
  rowsOfText,
  rowsText,
  rowsUnlike,
} from "./row-texts.ts";
import { collapsedBelow } from "./visible-rows.ts";

test("rows survive, at every size, and nonsense does not throw", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 200; round++) {
    const spans = 1 + Math.floor(random() * 5000);
    const rows: number[] = [];
    for (let row = 0; row < spans; row += 1 + Math.floor(random() * 900)) rows.push(row);
    const text = rowsText(rows)!;
    assert.match(text, /^[\w-]*$/);
    assert.deepEqual(rowsOfText(text, spans), rows);
    const cut = text.slice(0, Math.floor(random() * text.length));
    assert.doesNotThrow(() => rowsOfText(cut, 10));
  }
  assert.equal(rowsText(Array.from({ length: 2000 }, (_, i) => i)), undefined);
  assert.equal(rowsOfText("!!!", 10), undefined);
  assert.deepEqual(rowsOfText("", 10), []);
});

test("a level and a few rows that differ are a few letters, whatever the trace's size", () => {
  const columns = treeColumns({ spans: 20_000, seed: 3, shape: "mixed" });
  for (const level of [0, 1, 3, Infinity]) {
    const bits = foldsWith(columns, level, [4, 900, 19_000]);
    const text = foldsText(columns, { level, bits })!;
    assert.ok(text.length < 16, text);
    assert.deepEqual(foldsOfText(text, columns), { level, bits });
    assert.deepEqual([...rowsUnlike(columns, { level, bits })], [4, 900, 19_000]);
  }
  const all = { level: 2, bits: collapsedBelow(columns, 2) };
  assert.equal(foldsText(columns, all), "2.");
  assert.deepEqual(foldsOfText("2.", columns), all);
});

test("folds of nonsense, of another trace, and too many to tell", () => {
  const columns = treeColumns({ spans: 100, seed: 3, shape: "mixed" });
  for (const text of [".", "x.", "1.2.3", "-1.AQ", "1.!", "zzzzzzzz"]) {
    assert.equal(foldsOfText(text, columns), undefined, text);
  }
  const big = treeColumns({ spans: 20_000, seed: 3, shape: "mixed" });
  assert.equal(foldsText(big, { level: Infinity, bits: collapsedBelow(big, 1) }), undefined);
});
