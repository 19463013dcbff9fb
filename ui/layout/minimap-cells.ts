/** The whole trace as a small picture of cells: the minimap, whatever the number of spans. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

/** Cell (x, y) is at `y * width + x`; times grow with x, display order with y. */
export interface MinimapCells {
  readonly width: number;
  readonly height: number;
  /** 1 + group (by default service) of the span seen there, 0 for nobody. */
  readonly group: Uint16Array;
  /** 1 where a span with an error is; when spans share lines, where many that begin have one. */
  readonly error: Uint8Array;
}

/** Where spans share lines an error is a mark at its start: long ones would paint all red. */
const ERROR_CELLS = 4;
/**
 * A mark stands where one in so many of the spans that begin there has an error: of a million
 * spans one in a hundred fails somewhere near every cell, and all would be red.
 */
const ERROR_SHARE = 4;

/**
 * Spans are counted in where they begin and out where they end, then summed along each line: one
 * pass over the spans and one over the cells, however long or many the spans are.
 */
export function minimapCells(
  columns: TraceColumns,
  width: number,
  lines: number,
  groups: ArrayLike<number> = columns.service,
): MinimapCells {
  const { loaded, durationNs, startOffsetNs, spanDurationNs, flags } = columns;
  const height = Math.max(1, Math.min(lines, loaded));
  const begun = new Int32Array((width + 1) * height);
  const failed = new Int32Array((width + 1) * height);
  const recent = new Int32Array((width + 1) * height);
  const first = new Uint16Array(width * height);
  const crowded = loaded > height;
  const perNs = durationNs > 0 ? width / durationNs : 0;
  for (let row = 0; row < loaded; row++) {
    const y = Math.min(height - 1, Math.floor((row * height) / loaded));
    const from = Math.max(0, Math.min(width - 1, Math.floor(startOffsetNs[row]! * perNs)));
    const until = startOffsetNs[row]! + spanDurationNs[row]!;
    const to = Math.max(from + 1, Math.min(width, Math.ceil(until * perNs)));
    const line = y * (width + 1);
    begun[line + from] = begun[line + from]! + 1;
    begun[line + to] = begun[line + to]! - 1;
    const stop = crowded ? Math.min(to, from + ERROR_CELLS) : to;
    recent[line + from] = recent[line + from]! + 1;
    recent[line + stop] = recent[line + stop]! - 1;
    if ((flags[row]! & SPAN_FLAG.ERROR) !== 0) {
      failed[line + from] = failed[line + from]! + 1;
      failed[line + stop] = failed[line + stop]! - 1;
    }
    first[y * width + from] = groups[row]! + 1;
  }
  return sumCells({ width, height, begun, failed, recent }, first);
}

/** What changes at each cell, to be summed along its line. */
interface CellSteps {
  readonly width: number;
  readonly height: number;
  readonly begun: Int32Array;
  readonly failed: Int32Array;
  readonly recent: Int32Array;
}

function sumCells(steps: CellSteps, group: Uint16Array): MinimapCells {
  const { width, height, begun, failed, recent } = steps;
  const error = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    let open = 0;
    let bad = 0;
    let all = 0;
    let last = 0;
    for (let x = 0; x < width; x++) {
      open += begun[y * (width + 1) + x]!;
      bad += failed[y * (width + 1) + x]!;
      all += recent[y * (width + 1) + x]!;
      const cell = y * width + x;
      if (group[cell] !== 0) last = group[cell]!;
      group[cell] = open > 0 ? last : 0;
      error[cell] = bad > 0 && bad * ERROR_SHARE >= all ? 1 : 0;
    }
  }
  return { width, height, group, error };
}
