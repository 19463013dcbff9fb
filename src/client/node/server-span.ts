// The span of a request that is served: one for each, whichever instrumentation sees it first.
import { FORMAT_HTTP_HEADERS } from "opentracing";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Span } from "../span.ts";
import type { SpanContext } from "../span-context.ts";
import type { Tracer } from "../tracer.ts";

/** Registered, for a process may hold two copies of this library. */
const SPAN = Symbol.for("spoor-client.span");

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

function remoteContext(tracer: Tracer, request: IncomingMessage): SpanContext | null {
  const found = tracer.extractLines(request.rawHeaders);
  return found === undefined ? tracer.extract(FORMAT_HTTP_HEADERS, request.headers) : found;
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
  span.setTag("http.status_code", status);
  if (status >= 500) span.setTag("error", true);
  if (!isWhole(response)) span.setTag("error", true).log({ event: "aborted" });
  span.finish();
}

/** Starts the span and finishes it when the response is done or its connection is gone. */
export function startServerSpan(
  tracer: Tracer,
  request: IncomingMessage,
  response: ServerResponse,
  component: string,
): Span {
  const method = request.method ?? "GET";
  const span = tracer.startServerSpan(nameOf(method), remoteContext(tracer, request));
  (request as Traced)[SPAN] = span;
  if (span.record() !== null) {
    span.setTag("component", component);
    span.setTag("http.method", method);
    span.setTag("http.url", pathOf(request.url ?? ""));
  }
  // Emitted once; `once` would wrap the listener only to take it off.
  response.on("close", () => finishServerSpan(span, response));
  return span;
}
