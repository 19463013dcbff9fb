/** Tests of self times, against cutting every child out of its parent on a line of ns. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeColumns } from "../../test/support/trace-columns.ts";
import { selfSteps, selfTimes, SELF_STEPS } from "./self-time.ts";

test("self time is what no child covers, whatever children overlap or overhang", () => {
  for (let seed = 1; seed < 30; seed++) {
    const columns = treeColumns({ spans: 60, seed, shape: "mixed" });
    const unit = 1e7;
    for (let row = 0; row < 60; row++) {
      columns.startOffsetNs[row] = Math.round(columns.startOffsetNs[row]! / unit);
      columns.spanDurationNs[row] = Math.round(columns.spanDurationNs[row]! / unit);
      // Clocks differ: some spans end after their parent.
      if (row % 7 === 3) columns.spanDurationNs[row] = columns.spanDurationNs[row]! + 40;
    }
    // Siblings ascend by start, as the columns promise.
    const lastStart = new Map<number, number>();
    for (let row = 0; row < 60; row++) {
      const above = columns.parent[row]!;
      const start = Math.max(columns.startOffsetNs[row]!, lastStart.get(above) ?? 0);
      columns.startOffsetNs[row] = start;
      lastStart.set(above, start);
    }
    const self = selfTimes(columns);
    for (let row = 0; row < 60; row++) {
      let free = 0;
      const start = columns.startOffsetNs[row]!;
      for (let at = start; at < start + columns.spanDurationNs[row]!; at++) {
        const covered = columns.parent.some(
          (above, child) =>
            above === row &&
            columns.startOffsetNs[child]! <= at &&
            at < columns.startOffsetNs[child]! + columns.spanDurationNs[child]!,
        );
        if (!covered) free++;
      }
      assert.equal(self[row], free, `seed ${seed} row ${row}`);
    }
  }
});

test("steps ascend with self time, the longest is in the last", () => {
  const columns = treeColumns({ spans: 2000, seed: 5, shape: "mixed" });
  const self = selfTimes(columns);
  const { step, longestNs } = selfSteps(columns, self);
  assert.equal(longestNs, Math.max(...self));
  assert.equal(step[self.indexOf(longestNs)], SELF_STEPS.length - 1);
  const rows = [...step.keys()].toSorted((a, b) => self[a]! - self[b]!);
  for (let i = 1; i < rows.length; i++) assert.ok(step[rows[i - 1]!]! <= step[rows[i]!]!);
  assert.ok(self[step.indexOf(2)]! <= longestNs * SELF_STEPS[2]!);
});

test("a chain of 100,000 and as many siblings are one pass", () => {
  for (const shape of ["deep", "flat"] as const) {
    const columns = treeColumns({ spans: 100_000, seed: 1, shape });
    assert.ok(selfTimes(columns).every((ns) => ns >= 0));
  }
});
