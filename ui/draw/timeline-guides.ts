/** Draws the tree's lines beside the names: coloured as the ancestor they hang from. */

import { shownParent } from "../layout/chain-rows.ts";
import { colorOfRow } from "./row-colors.ts";
import { FULL_INDENT_LEVELS, indentOf } from "./timeline-frame.ts";
import type { RowSlot, TimelineFrame } from "./timeline-frame.ts";

/** Centre of a toggle, px right of its left edge. */
const CENTRE = 8;
/** Rows deeper than this get an elbow but no walk up to their ancestors. */
const MAX_WALK = 24;

/** Draws the guides of one row; the caller has clipped to the column of names. */
export function drawGuides(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  slot: RowSlot,
): void {
  const { columns, rowHeight } = frame;
  const { depth } = slot;
  if (depth === 0) return;
  const top = slot.y;
  const middle = Math.round(top + rowHeight / 2) + 0.5;
  const parent = shownParent(columns, frame.visible, slot.row);
  if (parent < 0) return;
  const x = Math.round(indentOf(depth - 1) + CENTRE) + 0.5;
  const last = slot.sticky || columns.end[slot.row]! >= columns.end[parent]!;
  strokeGuide(context, frame, parent);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, last ? middle : top + rowHeight);
  context.moveTo(x, middle);
  context.lineTo(indentOf(depth) + 2, middle);
  context.stroke();
  if (depth > MAX_WALK) {
    drawDeepGuides(context, frame, slot);
    return;
  }
  let child = parent;
  let level = depth - 2;
  const aboveOf = (row: number): number => shownParent(columns, frame.visible, row);
  for (let above = aboveOf(child); above >= 0; above = aboveOf(child)) {
    const open = columns.end[child]! < columns.end[above]!;
    if (open && level < FULL_INDENT_LEVELS) {
      strokeGuide(context, frame, above);
      const at = Math.round(indentOf(level) + CENTRE) + 0.5;
      context.beginPath();
      context.moveTo(at, top);
      context.lineTo(at, top + rowHeight);
      context.stroke();
    }
    child = above;
    level--;
  }
  context.globalAlpha = 1;
}

/** Too deep to ask every ancestor: faint lines say that there are many. */
function drawDeepGuides(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  slot: RowSlot,
): void {
  context.strokeStyle = frame.palette.line;
  context.lineWidth = 1;
  context.globalAlpha = 0.7;
  context.beginPath();
  for (let level = 0; level < FULL_INDENT_LEVELS; level++) {
    const x = Math.round(indentOf(level) + CENTRE) + 0.5;
    context.moveTo(x, slot.y);
    context.lineTo(x, slot.y + frame.rowHeight);
  }
  context.stroke();
  context.globalAlpha = 1;
}

function strokeGuide(
  context: CanvasRenderingContext2D,
  frame: TimelineFrame,
  ancestor: number,
): void {
  const lit = ancestor === frame.guideRow;
  context.strokeStyle = colorOfRow(frame.colors, ancestor, frame.palette.line);
  context.globalAlpha = lit ? 1 : 0.55;
  context.lineWidth = lit ? 2 : 1;
}

/** The ancestor whose guide is at `x` of a row, or -1. */
export function guideAt(frame: TimelineFrame, slot: RowSlot, x: number): number {
  const { columns, visible } = frame;
  const { depth } = slot;
  if (depth > MAX_WALK) return -1;
  let row = shownParent(columns, visible, slot.row);
  for (let level = depth - 1; level >= 0 && row >= 0; level--) {
    if (Math.abs(x - indentOf(level) - CENTRE) <= 4) return row;
    row = shownParent(columns, visible, row);
  }
  return -1;
}
