/** The critical path of a trace: at every moment the span that the whole was waiting for. */

import { orderByNumber } from "./start-order.ts";
import { parentReference, referencesOf } from "./references.ts";
import type { Skeleton, SkeletonColumns } from "./skeleton.ts";
import { SKELETON_FLAG } from "./skeleton.ts";
import type { TraceView } from "./view.ts";

/** Stretch i: the span of `row[i]` from `fromNs[i]` to `toNs[i]`, ns from the trace's start. */
export interface CriticalPath {
  readonly row: Uint32Array;
  readonly fromNs: Float64Array;
  readonly toNs: Float64Array;
}

/** Steps to a child's place among its siblings; beyond it they are all sorted at the end. */
const MOST_STEPS = 16;

/** The path of a trace that has none, or whose path is not known yet. */
export const NO_CRITICAL_PATH: CriticalPath = {
  row: new Uint32Array(0),
  fromNs: new Float64Array(0),
  toNs: new Float64Array(0),
};

/**
 * The path, ascending by time, as Jaeger defines it: from the end of the main root backwards, the
 * child that finished last before the moment reached is what was waited for, down to its own
 * start; then the moment is that start, in its parent. Children are taken as far as they lie
 * within their parents; those that lie outside or only follow from theirs are left out, with
 * what is below them. The main root is the first row that names no parent, else row 0.
 * O(n log n) at worst, no recursion.
 */
export function criticalPathOf(columns: SkeletonColumns, follows?: Uint8Array): CriticalPath {
  if (columns.spanCount === 0) return NO_CRITICAL_PATH;
  const root = mainRoot(columns);
  const spans = clipped(columns, root, follows);
  return walk(columns.parent, spans, root);
}

/** By row of the skeleton of this view: 1 for a span whose parent reference is FOLLOWS_FROM. */
export function followersOf(view: TraceView, skeleton: Skeleton): Uint8Array | undefined {
  let follows: Uint8Array | undefined;
  const { flags, order } = skeleton;
  for (let r = 0; r < skeleton.spanCount; r++) {
    if ((flags[r]! & SKELETON_FLAG.LINKS) === 0) continue;
    const v = order[r]!;
    const references = referencesOf(view.parts[view.part[v]!]!, view.row[v]!);
    const parent = references[parentReference(references)];
    if (parent === undefined || parent.childOf) continue;
    follows ??= new Uint8Array(skeleton.spanCount);
    follows[r] = 1;
  }
  return follows;
}

function mainRoot({ parent, flags, end, spanCount }: SkeletonColumns): number {
  for (let r = 0; r < spanCount; r = end[r]!) {
    if (parent[r] === -1 && (flags[r]! & SKELETON_FLAG.ORPHAN) === 0) return r;
  }
  return 0;
}

/** The subtree of the root, each span cut to what lies within its parent. */
interface Clipped {
  readonly fromNs: Float64Array;
  readonly toNs: Float64Array;
  /** Children by end, the last finished first: the first child and each one's next. */
  readonly firstChild: Int32Array;
  readonly next: Int32Array;
}

function clipped(columns: SkeletonColumns, root: number, follows: Uint8Array | undefined): Clipped {
  const { parent, startOffsetNs, spanDurationNs } = columns;
  const n = columns.spanCount;
  const endRow = columns.end[root]!;
  const fromNs = new Float64Array(n);
  const toNs = new Float64Array(n);
  const kept = new Uint8Array(n);
  for (let r = root; r < endRow; r++) {
    let from = startOffsetNs[r]!;
    let to = from + spanDurationNs[r]!;
    if (r !== root) {
      const p = parent[r]!;
      if (kept[p] === 0 || (follows !== undefined && follows[r] === 1)) continue;
      const within = from >= fromNs[p]! && to <= toNs[p]!;
      const overlaps = from < toNs[p]! && to > fromNs[p]!;
      if (!within && !overlaps) continue;
      if (from < fromNs[p]!) from = fromNs[p]!;
      if (to > toNs[p]!) to = toNs[p]!;
    }
    fromNs[r] = from;
    toNs[r] = to;
    kept[r] = 1;
  }
  return { fromNs, toNs, ...childrenByEnd(columns, kept, toNs, root) };
}

/**
 * Children of each kept row of the root's subtree by end, the last finished first; of those that
 * end together the later row. Most begin in about the order they end in, so that each finds its
 * place after few steps: of a million spans that takes half the time of sorting all by end.
 */
function childrenByEnd(
  columns: SkeletonColumns,
  kept: Uint8Array,
  toNs: Float64Array,
  root: number,
): Pick<Clipped, "firstChild" | "next"> {
  const { parent, end, spanCount: n } = columns;
  const firstChild = new Int32Array(n).fill(-1);
  const next = new Int32Array(n).fill(-1);
  const isLeft = new Uint8Array(n);
  const left: number[] = [];
  for (let r = root + 1; r < end[root]!; r++) {
    const p = parent[r]!;
    if (kept[r] === 0 || isLeft[p] === 1) continue;
    const to = toNs[r]!;
    let before = -1;
    let at = firstChild[p]!;
    let steps = 0;
    while (at !== -1 && toNs[at]! > to && steps < MOST_STEPS) {
      before = at;
      at = next[at]!;
      steps++;
    }
    if (steps === MOST_STEPS) {
      isLeft[p] = 1;
      left.push(p);
      continue;
    }
    next[r] = at;
    if (before === -1) firstChild[p] = r;
    else next[before] = r;
  }
  for (const p of left) sortChildren(columns, p, kept, toNs, firstChild, next);
  return { firstChild, next };
}

function sortChildren(
  { end }: SkeletonColumns,
  p: number,
  kept: Uint8Array,
  toNs: Float64Array,
  firstChild: Int32Array,
  next: Int32Array,
): void {
  let count = 0;
  for (let r = p + 1; r < end[p]!; r = end[r]!) if (kept[r] === 1) count++;
  const rows = new Uint32Array(count);
  const ends = new Float64Array(count);
  count = 0;
  for (let r = p + 1; r < end[p]!; r = end[r]!) {
    if (kept[r] === 0) continue;
    rows[count] = r;
    ends[count++] = toNs[r]!;
  }
  const byEnd = orderByNumber(ends, count);
  let last = -1;
  for (let i = 0; i < count; i++) {
    const r = rows[byEnd[i]!]!;
    next[r] = last;
    last = r;
  }
  firstChild[p] = last;
}

function walk(parent: Int32Array, spans: Clipped, root: number): CriticalPath {
  const { fromNs, toNs, next } = spans;
  // Children that are still to be looked at; the moment only moves back, so none is seen twice.
  const candidate = spans.firstChild;
  const path = new Stretches();
  let row = root;
  let moment = toNs[root]!;
  for (;;) {
    let child = candidate[row]!;
    while (child !== -1 && toNs[child]! > moment) child = next[child]!;
    if (child !== -1) {
      candidate[row] = next[child]!;
      path.add(row, toNs[child]!, moment);
      moment = toNs[child]!;
      row = child;
      continue;
    }
    candidate[row] = -1;
    path.add(row, fromNs[row]!, moment);
    if (row === root) return path.ascending();
    moment = fromNs[row]!;
    row = parent[row]!;
  }
}

/** Collects stretches from the last to the first. */
class Stretches {
  #row = new Uint32Array(256);
  #fromNs = new Float64Array(256);
  #toNs = new Float64Array(256);
  #count = 0;

  add(row: number, fromNs: number, toNs: number): void {
    if (fromNs >= toNs) return;
    const last = this.#count - 1;
    if (last >= 0 && this.#row[last] === row && this.#fromNs[last] === toNs) {
      this.#fromNs[last] = fromNs;
      return;
    }
    if (this.#count === this.#row.length) this.#grow();
    this.#row[this.#count] = row;
    this.#fromNs[this.#count] = fromNs;
    this.#toNs[this.#count++] = toNs;
  }

  ascending(): CriticalPath {
    const n = this.#count;
    return {
      row: this.#row.slice(0, n).reverse(),
      fromNs: this.#fromNs.slice(0, n).reverse(),
      toNs: this.#toNs.slice(0, n).reverse(),
    };
  }

  #grow(): void {
    const size = this.#row.length * 2;
    const [row, fromNs, toNs] = [this.#row, this.#fromNs, this.#toNs];
    this.#row = new Uint32Array(size);
    this.#fromNs = new Float64Array(size);
    this.#toNs = new Float64Array(size);
    this.#row.set(row);
    this.#fromNs.set(fromNs);
    this.#toNs.set(toNs);
  }
}
