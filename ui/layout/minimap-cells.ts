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

/** What changes at each cell of one line, to be summed along it. */
interface LineSteps {
  /** How often something changes there at all: in between, a cell is as the one before. */
  readonly changes: Uint32Array;
  readonly begun: Int32Array;
  readonly failed: Int32Array;
  readonly recent: Int32Array;
  /** 1 + group of the span that begins there last, 0 for none. */
  readonly group: Uint16Array;
}

/**
 * Spans are counted in where they begin and out where they end, then summed along each line: one
 * pass over the spans and one over the cells, however long or many the spans are. Bench: ui-data.
 */
export function minimapCells(
  columns: TraceColumns,
  width: number,
  lines: number,
  groups: ArrayLike<number> = columns.service,
): MinimapCells {
  const { loaded } = columns;
  const height = Math.max(1, Math.min(lines, loaded));
  const cells = { group: new Uint16Array(width * height), error: new Uint8Array(width * height) };
  const steps: LineSteps = {
    changes: new Uint32Array(width + 1),
    begun: new Int32Array(width + 1),
    failed: new Int32Array(width + 1),
    recent: new Int32Array(width + 1),
    group: new Uint16Array(width + 1),
  };
  const errorCells = loaded > height ? ERROR_CELLS : width;
  let from = 0;
  for (let y = 0; y < height; y++) {
    const after = Math.ceil(((y + 1) * loaded) / height);
    countLine(columns, groups, { from, after }, { width, errorCells }, steps);
    sumLine(steps, width, y * width, cells);
    from = after;
  }
  return { width, height, ...cells };
}

/** Notes where the rows `from ..< after` begin and end; an error's mark ends `errorCells` later. */
function countLine(
  columns: TraceColumns,
  groups: ArrayLike<number>,
  rows: { readonly from: number; readonly after: number },
  { width, errorCells }: { readonly width: number; readonly errorCells: number },
  { changes, begun, failed, recent, group }: LineSteps,
): void {
  const { durationNs, startOffsetNs, spanDurationNs, flags } = columns;
  const perNs = durationNs > 0 ? width / durationNs : 0;
  for (let row = rows.from; row < rows.after; row++) {
    const start = startOffsetNs[row]! * perNs;
    const first = Math.max(0, Math.min(width - 1, Math.floor(start)));
    const until = (startOffsetNs[row]! + spanDurationNs[row]!) * perNs;
    const end = Math.max(first + 1, Math.min(width, Math.ceil(until)));
    const stop = Math.min(end, first + errorCells);
    changes[first]!++;
    changes[end]!++;
    changes[stop]!++;
    begun[first]!++;
    begun[end]!--;
    recent[first]!++;
    recent[stop]!--;
    if ((flags[row]! & SPAN_FLAG.ERROR) !== 0) {
      failed[first]!++;
      failed[stop]!--;
    }
    group[first] = groups[row]! + 1;
  }
}

/** Writes a line's cells from `at` on, and clears its steps for the next line. */
function sumLine(
  { changes, begun, failed, recent, group }: LineSteps,
  width: number,
  at: number,
  cells: { readonly group: Uint16Array; readonly error: Uint8Array },
): void {
  let open = 0;
  let bad = 0;
  let all = 0;
  let last = 0;
  let shown = 0;
  let red = 0;
  for (let x = 0; x < width; x++) {
    if (changes[x] !== 0) {
      open += begun[x]!;
      bad += failed[x]!;
      all += recent[x]!;
      if (group[x] !== 0) last = group[x]!;
      shown = open > 0 ? last : 0;
      red = bad > 0 && bad * ERROR_SHARE >= all ? 1 : 0;
    }
    cells.group[at + x] = shown;
    cells.error[at + x] = red;
  }
  changes.fill(0);
  begun.fill(0);
  failed.fill(0);
  recent.fill(0);
  group.fill(0);
}
