/** The ten orders of search results: which of them a server can search in, and the order itself. */

import type { ServerOrder, TraceResult } from "../data/trace-result.ts";

export interface TraceOrder {
  readonly key: string;
  readonly label: string;
  /** Absent: only what is loaded can be ordered so. */
  readonly server?: ServerOrder;
  readonly compare: (a: TraceResult, b: TraceResult) => number;
}

/** Keys as Jaeger remembers them. */
export const TRACE_ORDERS: readonly TraceOrder[] = [
  {
    key: "MOST_RECENT",
    label: "Most recent",
    server: { by: "start", descending: true },
    compare: (a, b) => b.startUs - a.startUs,
  },
  {
    key: "OLDEST",
    label: "Oldest",
    server: { by: "start", descending: false },
    compare: (a, b) => a.startUs - b.startUs,
  },
  {
    key: "LONGEST_FIRST",
    label: "Longest first",
    server: { by: "duration", descending: true },
    compare: (a, b) => b.durationUs - a.durationUs,
  },
  {
    key: "SHORTEST_FIRST",
    label: "Shortest first",
    server: { by: "duration", descending: false },
    compare: (a, b) => a.durationUs - b.durationUs,
  },
  {
    key: "MOST_SPANS",
    label: "Most spans",
    server: { by: "spanCount", descending: true },
    compare: (a, b) => (b.spanCount ?? 0) - (a.spanCount ?? 0),
  },
  {
    key: "LEAST_SPANS",
    label: "Least spans",
    server: { by: "spanCount", descending: false },
    compare: (a, b) => (a.spanCount ?? 0) - (b.spanCount ?? 0),
  },
  {
    key: "MOST_ERRORS",
    label: "Most errors",
    compare: (a, b) => (b.errorCount ?? 0) - (a.errorCount ?? 0),
  },
  {
    key: "LEAST_ERRORS",
    label: "Least errors",
    compare: (a, b) => (a.errorCount ?? 0) - (b.errorCount ?? 0),
  },
  { key: "NAME_ASC", label: "Name A–Z", compare: (a, b) => byName(a, b) },
  { key: "NAME_DESC", label: "Name Z–A", compare: (a, b) => byName(b, a) },
];

/** What a server can search in when the order itself is none of its own. */
export const NEWEST_FIRST: ServerOrder = { by: "start", descending: true };

/** The order of a key; most recent for an unknown one. */
export function orderOf(key: string): TraceOrder {
  return TRACE_ORDERS.find((order) => order.key === key) ?? TRACE_ORDERS[0]!;
}

/** The traces in an order; equal ones newest first, then by id, so that nothing jumps. */
export function sortTraces(traces: readonly TraceResult[], order: TraceOrder): TraceResult[] {
  return traces.toSorted(
    (a, b) =>
      order.compare(a, b) || b.startUs - a.startUs || (a.traceIdHex < b.traceIdHex ? -1 : 1),
  );
}

function byName(a: TraceResult, b: TraceResult): number {
  const left = `${a.rootService}: ${a.rootName}`;
  const right = `${b.rootService}: ${b.rootName}`;
  return left < right ? -1 : left > right ? 1 : 0;
}
