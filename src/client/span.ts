// A unit of work: its name, times, tags, logs and references, kept only while they can matter.
import { OpenTracingSpan } from "./opentracing-classes.ts";
import type { Reference } from "opentracing";
import { DEBUG, FINAL, SAMPLED } from "./span-context.ts";
import { LOGS_PER_SPAN, TAGS_PER_SPAN } from "./limits.ts";
import { nameText } from "./tag-text.ts";
import type { SpanContext } from "./span-context.ts";
import type { Tracer } from "./tracer.ts";
import type { SamplingDecision } from "./types.ts";

const SAMPLING_PRIORITY = "sampling.priority";

/** One log: keys and values alternate in `fields`. */
export interface LogRecord {
  readonly timestampMs: number;
  readonly fields: readonly unknown[];
}

/** Tags that many spans have in common: kept once, and encoded once for the last who asked. */
export interface FixedTags {
  /** Keys and values in turn. */
  readonly flat: readonly unknown[];
  encodedBy: object | null;
  encoded: Uint8Array;
}

/** What a span that may be reported gathers. Keys and values alternate in `tags`. */
export class Recording {
  /** Come before `tags`. */
  fixed: FixedTags | null = null;
  readonly tags: unknown[] = [];
  logs: LogRecord[] | null = null;
  droppedLogs = 0;
  references: readonly Reference[] | null = null;
  /** Milliseconds; negative until the span is finished. */
  durationMs = -1;
  /** The trace's flags when the span was finished. */
  flags = 0;

  allTags(): readonly unknown[] {
    return this.fixed === null ? this.tags : [...this.fixed.flat, ...this.tags];
  }

  /** Keeps the first half of the limit and, in the other half, the newest as a ring. */
  addLog(log: LogRecord): void {
    if (this.logs === null) this.logs = [];
    if (this.logs.length < LOGS_PER_SPAN) {
      this.logs.push(log);
      return;
    }
    const half = LOGS_PER_SPAN >>> 1;
    this.logs[half + (this.droppedLogs % (LOGS_PER_SPAN - half))] = log;
    this.droppedLogs++;
  }

  /** Logs in order, with one in place of those that were dropped. */
  orderedLogs(): readonly LogRecord[] {
    const logs = this.logs ?? [];
    if (this.droppedLogs === 0) return logs;
    const half = LOGS_PER_SPAN >>> 1;
    const oldest = half + (this.droppedLogs % (LOGS_PER_SPAN - half));
    const timestampMs = logs[oldest]!.timestampMs;
    const gap = ["event", "dropped Span logs", "dropped_log_count", this.droppedLogs];
    gap.push("component", "spoor-client");
    const ring = [...logs.slice(oldest), ...logs.slice(half, oldest)];
    return [...logs.slice(0, half), { timestampMs, fields: gap }, ...ring];
  }
}

function flatten(pairs: Record<string, unknown>): unknown[] {
  const flat: unknown[] = [];
  for (const key in pairs) {
    if (Object.hasOwn(pairs, key)) flat.push(key, pairs[key]);
  }
  return flat;
}

// Functions instead of private methods: those would cost each span eight bytes for a brand.

function append(recording: Recording, key: string, value: unknown): void {
  if (recording.tags.length >= TAGS_PER_SPAN * 2) return;
  // Plain JavaScript sets tags by numbers, too; an encoder must not meet them.
  recording.tags.push(nameText(key), value);
}

function isFinished({ recording }: Span): boolean {
  return recording !== null && recording.durationMs >= 0;
}

/** True when the priority took effect and is worth keeping as a tag. */
function setPriority(span: Span, priority: unknown): boolean {
  if (priority === null || priority === undefined) return false;
  const { spanContext } = span;
  spanContext.finalizeSampling();
  if (Number(priority) > 0) {
    if (spanContext.isDebug() || !span.owner.isDebugAllowed(span.operationName)) return false;
    spanContext.setBit(SAMPLED | DEBUG, true);
    return true;
  }
  spanContext.setBit(SAMPLED | DEBUG, false);
  return true;
}

/**
 * Made by `Tracer.startSpan`. A span that is not sampled for certain keeps neither tags nor logs,
 * and a root span of that kind not even a context until somebody asks for it.
 */
export class Span extends OpenTracingSpan {
  declare readonly owner: Tracer;
  /** Null stands for the context of a root span that is, finally, not sampled. */
  declare lazyContext: SpanContext | null;
  /** The lower half of the trace id, which decides whether the trace is sampled. */
  declare readonly traceLow0: number;
  declare readonly traceLow1: number;
  declare operationName: string;
  declare readonly startMs: number;
  recording: Recording | null = null;

  constructor(
    owner: Tracer,
    context: SpanContext | null,
    traceLow0: number,
    traceLow1: number,
    operationName: string,
    startMs: number,
  ) {
    super();
    this.owner = owner;
    this.lazyContext = context;
    this.traceLow0 = traceLow0;
    this.traceLow1 = traceLow1;
    this.operationName = operationName;
    this.startMs = startMs;
  }

  get spanContext(): SpanContext {
    return this.lazyContext ?? this.materialize(FINAL);
  }

  set spanContext(context: SpanContext) {
    this.lazyContext = context;
  }

  /** Makes the context of a root span, with its sampling state. */
  materialize(bits: number): SpanContext {
    const context = this.owner.rootContext(this.traceLow0, this.traceLow1);
    context.bits = bits;
    this.lazyContext = context;
    return context;
  }

  get serviceName(): string {
    return this.owner.serviceName;
  }

  override context(): SpanContext {
    return this.spanContext;
  }

  override tracer(): Tracer {
    return this.owner;
  }

  /**
   * The recording, made when first needed; null when nothing of this span will be reported, or
   * nothing more: what is finished may not have been encoded yet.
   */
  record(): Recording | null {
    const context = this.lazyContext;
    if (context === null || (context.root.bits & (FINAL | SAMPLED)) === FINAL) return null;
    return isFinished(this) ? null : (this.recording ??= new Recording());
  }

  override setOperationName(operationName: string): this {
    if (isFinished(this)) return this;
    this.operationName = operationName;
    const context = this.lazyContext;
    if (context !== null && (context.root.bits & FINAL) === 0) {
      this.applySampling(this.owner.sampler.onSetOperationName(this, operationName));
    }
    return this;
  }

  applySampling(decision: SamplingDecision): void {
    const { root } = this.spanContext;
    if (!decision.retryable) root.bits |= FINAL;
    if (!decision.sample) return;
    root.bits |= SAMPLED;
    if (decision.tags !== null) this.appendTags(decision.tags);
  }

  override setTag(key: string, value: unknown): this {
    if (key === SAMPLING_PRIORITY && !setPriority(this, value)) return this;
    const recording = this.record();
    if (recording === null) return this;
    append(recording, key, value);
    if ((this.spanContext.root.bits & FINAL) === 0) {
      this.applySampling(this.owner.sampler.onSetTag(this, key, value));
    }
    return this;
  }

  /** Priority comes first, for it decides whether the other tags are kept. */
  override addTags(pairs: Record<string, unknown>): this {
    if (!pairs) return this;
    const priority = pairs[SAMPLING_PRIORITY];
    if (priority !== undefined) this.setTag(SAMPLING_PRIORITY, priority);
    if (this.record() === null) return this;
    for (const key in pairs) {
      if (key !== SAMPLING_PRIORITY && Object.hasOwn(pairs, key)) this.setTag(key, pairs[key]);
    }
    return this;
  }

  /** Adds tags without asking the sampler. */
  appendTags(pairs: Readonly<Record<string, unknown>>): void {
    const recording = this.record();
    if (recording === null) return;
    for (const key in pairs) append(recording, key, pairs[key]);
  }

  override log(pairs: Record<string, unknown>, timestampMs?: number): this {
    const recording = this.record();
    if (recording !== null) {
      recording.addLog({
        timestampMs: this.owner.timeOr(timestampMs),
        fields: flatten(pairs),
      });
    }
    return this;
  }

  override logEvent(event: string, payload: unknown): void {
    this.log({ event, payload });
  }

  override setBaggageItem(key: string, value: string): this {
    try {
      this.spanContext = this.owner.baggageSetter.set(this, key, value);
    } catch (error) {
      this.owner.logger.error(`baggage item ${nameText(key)}: ${nameText(error)}`);
    }
    return this;
  }

  override getBaggageItem(key: string): string | undefined {
    const { baggage } = this.spanContext;
    const normalized = this.owner.baggageSetter.normalize(key);
    return Object.hasOwn(baggage, normalized) ? baggage[normalized] : undefined;
  }

  /** The second and later calls are told to the logger and change nothing. */
  override finish(finishTimeMs?: number): void {
    const { lazyContext: spanContext } = this;
    if (spanContext === null) return;
    if (isFinished(this)) {
      const what = `operation=${this.operationName},context=${spanContext.toString()}`;
      this.owner.logger.error(`${what}: finished twice`);
      return;
    }
    const { root } = spanContext;
    if ((root.bits & SAMPLED) === 0) {
      if (root.span0 === spanContext.span0 && root.span1 === spanContext.span1) root.bits |= FINAL;
      return;
    }
    const kept = this.record()!;
    kept.flags = spanContext.flags;
    kept.durationMs = Math.max(0, this.owner.timeOr(finishTimeMs) - this.startMs);
    this.owner.report(this);
  }
}
