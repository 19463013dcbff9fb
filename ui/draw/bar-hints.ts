/** What lies under the pointer on a bar: events, and the line of the critical path. */

import { xOf } from "./timeline-frame.ts";
import type { RowSlot, TimelineFrame } from "./timeline-frame.ts";

export interface BarHint {
  readonly row: number;
  /** Places of the events among those of the row; empty on the critical path's line. */
  readonly events: readonly number[];
}

/** A tick is met this near, px. */
const NEAR = 3;
/** Events asked, as many as are drawn; and told of one place. */
const MAX_ASKED = 400;
const MAX_TOLD = 20;

/** What is at `x`, `y` px of the timeline's body in a row; undefined for nothing to explain. */
export function hintAt(
  frame: TimelineFrame,
  slot: RowSlot,
  x: number,
  y: number,
): BarHint | undefined {
  if (!frame.bars || x < frame.nameWidth) return undefined;
  const { row } = slot;
  const { eventOffsets, eventNs } = frame.columns;
  const first = eventOffsets[row]!;
  const last = Math.min(eventOffsets[row + 1]!, first + MAX_ASKED);
  const events: number[] = [];
  for (let i = first; i < last && events.length < MAX_TOLD; i++) {
    const ns = eventNs[i]!;
    if (ns < frame.fromNs || ns > frame.toNs) continue;
    if (Math.abs(xOf(frame, ns) - x) <= NEAR) events.push(i - first);
  }
  if (events.length > 0) return { row, events };
  return isOnPath(frame, slot, x, y) ? { row, events } : undefined;
}

/** The line lies beneath the bar, in the lower quarter of the row. */
function isOnPath(frame: TimelineFrame, slot: RowSlot, x: number, y: number): boolean {
  const { critical } = frame;
  if (critical === undefined || y - slot.y < frame.rowHeight * 0.7) return false;
  const { path, offsets, order } = critical;
  for (let i = offsets[slot.row]!; i < offsets[slot.row + 1]!; i++) {
    const at = order[i]!;
    const left = xOf(frame, path.fromNs[at]!);
    const right = xOf(frame, path.toNs[at]!);
    if (x >= left - 1 && x <= Math.max(left + 2, right) + 1) return true;
  }
  return false;
}
