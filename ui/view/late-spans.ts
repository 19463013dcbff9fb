/** A trace that grew while it was open: what is seen, open and folded moves to the new rows. */

import type { TraceColumns } from "../data/trace-columns.ts";
import { topOfRow } from "../layout/row-heights.ts";
import { linkIdOf, rowsOfSpanIds, spanIdHexOf } from "../layout/span-ids.ts";
import { foldsWith, rowsUnlike } from "../layout/row-texts.ts";
import type { TraceModel } from "./trace-model.ts";

/** Gives the model the new columns, `whole` or broken off; call it in a batch. */
export function moveTo(
  model: TraceModel,
  old: TraceColumns,
  columns: TraceColumns,
  whole = true,
): void {
  const top = anchorOf(model);
  const level = model.foldLevel.peek();
  const folds = { level, bits: model.collapsed.peek() };
  const lists = [
    [model.cursorRow.peek(), model.selectedRow.peek(), top.row, model.within.peek()],
    model.openRows.peek(),
    [...model.skipped.peek()],
    [...model.ungrouped.peek()],
    [...model.unchained.peek()],
    [...rowsUnlike(old, folds)],
  ];
  const [single, open, skipped, ungrouped, unchained, unlike] = rowsAnew(old, columns, lists);
  const [cursor, selected, first, within] = single!;
  const wasWhole = model.showsWhole();
  const hidden = new Set(old.services.filter((_, i) => model.hiddenServices.peek()[i] === 1));
  const { fromNs, toNs } = model.window.peek();
  // The window is in offsets from a start that an earlier span may have moved.
  const moved = (old.startUs - columns.startUs) * 1000 + (old.startNs - columns.startNs);
  model.replaceColumns(columns, whole);
  model.hiddenServices.value = Uint8Array.from(columns.services, (name) =>
    Number(hidden.has(name)),
  );
  model.collapsed.value = foldsWith(columns, level, present(unlike));
  model.foldLevel.value = level;
  model.skipped.value = new Set(present(skipped));
  model.ungrouped.value = new Set(present(ungrouped));
  model.unchained.value = new Set(present(unchained));
  model.within.value = within ?? -1;
  model.cursorRow.value = Math.max(0, cursor ?? 0);
  model.selectedRow.value = selected ?? -1;
  model.openRows.value = present(open);
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

/** The rows that lists of old rows have now, -1 for what is gone; looked for in one pass. */
function rowsAnew(
  old: TraceColumns,
  columns: TraceColumns,
  lists: readonly (readonly number[])[],
): number[][] {
  const hexes = lists.flatMap((list, i) =>
    list.map((row) => {
      if (row < 0) return "";
      // A few are told from their twins; of thousands that would take too long.
      return i < 2 ? linkIdOf(old, row) : spanIdHexOf(old, row);
    }),
  );
  const rows = rowsOfSpanIds(columns, hexes);
  return lists.map((list) => rows.splice(0, list.length));
}

function present(rows: readonly number[] | undefined): number[] {
  return (rows ?? []).filter((row) => row >= 0);
}
