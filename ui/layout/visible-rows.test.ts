/** Tests of which rows are shown, against asking every ancestor of every row. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor, treeColumns } from "../../test/support/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { collapsedBelow, hasBit, indexOfRow, setBit, visibleRows } from "./visible-rows.ts";
import type { RowRules } from "./visible-rows.ts";

/** Every row asks its ancestors; slow and obviously right. */
function naive(columns: TraceColumns, rules: RowRules): number[] {
  const shown: number[] = [];
  const isAbove = (row: number, below: number): boolean =>
    row === below || (below >= 0 && isAbove(row, columns.parent[below]!));
  for (let row = 0; row < columns.spanCount; row++) {
    let visible = rules.hiddenServices[columns.service[row]!] === 0 && !rules.skipped.has(row);
    for (let above = columns.parent[row]!; above >= 0; above = columns.parent[above]!) {
      if (hasBit(rules.collapsed, above)) visible = false;
      if (rules.hiddenServices[columns.service[above]!] === 1) visible = false;
      if (rules.skipped.has(above)) visible = false;
    }
    if (rules.within >= 0) visible &&= isAbove(row, rules.within) || isAbove(rules.within, row);
    if (rules.kept !== undefined) {
      let holds = false;
      for (let below = row; below < columns.end[row]!; below++) {
        holds ||= hasBit(rules.kept, below);
      }
      visible &&= holds;
    }
    if (visible) shown.push(row);
  }
  return shown;
}

test("shown rows agree with asking every ancestor", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const columns = treeColumns({ spans: 120, seed, shape: "mixed" });
    const collapsed = new Uint8Array(15);
    const kept = new Uint8Array(15);
    for (let row = 0; row < 120; row += 1 + (seed % 7)) setBit(collapsed, row, row % 3 === 0);
    for (let row = 0; row < 120; row += 11) setBit(kept, row, true);
    const hiddenServices = Uint8Array.from(columns.services, (_, i) => Number(i === seed % 7));
    for (const changes of [
      {},
      { collapsed },
      { hiddenServices },
      { kept },
      { skipped: new Set([7, 8, 60]) },
      { within: seed },
      { within: 100 + (seed % 20), collapsed, skipped: new Set([3]) },
      { collapsed, hiddenServices, kept },
    ]) {
      const rules = rulesFor(columns, changes);
      const { rows } = visibleRows(columns, rules);
      assert.deepEqual([...rows], naive(columns, rules), `seed ${seed}`);
      for (let row = 0; row < 120; row++) {
        assert.equal(indexOfRow(rows, row), [...rows].indexOf(row));
      }
    }
  }
});

test("pruned spans and errors are counted where they are missing", () => {
  const columns = treeColumns({ spans: 300, seed: 5, shape: "mixed" });
  const hiddenServices = Uint8Array.from(columns.services, (_, i) => Number(i === 2 || i === 4));
  const rules = rulesFor(columns, { hiddenServices });
  const { rows, pruned } = visibleRows(columns, rules);
  let spans = 0;
  let errors = 0;
  for (const sum of pruned.values()) {
    spans += sum.spans;
    errors += sum.errors;
  }
  const hidden = columns.flags.filter((_, row) => indexOfRow(rows, row) < 0);
  assert.equal(spans, columns.spanCount - rows.length);
  assert.equal(errors, hidden.filter((flag) => (flag & 1) !== 0).length);
});

test("repeated siblings stand in one row, unless that is opened", () => {
  const columns = treeColumns({ spans: 50, seed: 3, shape: "flat" });
  columns.name.fill(1);
  columns.service.fill(0);
  const grouped = visibleRows(columns, rulesFor(columns, { grouped: true }));
  assert.deepEqual([...grouped.rows], [0, 1]);
  assert.equal(grouped.groups.get(1)?.count, 49);
  const sum = columns.spanDurationNs.slice(1).reduce((a, b) => a + b, 0);
  assert.equal(grouped.groups.get(1)?.totalNs, sum);
  const opened = visibleRows(
    columns,
    rulesFor(columns, { grouped: true, ungrouped: new Set([1]) }),
  );
  assert.equal(opened.rows.length, 50);
});

test("collapsing to a level leaves rows up to it", () => {
  const columns = treeColumns({ spans: 500, seed: 9, shape: "mixed" });
  for (let level = 0; level < 6; level++) {
    const rules = rulesFor(columns, { collapsed: collapsedBelow(columns, level) });
    const deepest = Math.max(
      ...[...visibleRows(columns, rules).rows].map((r) => columns.depth[r]!),
    );
    assert.equal(deepest, Math.min(level, Math.max(...columns.depth)));
  }
});

test("a chain of 100,000 and a family of 1,000,000 are one pass", () => {
  const deep = treeColumns({ spans: 100_000, seed: 1, shape: "deep" });
  const kept = new Uint8Array(12_500);
  setBit(kept, 99_999, true);
  assert.equal(visibleRows(deep, rulesFor(deep, { kept })).rows.length, 100_000);
  const flat = treeColumns({ spans: 1_000_000, seed: 1, shape: "flat" });
  assert.equal(visibleRows(flat, rulesFor(flat, { grouped: true })).rows.at(-1)! > 900_000, true);
});
