/** What is counted of a whole trace for its header. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

export interface TraceTotals {
  readonly spans: number;
  readonly services: number;
  /** Levels of the tree. */
  readonly depth: number;
  readonly errors: number;
  /** Spans whose parent is not in the trace. */
  readonly orphans: number;
}

export function countTotals(columns: TraceColumns): TraceTotals {
  const { depth, flags, loaded } = columns;
  let deepest = 0;
  let errors = 0;
  let orphans = 0;
  for (let row = 0; row < loaded; row++) {
    if (depth[row]! > deepest) deepest = depth[row]!;
    if ((flags[row]! & SPAN_FLAG.ERROR) !== 0) errors++;
    if ((flags[row]! & SPAN_FLAG.ORPHAN) !== 0) orphans++;
  }
  return {
    spans: columns.spanCount,
    services: columns.services.length,
    depth: deepest + 1,
    errors,
    orphans,
  };
}
