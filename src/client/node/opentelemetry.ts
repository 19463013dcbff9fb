// OpenTelemetry's API on this tracer: its instrumentations run here, in the same traces.
import { AsyncLocalStorage } from "node:async_hooks";
import { FORMAT_HTTP_HEADERS } from "opentracing";
import type * as Api from "@opentelemetry/api";
import { isDisabled } from "../is-disabled.ts";
import {
  OpenTelemetrySpan,
  fromOpenTelemetry,
  kindTag,
  millisecondsOf,
} from "./opentelemetry-span.ts";
import { isMakingUntraced } from "./untraced.ts";
import type { Span } from "../span.ts";
import type { SpanContext } from "../span-context.ts";
import type { Tracer } from "../tracer.ts";

/** The key under which OpenTelemetry's exporters say that nothing shall be traced. */
const SUPPRESSED = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

type Callback = (span: Api.Span) => unknown;

/** One OpenTelemetry tracer, whatever instrumentation asks: scopes are tags of the span. */
class BridgeTracer implements Api.Tracer {
  readonly #tracer: Tracer;
  readonly #api: typeof Api;
  readonly #scope: Record<string, string>;

  constructor(tracer: Tracer, api: typeof Api, name: string, version: string | undefined) {
    this.#tracer = tracer;
    this.#api = api;
    this.#scope = { "otel.scope.name": name };
    if (version) this.#scope["otel.scope.version"] = version;
  }

  startSpan(
    name: string,
    options: Api.SpanOptions = {},
    context: Api.Context = this.#api.context.active(),
  ): Api.Span {
    if (isMakingUntraced() || context.getValue(SUPPRESSED) === true) {
      return this.#api.trace.wrapSpanContext(this.#api.INVALID_SPAN_CONTEXT);
    }
    const childOf = options.root ? null : parentIn(context, this.#api);
    const startTime = millisecondsOf(options.startTime);
    const kind = kindTag(options.kind);
    const tags = kind === null ? this.#scope : { ...this.#scope, "span.kind": kind };
    const span = this.#tracer.startSpan(name, { childOf, startTime, tags });
    const made = new OpenTelemetrySpan(span, this.#api);
    if (options.attributes) made.setAttributes(options.attributes);
    if (options.links) made.addLinks(options.links);
    return made;
  }

  startActiveSpan<F extends Callback>(name: string, ...rest: unknown[]): ReturnType<F> {
    const action = rest.at(-1) as F;
    const options = rest.length > 1 ? (rest[0] as Api.SpanOptions) : {};
    const { context, trace } = this.#api;
    const parent = rest.length > 2 ? (rest[1] as Api.Context) : context.active();
    const span = this.startSpan(name, options, parent);
    const run = (): ReturnType<F> => action(span) as ReturnType<F>;
    return context.with(trace.setSpan(parent, span), run);
  }
}

/** Our own contexts behind spans that stand for remote parents: they hold baggage, too. */
const remotes = new WeakMap<object, SpanContext>();

function parentIn(context: Api.Context, api: typeof Api): Span | SpanContext | null {
  const span = api.trace.getSpan(context);
  if (span === undefined) return null;
  if (span instanceof OpenTelemetrySpan) return span.span;
  const remote = remotes.get(span);
  if (remote !== undefined) return remote;
  const found = span.spanContext();
  return api.isSpanContextValid(found) ? fromOpenTelemetry(found) : null;
}

/** OpenTelemetry's contexts and this tracer's active span, kept the same in both directions. */
class BridgeContextManager implements Api.ContextManager {
  readonly #tracer: Tracer;
  readonly #api: typeof Api;
  readonly #storage = new AsyncLocalStorage<Api.Context>();

  constructor(tracer: Tracer, api: typeof Api) {
    this.#tracer = tracer;
    this.#api = api;
  }

  active(): Api.Context {
    const context = this.#storage.getStore() ?? this.#api.ROOT_CONTEXT;
    const active = this.#tracer.activeSpan();
    if (active === null || this.#spanIn(context) === active) return context;
    return this.#api.trace.setSpan(context, new OpenTelemetrySpan(active, this.#api));
  }

  #spanIn(context: Api.Context): Span | null {
    const span = this.#api.trace.getSpan(context);
    return span instanceof OpenTelemetrySpan ? span.span : null;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Api.Context,
    action: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () =>
      this.#tracer.withSpan(this.#spanIn(context), () => action.apply(self, args)),
    );
  }

  bind<T>(context: Api.Context, target: T): T {
    if (typeof target !== "function") return target;
    const bound = (...args: unknown[]): unknown =>
      this.with(context, () => Reflect.apply(target, undefined, args));
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

/** Injects and extracts with the tracer's own formats. */
class BridgePropagator implements Api.TextMapPropagator {
  readonly #tracer: Tracer;
  readonly #api: typeof Api;

  constructor(tracer: Tracer, api: typeof Api) {
    this.#tracer = tracer;
    this.#api = api;
  }

  inject(context: Api.Context, carrier: unknown, setter: Api.TextMapSetter): void {
    const parent = parentIn(context, this.#api);
    if (parent === null) return;
    const headers: Record<string, string> = {};
    this.#tracer.inject(parent, FORMAT_HTTP_HEADERS, headers);
    for (const name in headers) setter.set(carrier, name, headers[name]!);
  }

  extract(context: Api.Context, carrier: unknown, getter: Api.TextMapGetter): Api.Context {
    const headers: Record<string, unknown> = {};
    for (const name of getter.keys(carrier)) headers[name] = getter.get(carrier, name);
    const found = this.#tracer.extract(FORMAT_HTTP_HEADERS, headers);
    if (found === null || !found.isValid) return context;
    const remote = this.#api.trace.wrapSpanContext({
      traceId: found.traceIdHex,
      spanId: found.spanIdHex,
      traceFlags: found.isSampled() ? 1 : 0,
      isRemote: true,
    });
    remotes.set(remote, found);
    return this.#api.trace.setSpan(context, remote);
  }

  fields(): string[] {
    return ["uber-trace-id", "traceparent", "tracestate", "b3"];
  }
}

/** This tracer as OpenTelemetry's `TracerProvider`. */
export class SpoorTracerProvider implements Api.TracerProvider {
  readonly #tracer: Tracer;
  readonly #api: typeof Api;

  /** `api` is the application's own `@opentelemetry/api`. */
  constructor(tracer: Tracer, api: typeof Api) {
    this.#tracer = tracer;
    this.#api = api;
  }

  getTracer(name: string, version?: string): Api.Tracer {
    if (isDisabled(this.#tracer)) return new this.#api.ProxyTracerProvider().getTracer(name);
    return new BridgeTracer(this.#tracer, this.#api, name, version);
  }

  /** Makes this the global provider, with context manager and propagator to match. */
  register(): void {
    if (isDisabled(this.#tracer)) return;
    const { context, propagation, trace } = this.#api;
    context.setGlobalContextManager(new BridgeContextManager(this.#tracer, this.#api));
    propagation.setGlobalPropagator(new BridgePropagator(this.#tracer, this.#api));
    trace.setGlobalTracerProvider(this);
  }

  shutdown(): Promise<void> {
    return new Promise((resolve) => this.#tracer.close(resolve));
  }
}
