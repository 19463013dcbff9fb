/** Log lines for people. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleLine } from "./logging.ts";

test("a line of the console has time, level, message and the other fields", () => {
  const line = '{"level":"warn","ts":1700000000.123,"flag":"a.b","n":1,"msg":"lost\\tone"}\n';
  const expected = '2023-11-14T22:13:20.123Z\twarn\tlost\tone\t{"flag":"a.b","n":1}\n';
  assert.equal(consoleLine(line), expected);
  const bare = '{"level":"info","ts":1,"msg":"stopped"}\n';
  assert.equal(consoleLine(bare), "1970-01-01T00:00:01.000Z\tinfo\tstopped\n");
});
