/** The tree of one trace's spans: parents, children, roots and a depth-first order, in O(n). */

import { mix32 } from "../../base/hash.ts";

/** Who is whose parent, by row. Rows are positions in the id columns given to `treeOf`. */
export interface TraceTree {
  /** Row of the parent, -1 for roots: no parent id, or one that no span of the trace has. */
  readonly parent: Int32Array;
  /** First child and next sibling of each row, -1 for none; siblings ascend by row. */
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
  /** Rows of the roots, ascending. */
  readonly roots: Uint32Array;
  /**
   * Every row that hangs on a root, parents before their children, depth first. Rows on a
   * circle of parents, and what hangs on them, are in no root's tree and missing here.
   */
  readonly order: Uint32Array;
  /** 1 for a row whose span id an earlier row has: children hang on that earlier one. */
  readonly duplicate: Uint8Array;
  /** 1 for a root that has a parent id: the parent is not in the trace. */
  readonly orphan: Uint8Array;
}

/** A batch's ids as 32-bit words, two a span, in memory order: equal ids have equal words. */
export function idWords(ids: Uint8Array): Uint32Array {
  if ((ids.byteOffset & 3) === 0) {
    return new Uint32Array(ids.buffer, ids.byteOffset, ids.length >>> 2);
  }
  return new Uint32Array(ids.slice().buffer);
}

/**
 * The tree of spans given as two words of span id and of parent id each (zero: no parent).
 * A batch's are its `idWords`. Whoever has an index of the span ids already hands it in.
 */
export function treeOf(
  spanIds: Uint32Array,
  parentIds: Uint32Array,
  index: SpanIdIndex = new SpanIdIndex(spanIds),
): TraceTree {
  const n = spanIds.length >>> 1;
  const duplicate = index.duplicate;
  const parent = new Int32Array(n).fill(-1);
  const orphan = new Uint8Array(n);
  const firstChild = new Int32Array(n).fill(-1);
  const nextSibling = new Int32Array(n).fill(-1);
  let rootCount = 0;
  for (let i = n - 1; i >= 0; i--) {
    const hi = parentIds[i * 2]!;
    const lo = parentIds[i * 2 + 1]!;
    const found = hi === 0 && lo === 0 ? -1 : index.rowOf(hi, lo);
    if (found === -1) {
      rootCount++;
      if (hi !== 0 || lo !== 0) orphan[i] = 1;
      continue;
    }
    parent[i] = found;
    nextSibling[i] = firstChild[found]!;
    firstChild[found] = i;
  }
  const roots = new Uint32Array(rootCount);
  for (let i = 0, r = 0; i < n; i++) if (parent[i] === -1) roots[r++] = i;
  const order = depthFirst(roots, firstChild, nextSibling, parent);
  return { parent, firstChild, nextSibling, roots, order, duplicate, orphan };
}

function depthFirst(
  roots: Uint32Array,
  firstChild: Int32Array,
  nextSibling: Int32Array,
  parent: Int32Array,
): Uint32Array {
  const order = new Uint32Array(parent.length);
  let count = 0;
  for (const root of roots) {
    let row = root;
    for (;;) {
      order[count++] = row;
      let next = firstChild[row]!;
      while (next === -1 && row !== root) {
        next = nextSibling[row]!;
        if (next === -1) row = parent[row]!;
      }
      if (next === -1) break;
      row = next;
    }
  }
  return order.subarray(0, count);
}

/** Finds the first row of a span id: an open-addressing table of rows. */
export class SpanIdIndex {
  /** 1 for a row whose id an earlier row has. */
  readonly duplicate: Uint8Array;
  /** How many such rows there are. */
  readonly duplicateCount: number;
  readonly #ids: Uint32Array;
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** The ids must not change while the index is in use. */
  constructor(spanIds: Uint32Array) {
    const n = spanIds.length >>> 1;
    this.duplicate = new Uint8Array(n);
    let size = 16;
    while (size < n * 2) size *= 2;
    this.#ids = spanIds;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    let duplicates = 0;
    for (let i = 0; i < n; i++) {
      const slot = this.#slotOf(spanIds[i * 2]!, spanIds[i * 2 + 1]!);
      if (this.#slots[slot] === 0) this.#slots[slot] = i + 1;
      else {
        this.duplicate[i] = 1;
        duplicates++;
      }
    }
    this.duplicateCount = duplicates;
  }

  /** First row with this id, or -1. */
  rowOf(hi: number, lo: number): number {
    return this.#slots[this.#slotOf(hi, lo)]! - 1;
  }

  #slotOf(hi: number, lo: number): number {
    const ids = this.#ids;
    const slots = this.#slots;
    let slot = mix32(Math.imul(hi, 0x9e3779b1) ^ lo) & this.#mask;
    for (;;) {
      const row = slots[slot]! - 1;
      if (row === -1 || (ids[row * 2] === hi && ids[row * 2 + 1] === lo)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}
