/** A result's line from a whole trace in Jaeger's JSON, for servers without summaries. */

import type { ServiceCount, TraceResult } from "./trace-result.ts";

type Json = Readonly<Record<string, unknown>>;

/** The summary; undefined when it is no trace or has no spans. */
export function summaryOfJaegerTrace(trace: unknown, uploaded: boolean): TraceResult | undefined {
  const { spans, processes, traceID } = objectOf(trace);
  if (!Array.isArray(spans) || spans.length === 0) return undefined;
  const counts = new Map<string, { spanCount: number; errorCount: number }>();
  const ids = new Set(spans.map((span) => textOf(objectOf(span)["spanID"])));
  let startUs = Infinity;
  let endUs = -Infinity;
  let root: { readonly span: Json; readonly startUs: number; readonly isRoot: boolean } | undefined;
  let orphanCount = 0;
  let errorCount = 0;
  for (const value of spans) {
    const span = objectOf(value);
    const start = numberOf(span["startTime"]);
    startUs = Math.min(startUs, start);
    endUs = Math.max(endUs, start + numberOf(span["duration"]));
    const parent = parentOf(span, textOf(traceID));
    if (parent !== "" && !ids.has(parent)) orphanCount++;
    const isRoot = parent === "";
    if (root === undefined || (isRoot && !root.isRoot)) root = { span, startUs: start, isRoot };
    else if (isRoot === root.isRoot && start < root.startUs)
      root = { span, startUs: start, isRoot };
    const failed = isFailed(span);
    if (failed) errorCount++;
    const service = serviceOf(span, processes);
    const count = counts.get(service) ?? { spanCount: 0, errorCount: 0 };
    counts.set(service, count);
    count.spanCount++;
    if (failed) count.errorCount++;
  }
  return {
    traceIdHex: textOf(traceID).toLowerCase().padStart(32, "0"),
    rootService: root === undefined ? "" : serviceOf(root.span, processes),
    rootName: root === undefined ? "" : textOf(root.span["operationName"]),
    startUs,
    durationUs: endUs - startUs,
    spanCount: spans.length,
    errorCount,
    orphanCount,
    services: [...counts]
      .map(([name, count]): ServiceCount => ({ name, ...count }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    matchSpanIdHex: "",
    uploaded,
  };
}

function parentOf(span: Json, traceId: string): string {
  const references = Array.isArray(span["references"]) ? span["references"].map(objectOf) : [];
  const own = references.filter(
    (reference) => textOf(reference["traceID"]).padStart(32, "0") === traceId.padStart(32, "0"),
  );
  const parent = own.find(({ refType }) => refType === "CHILD_OF") ?? own[0];
  return textOf(parent?.["spanID"]) || textOf(span["parentSpanID"]);
}

function isFailed(span: Json): boolean {
  const tags = Array.isArray(span["tags"]) ? span["tags"].map(objectOf) : [];
  return tags.some(({ key, value }) => key === "error" && (value === true || value === "true"));
}

function serviceOf(span: Json, processes: unknown): string {
  const own = objectOf(span["process"])["serviceName"];
  const shared = objectOf(objectOf(processes)[textOf(span["processID"])])["serviceName"];
  return textOf(own ?? shared);
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
