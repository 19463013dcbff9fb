/** The critical path by row: which stretches lie on a span's bar. */

import type { CriticalPath, TraceColumns } from "../data/trace-columns.ts";

/** Stretches of row r are `path[order[i]]` for i in `offsets[r] ..< offsets[r + 1]`. */
export interface CriticalRows {
  readonly path: CriticalPath;
  readonly offsets: Uint32Array;
  readonly order: Uint32Array;
}

/** Sorts the stretches by row (counting sort: a deep trace has two stretches a span). */
export function criticalByRow(columns: TraceColumns): CriticalRows {
  const path = columns.criticalPath;
  const offsets = new Uint32Array(columns.spanCount + 1);
  for (let i = 0; i < path.row.length; i++) {
    const at = path.row[i]! + 1;
    offsets[at] = offsets[at]! + 1;
  }
  for (let row = 0; row < columns.spanCount; row++) {
    offsets[row + 1] = offsets[row + 1]! + offsets[row]!;
  }
  const next = offsets.slice(0, -1);
  const order = new Uint32Array(path.row.length);
  for (let i = 0; i < path.row.length; i++) {
    const row = path.row[i]!;
    order[next[row]!] = i;
    next[row] = next[row]! + 1;
  }
  return { path, offsets, order };
}
