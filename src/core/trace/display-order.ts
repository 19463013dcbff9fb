/** From the tree of a trace to rows in display order: every span once, whatever its parents. */

import type { TraceTree } from "./tree.ts";

/** Rows, depth first; all columns are by row but `rowOf`. */
export interface DisplayOrder {
  /** The span of each row. */
  readonly order: Uint32Array;
  /** The row of each span. */
  readonly rowOf: Uint32Array;
  /** Row of the parent, -1 for roots. */
  readonly parent: Int32Array;
  readonly depth: Uint32Array;
  /** First row after the subtree. */
  readonly end: Uint32Array;
  /** Spans (not rows) that became roots because their parents form a circle. */
  readonly cut: readonly number[];
}

/** Places of a span's links in `links`: one line of the cache holds all of them. */
const STRIDE = 4;
const PARENT = 0;
const FIRST_CHILD = 1;
const NEXT_SIBLING = 2;
const ROW = 3;

/**
 * The display order of a tree whose siblings are to ascend as in `sorted`. Spans are linked by
 * their places in `sorted`: parents and children are near in time, so near in memory too.
 */
export function displayOrder(tree: TraceTree, sorted: Uint32Array): DisplayOrder {
  const n = sorted.length;
  const { parents, cut } = withoutCircles(tree, sorted);
  const place = new Uint32Array(n);
  for (let s = 0; s < n; s++) place[sorted[s]!] = s;
  const links = new Int32Array(n * STRIDE).fill(-1);
  let root = -1;
  for (let s = n - 1; s >= 0; s--) {
    const above = parents[sorted[s]!]!;
    if (above === -1) {
      links[s * STRIDE + NEXT_SIBLING] = root;
      root = s;
    } else {
      const p = place[above]!;
      links[s * STRIDE + PARENT] = p;
      links[s * STRIDE + NEXT_SIBLING] = links[p * STRIDE + FIRST_CHILD]!;
      links[p * STRIDE + FIRST_CHILD] = s;
    }
  }
  const rows = walk(links, root);
  const { order } = rows;
  const rowOf = place;
  for (let r = 0; r < n; r++) {
    order[r] = sorted[order[r]!]!;
    rowOf[order[r]!] = r;
  }
  return { ...rows, rowOf, cut };
}

/** Goes depth first from the first root through all; the order is of places. */
function walk(links: Int32Array, root: number): Omit<DisplayOrder, "rowOf" | "cut"> {
  const n = links.length / STRIDE;
  const order = new Uint32Array(n);
  const parent = new Int32Array(n);
  const depth = new Uint32Array(n);
  let level = 0;
  let at = root * STRIDE;
  for (let r = 0; r < n; r++) {
    const p = links[at + PARENT]!;
    order[r] = at / STRIDE;
    links[at + ROW] = r;
    parent[r] = p === -1 ? -1 : links[p * STRIDE + ROW]!;
    depth[r] = level;
    let next = links[at + FIRST_CHILD]!;
    if (next !== -1) level++;
    else {
      next = links[at + NEXT_SIBLING]!;
      while (next === -1 && level > 0) {
        at = links[at + PARENT]! * STRIDE;
        level--;
        next = links[at + NEXT_SIBLING]!;
      }
    }
    at = next * STRIDE;
  }
  return { order, parent, depth, end: endsOf(parent) };
}

/** First row after the subtree of each row, from the parents' rows. */
function endsOf(parent: Int32Array): Uint32Array {
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
