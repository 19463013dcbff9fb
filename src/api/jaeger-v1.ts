/** Jaeger's v1 query API, `/api/*`: what its UI, Grafana and scripts of ten years call. */

import type { Clock } from "../base/clock.ts";
import { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import type { Operation } from "../core/store.ts";
import { viewsByTrace } from "../core/trace/view.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { decodeJaegerJson, isJaegerJson } from "../wire/jaeger-json-decode.ts";
import { jsonText } from "../wire/json-writer.ts";
import { decodeOtlpJson } from "../wire/otlp-json-decode.ts";
import { dataAnswer, errorAnswer, jaegerFailure, jsonAnswer } from "./answer.ts";
import { streamAnswer, wantsPretty } from "./answer.ts";
import { checkMetricsParams, missingService, parseRaw } from "./jaeger-params.ts";
import { parseDependencyTimes, parseTraceSearch, parseTraceTimes } from "./jaeger-params.ts";
import { KIND_OF_NAME } from "../wire/jaeger-tags.ts";
import { parseTraceId } from "./jaeger-trace-id.ts";
import { foundTraces, givenTraces, oneTrace, TRACE_NOT_FOUND, tracesById } from "./trace-stream.ts";
import type { TraceSource, TraceStreamOptions } from "./trace-stream.ts";

export interface JaegerApiOptions {
  readonly source: TraceSource;
  readonly clock: Clock;
  /** Largest clock correction, ns; 0 (Jaeger's default) corrects nothing and warns. */
  readonly maxClockSkewNs: number;
}

/** Names of span kinds by OTLP's number; Jaeger's is empty for an unspecified one. */
const KIND_NAMES = ["", ...KIND_OF_NAME.keys()];

/** The routes, below `/api`. */
export function jaegerRoutes(options: JaegerApiOptions): HttpRoute[] {
  const { source } = options;
  const get = (path: string, handle: Handler): HttpRoute => route("GET", path, handle);
  return [
    get("/api/services", async (_, query, signal) => {
      const services = await source.services(signal);
      return listAnswer(services.map(jsonText), query);
    }),
    get("/api/services/:service/operations", async (request, query, signal) => {
      const operations = await source.operations(request.params["service"]!, undefined, signal);
      return listAnswer([...new Set(operations.map(({ name }) => jsonText(name)))], query);
    }),
    get("/api/operations", (_, query, signal) => operationsAnswer(source, query, signal)),
    get("/api/traces", (_, query, signal) => searchAnswer(options, query, signal)),
    get("/api/traces/:traceId", (request, query, signal) => {
      const id = parseTraceId(request.params["traceId"]!);
      parseTraceTimes(query);
      const chunks = oneTrace(source, id, streamOptions(options, parseRaw(query)), signal);
      return streamAnswer(chunks, wantsPretty(query));
    }),
    route("POST", "/api/archive/:traceId", (request, query, signal) =>
      archiveAnswer(source, request, query, signal),
    ),
    route("POST", "/api/transform", transformAnswer),
    get("/api/dependencies", (_, query, signal) => dependenciesAnswer(options, query, signal)),
    ...metricsRoutes(),
    ...sampleRoutes(),
  ];
}

type Handler = (
  request: HttpRequest,
  query: URLSearchParams,
  signal: AbortSignal,
) => HttpAnswer | Promise<HttpAnswer>;

function route(method: "GET" | "POST", path: string, handle: Handler): HttpRoute {
  return {
    method,
    path,
    failure: jaegerFailure,
    handle: (request) => handle(request, new URLSearchParams(request.query), request.signal),
  };
}

function streamOptions(options: JaegerApiOptions, raw: boolean): TraceStreamOptions {
  return { raw, maxClockSkewNs: options.maxClockSkewNs };
}

function listAnswer(items: readonly string[], query: URLSearchParams): HttpAnswer {
  return dataAnswer(`[${items.join(",")}]`, items.length, wantsPretty(query));
}

async function operationsAnswer(
  source: TraceSource,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const service = query.get("service") ?? "";
  if (service === "") throw missingService();
  const kindName = query.get("spanKind") ?? "";
  const kind = kindName === "" ? undefined : (KIND_OF_NAME.get(kindName) ?? -1);
  const none: readonly Operation[] = [];
  const operations = kind === -1 ? none : await source.operations(service, kind, signal);
  const items = operations.map(
    ({ name, kind: number }) =>
      `{"name":${jsonText(name)},"spanKind":"${KIND_NAMES[number] ?? ""}"}`,
  );
  return listAnswer(items, query);
}

function searchAnswer(
  options: JaegerApiOptions,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const search = parseTraceSearch(query, options.clock);
  const stream = streamOptions(options, search.raw);
  const chunks =
    search.traceIds.length > 0
      ? tracesById(options.source, search.traceIds, stream, signal)
      : foundTraces(options.source, search, stream, signal);
  return streamAnswer(chunks, wantsPretty(query));
}

async function archiveAnswer(
  source: TraceSource,
  request: HttpRequest,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const id = parseTraceId(request.params["traceId"]!);
  parseTraceTimes(query);
  if (!source.can.archive) return errorAnswer(500, "archive span storage was not configured");
  if (!(await source.archive(id, signal))) throw new SpoorError("not-found", TRACE_NOT_FOUND);
  return dataAnswer("[]", 0, wantsPretty(query), []);
}

/**
 * An uploaded file as Jaeger's JSON: OTLP/JSON, as in Jaeger, or Jaeger's own, whose ids and
 * processes come back in one form. OTLP spans without ids are told in `errors`.
 */
function transformAnswer(request: HttpRequest, query: URLSearchParams): Promise<HttpAnswer> {
  const builder = new BatchBuilder();
  const { batch, message } = isJaegerJson(request.body)
    ? { batch: decodeJaegerJson(request.body, builder), message: "" }
    : decodeOtlpJson(request.body, builder);
  const errors = message === "" ? undefined : [{ message }];
  return streamAnswer(givenTraces(viewsByTrace([batch]), errors), wantsPretty(query));
}

async function dependenciesAnswer(
  { source, clock }: JaegerApiOptions,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { startMinUs, startMaxUs } = parseDependencyTimes(query, clock);
  const service = query.get("service") ?? "";
  if (!source.can.links) {
    throw new SpoorError(
      "unsupported",
      `dependencies are not kept by the ${source.can.name} store`,
    );
  }
  const links = await source.links(startMinUs, startMaxUs, signal);
  const items = links
    .filter(({ parent, child }) => service === "" || parent === service || child === service)
    .map(
      ({ parent, child, callCount }) =>
        `{"parent":${jsonText(parent)},"child":${jsonText(child)},"callCount":${callCount}}`,
    );
  return dataAnswer(`[${items.join(",")}]`, 0, wantsPretty(query));
}

function metricsRoutes(): HttpRoute[] {
  const disabled = (check: (query: URLSearchParams) => void): Handler => {
    return (_, query) => {
      check(query);
      throw new SpoorError("unsupported", "metrics querying is currently disabled");
    };
  };
  return [
    route(
      "GET",
      "/api/metrics/latencies",
      disabled((query) => checkMetricsParams(query, true)),
    ),
    route(
      "GET",
      "/api/metrics/calls",
      disabled((query) => checkMetricsParams(query, false)),
    ),
    route(
      "GET",
      "/api/metrics/errors",
      disabled((query) => checkMetricsParams(query, false)),
    ),
    route(
      "GET",
      "/api/metrics/minstep",
      disabled(() => undefined),
    ),
  ];
}

/**
 * Two pages of Jaeger's UI ask for these; Jaeger answers with invented samples. We answer in
 * the same form with nothing in it, and a banner that says so.
 */
function sampleRoutes(): HttpRoute[] {
  const banner = "Spoor does not measure trace quality.";
  const quality = {
    traceQualityDocumentationLink: "",
    bannerText: { value: banner, styling: {} },
    scores: [],
    metrics: [],
    clients: [],
  };
  return [
    route("GET", "/api/deep-dependencies", (_, query) =>
      jsonAnswer('{"dependencies":[]}', wantsPretty(query)),
    ),
    route("GET", "/api/quality-metrics", (_, query) =>
      jsonAnswer(JSON.stringify(quality), wantsPretty(query)),
    ),
  ];
}
