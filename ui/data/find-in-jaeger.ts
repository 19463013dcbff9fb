/** Searches on a real Jaeger: summaries of 2.19 and later, else whole traces of v1. */

import { askJson, ServerError } from "./ask-server.ts";
import { parseTags } from "./logfmt.ts";
import { ALL_OPERATIONS, ALL_SERVICES } from "./search-form.ts";
import type { SearchForm } from "./search-form.ts";
import { summaryOfJaegerTrace } from "./summarize-trace.ts";
import type { FindRequest, FoundTraces, TraceResult } from "./trace-result.ts";

const UNKNOWN: ReadonlySet<ServerError["code"]> = new Set(["not-found", "bad-answer"]);

/** Searches; Jaeger orders as it likes and has no pages. */
export async function findInJaeger(
  { form, times }: FindRequest,
  signal: AbortSignal,
): Promise<FoundTraces> {
  try {
    return await findSummaries(form, times, signal);
  } catch (error) {
    // Jaeger 1.x answers a question it does not know with its page, 200 and HTML.
    const unknown = error instanceof ServerError && UNKNOWN.has(error.code);
    if (!unknown) throw error;
  }
  const query = new URLSearchParams({
    start: String(times.startUs),
    end: String(times.endUs),
    limit: String(form.limit),
  });
  addNames(query, form, "service", "operation");
  if (form.minDuration !== "") query.set("minDuration", form.minDuration);
  if (form.maxDuration !== "") query.set("maxDuration", form.maxDuration);
  const tags = tagsJson(form);
  if (tags !== undefined) query.set("tags", tags);
  const answer = await askJson(`api/traces?${query}`, signal);
  const data: unknown = objectOf(answer)["data"];
  const traces = Array.isArray(data) ? data.map((trace) => summaryOfJaegerTrace(trace, false)) : [];
  return { traces: traces.filter((trace) => trace !== undefined), cursor: undefined };
}

async function findSummaries(
  form: SearchForm,
  times: FindRequest["times"],
  signal: AbortSignal,
): Promise<FoundTraces> {
  const instant = (us: number): string => new Date(us / 1000).toISOString();
  const query = new URLSearchParams({
    "query.startTimeMin": instant(times.startUs),
    "query.startTimeMax": instant(times.endUs),
    "query.searchDepth": String(form.limit),
  });
  addNames(query, form, "query.serviceName", "query.operationName");
  if (form.minDuration !== "") query.set("query.durationMin", form.minDuration);
  if (form.maxDuration !== "") query.set("query.durationMax", form.maxDuration);
  const tags = tagsJson(form);
  if (tags !== undefined) query.set("query.attributes", tags);
  const answer = objectOf(await askJson(`api/v3/trace-summaries?${query}`, signal));
  const summaries: unknown = answer["summaries"] ?? [];
  const list = Array.isArray(summaries) ? summaries.map((summary) => summaryOf(summary)) : [];
  return { traces: list, cursor: undefined };
}

function addNames(query: URLSearchParams, form: SearchForm, service: string, name: string): void {
  if (form.service !== "" && form.service !== ALL_SERVICES) query.set(service, form.service);
  if (form.operation !== "" && form.operation !== ALL_OPERATIONS) query.set(name, form.operation);
}

function tagsJson(form: SearchForm): string | undefined {
  const parsed = parseTags(form.tags);
  if (!("tags" in parsed) || parsed.tags.length === 0) return undefined;
  return JSON.stringify(Object.fromEntries(parsed.tags));
}

function summaryOf(value: unknown): TraceResult {
  const summary = objectOf(value);
  const services: unknown = summary["services"];
  const startNs = BigInt(textOf(summary["minStartTimeUnixNano"]) || "0");
  const endNs = BigInt(textOf(summary["maxEndTimeUnixNano"]) || "0");
  return {
    traceIdHex: textOf(summary["traceId"]).toLowerCase().padStart(32, "0"),
    rootService: textOf(summary["rootServiceName"]),
    rootName: textOf(summary["rootOperationName"]),
    startUs: Number(startNs / 1000n),
    durationUs: Number(endNs - startNs) / 1000,
    spanCount: countOf(summary["spanCount"]),
    errorCount: countOf(summary["errorSpanCount"]),
    orphanCount: countOf(summary["orphanSpanCount"]),
    services: (Array.isArray(services) ? services : []).map((service) => ({
      name: textOf(objectOf(service)["name"]),
      spanCount: countOf(objectOf(service)["spanCount"]) ?? 0,
      errorCount: countOf(objectOf(service)["errorSpanCount"]) ?? 0,
    })),
    matchSpanIdHex: "",
    uploaded: false,
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
