/** TimelineFrame: everything one picture of the timeline is drawn from. */

import type { TraceColumns } from "../data/trace-columns.ts";
import type { VisibleRows } from "../layout/visible-rows.ts";
import type { CriticalRows } from "./critical-rows.ts";
import type { Palette } from "./palette.ts";
import type { RowColors } from "./row-colors.ts";

/** A row on screen; there are never more than some sixty of them. */
export interface RowSlot {
  readonly row: number;
  /** Place among the visible rows. */
  readonly index: number;
  /** Top, CSS pixels from the top of the timeline's body. */
  readonly y: number;
  /** An ancestor held at the top while its subtree scrolls. */
  readonly sticky: boolean;
  readonly collapsed: boolean;
  /** Found by the current search. */
  readonly match: boolean;
  /** Not found, while matches are highlighted, or not of the group that stands out. */
  readonly dim: boolean;
  /** Repeated siblings standing in this row beside its own span; 0 for a plain row. */
  readonly repeats: number;
  /** Spans of a chain standing in this row, from `row` on; 1 for a plain row. */
  readonly chain: number;
  /** As shown: a chain is one level. */
  readonly depth: number;
}

export interface TimelineFrame {
  readonly columns: TraceColumns;
  readonly slots: readonly RowSlot[];
  readonly visible: VisibleRows;
  readonly rowHeight: number;
  readonly width: number;
  readonly height: number;
  /** Width of the column of names; bars begin there. */
  readonly nameWidth: number;
  readonly fromNs: number;
  readonly toNs: number;
  /** False: names only. */
  readonly bars: boolean;
  readonly hoverRow: number;
  /** Ancestor whose guide the pointer is on, -1 for none. */
  readonly guideRow: number;
  readonly selectedRow: number;
  readonly cursorRow: number;
  /** Time under the pointer or -1. */
  readonly cursorNs: number;
  /** A stretch being measured or chosen, or undefined. */
  readonly range: { readonly fromNs: number; readonly toNs: number } | undefined;
  readonly critical: CriticalRows | undefined;
  readonly palette: Palette;
  readonly colors: RowColors;
  /** How a duration is written. */
  readonly durationText: (ns: number) => string;
}

/** Levels that are indented one step each; deeper ones share what is left (with their number). */
export const FULL_INDENT_LEVELS = 12;
const INDENT_STEP = 14;
const DEEP_STEP = 3;
const DEEP_LEVELS = 12;
/** Left edge of a root's toggle. */
const INDENT_BASE = 6;

/** Left edge, px, of the toggle of a row of this depth. */
export function indentOf(depth: number): number {
  if (depth <= FULL_INDENT_LEVELS) return INDENT_BASE + depth * INDENT_STEP;
  const deep = Math.min(depth - FULL_INDENT_LEVELS, DEEP_LEVELS);
  return INDENT_BASE + FULL_INDENT_LEVELS * INDENT_STEP + deep * DEEP_STEP;
}

/** Left edge of a time, px; bars outside are clamped a little beyond the edges. */
export function xOf(frame: TimelineFrame, ns: number): number {
  const scale = (frame.width - frame.nameWidth) / (frame.toNs - frame.fromNs);
  const x = frame.nameWidth + (ns - frame.fromNs) * scale;
  return Math.max(frame.nameWidth - 50, Math.min(frame.width + 50, x));
}
