/** What a trace waited for most: the operation with the largest share of the critical path. */

import type { TraceColumns } from "../data/trace-columns.ts";

export interface WaitedFor {
  /** The span of the operation that was waited for longest. */
  readonly row: number;
  /** On the critical path, all spans of the operation together. */
  readonly totalNs: number;
  /** How many spans of it are on the path. */
  readonly spans: number;
}

/** undefined for a trace without a critical path. One pass over its stretches. */
export function waitedMostFor(columns: TraceColumns): WaitedFor | undefined {
  const { criticalPath, service, name, names, spanCount } = columns;
  const { row, fromNs, toNs } = criticalPath;
  const ofRow = new Float64Array(row.length === 0 ? 0 : spanCount);
  const sums = new Map<number, { row: number; totalNs: number; spans: number }>();
  let most: WaitedFor | undefined;
  for (let i = 0; i < row.length; i++) {
    const r = row[i]!;
    const waitedNs = toNs[i]! - fromNs[i]!;
    const key = service[r]! * names.length + name[r]!;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { row: r, totalNs: 0, spans: 0 };
      sums.set(key, sum);
    }
    if (ofRow[r] === 0) sum.spans++;
    ofRow[r] = ofRow[r]! + waitedNs;
    sum.totalNs += waitedNs;
    if (ofRow[r]! > ofRow[sum.row]!) sum.row = r;
    if (most === undefined || sum.totalNs > most.totalNs) most = sum;
  }
  return most;
}
