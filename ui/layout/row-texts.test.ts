/** Tests of sets of rows as texts: written and read they are the same, in a grown trace too. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { grownColumns, treeColumns } from "../../test/support/trace-columns.ts";
import {
  foldsOfText,
  foldsText,
  foldsWith,
  rowsOfText,
  rowsText,
  rowsUnlike,
} from "./row-texts.ts";
import { collapsedBelow } from "./visible-rows.ts";

/** Some rows, ascending, never more than an address holds. */
function someRows(random: () => number, spans: number): number[] {
  const rows: number[] = [];
  const apart = Math.max(2, spans / 50);
  for (let row = Math.floor(random() * apart); row < spans;) {
    rows.push(row);
    row += 1 + Math.floor(random() * apart);
  }
  return rows.slice(0, 150);
}

test("rows survive, at every size, and nonsense does not throw", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 60; round++) {
    const spans = 1 + Math.floor(random() * 5000);
    const columns = treeColumns({ spans, seed: round, shape: "mixed" });
    const rows = someRows(random, spans);
    const text = rowsText(columns, rows)!;
    assert.match(text, /^(\*[34][\w-]+)?$/);
    assert.deepEqual(rowsOfText(text, columns), rows);
    const cut = text.slice(0, Math.floor(random() * text.length));
    assert.doesNotThrow(() => rowsOfText(cut, columns));
  }
  const columns = treeColumns({ spans: 2000, seed: 1, shape: "mixed" });
  assert.equal(rowsText(columns, Array(2000).keys()), undefined);
  assert.equal(rowsText(columns, Array(2000).keys(), 12_000)?.length, 2 + 10_667);
  assert.equal(rowsOfText("!!!", columns), undefined);
  assert.equal(rowsOfText("*9AAAA", columns), undefined);
  assert.deepEqual(rowsOfText("", columns), []);
});

test("a link names the same spans in the trace as it has grown", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const spans = 1 + Math.floor(random() * 3000);
    const extra = 1 + Math.floor(random() * 3000);
    const old = treeColumns({ spans, seed, shape: "mixed" });
    const { columns, rowOf } = grownColumns(old, extra, seed + 1000);
    const rows = someRows(random, spans);
    const moved = rows.map((row) => rowOf[row]!);
    assert.deepEqual(rowsOfText(rowsText(old, rows)!, columns), moved, `seed ${seed}`);
    const level = [0, 2, 4, Infinity][seed % 4]!;
    const bits = foldsWith(old, level, rows);
    const folds = foldsOfText(foldsText(old, { level, bits })!, columns)!;
    // Whatever came since is folded as its level says, and what was told apart still is.
    assert.deepEqual(folds, { level, bits: foldsWith(columns, level, moved) }, `seed ${seed}`);
  }
});

test("spans that share an id are told apart by kind, as Zipkin's client and server", () => {
  const columns = treeColumns({ spans: 9, seed: 1, shape: "flat" });
  columns.spanId.copyWithin(5 * 8, 4 * 8, 5 * 8);
  columns.kind[4] = 3;
  assert.deepEqual(rowsOfText(rowsText(columns, [5])!, columns), [5]);
});

test("a million spans: a hash is of five bytes, and only the spans that were meant answer", () => {
  const columns = treeColumns({ spans: 1_000_000, seed: 5, shape: "mixed" });
  const rows = [0, 17, 65_536, 999_999];
  const text = rowsText(columns, rows)!;
  assert.match(text, /^\*5[\w-]{27}$/);
  assert.deepEqual(rowsOfText(text, columns), rows);
});

test("links of earlier versions, by number, still open", () => {
  const columns = treeColumns({ spans: 20_000, seed: 3, shape: "mixed" });
  assert.deepEqual(rowsOfText("BYAHhI0B", columns), [4, 900, 18_952]);
  const bits = foldsWith(columns, 2, [4, 900, 18_952]);
  assert.deepEqual(foldsOfText("2.BYAHhI0B", columns), { level: 2, bits });
  assert.equal(
    rowsOfText("BYAHhI0B", treeColumns({ spans: 900, seed: 3, shape: "flat" })),
    undefined,
  );
});

test("a level and a few rows that differ are a few letters, whatever the trace's size", () => {
  const columns = treeColumns({ spans: 20_000, seed: 3, shape: "mixed" });
  for (const level of [0, 1, 3, Infinity]) {
    const bits = foldsWith(columns, level, [4, 900, 19_000]);
    const text = foldsText(columns, { level, bits })!;
    assert.ok(text.length < 24, text);
    assert.deepEqual(foldsOfText(text, columns), { level, bits });
    assert.deepEqual([...rowsUnlike(columns, { level, bits })], [4, 900, 19_000]);
  }
  const all = { level: 2, bits: collapsedBelow(columns, 2) };
  assert.equal(foldsText(columns, all), "2.");
  assert.deepEqual(foldsOfText("2.", columns), all);
});

test("folds of nonsense, and too many to tell", () => {
  const columns = treeColumns({ spans: 100, seed: 3, shape: "mixed" });
  for (const text of [".", "x.", "1.2.3", "-1.AQ", "1.!", "zzzzzzzz", "*", "1.*3*3AAAA"]) {
    assert.equal(foldsOfText(text, columns), undefined, text);
  }
  const big = treeColumns({ spans: 20_000, seed: 3, shape: "mixed" });
  assert.equal(foldsText(big, { level: Infinity, bits: collapsedBelow(big, 1) }), undefined);
});
