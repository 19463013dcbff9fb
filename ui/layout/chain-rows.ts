/** Chains: spans that each call exactly one other, which can stand in one row together. */

import type { TraceColumns } from "../data/trace-columns.ts";
import { indexOfRow, onlyChild } from "./visible-rows.ts";
import type { VisibleRows } from "./visible-rows.ts";

/** Names of a chain that are read; those between them are told by their number. */
const FIRST_NAMES = 2;

/** The first row of the chain that a row is in: itself when it is in none. */
export function chainHead(columns: TraceColumns, row: number): number {
  let head = row;
  while (columns.parent[head]! >= 0 && onlyChild(columns, columns.parent[head]!) === head) head--;
  return head;
}

/** How many spans the row at a place stands for: 1 unless it is a chain's. */
export function chainLength(visible: VisibleRows, index: number): number {
  return Math.max(1, visible.chains?.[index] ?? 1);
}

/** How deep the row at a place is shown: chains are one level. */
export function shownDepth(columns: TraceColumns, visible: VisibleRows, index: number): number {
  return visible.depths?.[index] ?? columns.depth[visible.rows[index]!]!;
}

/** The row that a row hangs from as shown: its parent, or the chain that stands for it. */
export function shownParent(columns: TraceColumns, visible: VisibleRows, row: number): number {
  const parent = columns.parent[row]!;
  const { rows, chains } = visible;
  if (parent < 0 || chains === undefined || indexOfRow(rows, parent) >= 0) return parent;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! <= parent) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  if (index < 0) return parent;
  return parent < rows[index]! + chainLength(visible, index) ? rows[index]! : parent;
}

/** `a › b › c`: the names of a chain, the middle ones of a long one left out. */
export function chainName({ names, name }: TraceColumns, row: number, length: number): string {
  // Nearly all rows are plain, and every picture asks for each.
  if (length === 1) return names[name[row]!] ?? "";
  const nameOf = (at: number): string => names[name[at]!] ?? "";
  const shown = Array.from({ length: Math.min(length, FIRST_NAMES) }, (_, i) => nameOf(row + i));
  if (length > FIRST_NAMES + 1) shown.push("…");
  if (length > FIRST_NAMES) shown.push(nameOf(row + length - 1));
  return shown.join(" › ");
}
