/** Self time: how long a span did not wait for what it called. */

import type { TraceColumns } from "../data/trace-columns.ts";

/**
 * By row, ns: the duration without the parts in which a child ran. One pass: children follow
 * their parent in order of start, so what they cover of it only grows to the right.
 */
export function selfTimes(columns: TraceColumns): Float64Array {
  const { parent, startOffsetNs, spanDurationNs, loaded } = columns;
  const self = new Float64Array(columns.spanCount);
  const coveredTo = new Float64Array(columns.spanCount);
  for (let row = 0; row < loaded; row++) {
    const start = startOffsetNs[row]!;
    const end = start + spanDurationNs[row]!;
    self[row] = spanDurationNs[row]!;
    coveredTo[row] = start;
    const above = parent[row]!;
    if (above < 0) continue;
    const last = startOffsetNs[above]! + spanDurationNs[above]!;
    const from = start > coveredTo[above]! ? start : coveredTo[above]!;
    const to = end < last ? end : last;
    if (to <= from) continue;
    self[above] = self[above]! - (to - from);
    coveredTo[above] = to;
  }
  return self;
}

/** Upper ends of the steps that self times fall into, as shares of the longest one. */
export const SELF_STEPS: readonly number[] = [0.003, 0.03, 0.1, 0.3, 1];

export interface SelfSteps {
  /** By row: a place in SELF_STEPS. */
  readonly step: Uint8Array;
  readonly longestNs: number;
}

/** The step of every row: finer at the top, for where the time went is there. */
export function selfSteps(columns: TraceColumns, self: Float64Array): SelfSteps {
  const { loaded } = columns;
  const step = new Uint8Array(columns.spanCount);
  let longestNs = 0;
  for (let row = 0; row < loaded; row++) if (self[row]! > longestNs) longestNs = self[row]!;
  const bounds = SELF_STEPS.map((share) => share * longestNs);
  const last = bounds.length - 1;
  for (let row = 0; row < loaded; row++) {
    let at = 0;
    while (at < last && self[row]! > bounds[at]!) at++;
    step[row] = at;
  }
  return { step, longestNs };
}
