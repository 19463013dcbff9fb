// Traces what node:http and node:https serve and request, by wrapping the two modules' functions.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { errorMonitor } from "node:events";
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { FORMAT_HTTP_HEADERS } from "opentracing";
import { isDisabled } from "../is-disabled.ts";
import { FINAL, SAMPLED, SpanContext } from "../span-context.ts";
import { contextText, jaegerCodec } from "./context-text.ts";
import { HttpTags } from "./http-tags.ts";
import { nameOf, pathOf, spanOfRequest, startServerSpan } from "./server-span.ts";
import { UNTRACED } from "./untraced.ts";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Span } from "../span.ts";
import type { Tracer } from "../tracer.ts";

export interface HttpInstrumentationOptions {
  /** Both by default. */
  server?: boolean | undefined;
  client?: boolean | undefined;
  /** Requests to serve that get no span: health checks. */
  ignore?: ((request: IncomingMessage) => boolean) | undefined;
}

const SERVED = new HttpTags("server", "node:http");
const CALLED = new HttpTags("client", "node:http");

type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type RequestFunction = (url: unknown, options: unknown, listener: unknown) => ClientRequest;
type EmitFunction = (this: unknown, event: string, ...args: unknown[]) => boolean;

/** A request listener with a span around each call, for servers that are not instrumented. */
export function tracedListener(tracer: Tracer, listener: Listener): Listener {
  if (isDisabled(tracer)) return listener;
  return (request, response) => {
    if (spanOfRequest(request) !== null) {
      listener(request, response);
      return;
    }
    const span = startServerSpan(tracer, request, response, SERVED);
    tracer.withSpan(span, () => listener(request, response));
  };
}

function isUntraced(value: unknown): boolean {
  return typeof value === "object" && value !== null && UNTRACED in value;
}

/** Lets the request carry a context on. */
function carryOn(tracer: Tracer, context: SpanContext, request: ClientRequest): void {
  // Headers given as an array are on their way already; such a request is traced but not joined.
  if (request.headersSent) return;
  const codec = jaegerCodec(tracer.injectors.get(FORMAT_HTTP_HEADERS));
  if (codec !== null && context.extra === null) {
    context.finalizeSampling();
    request.setHeader(codec.contextKey, contextText(context));
    return;
  }
  const carrier: Record<string, string> = {};
  tracer.inject(context, FORMAT_HTTP_HEADERS, carrier);
  for (const name in carrier) request.setHeader(name, carrier[name]!);
}

/** The context of a call that nobody will see, for as long as its header is written. */
const unseen = new SpanContext();

/** Carries a trace on that is finally not sampled, without a span; false when it may be. */
function passOn(tracer: Tracer, parent: Span, request: ClientRequest): boolean {
  const context = parent.spanContext;
  if ((context.root.bits & (FINAL | SAMPLED)) !== FINAL) return false;
  const codec = jaegerCodec(tracer.injectors.get(FORMAT_HTTP_HEADERS));
  if (codec === null || context.extra !== null) {
    carryOn(tracer, tracer.childContext(context, false), request);
  } else if (!request.headersSent) {
    unseen.trace0 = context.trace0;
    unseen.trace1 = context.trace1;
    unseen.trace2 = context.trace2;
    unseen.trace3 = context.trace3;
    unseen.bits = context.root.bits;
    tracer.descend(unseen, context);
    request.setHeader(codec.contextKey, contextText(unseen));
  }
  tracer.metrics?.spansStartedNotSampled.increment(1);
  return true;
}

/** Reports a client span for a request and carries the trace on in its headers. */
function traceRequest(tracer: Tracer, request: ClientRequest): void {
  const parent = tracer.activeSpan();
  if (parent !== null && passOn(tracer, parent, request)) return;
  const span = tracer.startSpan(nameOf(request.method), { childOf: parent });
  if (span.record() !== null) {
    CALLED.describe(span, request.method);
    const host = request.getHeader("host") ?? request.host;
    const path = pathOf(request.path);
    span.setTag("http.url", `${request.protocol}//${String(host)}${path}`);
    span.setTag("peer.hostname", request.host);
  }
  carryOn(tracer, span.spanContext, request);
  // What is finally not sampled is never reported, so nobody need hear of its end.
  if (span.record() === null) return;
  request.on("close", () => finishClientSpan(span, request));
  // A listener for errors would swallow those that nobody else handles.
  request.on(errorMonitor, (error: Error) => {
    span.setTag("error", true).log({ event: "error", message: error.message });
  });
}

/** A listener for the response would keep Node from discarding one that nobody listens for. */
function finishClientSpan(
  span: Span,
  request: ClientRequest & { res?: IncomingMessage | null },
): void {
  const { res: response } = request;
  // Null until there is one.
  if (response) {
    const status = response.statusCode!;
    span.setTag("http.status_code", status);
    if (status >= 500) span.setTag("error", true);
    if (!response.complete) span.setTag("error", true).log({ event: "aborted" });
  }
  span.finish();
}

function wrapRequest(tracer: Tracer, original: RequestFunction): RequestFunction {
  return function request(url: unknown, options: unknown, listener: unknown): ClientRequest {
    const made = original(url, options, listener);
    if (!isUntraced(url) && !isUntraced(options)) traceRequest(tracer, made);
    return made;
  };
}

function wrapGet(request: RequestFunction): RequestFunction {
  return (url, options, listener) => {
    const made = request(url, options, listener);
    made.end();
    return made;
  };
}

interface Started {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Enter = (span: Span) => void;

/**
 * Node publishes each request within a callback of its own, whose context ends when the listeners
 * have run: the span is entered, and nobody need go back.
 */
function watchServers(
  tracer: Tracer,
  { ignore }: HttpInstrumentationOptions,
  enter: Enter,
): () => void {
  const started = (message: unknown): void => {
    const { request, response } = message as Started;
    if (spanOfRequest(request) !== null || ignore?.(request) === true) return;
    enter(startServerSpan(tracer, request, response, SERVED));
  };
  subscribe("http.server.request.start", started);
  return () => {
    unsubscribe("http.server.request.start", started);
  };
}

/** Whom a server may leave a request to: one with an `expect` has listeners of its own. */
const SERVING: ReadonlySet<string> = new Set(["request", "checkContinue", "checkExpectation"]);

function wrapEmit(
  tracer: Tracer,
  original: EmitFunction,
  { ignore }: HttpInstrumentationOptions,
): EmitFunction {
  return function emit(this: unknown, event: string, ...args: unknown[]): boolean {
    if (!SERVING.has(event)) return original.call(this, event, ...args);
    const request = args[0] as IncomingMessage;
    const response = args[1] as ServerResponse;
    const skip = spanOfRequest(request) !== null || ignore?.(request) === true;
    if (skip) return original.call(this, event, request, response);
    const span = startServerSpan(tracer, request, response, SERVED);
    return tracer.withSpan(span, () => original.call(this, event, request, response));
  };
}

type Patched = Record<string, unknown>;

/** Traces every server and every request of the process; the answer undoes it. */
export function instrumentHttp(
  tracer: Tracer,
  options: HttpInstrumentationOptions = {},
): () => void {
  if (isDisabled(tracer)) return () => {};
  const undo: (() => void)[] = [];
  const patch = (target: Patched, name: string, made: unknown): void => {
    const own = Object.hasOwn(target, name);
    const before = target[name];
    target[name] = made;
    undo.push(() => {
      if (own) target[name] = before;
      else delete target[name];
    });
  };
  const { enter } = tracer.scopeManager;
  if (options.server !== false && enter !== undefined) {
    undo.push(watchServers(tracer, options, enter));
  }
  for (const module of [http, https] as unknown as Patched[]) {
    if (options.client !== false) {
      const request = wrapRequest(tracer, module["request"] as RequestFunction);
      patch(module, "request", request);
      patch(module, "get", wrapGet(request));
    }
    if (options.server !== false && enter === undefined) {
      const prototype = (module["Server"] as { prototype: Patched }).prototype;
      patch(prototype, "emit", wrapEmit(tracer, prototype["emit"] as EmitFunction, options));
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  };
}
