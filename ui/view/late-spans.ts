/** A trace that grew while it was open: what is seen, open and folded moves to the new rows. */

import type { TraceColumns } from "../data/trace-columns.ts";
import { topOfRow } from "../layout/row-heights.ts";
import { rowsOfSpanIds, spanIdHexOf } from "../layout/span-ids.ts";
import { hasBit, setBit } from "../layout/visible-rows.ts";
import type { TraceModel } from "./trace-model.ts";

/** Gives the model the new columns; call it in a batch. */
export function moveTo(model: TraceModel, old: TraceColumns, columns: TraceColumns): void {
  const top = anchorOf(model);
  const folded = [...bitsOf(model.collapsed.peek(), old.spanCount)];
  const named = [
    model.cursorRow.peek(),
    model.selectedRow.peek(),
    top.row,
    ...model.openRows.peek(),
    ...folded,
  ];
  const hexes = named.map((row) => (row < 0 ? "" : spanIdHexOf(old, row)));
  const rows = rowsOfSpanIds(columns, hexes);
  const [cursor, selected, first] = rows;
  const openCount = model.openRows.peek().length;
  const wasWhole = model.showsWhole();
  const hidden = new Set(old.services.filter((_, i) => model.hiddenServices.peek()[i] === 1));
  const { fromNs, toNs } = model.window.peek();
  // The window is in offsets from a start that an earlier span may have moved.
  const moved = (old.startUs - columns.startUs) * 1000 + (old.startNs - columns.startNs);
  model.replaceColumns(columns);
  model.hiddenServices.value = Uint8Array.from(columns.services, (name) =>
    Number(hidden.has(name)),
  );
  const collapsed = new Uint8Array((columns.spanCount + 7) >> 3);
  for (const row of rows.slice(3 + openCount)) if (row >= 0) setBit(collapsed, row, true);
  model.collapsed.value = collapsed;
  model.cursorRow.value = Math.max(0, cursor ?? 0);
  model.selectedRow.value = selected ?? -1;
  model.openRows.value = rows.slice(3, 3 + openCount).filter((row) => row >= 0);
  if (!wasWhole) model.setWindow(fromNs + moved, toNs + moved);
  const index = model.indexOf(first ?? -1);
  if (index >= 0) {
    const heights = model.openHeights.peek();
    model.scrollTo(topOfRow(index, model.rowHeight.peek(), heights) - top.y);
  }
}

/**
 * What is looked at, which is to stay where it is: the selected row, the cursor's or else the
 * first on screen; y is its top, px from the body's.
 */
function anchorOf(model: TraceModel): { readonly row: number; readonly y: number } {
  const slots = model.frame()?.slots.filter(({ sticky }) => !sticky) ?? [];
  const slot =
    slots.find(({ row }) => row === model.selectedRow.peek()) ??
    slots.find(({ row, y }) => row > 0 && y >= 0 && row === model.cursorRow.peek()) ??
    slots[0];
  return slot === undefined ? { row: -1, y: 0 } : { row: slot.row, y: slot.y };
}

function* bitsOf(bits: Uint8Array, count: number): Iterable<number> {
  for (let row = 0; row < count; row++) if (hasBit(bits, row)) yield row;
}
