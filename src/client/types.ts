// The interfaces applications implement or hand in: loggers, metrics, reporters, samplers, scopes.
import type { Span } from "./span.ts";

export interface Logger {
  info(message: string): void;
  error(message: string): void;
  warn?(message: string): void;
  debug?(message: string): void;
}

export interface Counter {
  increment(delta: number): void;
}

export interface Gauge {
  update(value: number): void;
}

export interface MetricsFactory {
  createCounter(name: string, labels?: Record<string, string>): Counter;
  createGauge(name: string, labels?: Record<string, string>): Gauge;
}

/** A tag in the shape jaeger-client shows it. */
export interface Tag {
  key: string;
  value: unknown;
}

/** Takes finished spans. No method may throw, block or keep the span's owner waiting. */
export interface Reporter {
  report(span: Span): void;
  close(callback?: () => void): void;
  setProcess?(serviceName: string, tags: Tag[]): void;
  name?(): string;
  toString(): string;
}

/** `retryable` leaves the decision open for a later name or tag. */
export interface SamplingDecision {
  readonly sample: boolean;
  readonly retryable: boolean;
  readonly tags: Readonly<Record<string, unknown>> | null;
}

export interface Sampler {
  readonly apiVersion: string;
  /** `onCreateSpan` looks at nothing but the name and the trace id's lower half. */
  readonly decidesById?: boolean;
  onCreateSpan(span: Span): SamplingDecision;
  onSetOperationName(span: Span, operationName: string): SamplingDecision;
  onSetTag(span: Span, key: string, value: unknown): SamplingDecision;
  close(callback?: () => void): void;
  name(): string;
  toString(): string;
}

/** The older sampler interface, which decides once from the operation's name. */
export interface LegacySampler {
  readonly apiVersion?: undefined;
  isSampled(operationName: string, outTags: Record<string, unknown>): boolean;
  close(callback?: () => void): void;
  name(): string;
  toString(): string;
}

/** Grants debug traces; a refusal means the span is treated as any other. */
export interface Throttler {
  isAllowed(operation: string): boolean;
  setProcess?(process: { serviceName: string; tags: Tag[]; uuid: string }): void;
  close(callback?: () => void): void;
}

/** Remembers which span is at work in the current chain of calls. */
export interface ScopeManager {
  active(): Span | null;
  /** Makes a span the active one for the rest of the callback at work; absent where none ends. */
  readonly enter?: ((span: Span) => void) | undefined;
  run<T>(span: Span | null, action: () => T): T;
}

export interface Injector {
  inject(context: import("./span-context.ts").SpanContext, carrier: unknown): void;
}

export interface Extractor {
  extract(carrier: unknown): import("./span-context.ts").SpanContext | null;
}
