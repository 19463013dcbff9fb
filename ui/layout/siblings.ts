/** How many children each span has and which child it is: what the tree tells of itself. */

import type { TraceColumns } from "../data/trace-columns.ts";

export interface Siblings {
  readonly roots: number;
  /** Children of each row. */
  readonly children: Uint32Array;
  /** Place among the siblings, from 1. */
  readonly place: Uint32Array;
}

/** One pass over the loaded rows; they come in order, so places are counted as they appear. */
export function countSiblings(columns: TraceColumns): Siblings {
  const { parent, loaded, spanCount } = columns;
  const children = new Uint32Array(spanCount);
  const place = new Uint32Array(spanCount);
  let roots = 0;
  for (let row = 0; row < loaded; row++) {
    const above = parent[row]!;
    if (above < 0) place[row] = ++roots;
    else {
      const n = children[above]! + 1;
      children[above] = n;
      place[row] = n;
    }
  }
  return { roots, children, place };
}

/** How many siblings a row has, itself included. */
export function setSizeOf(siblings: Siblings, columns: TraceColumns, row: number): number {
  const above = columns.parent[row]!;
  return above < 0 ? siblings.roots : siblings.children[above]!;
}

/** How many children a row has; those beyond `most` are not looked at. */
export function childrenOf({ end }: TraceColumns, row: number, most: number): number {
  let count = 0;
  for (let child = row + 1; child < end[row]! && count < most; child = end[child]!) count++;
  return count;
}
