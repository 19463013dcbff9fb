/** Which rows are on screen and where: from the model's state to a frame to draw. */

import { isReceding } from "../draw/row-colors.ts";
import type { RowSlot, TimelineFrame } from "../draw/timeline-frame.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { chainLength, shownDepth, shownParent } from "../layout/chain-rows.ts";
import { rowAtHeight, topOfRow } from "../layout/row-heights.ts";
import type { VisibleRows } from "../layout/visible-rows.ts";
import { hasBit, indexOfRow } from "../layout/visible-rows.ts";
import type { TraceModel } from "./trace-model.ts";

/** Ancestors held at the top. */
const MAX_STICKY = 3;
/** The body is this high before rows are given to ancestors, px. */
const STICKY_MIN_HEIGHT = 260;
/** The buttons above the names have room. */
const MIN_NAME_WIDTH = 176;
/** Deeper than this the root is not looked for among a row's ancestors. */
const MAX_WALK = 2000;
/** Spans of a chain that are asked whether they were found. */
const MAX_LOOKED = 1000;

/** Width of the column of names, px. */
export function nameWidthOf(model: TraceModel): number {
  const { width } = model.body.peek();
  const wished = Math.round(width * model.nameShare.peek());
  return Math.max(Math.min(MIN_NAME_WIDTH, width / 2), wished);
}

/** The frame of the model's state now; undefined before there is anything to draw. */
export function buildFrame(
  model: TraceModel,
  durationText: (ns: number) => string,
): TimelineFrame | undefined {
  const columns = model.columns.peek();
  const palette = model.palette.peek();
  const { width, height } = model.body.peek();
  const colors = model.colors.rows.peek();
  if (columns === undefined || palette === undefined || colors === undefined) return undefined;
  if (width === 0) return undefined;
  const { fromNs, toNs } = model.window.peek();
  return {
    columns,
    visible: model.visible.peek(),
    slots: slotsOf(model, columns, height),
    rowHeight: model.rowHeight.peek(),
    width,
    height,
    nameWidth: nameWidthOf(model),
    fromNs,
    toNs,
    bars: model.barsShown.peek(),
    hoverRow: model.hoverRow.peek(),
    guideRow: model.guideRow.peek(),
    selectedRow: model.selectedRow.peek(),
    cursorRow: model.cursorRow.peek(),
    cursorNs: model.cursorNs.peek(),
    range: model.range.peek(),
    critical: model.critical.peek(),
    palette,
    colors,
    durationText,
  };
}

function slotsOf(model: TraceModel, columns: TraceColumns, height: number): RowSlot[] {
  const { rows } = model.visible.peek();
  const open = model.openHeights.peek();
  const rowHeight = model.rowHeight.peek();
  const scrollTop = model.scrollTop.peek();
  const slots: RowSlot[] = [];
  if (rows.length === 0) return slots;
  const first = rowAtHeight(scrollTop, rowHeight, open, rows.length);
  let y = topOfRow(first, rowHeight, open) - scrollTop;
  for (let index = first; index < rows.length && y < height; index++) {
    slots.push(slotOf(model, columns, rows[index]!, index, y, false));
    y += rowHeight + (open.find((row) => row.index === index)?.height ?? 0);
  }
  if (height >= STICKY_MIN_HEIGHT && scrollTop > 0) {
    const held = stickyRows(model, columns, first);
    for (const [i, row] of held.entries()) {
      slots.push(slotOf(model, columns, row, indexOfRow(rows, row), i * rowHeight, true));
    }
  }
  return slots;
}

function slotOf(
  model: TraceModel,
  columns: TraceColumns,
  row: number,
  index: number,
  y: number,
  sticky: boolean,
): RowSlot {
  const matches = model.matches.peek();
  const visible = model.visible.peek();
  const chain = chainLength(visible, index);
  const match = matches !== undefined && hasAnyBit(matches, row, chain);
  const colors = model.colors.rows.peek();
  return {
    row,
    index,
    y,
    sticky,
    collapsed: hasBit(model.collapsed.peek(), row),
    match,
    dim: (matches !== undefined && !match) || (colors !== undefined && isReceding(colors, row)),
    repeats: repeatsOf(model, row),
    chain,
    depth: shownDepth(columns, visible, index),
  };
}

/** Whether a row, or one of the chain that it stands for, is in a set. */
function hasAnyBit(bits: Uint8Array, row: number, chain: number): boolean {
  for (let i = 0; i < Math.min(chain, MAX_LOOKED); i++) if (hasBit(bits, row + i)) return true;
  return false;
}

function repeatsOf(model: TraceModel, row: number): number {
  const group = model.visible.peek().groups.get(row);
  return group === undefined || model.ungrouped.peek().has(row) ? 0 : group.count;
}

/**
 * Ancestors of what is at the top that scrolled away: the outermost and the nearest. The row
 * asked is the one beneath them, so they change as soon as another subtree reaches them.
 */
function stickyRows(model: TraceModel, columns: TraceColumns, first: number): number[] {
  const visible = model.visible.peek();
  const { rows } = visible;
  let held: number[] = [];
  for (let below = 0; below <= MAX_STICKY; below++) {
    const place = Math.min(rows.length - 1, first + below);
    const above = ancestorsOf(columns, visible, place).filter((ancestor) => {
      const index = indexOfRow(rows, ancestor);
      return index >= 0 && index < first + below;
    });
    const chosen = above.length <= MAX_STICKY ? above : [above[0]!, ...above.slice(1 - MAX_STICKY)];
    if (chosen.length <= below) return chosen;
    held = chosen;
  }
  return held;
}

/** From the outermost to the parent; only the nearest when there are thousands. */
function ancestorsOf(columns: TraceColumns, visible: VisibleRows, index: number): number[] {
  const found: number[] = [];
  const deep = shownDepth(columns, visible, index) > MAX_WALK;
  let above = shownParent(columns, visible, visible.rows[index]!);
  while (above >= 0 && (!deep || found.length < MAX_STICKY)) {
    found.push(above);
    above = shownParent(columns, visible, above);
  }
  return found.toReversed();
}
