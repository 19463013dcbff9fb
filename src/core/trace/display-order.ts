/** From the tree of a trace to rows in display order: every span once, whatever its parents. */

import type { TraceTree } from "./tree.ts";

/** Rows, depth first; all columns are by row but `order`, which tells the span of a row. */
export interface DisplayOrder {
  readonly order: Uint32Array;
  /** Row of the parent, -1 for roots. */
  readonly parent: Int32Array;
  readonly depth: Uint32Array;
  /** First row after the subtree. */
  readonly end: Uint32Array;
  /** Spans (not rows) that became roots because their parents form a circle. */
  readonly cut: readonly number[];
}

/** The display order of a tree whose siblings are to ascend as in `sorted`. */
export function displayOrder(tree: TraceTree, sorted: Uint32Array): DisplayOrder {
  const n = sorted.length;
  const { parents, cut } = withoutCircles(tree, sorted);
  const firstChild = new Int32Array(n).fill(-1);
  const nextSibling = new Int32Array(n).fill(-1);
  let root = -1;
  for (let s = n - 1; s >= 0; s--) {
    const v = sorted[s]!;
    const p = parents[v]!;
    if (p === -1) {
      nextSibling[v] = root;
      root = v;
    } else {
      nextSibling[v] = firstChild[p]!;
      firstChild[p] = v;
    }
  }
  const order = new Uint32Array(n);
  const parent = new Int32Array(n);
  const depth = new Uint32Array(n);
  const rowOf = new Uint32Array(n);
  let level = 0;
  let v = root;
  for (let r = 0; r < n; r++) {
    const p = parents[v]!;
    order[r] = v;
    rowOf[v] = r;
    parent[r] = p === -1 ? -1 : rowOf[p]!;
    depth[r] = level;
    let next = firstChild[v]!;
    if (next !== -1) level++;
    else {
      next = nextSibling[v]!;
      while (next === -1 && level > 0) {
        v = parents[v]!;
        level--;
        next = nextSibling[v]!;
      }
    }
    v = next;
  }
  return { order, parent, depth, end: endsOf(parent), cut };
}

/** First row after the subtree of each row, from the parents' rows. */
export function endsOf(parent: Int32Array): Uint32Array {
  const n = parent.length;
  const end = new Uint32Array(n);
  for (let r = n - 1; r >= 0; r--) {
    if (end[r] === 0) end[r] = r + 1;
    const p = parent[r]!;
    if (p !== -1 && end[p]! < end[r]!) end[p] = end[r]!;
  }
  return end;
}

/**
 * Parents with every circle cut at the span of it that comes first in `sorted`. Each span is
 * walked over once: a walk ends at what an earlier one has reached.
 */
function withoutCircles(
  tree: TraceTree,
  sorted: Uint32Array,
): { readonly parents: Int32Array; readonly cut: readonly number[] } {
  const n = sorted.length;
  if (tree.order.length === n) return { parents: tree.parent, cut: [] };
  const parents = tree.parent.slice();
  const cut: number[] = [];
  const rank = new Uint32Array(n);
  for (let s = 0; s < n; s++) rank[sorted[s]!] = s;
  const reachedBy = new Uint32Array(n);
  for (const v of tree.order) reachedBy[v] = n + 1;
  for (let s = 0; s < n; s++) {
    let v = sorted[s]!;
    while (v !== -1 && reachedBy[v] === 0) {
      reachedBy[v] = s + 1;
      v = parents[v]!;
    }
    if (v === -1 || reachedBy[v] !== s + 1) continue;
    let first = v;
    for (let w = parents[v]!; w !== v; w = parents[w]!) if (rank[w]! < rank[first]!) first = w;
    parents[first] = -1;
    cut.push(first);
  }
  return { parents, cut };
}
