/** The store contract's answers by brute force over plain objects; shares no code with stores. */

import type { CompareOp, Filter, FilterValue } from "../../src/core/filter.ts";
import type { FindQuery, TraceSummary } from "../../src/core/store.ts";
import { NO_PARENT } from "./plain-spans.ts";
import type { PlainAttribute, PlainAttributes, PlainSpan } from "./plain-spans.ts";

type Value = PlainAttribute;

/** Distinct spans by trace, traces in order of first arrival. */
export function distinctTraces(spans: readonly PlainSpan[]): Map<string, PlainSpan[]> {
  const seen = new Set<string>();
  const traces = new Map<string, PlainSpan[]>();
  for (const span of spans) {
    const content = contentOf(span);
    if (seen.has(content)) continue;
    seen.add(content);
    traces.set(span.traceHex, [...(traces.get(span.traceHex) ?? []), span]);
  }
  return traces;
}

/** A text that is equal exactly for equal spans. */
export function contentOf(span: PlainSpan): string {
  return JSON.stringify(span, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number" && !Number.isSafeInteger(value)) return `${value}d`;
    return Object.is(value, -0) ? "-0d" : value;
  });
}

export function serviceOfPlain(span: PlainSpan): string {
  const named = span.resource.attributes.findLast(
    ([key, value]) => key === "service.name" && value.type === "string",
  );
  if (named === undefined) return "OTLPResourceNoServiceName";
  return textOf(named[1]) === "" ? "empty-service-name" : textOf(named[1]);
}

function bytesOf(value: string | readonly number[]): Buffer {
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
}

function textOf(value: Value): string {
  switch (value.type) {
    case "string":
      return value.value;
    case "raw":
      return Buffer.from(value.value).toString();
    case "bytes":
      return Buffer.from(value.value).toString("hex");
    case "array":
      return JSON.stringify(value.value);
    case "empty":
      return "";
    case "double":
      return goDouble(value.value);
    default:
      return String(value.value);
  }
}

/** The doubles that the tests use, as Go's %.10g writes them. */
function goDouble(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (value === Infinity) return "+Inf";
  if (value === 9007199254740992) return "9.007199255e+15";
  if (value === -1e-7) return "-1e-07";
  return String(value);
}

function micros(ns: bigint): bigint {
  return BigInt.asIntN(128, ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
}

/** All values a target has on a span. */
function valuesAt(span: PlainSpan, target: Extract<Filter, { op: "exists" }>["target"]): Value[] {
  const text = (value: string): Value[] => [{ type: "string", value }];
  const number = (value: bigint | number): Value[] => [{ type: "int", value: BigInt(value) }];
  if ("attribute" in target) {
    const at = (attributes: PlainAttributes): Value[] =>
      attributes.filter(([key]) => key === target.attribute).map(([, value]) => value);
    const places = {
      span: at(span.attributes),
      resource: at(span.resource.attributes),
      scope: at(span.scope.attributes),
      event: span.events.flatMap((event) => at(event.attributes)),
      link: span.links.flatMap((link) => at(link.attributes)),
    };
    const levels = target.levels ?? (["span", "resource", "scope", "event", "link"] as const);
    return levels.flatMap((level) => places[level]);
  }
  switch (target.field) {
    case "service":
      return text(serviceOfPlain(span));
    case "name":
      return text(span.name);
    case "kind":
      return number(span.kind);
    case "status":
      return number(span.status);
    case "statusMessage":
      return text(span.statusMessage);
    case "duration":
      return number(span.durationNs);
    case "start":
      return number(micros(span.startNs));
    case "traceId":
      return text(span.traceHex);
    case "spanId":
      return text(span.spanHex);
    case "parentSpanId":
      return text(span.parentHex);
    case "traceState":
      return text(span.traceState);
    case "scopeName":
      return text(span.scope.name);
    case "scopeVersion":
      return text(span.scope.version);
    case "eventName":
      return span.events.flatMap((event) => text(event.name));
    case "linkTraceId":
      return span.links.flatMap((link) => text(link.traceHex));
    case "linkSpanId":
      return span.links.flatMap((link) => text(link.spanHex));
    case "isRoot":
      return number(span.parentHex === NO_PARENT ? 1 : 0);
  }
}

function compares(value: Value, op: CompareOp, constant: FilterValue): boolean {
  if (typeof constant === "boolean") {
    return value.type === "bool" && (value.value === constant) === (op === "=");
  }
  if (typeof constant === "string") {
    if (value.type !== "string" && value.type !== "raw") return false;
    return holdsOrder(op, Buffer.compare(bytesOf(value.value), bytesOf(constant)));
  }
  if (value.type !== "int" && value.type !== "double") return false;
  const [a, b] = [value.value, constant];
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  return holdsOrder(op, a < b ? -1 : a > b ? 1 : 0);
}

function holdsOrder(op: CompareOp, order: number): boolean {
  if (op === "=") return order === 0;
  if (op === "!=") return order !== 0;
  if (op === "<") return order < 0;
  if (op === "<=") return order <= 0;
  return op === ">" ? order > 0 : order >= 0;
}

function matchesUntyped(value: Value, constant: string): boolean {
  if (textOf(value) === constant) return true;
  if (!/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(constant) || Number.isNaN(Number(constant))) return false;
  const integer = /^[-+]?\d+$/.test(constant);
  return compares(value, "=", integer ? BigInt(constant.replace("+", "")) : Number(constant));
}

/** The patterns of the tests mean the same to V8, but for the way to say "any case". */
function matchesPattern(value: Value, pattern: string): boolean {
  if (value.type !== "string" && value.type !== "raw") return false;
  const anyCase = pattern.startsWith("(?i)");
  return new RegExp(anyCase ? pattern.slice(4) : pattern, anyCase ? "iu" : "u").test(textOf(value));
}

/** Whether a filter holds for a span. */
export function holds(filter: Filter, span: PlainSpan): boolean {
  switch (filter.op) {
    case "and":
      return filter.all.every((part) => holds(part, span));
    case "or":
      return filter.any.some((part) => holds(part, span));
    case "not":
      return !holds(filter.filter, span);
    case "exists":
      return valuesAt(span, filter.target).length > 0;
    case "regex":
      return valuesAt(span, filter.target).some((value) => matchesPattern(value, filter.pattern));
    case "in":
      return valuesAt(span, filter.target).some((value) =>
        filter.values.some((constant) => compares(value, "=", constant)),
      );
    default: {
      const { op, value: constant, untyped } = filter;
      return valuesAt(span, filter.target).some((value) =>
        untyped === true ? matchesUntyped(value, String(constant)) : compares(value, op, constant),
      );
    }
  }
}

/** What a search says of a trace, ids as hex. */
export type PlainSummary = ReturnType<typeof plainSummary>;

/** A store's summary in the same form. */
export function plainSummary(summary: TraceSummary) {
  const { traceId, matchSpanId, ...rest } = summary;
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return { traceHex: hex(traceId), matchSpanHex: hex(matchSpanId), ...rest };
}

/** All of a search's traces in order (without limit and cursor), and its totals. */
export function bruteFind(
  spans: readonly PlainSpan[],
  query: FindQuery,
): { traces: PlainSummary[]; matchingSpans: number } {
  const sign = query.descending === false ? 1 : -1;
  const found: { trace: PlainSpan[]; match: PlainSpan }[] = [];
  let matchingSpans = 0;
  const byOrder = (a: PlainSpan, b: PlainSpan, x: bigint, y: bigint): number =>
    (x < y ? -sign : x > y ? sign : 0) ||
    (a.traceHex < b.traceHex ? -1 : a.traceHex > b.traceHex ? 1 : 0) ||
    (a.spanHex < b.spanHex ? -1 : a.spanHex > b.spanHex ? 1 : 0) ||
    Math.sign(Number(b.durationNs - a.durationNs)) ||
    Math.sign(Number(b.startNs - a.startNs));
  const rank = (span: PlainSpan, trace: PlainSpan[]): bigint => {
    if (query.order === "spanCount") return BigInt(trace.length);
    return query.order === "start" ? span.startNs : span.durationNs;
  };
  for (const trace of distinctTraces(spans).values()) {
    const matches = trace.filter((span) => {
      const us = micros(span.startNs);
      if (us < query.startMinUs || us > query.startMaxUs) return false;
      return query.filter === undefined || holds(query.filter, span);
    });
    matchingSpans += matches.length;
    matches.sort((a, b) => byOrder(a, b, rank(a, trace), rank(b, trace)));
    if (matches.length > 0) found.push({ trace, match: matches[0]! });
  }
  found.sort((a, b) => byOrder(a.match, b.match, rank(a.match, a.trace), rank(b.match, b.trace)));
  return { traces: found.map(({ trace, match }) => summaryOf(trace, match)), matchingSpans };
}

function summaryOf(trace: readonly PlainSpan[], match: PlainSpan): PlainSummary {
  const earliest = trace.toSorted((a, b) => {
    if (a.startNs !== b.startNs) return a.startNs < b.startNs ? -1 : 1;
    if (a.spanHex !== b.spanHex) return a.spanHex < b.spanHex ? -1 : 1;
    return (
      Buffer.compare(bytesOf(serviceOfPlain(a)), bytesOf(serviceOfPlain(b))) ||
      Buffer.compare(bytesOf(a.name), bytesOf(b.name))
    );
  });
  const shown = earliest.find((span) => span.parentHex === NO_PARENT) ?? earliest[0]!;
  const names = [...new Set(trace.map(serviceOfPlain))];
  const errors = trace.filter((span) => span.status === 2);
  const matchUs = micros(match.startNs);
  return {
    traceHex: match.traceHex,
    matchSpanHex: match.spanHex,
    rootService: serviceOfPlain(shown),
    rootName: shown.name,
    startUs: Number(micros(earliest[0]!.startNs)),
    endUs: Math.max(...trace.map((span) => Number(micros(span.startNs + span.durationNs)))),
    spanCount: trace.length,
    errorCount: errors.length,
    orphanCount: trace.filter(
      (span) =>
        span.parentHex !== NO_PARENT && !trace.some((other) => other.spanHex === span.parentHex),
    ).length,
    services: names
      .sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)))
      .map((name) => ({
        name,
        spanCount: trace.filter((span) => serviceOfPlain(span) === name).length,
        errorCount: errors.filter((span) => serviceOfPlain(span) === name).length,
      })),
    matchStartUs: Number(matchUs),
    matchStartNs: Number(match.startNs - matchUs * 1000n),
    matchDurationNs: Number(match.durationNs),
  };
}
