/** Folding many rows at once, and leaving subtrees and services out. */

import { batch, effect } from "@preact/signals";
import { chainLength, shownParent } from "../layout/chain-rows.ts";
import { setBit } from "../layout/visible-rows.ts";
import type { TraceModel } from "./trace-model.ts";

/** A cursor that comes to be hidden moves to what is seen, until the function is called. */
export function keepCursorSeen(model: TraceModel): () => void {
  return effect(() => {
    const { rows } = model.visible.value;
    if (rows.length === 0 || model.indexOf(model.cursorRow.peek()) >= 0) return;
    model.keepCursor();
    // Whole trees may be hidden: the list of spans keeps a stop for Tab all the same.
    if (model.indexOf(model.cursorRow.peek()) < 0) model.cursorRow.value = rows[0]!;
  });
}

/** Opens one level more than the deepest that is seen, or folds that one. */
export function foldLevel(model: TraceModel, by: 1 | -1): void {
  const columns = model.columns.peek();
  if (columns === undefined) return;
  let level = 0;
  for (const row of model.visible.peek().rows) level = Math.max(level, columns.depth[row]!);
  model.collapseFrom(Math.max(0, level + by));
}

/** Opens or closes a group of repeated siblings by its first row. */
export function toggleGroup(model: TraceModel, row: number): void {
  const open = new Set(model.ungrouped.peek());
  if (!open.delete(row)) open.add(row);
  model.ungrouped.value = open;
}

/** Whether a row stands for a chain, or is the first of one that is open. */
export function chainState(model: TraceModel, row: number): "folded" | "open" | "" {
  if (!model.chained.peek() || model.isCollapsed(row)) return "";
  const index = model.indexOf(row);
  if (index >= 0 && chainLength(model.visible.peek(), index) > 1) return "folded";
  return model.unchained.peek().has(row) ? "open" : "";
}

/** Opens the chain that a row stands for, or folds it again. */
export function toggleChain(model: TraceModel, row: number): void {
  const open = new Set(model.unchained.peek());
  if (!open.delete(row)) open.add(row);
  model.unchained.value = open;
  model.keepCursor();
}

/** The row that a row hangs from as it is shown, -1 for a root. */
export function shownAbove(model: TraceModel, row: number): number {
  const columns = model.columns.peek();
  return columns === undefined || row < 0 ? -1 : shownParent(columns, model.visible.peek(), row);
}

/** What a click on a row's toggle does. */
export function toggleRow(model: TraceModel, row: number): void {
  if (chainState(model, row) !== "") toggleChain(model, row);
  else if (model.hasChildren(row)) model.setCollapsed(row, !model.isCollapsed(row));
  else if (model.visible.peek().groups.has(row)) toggleGroup(model, row);
}

/** Folds or opens all siblings of a row as the row itself is about to be. */
export function toggleSiblings(model: TraceModel, row: number): void {
  const columns = model.columns.peek();
  if (columns === undefined) return;
  const on = !model.isCollapsed(row);
  const parent = columns.parent[row]!;
  const bits = model.collapsed.peek().slice();
  const last = parent < 0 ? columns.loaded : columns.end[parent]!;
  for (let next = parent + 1; next < last; next = Math.max(next + 1, columns.end[next]!)) {
    if (columns.end[next]! > next + 1) setBit(bits, next, on);
  }
  model.collapsed.value = bits;
}

/** Leaves a row and what is below it out; the root stays. */
export function hideSubtree(model: TraceModel, row: number): void {
  if (row <= 0) return;
  model.skipped.value = new Set(model.skipped.peek()).add(row);
  model.keepCursor();
}

/** Leaves only a row, its ancestors and what is below it. */
export function focusSubtree(model: TraceModel, row: number): void {
  model.within.value = row;
  model.showRow(row);
}

/** Ends what `hideSubtree` and `focusSubtree` did. */
export function showHidden(model: TraceModel): void {
  batch(() => {
    model.skipped.value = new Set();
    model.within.value = -1;
  });
}

/** By service: 1 prunes its spans with what is below them; the root's cannot be hidden. */
export function hideServices(model: TraceModel, hidden: Uint8Array): void {
  const columns = model.columns.peek();
  if (columns === undefined || hidden.length !== columns.services.length) return;
  const next = hidden.slice();
  next[columns.service[0] ?? 0] = 0;
  model.hiddenServices.value = next;
  model.keepCursor();
}
