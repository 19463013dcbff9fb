/** Tests of the critical path: cases worked out by hand, and a slow oracle on random traces. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchOf, plainSpan } from "../../../test/support/plain-spans.ts";
import { deepShape, flatShape, randomShape } from "../../../test/support/trace-shapes.ts";
import { shapeBatches } from "../../../test/support/trace-shapes.ts";
import { toHex } from "../../base/bytes.ts";
import { seededRandom } from "../../base/clock.ts";
import { criticalPathOf, followersOf } from "./critical-path.ts";
import type { CriticalPath } from "./critical-path.ts";
import { skeletonOf } from "./skeleton.ts";
import type { SkeletonColumns } from "./skeleton.ts";
import { viewTrace } from "./view.ts";

/** A span by its letter, its parent's letter ("" for none), start and end in µs. */
type Row = readonly [id: string, parent: string, start: number, end: number, follows?: "follows"];

const hexOf = (letter: string): string =>
  letter === "" ? "0".repeat(16) : letter.charCodeAt(0).toString(16).padStart(16, "0");
const traceHex = "aa".repeat(16);

/** The path as `A 0-10, B 10-20`. */
function pathOf(rows: readonly Row[]): string {
  const spans = rows.map(([id, parent, start, end, follows]) =>
    plainSpan({
      traceHex,
      spanHex: hexOf(id),
      parentHex: follows === undefined ? hexOf(parent) : hexOf(""),
      startNs: 1_700_000_000_000_000_000n + BigInt(start) * 1000n,
      durationNs: BigInt(end - start) * 1000n,
      links: follows === undefined ? [] : [{ traceHex, spanHex: hexOf(parent), attributes: [] }],
    }),
  );
  const view = viewTrace([batchOf(spans)]);
  const skeleton = skeletonOf(view);
  const path = criticalPathOf(skeleton, followersOf(view, skeleton));
  const letter = (row: number): string =>
    String.fromCharCode(Number.parseInt(toHex(skeleton.spanId, row * 8, 8), 16));
  return Array.from(path.row, (row, i) => {
    return `${letter(row)} ${path.fromNs[i]! / 1000}-${path.toNs[i]! / 1000}`;
  }).join(", ");
}

describe("critical path, by hand", () => {
  const cases: (readonly [what: string, rows: readonly Row[], path: string])[] = [
    ["a root alone", [["A", "", 0, 10]], "A 0-10"],
    [
      "a child within",
      [
        ["A", "", 0, 100],
        ["B", "A", 20, 60],
      ],
      "A 0-20, B 20-60, A 60-100",
    ],
    [
      "of two at once the one that ends last, then what ended before it began",
      [
        ["A", "", 0, 100],
        ["B", "A", 10, 50],
        ["C", "A", 40, 90],
        ["D", "A", 5, 30],
      ],
      "A 0-5, D 5-30, A 30-40, C 40-90, A 90-100",
    ],
    [
      "children one right after the other",
      [
        ["A", "", 0, 90],
        ["B", "A", 0, 30],
        ["C", "A", 30, 60],
        ["D", "A", 60, 90],
      ],
      "B 0-30, C 30-60, D 60-90",
    ],
    [
      "grandchildren, and back up through parents",
      [
        ["A", "", 0, 100],
        ["B", "A", 10, 80],
        ["C", "B", 20, 40],
        ["D", "B", 50, 70],
      ],
      "A 0-10, B 10-20, C 20-40, B 40-50, D 50-70, B 70-80, A 80-100",
    ],
    [
      "a child that outlasts its parent counts as far as the parent",
      [
        ["A", "", 0, 50],
        ["B", "A", 20, 90],
      ],
      "A 0-20, B 20-50",
    ],
    [
      "a child that began before its parent counts from the parent's start",
      [
        ["A", "", 10, 60],
        ["B", "A", 0, 30],
      ],
      "B 10-30, A 30-60",
    ],
    [
      "a child around its parent is all of it",
      [
        ["A", "", 10, 60],
        ["B", "A", 0, 90],
      ],
      "B 10-60",
    ],
    [
      "a child outside its parent is left out, with what is below it",
      [
        ["A", "", 0, 50],
        ["B", "A", 60, 90],
        ["C", "B", 10, 40],
      ],
      "A 0-50",
    ],
    [
      "a span that only follows from its parent is not waited for",
      [
        ["A", "", 0, 100],
        ["B", "A", 20, 90, "follows"],
        ["C", "A", 10, 30],
      ],
      "A 0-10, C 10-30, A 30-100",
    ],
    [
      "the main root is the first that names no parent",
      [
        ["X", "Z", 0, 20],
        ["A", "", 5, 50],
        ["B", "A", 10, 40],
        ["C", "", 60, 70],
      ],
      "A 5-10, B 10-40, A 40-50",
    ],
    [
      "only orphans: the first",
      [
        ["X", "Z", 0, 20],
        ["Y", "Z", 30, 40],
      ],
      "X 0-20",
    ],
    [
      "no time at all",
      [
        ["A", "", 0, 0],
        ["B", "A", 0, 0],
      ],
      "",
    ],
    [
      "spans of no time are passed",
      [
        ["A", "", 0, 50],
        ["B", "A", 20, 20],
        ["C", "A", 20, 20],
        ["D", "B", 20, 20],
      ],
      "A 0-50",
    ],
  ];
  for (const [what, rows, path] of cases) {
    it(what, () => assert.equal(pathOf(rows), path.replace(/(\d+)-(\d+)/g, shiftBy(rows))));
  }
});

/** Offsets count from the earliest start, the cases from 0. */
function shiftBy(rows: readonly Row[]): (text: string, from: string, to: string) => string {
  const first = Math.min(...rows.map(([, , start]) => start));
  return (_, from, to) => `${Number(from) - first}-${Number(to) - first}`;
}

/** At each moment, going back from the end, who was waited for: every child asked every time. */
function oracle(columns: SkeletonColumns): (readonly [number, number, number])[] {
  const { parent, startOffsetNs, spanDurationNs, spanCount } = columns;
  const from = Array.from(startOffsetNs);
  const to = from.map((start, r) => start + spanDurationNs[r]!);
  const out = new Set<number>();
  for (let r = 0; r < spanCount; r++) {
    const p = parent[r]!;
    if (p === -1) continue;
    const within = from[r]! >= from[p]! && to[r]! <= to[p]!;
    if (out.has(p) || (!within && (from[r]! >= to[p]! || to[r]! <= from[p]!))) out.add(r);
    from[r] = Math.max(from[r]!, from[p]!);
    to[r] = Math.min(to[r]!, to[p]!);
  }
  let root = [...parent.keys()].find((r) => parent[r] === -1 && (columns.flags[r]! & 2) === 0);
  root ??= 0;
  const used = new Set<number>(out);
  const path: [number, number, number][] = [];
  const add = (row: number, start: number, end: number): void => {
    const last = path[0];
    if (start >= end) return;
    if (last !== undefined && last[0] === row && last[1] === end) last[1] = start;
    else path.unshift([row, start, end]);
  };
  let row = root;
  let moment = to[root]!;
  for (;;) {
    let best = -1;
    for (let c = 0; c < spanCount; c++) {
      if (parent[c] !== row || used.has(c) || to[c]! > moment) continue;
      if (best === -1 || to[c]! >= to[best]!) best = c;
    }
    if (best !== -1) {
      used.add(best);
      add(row, to[best]!, moment);
      moment = to[best]!;
      row = best;
    } else {
      add(row, from[row]!, moment);
      if (row === root) return path;
      moment = from[row]!;
      row = parent[row]!;
    }
  }
}

function checkPath(columns: SkeletonColumns, path: CriticalPath): void {
  for (let i = 0; i < path.row.length; i++) {
    assert.ok(path.fromNs[i]! < path.toNs[i]!);
    if (i > 0) assert.equal(path.fromNs[i], path.toNs[i - 1], "no gap, no overlap");
    const start = columns.startOffsetNs[path.row[i]!]!;
    assert.ok(start <= path.fromNs[i]!, "within its span");
    assert.ok(path.toNs[i]! <= start + columns.spanDurationNs[path.row[i]!]!);
  }
}

describe("critical path", () => {
  it("is what a slow search for it finds", () => {
    for (let seed = 1; seed <= 400; seed++) {
      const columns = skeletonOf(viewTrace(shapeBatches(randomShape(seed, 1 + (seed % 50)))));
      const path = criticalPathOf(columns);
      checkPath(columns, path);
      const found = Array.from(path.row, (row, i) => [row, path.fromNs[i], path.toNs[i]]);
      assert.deepEqual(found, oracle(columns), `seed ${seed}`);
    }
  });

  it("is what a slow search finds where many children end in any order", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const spans = 20 + (seed % 130);
      const columns = skeletonOf(
        viewTrace(
          shapeBatches({
            spans,
            parentOf: (span) => (span === 0 ? -1 : random() < 0.8 ? 0 : Math.min(span - 1, 3)),
            startOf: (span) => (span === 0 ? 0 : Math.floor(random() * 1000)),
            durationOf: (span) => (span === 0 ? 2000 : Math.floor(random() * 30) * 50),
          }),
        ),
      );
      const path = criticalPathOf(columns);
      const found = Array.from(path.row, (row, i) => [row, path.fromNs[i], path.toNs[i]]);
      assert.deepEqual(found, oracle(columns), `seed ${seed}`);
    }
  });

  it("of a chain of 200,000 and of a million in a row has no gap", () => {
    for (const shape of [deepShape(200_000), flatShape(1_000_000)]) {
      const columns = skeletonOf(viewTrace(shapeBatches(shape)));
      const path = criticalPathOf(columns);
      checkPath(columns, path);
      assert.ok(path.row.length > shape.spans - 2);
    }
  });
});
