// The span of a request that is served: one for each, whichever instrumentation sees it first.
import { FORMAT_HTTP_HEADERS } from "opentracing";
import { FINAL, REMOTE, UNDECIDED } from "../span-context.ts";
import { Span } from "../span.ts";
import { jaegerCodec, usualContext } from "./context-text.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TextMapCodec } from "../codec-text-map.ts";
import type { SpanContext } from "../span-context.ts";
import type { Tracer } from "../tracer.ts";
import type { HttpTags } from "./http-tags.ts";

/** Registered, for a process may hold two copies of this library. */
const SPAN = Symbol.for("spoor-client.span");

const SERVER = Object.freeze({ "span.kind": "server" });

/** A property of the request: a WeakMap costs ten times as much, and its entries the collector. */
type Traced = IncomingMessage & { [SPAN]?: Span };

/** The span of a request that is being served; null when it is not traced. */
export function spanOfRequest(request: IncomingMessage): Span | null {
  return (request as Traced)[SPAN] ?? null;
}

/** Queries may hold what nobody wants in a trace: tokens, names. */
export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

export function nameOf(method: string): string {
  return method === "GET" ? "HTTP GET" : `HTTP ${method}`;
}

/** The context that a request came with becomes its span's own, instead of being copied. */
function spanWithin(tracer: Tracer, name: string, remote: SpanContext | null): Span {
  if (remote === null || !remote.isValid) {
    return tracer.startSpan(name, { childOf: remote, tags: SERVER });
  }
  if (!tracer.sharesRpcSpan) tracer.descend(remote, remote);
  remote.bits = (remote.bits & UNDECIDED) === 0 ? (remote.bits & ~REMOTE) | FINAL : 0;
  const { trace2, trace3 } = remote;
  const span = new tracer.ServerSpan(tracer, remote, trace2, trace3, name, tracer.now());
  if ((remote.bits & FINAL) === 0) span.applySampling(tracer.sampler.onCreateSpan(span));
  if (tracer.metrics !== null) tracer.count(span, true, true);
  return span;
}

/**
 * Looks at names and values in turn for the ids: null where nothing is, undefined where more is
 * than ids, which the codec must be asked for.
 */
function findIds(codec: TextMapCodec, lines: readonly string[]): string | null | undefined {
  let value: string | null = null;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!;
    if (!codec.concerns(name)) continue;
    const ours = name === codec.contextKey || name.toLowerCase() === codec.contextKey;
    if (value !== null || !ours) return undefined;
    value = lines[i + 1]!;
  }
  return value;
}

/** Names and values as they came; undefined for a stand-in of a request with `headers` only. */
function rawHeadersOf({ rawHeaders }: IncomingMessage): readonly string[] | undefined {
  const given = rawHeaders as readonly string[] | undefined;
  return given !== undefined && given.length > 0 ? given : undefined;
}

function startSpan(tracer: Tracer, request: IncomingMessage): Span {
  const name = nameOf(request.method ?? "GET");
  const codec = jaegerCodec(tracer.extractors.get(FORMAT_HTTP_HEADERS));
  const raw = rawHeadersOf(request);
  const ids = codec === null || raw === undefined ? undefined : findIds(codec, raw);
  if (codec === null || ids === undefined) {
    const headers = (request.headers as typeof request.headers | undefined) ?? {};
    return spanWithin(tracer, name, tracer.extract(FORMAT_HTTP_HEADERS, headers));
  }
  if (ids === null) return spanWithin(tracer, name, null);
  return spanWithin(tracer, name, usualContext(ids) ?? codec.readIds(ids));
}

/**
 * Whether a closed response was sent to its end. What stands in for a response has bytes left on a
 * socket that is still there: fastify's `inject`; HTTP/2's has no `writableFinished`.
 */
function isWhole(response: ServerResponse): boolean {
  if (response.writableFinished) return true;
  return response.writableEnded && response.socket?.destroyed === false;
}

function finishServerSpan(span: Span, response: ServerResponse): void {
  const status = response.statusCode;
  // It is 200 before anything was answered.
  if (response.headersSent) span.setTag("http.status_code", status);
  if (response.headersSent && status >= 500) span.setTag("error", true);
  if (!isWhole(response)) span.setTag("error", true).log({ event: "aborted" });
  span.finish();
}

/**
 * Starts the span and finishes it when the response is done or its connection is gone. One that is
 * not to be sampled is not waited for, unless its trace is sampled after all (sampling.priority):
 * the listener and its call were a fifth of what such a span costs.
 */
export function startServerSpan(
  tracer: Tracer,
  request: IncomingMessage,
  response: ServerResponse,
  tags: HttpTags,
): Span {
  const span = startSpan(tracer, request);
  (request as Traced)[SPAN] = span;
  // Routers take their part off the request's own.
  const { method = "GET", url = "" } = request;
  const describe = (): void => {
    tags.describe(span, method);
    span.setTag("http.url", pathOf(url));
  };
  const watch = (): void => {
    describe();
    // Emitted once; `once` would wrap the listener only to take it off.
    response.on("close", () => finishServerSpan(span, response));
  };
  const isRecorded = span.record() !== null;
  if (isRecorded || tracer.ServerSpan !== Span) watch();
  if (!isRecorded) span.spanContext.root.late = tracer.ServerSpan === Span ? watch : describe;
  return span;
}
