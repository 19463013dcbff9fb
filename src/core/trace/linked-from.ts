/** Who links to a span within its own trace, besides its children. */

import { equalBytes } from "../../base/bytes.ts";
import { LIMITS } from "../limits.ts";
import { idWords, SpanIdIndex } from "./tree.ts";
import type { TraceView } from "./view.ts";

/** Calls back with span and target of every link that stays in the trace and names no parent. */
export function eachInnerLink(view: TraceView, heard: (v: number, target: number) => void): void {
  if (view.parts.every(({ linkCount }) => linkCount === 0)) return;
  const n = view.spanCount;
  const index = new SpanIdIndex(view.spanIds.subarray(0, n * 2));
  const words = view.parts.map((batch) => idWords(batch.linkSpanId));
  const { traceId } = view.parts[view.part[0]!]!;
  const own = view.row[0]! * 16;
  for (let v = 0; v < n; v++) {
    const p = view.part[v]!;
    const batch = view.parts[p]!;
    const i = view.row[v]!;
    for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
      const hi = words[p]![l * 2]!;
      const lo = words[p]![l * 2 + 1]!;
      const isParent = hi === view.parentIds[v * 2] && lo === view.parentIds[v * 2 + 1];
      if (isParent || !equalBytes(batch.linkTraceId, l * 16, traceId, own, 16)) continue;
      const target = index.rowOf(hi, lo);
      if (target >= 0 && target !== v) heard(v, target);
    }
  }
}

/** By target: the spans that link to it, at most LIMITS.linkedFrom of each. */
const known = new WeakMap<TraceView, ReadonlyMap<number, readonly number[]>>();

/** The spans of a view that link to one, in the view's order. */
export function linkedFrom(view: TraceView, target: number): readonly number[] {
  let byTarget = known.get(view);
  if (byTarget === undefined) {
    const found = new Map<number, number[]>();
    eachInnerLink(view, (from, to) => {
      const list = found.get(to) ?? [];
      if (list.length < LIMITS.linkedFrom && !list.includes(from)) list.push(from);
      found.set(to, list);
    });
    byTarget = found;
    known.set(view, byTarget);
  }
  return byTarget.get(target) ?? [];
}
