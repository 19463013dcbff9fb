/** Searches: through Spoor's find where the server has it, else through Jaeger's APIs. */

import { jaegerTag } from "../../src/wire/jaeger-tags.ts";
import type { Filter } from "../../src/core/filter.ts";
import { askJson, ServerError } from "./ask-server.ts";
import { parseDurationNs } from "./durations.ts";
import { findInJaeger } from "./find-in-jaeger.ts";
import { parseTags } from "./logfmt.ts";
import { ALL_OPERATIONS, ALL_SERVICES } from "./search-form.ts";
import type { SearchForm } from "./search-form.ts";
import type { FindRequest, FoundTraces, ServiceCount, TraceResult } from "./trace-result.ts";

/** How many traces match in all. */
export interface FoundTotals {
  readonly matchingSpans: number;
  readonly traces: number;
  readonly tracesExact: boolean;
}

/** Searches; rejects with `ServerError`, or as the signal says. */
export async function findTraces(
  isSpoor: boolean,
  request: FindRequest,
  signal: AbortSignal,
): Promise<FoundTraces> {
  if (!isSpoor) return await findInJaeger(request, signal);
  return foundOf(await postFind(findBody(request), signal));
}

/** Counts what a search matches; undefined where the server cannot tell. */
export async function countTraces(
  isSpoor: boolean,
  request: FindRequest,
  signal: AbortSignal,
): Promise<FoundTotals | undefined> {
  if (!isSpoor) return undefined;
  const { cursor: _cursor, ...first } = request;
  const found = await postFind({ ...findBody(first), limit: 1, totals: true }, signal);
  const totals: unknown = isObject(found) ? found["totals"] : undefined;
  if (!isObject(totals)) return undefined;
  return {
    matchingSpans: numberOf(totals["matchingSpans"]),
    traces: numberOf(totals["traces"]),
    tracesExact: totals["tracesExact"] === true,
  };
}

/** The traces of ids; those that are not there are missing from the answer. */
export async function findTracesById(
  ids: readonly string[],
  signal: AbortSignal,
): Promise<FoundTraces> {
  const filter: Filter = { op: "in", target: { field: "traceId" }, values: ids };
  return foundOf(await postFind({ filter, limit: ids.length }, signal));
}

async function postFind(body: object, signal: AbortSignal): Promise<unknown> {
  return await askJson("api/spoor/v1/find", signal, JSON.stringify(body));
}

function findBody({ form, times, order, cursor }: FindRequest): object {
  const filters = filtersOf(form);
  return {
    ...(filters.length === 0 ? {} : { filter: { op: "and", all: filters } }),
    startMinUs: Math.floor(times.startUs),
    startMaxUs: Math.ceil(times.endUs),
    order: order.by,
    descending: order.descending,
    limit: form.limit,
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** The conditions of the form, all about one span. */
export function filtersOf(form: SearchForm): Filter[] {
  const filters: Filter[] = [];
  const equal = (field: "service" | "name", value: string): void => {
    filters.push({ op: "=", target: { field }, value });
  };
  if (form.service !== "" && form.service !== ALL_SERVICES) equal("service", form.service);
  if (form.operation !== "" && form.operation !== ALL_OPERATIONS) equal("name", form.operation);
  const parsed = parseTags(form.tags);
  if ("tags" in parsed) for (const [key, value] of parsed.tags) filters.push(jaegerTag(key, value));
  const duration = { field: "duration" } as const;
  const min = parseDurationNs(form.minDuration);
  const max = parseDurationNs(form.maxDuration);
  if (min !== undefined) filters.push({ op: ">=", target: duration, value: min });
  if (max !== undefined) filters.push({ op: "<=", target: duration, value: max });
  return filters;
}

function foundOf(answer: unknown): FoundTraces {
  if (!isObject(answer) || !Array.isArray(answer["traces"])) {
    throw new ServerError("The server's answer has no traces", "bad-answer");
  }
  const cursor = answer["cursor"];
  return {
    traces: answer["traces"].filter(isObject).map(resultOf),
    cursor: typeof cursor === "string" ? cursor : undefined,
  };
}

function resultOf(trace: Readonly<Record<string, unknown>>): TraceResult {
  const services: unknown = trace["services"];
  const match = trace["match"];
  const startUs = numberOf(trace["startUs"]);
  return {
    traceIdHex: textOf(trace["traceId"]),
    rootService: textOf(trace["rootService"]),
    rootName: textOf(trace["rootName"]),
    startUs,
    durationUs: numberOf(trace["endUs"]) - startUs,
    spanCount: numberOf(trace["spanCount"]),
    errorCount: numberOf(trace["errorCount"]),
    orphanCount: numberOf(trace["orphanCount"]),
    services: Array.isArray(services) ? services.filter(isObject).map(serviceOf) : [],
    matchSpanIdHex: isObject(match) ? textOf(match["spanId"]) : "",
    uploaded: false,
  };
}

function serviceOf(service: Readonly<Record<string, unknown>>): ServiceCount {
  return {
    name: textOf(service["name"]),
    spanCount: numberOf(service["spanCount"]),
    errorCount: numberOf(service["errorCount"]),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
