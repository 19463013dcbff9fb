/** The trace that is open, chosen for comparing as results are ticked. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { ServiceCount, TraceResult } from "../data/trace-result.ts";
import { ticked, toggleTicked } from "./search-state.ts";
import { say } from "./toasts.tsx";

/** What a search would tell of the trace. */
function resultOf(columns: TraceColumns): TraceResult {
  const { loaded, service, flags, services } = columns;
  const spans = new Uint32Array(services.length);
  const errors = new Uint32Array(services.length);
  let orphanCount = 0;
  for (let row = 0; row < loaded; row++) {
    spans[service[row]!]! += 1;
    if ((flags[row]! & SPAN_FLAG.ERROR) !== 0) errors[service[row]!]! += 1;
    if ((flags[row]! & SPAN_FLAG.ORPHAN) !== 0) orphanCount++;
  }
  const counts = services.map((name, i): ServiceCount => {
    return { name, spanCount: spans[i]!, errorCount: errors[i]! };
  });
  return {
    traceIdHex: columns.traceIdHex,
    rootService: services[service[0] ?? 0] ?? "",
    rootName: columns.names[columns.name[0] ?? 0] ?? "",
    startUs: columns.startUs,
    durationUs: columns.durationNs / 1000,
    spanCount: columns.spanCount,
    errorCount: errors.reduce((sum, n) => sum + n, 0),
    orphanCount,
    services: counts,
    matchSpanIdHex: "",
    uploaded: false,
  };
}

export function isCompared({ traceIdHex }: TraceColumns): boolean {
  return ticked.peek().has(traceIdHex);
}

/** Adds the trace to those chosen for comparing, or takes it away; says how many there are. */
export function toggleCompared(columns: TraceColumns): void {
  toggleTicked(resultOf(columns));
  const n = ticked.peek().size;
  const now = isCompared(columns) ? "Added to" : "Taken from";
  say(`${now} compare: ${n} ${n === 1 ? "trace" : "traces"} chosen, below the search's results`);
}
