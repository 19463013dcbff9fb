/** Parameters of Jaeger's v1 HTTP API, with the texts Jaeger answers to wrong ones. */

import type { Clock } from "../base/clock.ts";
import { SpoorError } from "../core/errors.ts";
import { and, fieldIs } from "../core/filter.ts";
import type { Filter } from "../core/filter.ts";
import { parseGoDuration } from "../wire/go-duration.ts";
import { parseGoStringMap } from "../wire/go-json-map.ts";
import { parseGoBool, parseGoFloat, parseGoInt } from "../wire/go-number.ts";
import type { Parsed } from "../wire/go-number.ts";
import { jaegerTag } from "../wire/jaeger-tags.ts";
import { parseTraceId } from "./jaeger-trace-id.ts";

const DEFAULT_LIMIT = 100;
const DEFAULT_LOOKBACK_US = 2 * 86_400e6;
const DEFAULT_DEPENDENCY_LOOKBACK_MS = 86_400_000;

/** A search as `GET /api/traces` asks for it. */
export interface TraceSearch {
  /** Ids to fetch; not empty: everything else but `raw` is ignored. */
  readonly traceIds: readonly Uint8Array[];
  readonly filter: Filter;
  readonly startMinUs: number;
  readonly startMaxUs: number;
  readonly limit: number;
  readonly raw: boolean;
}

/** Parses the parameters of a search in Jaeger's order; throws `bad-query` with its text. */
export function parseTraceSearch(query: URLSearchParams, clock: Clock): TraceSearch {
  const nowUs = clock.nowMs() * 1000;
  const service = query.get("service") ?? "";
  const operation = query.get("operation") ?? "";
  const startMinUs = integer(query, "start") ?? nowUs - DEFAULT_LOOKBACK_US;
  const startMaxUs = integer(query, "end") ?? nowUs;
  const tags = parseTags(query.getAll("tag"), query.getAll("tags"));
  const limit = parseLimit(query.get("limit") ?? "");
  const minNs = duration(query, "minDuration");
  const maxNs = duration(query, "maxDuration");
  const raw = parseRaw(query);
  const traceIds = query.getAll("traceID").map(traceIdParam);
  if (traceIds.length === 0 && service === "") throw missingService();
  if (minNs !== 0n && maxNs !== 0n && maxNs < minNs) {
    throw bad("'maxDuration' should be greater than 'minDuration'");
  }
  const all: Filter[] = [];
  if (service !== "") all.push(fieldIs("service", service));
  if (operation !== "") all.push(fieldIs("name", operation));
  for (const [key, value] of tags) all.push(jaegerTag(key, value));
  if (minNs !== 0n) all.push(durationIs(">=", minNs));
  if (maxNs !== 0n) all.push(durationIs("<=", maxNs));
  return { traceIds, filter: and(...all), startMinUs, startMaxUs, limit, raw };
}

/**
 * Parameters of a trace by id. Its times are hints in Jaeger, which we do not need: they are
 * only checked (some Grafana versions send milliseconds, others microseconds).
 */
export function parseTraceTimes(query: URLSearchParams): void {
  integer(query, "start");
  integer(query, "end");
}

/** Times of `GET /api/dependencies`. */
export function parseDependencyTimes(
  query: URLSearchParams,
  clock: Clock,
): { readonly startMinUs: number; readonly startMaxUs: number } {
  const endMs = integer(query, "endTs") ?? clock.nowMs();
  const lookbackMs = integer(query, "lookback") ?? DEFAULT_DEPENDENCY_LOOKBACK_MS;
  return { startMinUs: (endMs - lookbackMs) * 1000, startMaxUs: endMs * 1000 };
}

/** Checks the parameters of `GET /api/metrics/*` as Jaeger does before it asks its store. */
export function checkMetricsParams(query: URLSearchParams, withQuantile: boolean): void {
  if (withQuantile) named("quantile", parseGoFloat(query.get("quantile") ?? ""));
  if (!query.has("service")) {
    throw bad("unable to parse param 'service': please provide at least one service name");
  }
  const grouped = query.get("groupByOperation") ?? "";
  if (grouped !== "") named("groupByOperation", parseGoBool(grouped));
  for (const kind of query.getAll("spanKind")) {
    if (!METRIC_KINDS.has(kind)) {
      throw bad(`unable to parse param 'spanKind': unsupported span kind: '${kind}'`);
    }
  }
  for (const name of ["endTs", "lookback", "step", "ratePer"]) integer(query, name);
}

const METRIC_KINDS = new Set([
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
]);

/** Jaeger's answer when a service is needed and missing. */
export function missingService(): SpoorError {
  return bad("parameter 'service' is required");
}

function parseTags(simple: readonly string[], json: readonly string[]): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of simple) {
    const colon = tag.indexOf(":");
    if (colon < 0) {
      throw bad(`malformed 'tag' parameter, expecting key:value, received: ${tag}`);
    }
    tags.set(tag.slice(0, colon), tag.slice(colon + 1));
  }
  for (const text of json) {
    const parsed = parseGoStringMap(text);
    if ("error" in parsed) {
      throw bad(`malformed 'tags' parameter, cannot unmarshal JSON: ${parsed.error}`);
    }
    for (const [key, value] of parsed.value) tags.set(key, value);
  }
  return tags;
}

/** Jaeger's stores take a limit of zero or less for their default. */
function parseLimit(text: string): number {
  if (text === "") return DEFAULT_LIMIT;
  const parsed = parseGoInt(text, 32);
  if ("error" in parsed) throw bad(parsed.error);
  return parsed.value > 0n ? Number(parsed.value) : DEFAULT_LIMIT;
}

/** Whether traces are wanted as stored, without the adjusters. */
export function parseRaw(query: URLSearchParams): boolean {
  const text = query.get("raw") ?? "";
  return text !== "" && named("raw", parseGoBool(text));
}

function traceIdParam(text: string): Uint8Array {
  try {
    return parseTraceId(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("bad-query", `cannot parse traceID param: ${reason}`, { cause });
  }
}

/** An integer parameter, undefined when absent or empty. */
function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "";
  return text === "" ? undefined : Number(named(name, parseGoInt(text, 64)));
}

/** A duration parameter in ns, 0 when absent or empty. */
function duration(query: URLSearchParams, name: string): bigint {
  const text = query.get(name) ?? "";
  if (text === "") return 0n;
  const parsed = parseGoDuration(text);
  return named(name, "ns" in parsed ? { value: parsed.ns } : parsed);
}

function durationIs(op: ">=" | "<=", ns: bigint): Filter {
  return {
    op,
    target: { field: "duration" },
    value: Number.isSafeInteger(Number(ns)) ? Number(ns) : ns,
  };
}

function named<T>(name: string, parsed: Parsed<T>): T {
  if ("error" in parsed) throw bad(`unable to parse param '${name}': ${parsed.error}`);
  return parsed.value;
}

function bad(message: string): SpoorError {
  return new SpoorError("bad-query", message);
}
