// The tracer: starts spans, carries contexts in and out of requests, hands finished spans on.
import { FORMAT_HTTP_HEADERS, FORMAT_TEXT_MAP, REFERENCE_CHILD_OF } from "./opentracing-names.ts";
import { OpenTracingTracer } from "./opentracing-classes.ts";
import type * as opentracing from "opentracing";
import type { Reference } from "opentracing";
import { BaggageSetter, FixedBaggageRestrictions } from "./baggage.ts";
import { TextMapCodec } from "./codec-text-map.ts";
import { AnchoredClock, timeOr } from "./clock.ts";
import { IdSource, hex32 } from "./ids.ts";
import { NULL_LOGGER } from "./logger.ts";
import { NoopReporter } from "./reporters.ts";
import { adaptSampler, ConstSampler } from "./samplers.ts";
import { StackScopeManager } from "./scope.ts";
import { Span } from "./span.ts";
import {
  DEBUG,
  FINAL,
  REMOTE,
  SAMPLED,
  SpanContext,
  UNDECIDED,
  isContext,
} from "./span-context.ts";
import { nameText } from "./tag-text.ts";
import { DefaultThrottler } from "./throttler.ts";
import type { BaggageRestrictions } from "./baggage.ts";
import type { Clock } from "./clock.ts";
import type { RandomFill } from "./ids.ts";
import type { Metrics } from "./metrics.ts";
import type {
  Extractor,
  Injector,
  LegacySampler,
  Logger,
  Reporter,
  Sampler,
  ScopeManager,
  Tag,
  Throttler,
} from "./types.ts";

/** What jaeger-client's tracer takes, and what a platform adds. */
export interface TracerOptions {
  tags?: Record<string, unknown> | undefined;
  metrics?: Metrics | undefined;
  logger?: Logger | undefined;
  contextKey?: string | undefined;
  baggagePrefix?: string | undefined;
  /** 128 bits unless false. */
  traceId128bit?: boolean | undefined;
  /** A server span takes its client span's id, as in Zipkin. */
  shareRpcSpan?: boolean | undefined;
  baggageRestrictionManager?: BaggageRestrictions | undefined;
  debugThrottler?: Throttler | undefined;
  clock?: Clock | undefined;
  random?: RandomFill | undefined;
  scopeManager?: ScopeManager | undefined;
  /** What the platform knows of the process; `tags` win over it. */
  processTags?: Record<string, unknown> | undefined;
  /** What spans that are started with `span.kind=server` are made of. */
  serverSpan?: typeof Span | undefined;
}

export interface StartSpanOptions {
  childOf?: opentracing.Span | opentracing.SpanContext | null | undefined;
  references?: Reference[] | undefined;
  tags?: Record<string, unknown> | undefined;
  startTime?: number | undefined;
}

const NO_OPTIONS: StartSpanOptions = Object.freeze({});
const SPAN_KIND = "span.kind";

function platformRandom(into: Int32Array): void {
  const { crypto } = globalThis as { crypto?: { getRandomValues(into: Int32Array): void } };
  if (crypto !== undefined) crypto.getRandomValues(into);
  else for (let i = 0; i < into.length; i++) into[i] = Math.random() * 2 ** 32;
}

function contextOf(value: unknown): SpanContext | null {
  if (value instanceof Span) return value.spanContext;
  if (isContext(value)) return value;
  const { context } = (value ?? {}) as { context?: unknown };
  if (typeof context !== "function") return null;
  const found: unknown = context.call(value);
  return isContext(found) ? found : null;
}

/** Applications in plain JavaScript hand in anything. */
function referencedBy(reference: Reference | null | undefined): SpanContext | null {
  const known = typeof reference?.referencedContext === "function";
  return known ? contextOf(reference.referencedContext()) : null;
}

/** The first child_of reference, else the first follows_from one. */
function parentOf(options: StartSpanOptions): SpanContext | null {
  if (options.childOf) {
    const parent = contextOf(options.childOf);
    if (parent !== null) return parent;
  }
  const { references } = options;
  if (!Array.isArray(references)) return null;
  let follows: SpanContext | null = null;
  for (const reference of references) {
    const context = referencedBy(reference);
    if (context === null) continue;
    if (reference.type() === REFERENCE_CHILD_OF) return context;
    if (follows === null) follows = context;
  }
  return follows;
}

/** A version 4 UUID, of one of the four variants. */
function uuid(ids: IdSource): string {
  const hex = hex32(ids.next()) + hex32(ids.next()) + hex32(ids.next()) + hex32(ids.next());
  return hex.replace(/(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-a$4-");
}

/** An OpenTracing tracer. Nothing it does throws into the application or makes it wait. */
export class Tracer extends OpenTracingTracer {
  readonly serviceName: string;
  readonly sampler: Sampler;
  readonly logger: Logger;
  readonly baggageSetter: BaggageSetter;
  readonly metrics: Metrics | null;
  readonly scopeManager: ScopeManager;
  readonly processTags: Record<string, unknown>;
  readonly ids: IdSource;
  readonly sharesRpcSpan: boolean;
  readonly ServerSpan: typeof Span;
  readonly injectors: Map<string, Injector> = new Map();
  readonly extractors: Map<string, Extractor> = new Map();
  readonly #clock: Clock;
  readonly #wide: boolean;
  readonly #samplesById: boolean;
  readonly #throttler: Throttler;
  readonly #restrictions: BaggageRestrictions;
  #reporter: Reporter;

  constructor(
    serviceName: string,
    reporter: Reporter = new NoopReporter(),
    sampler: Sampler | LegacySampler = new ConstSampler(false),
    options: TracerOptions = {},
  ) {
    super();
    this.serviceName = nameText(serviceName);
    this.sampler = adaptSampler(sampler);
    this.#samplesById = this.sampler.decidesById === true;
    this.logger = options.logger ?? NULL_LOGGER;
    this.metrics = options.metrics ?? null;
    this.scopeManager = options.scopeManager ?? new StackScopeManager();
    this.#clock = options.clock ?? new AnchoredClock();
    this.ids = new IdSource(options.random ?? platformRandom);
    this.#wide = options.traceId128bit !== false;
    this.sharesRpcSpan = options.shareRpcSpan === true;
    this.ServerSpan = options.serverSpan ?? Span;
    this.#throttler = options.debugThrottler ?? new DefaultThrottler();
    this.#reporter = reporter;
    this.#restrictions = options.baggageRestrictionManager ?? new FixedBaggageRestrictions();
    this.baggageSetter = new BaggageSetter(this.#restrictions, this.metrics);
    this.#registerJaegerCodecs(options);
    const id = uuid(this.ids);
    this.processTags = { ...options.processTags, ...options.tags, "client-uuid": id };
    const tags: Tag[] = Object.entries(this.processTags).map(([key, value]) => ({ key, value }));
    this.#throttler.setProcess?.({ serviceName: this.serviceName, tags, uuid: id });
    reporter.setProcess?.(this.serviceName, tags);
  }

  #registerJaegerCodecs(options: TracerOptions): void {
    const { contextKey, baggagePrefix } = options;
    const shared = { contextKey, baggagePrefix, metrics: this.metrics };
    const text = new TextMapCodec({ ...shared, urlEncoding: false });
    const http = new TextMapCodec({ ...shared, urlEncoding: true });
    this.registerCodec(FORMAT_TEXT_MAP, text);
    this.registerCodec(FORMAT_HTTP_HEADERS, http);
  }

  registerCodec(format: string, codec: Injector & Extractor): void {
    this.registerInjector(format, codec);
    this.registerExtractor(format, codec);
  }

  registerInjector(format: string, injector: Injector): void {
    this.injectors.set(format, injector);
  }

  registerExtractor(format: string, extractor: Extractor): void {
    this.extractors.set(format, extractor);
  }

  /** Milliseconds since the epoch, with fractions. */
  now(): number {
    return this.#clock.now();
  }

  /** A time an application gave, or now. */
  timeOr(given: unknown): number {
    return timeOr(given, this.#clock);
  }

  override startSpan(name: string, given: StartSpanOptions | null = NO_OPTIONS): Span {
    const options = given ?? NO_OPTIONS;
    const parent = options === NO_OPTIONS ? null : parentOf(options);
    const { tags } = options;
    const isServer = tags !== undefined && tags !== null && tags[SPAN_KIND] === "server";
    const hasParent = parent !== null && parent.isValid;
    const startMs = timeOr(options.startTime, this.#clock);
    const span = hasParent
      ? this.#childSpan(name, startMs, parent, isServer)
      : this.#rootSpan(name, startMs, parent, isServer);
    if (Array.isArray(options.references)) this.#keepReferences(span, options.references);
    if (tags) span.addTags(tags);
    if (this.metrics !== null) this.count(span, hasParent, isServer);
    return span;
  }

  /** A root span that will not be sampled for certain gets no context before it is asked for. */
  #rootSpan(name: string, startMs: number, container: SpanContext | null, isServer: boolean): Span {
    const low0 = this.ids.next();
    const low1 = this.ids.next() || 1;
    const Kind = isServer ? this.ServerSpan : Span;
    const span = new Kind(this, null, low0, low1, name, startMs);
    if (container === null && this.#samplesById) {
      const decision = this.sampler.onCreateSpan(span);
      if (decision.sample || decision.retryable) {
        span.materialize(0);
        span.applySampling(decision);
      }
      return span;
    }
    const context = span.materialize(0);
    if (container !== null) this.#adoptContainer(span, container);
    if ((context.bits & FINAL) === 0) span.applySampling(this.sampler.onCreateSpan(span));
    return span;
  }

  #childSpan(name: string, startMs: number, parent: SpanContext, isServer: boolean): Span {
    const context = this.childContext(parent, isServer);
    const Kind = isServer ? this.ServerSpan : Span;
    const span = new Kind(this, context, context.trace2, context.trace3, name, startMs);
    if ((context.root.bits & FINAL) === 0) span.applySampling(this.sampler.onCreateSpan(span));
    return span;
  }

  /** Makes a context, which has its parent's ids by now, that of a child. */
  descend(context: SpanContext, parent: SpanContext): void {
    context.parent0 = parent.span0;
    context.parent1 = parent.span1;
    context.span0 = this.ids.next();
    context.span1 = this.ids.next() || 1;
  }

  /** The context of a root span, whose id is the lower half of its trace id. */
  rootContext(low0: number, low1: number): SpanContext {
    const high0 = this.#wide ? this.ids.next() : 0;
    const high1 = this.#wide ? this.ids.next() : 0;
    return new SpanContext(high0, high1, low0, low1, low0, low1, 0, 0, null);
  }

  childContext(parent: SpanContext, isServer: boolean): SpanContext {
    const { root } = parent;
    const context = parent.copy();
    context.bits = 0;
    if (!isServer || !this.sharesRpcSpan) this.descend(context, parent);
    // A parent in another process has decided, unless it said that it left this to us.
    if ((parent.bits & (REMOTE | UNDECIDED)) === REMOTE) root.bits |= FINAL;
    return context;
  }

  /** Takes over what came without ids: a debug id, baggage. */
  #adoptContainer(span: Span, parent: SpanContext): void {
    const context = span.spanContext;
    if (parent.isDebugIDContainerOnly() && this.isDebugAllowed(span.operationName)) {
      context.bits |= SAMPLED | DEBUG | FINAL;
      span.appendTags({ "jaeger-debug-id": parent.debugId });
    }
    context.setExtra({ ...parent.baggage }, "", "");
  }

  /** Keeps references to real spans; the parent's own is said by the parent id. */
  #keepReferences(span: Span, references: readonly Reference[]): void {
    const recording = span.record();
    if (recording === null) return;
    const kept = references.filter((each) => referencedBy(each)?.isValid);
    if (kept.length > 0) recording.references = kept;
  }

  /** For tracers with metrics. */
  count(span: Span, hasParent: boolean, isServer: boolean): void {
    const metrics = this.metrics!;
    if (span.lazyContext?.isSampled()) {
      metrics.spansStartedSampled.increment(1);
      if (!hasParent) metrics.tracesStartedSampled.increment(1);
      else if (isServer) metrics.tracesJoinedSampled.increment(1);
      return;
    }
    metrics.spansStartedNotSampled.increment(1);
    if (!hasParent) metrics.tracesStartedNotSampled.increment(1);
    else if (isServer) metrics.tracesJoinedNotSampled.increment(1);
  }

  /** Called by a sampled span when it is finished. */
  report(span: Span): void {
    if (this.metrics !== null) this.metrics.spansFinished.increment(1);
    try {
      this.#reporter.report(span);
    } catch (error) {
      this.logger.error(`reporter failed: ${String(error)}`);
    }
  }

  /** An unknown format or a carrier that cannot be written is told to the logger. */
  override inject(
    target: opentracing.Span | opentracing.SpanContext,
    format: string,
    carrier: unknown,
  ): void {
    const context = contextOf(target);
    if (context === null) return;
    const injector = this.injectors.get(format);
    if (injector === undefined) {
      this.logger.error(`Unsupported format: ${format}`);
      return;
    }
    context.root.bits |= FINAL;
    try {
      injector.inject(context, carrier);
    } catch (error) {
      this.logger.error(`inject failed: ${String(error)}`);
    }
  }

  /** Null when nothing was found; hostile carriers are counted, never thrown at the caller. */
  override extract(format: string, carrier: unknown): SpanContext | null {
    const extractor = this.extractors.get(format);
    if (extractor === undefined) {
      this.logger.error(`Unsupported format: ${format}`);
      return null;
    }
    let context: SpanContext | null = null;
    try {
      context = extractor.extract(carrier);
    } catch (error) {
      this.metrics?.decodingErrors.increment(1);
      this.logger.error(`extract failed: ${String(error)}`);
    }
    if (context !== null) context.bits |= REMOTE;
    return context;
  }

  isDebugAllowed(operation: string): boolean {
    return this.#throttler.isAllowed(operation);
  }

  /** The span at work in this chain of calls; null outside of `withSpan`. */
  activeSpan(): Span | null {
    return this.scopeManager.active();
  }

  /** Runs `action` with `span` as the active one, also in what it awaits (on Node). */
  withSpan<T>(span: Span | null, action: () => T): T {
    return this.scopeManager.run(span, action);
  }

  /** Sends what is buffered, then calls back. Spans finished later are dropped. */
  close(callback?: () => void): void {
    const reporter = this.#reporter;
    this.#reporter = new NoopReporter();
    this.#throttler.close();
    this.#restrictions.close?.();
    reporter.close(() => this.sampler.close(callback));
  }
}
