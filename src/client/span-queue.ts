// Encodes finished spans into batches and sends them in the background, within bounds.
import {
  HTTP_BATCH_BYTES,
  QUEUE_BYTES,
  SEND_ATTEMPTS,
  SPANS_TOGETHER,
  SPARE_BUFFERS,
} from "./limits.ts";
import type { Timers } from "./clock.ts";
import type { Metrics } from "./metrics.ts";
import type { Recording, Span } from "./span.ts";
import type { ClientStats, SpanFormat } from "./span-format.ts";
import type { Logger, Tag } from "./types.ts";

/** What became of a batch: taken, refused for good, or to be tried again. */
export type SendResult = "sent" | "refused" | "retry";

/** Carries closed batches to their receiver. */
export interface Transport {
  /** Batches that may be on their way at a time. */
  readonly parallel: number;
  /** Calls back once; the bytes may be reused after that. Never throws. */
  send(bytes: Uint8Array, done: (result: SendResult, reason?: string) => void): void;
  close(callback: () => void): void;
  toString(): string;
}

export interface SpanQueueOptions {
  format: SpanFormat;
  transport: Transport;
  timers: Timers;
  maxBatchBytes?: number | undefined;
  maxBatchSpans?: number | undefined;
  maxQueueBytes?: number | undefined;
  metrics?: Metrics | null | undefined;
  logger?: Logger | undefined;
  random?: (() => number) | undefined;
  /** Told once when the queue is closed. */
  onClose?: ((queue: SpanQueue) => void) | undefined;
}

interface Batch {
  bytes: Uint8Array;
  start: number;
  end: number;
  count: number;
  attempts: number;
}

/** Buffers begin small and grow with traffic. */
const FIRST_BUFFER_BYTES = 16 * 1024;
const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 60_000;

/** Logs are rare, and what else is no plain value is an application's object. */
function isChangeable({ logs, tags }: Recording): boolean {
  if (logs !== null) return true;
  for (let i = 1; i < tags.length; i += 2) if (typeof tags[i] === "object") return true;
  return false;
}

/** A sender in jaeger-client's sense: append, flush, close; see `RemoteReporter`. */
export class SpanQueue {
  readonly stats: ClientStats = { fullQueueDropped: 0, tooLargeDropped: 0, failedToEmit: 0 };
  readonly #format: SpanFormat;
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #maxBatchBytes: number;
  readonly #maxBatchSpans: number;
  readonly #maxQueueBytes: number;
  #metrics: Metrics | null;
  #logger: Logger | undefined;
  readonly #random: () => number;
  readonly #onClose: ((queue: SpanQueue) => void) | undefined;
  readonly #waiting: Batch[] = [];
  readonly #spare: Uint8Array[] = [];
  readonly #idle: (() => void)[] = [];
  /** Finished and not encoded yet. */
  readonly #finished: Span[] = [];
  #end = 0;
  #count = 0;
  #sequence = 0;
  #queuedBytes = 0;
  #inFlight = 0;
  #backoffMs = 0;
  #cancelRetry: (() => void) | null = null;
  #closing = false;

  constructor(options: SpanQueueOptions) {
    this.#format = options.format;
    this.#transport = options.transport;
    this.#timers = options.timers;
    this.#maxBatchBytes = options.maxBatchBytes ?? HTTP_BATCH_BYTES;
    this.#maxBatchSpans = options.maxBatchSpans ?? Number.MAX_SAFE_INTEGER;
    this.#maxQueueBytes = options.maxQueueBytes ?? QUEUE_BYTES;
    this.#metrics = options.metrics ?? null;
    this.#logger = options.logger;
    this.#random = options.random ?? Math.random;
    this.#onClose = options.onClose;
  }

  setProcess(serviceName: string, tags: readonly Tag[]): void {
    this.#format.setProcess(serviceName, tags);
    this.#startBatch();
  }

  /** Takes the counters and the logger of the reporter it was given to, where it has none. */
  observe(metrics: Metrics | undefined, logger: Logger | undefined): void {
    this.#metrics ??= metrics ?? null;
    this.#logger ??= logger;
  }

  /** Spans that are encoded and not yet taken by the receiver, in bytes. */
  get queuedBytes(): number {
    this.#encode();
    return this.#queuedBytes + (this.#count === 0 ? 0 : this.#end);
  }

  #startBatch(): void {
    this.#format.useBuffer(this.#spare.pop() ?? new Uint8Array(FIRST_BUFFER_BYTES));
    this.#end = this.#format.headRoom;
    this.#count = 0;
  }

  /**
   * Takes a finished span. A server that reports two spans a request has forgotten how to encode
   * them when the next comes: together they cost it a third less. What an application can still
   * change is encoded at once.
   */
  append(span: Span): void {
    this.#finished.push(span);
    if (this.#finished.length >= SPANS_TOGETHER || isChangeable(span.recording!)) this.#encode();
  }

  #encode(): void {
    if (this.#finished.length === 0) return;
    for (const span of this.#finished.splice(0)) this.#encodeSpan(span);
  }

  /** Counts a span as dropped when it is too large or the queue is full. */
  #encodeSpan(span: Span): void {
    const room = this.#maxQueueBytes - this.#queuedBytes;
    if (room < this.#maxBatchBytes) {
      this.stats.fullQueueDropped++;
      this.#metrics?.reporterDropped.increment(1);
      return;
    }
    const before = this.#end;
    let end: number;
    try {
      end = this.#format.append(before, span);
    } catch {
      this.#dropLarge(`operation ${span.operationName} is beyond its limit`);
      return;
    }
    const limit = this.#maxBatchBytes - (this.#format.overhead - this.#format.headRoom);
    if (end > limit) this.#overflow(before, end, limit);
    else {
      this.#end = end;
      this.#count++;
    }
    if (this.#count >= this.#maxBatchSpans) this.#send();
  }

  /** The span ended beyond a batch's limit: it begins the next one, or is too large for any. */
  #overflow(before: number, end: number, limit: number): void {
    const size = end - before;
    const largest = limit - this.#format.headRoom;
    if (size > largest) {
      this.#dropLarge(`span size ${size} is larger than maxSpanSize ${largest}`);
      return;
    }
    const bytes = this.#format.buffer().slice(before, end);
    this.#send();
    const at = this.#format.headRoom;
    const short = this.#format.buffer().length < at + size;
    if (short) this.#format.useBuffer(new Uint8Array(this.#maxBatchBytes));
    this.#format.buffer().set(bytes, at);
    this.#end = at + size;
    this.#count = 1;
  }

  #dropLarge(reason: string): void {
    this.stats.tooLargeDropped++;
    this.#metrics?.reporterDropped.increment(1);
    this.#logger?.error(`Failed to append spans in reporter: ${reason}`);
    // A buffer that grew for this span is not kept, or the queue's bound would not hold.
    const buffer = this.#format.buffer();
    const grown = buffer.length > this.#maxBatchBytes;
    if (grown) this.#format.useBuffer(buffer.slice(0, this.#maxBatchBytes));
  }

  /** Closes the batch that is being filled and sends it; calls back once nothing is on its way. */
  flush(callback?: () => void): void {
    this.#encode();
    this.#send(callback);
  }

  #send(callback?: () => void): void {
    if (this.#count > 0) {
      const facts = { count: this.#count, sequence: ++this.#sequence, stats: this.stats };
      const { start, end } = this.#format.close(this.#end, facts);
      const bytes = this.#format.buffer();
      this.#waiting.push({ bytes, start, end, count: this.#count, attempts: 0 });
      this.#queuedBytes += bytes.length;
      this.#startBatch();
    }
    if (callback !== undefined) this.#idle.push(callback);
    this.#sendNext();
    this.#metrics?.reporterQueueLength.update(this.#waiting.length);
  }

  #sendNext(): void {
    while (
      this.#waiting.length > 0 &&
      this.#inFlight < this.#transport.parallel &&
      this.#cancelRetry === null
    ) {
      const batch = this.#waiting.shift()!;
      this.#inFlight++;
      const view = batch.bytes.subarray(batch.start, batch.end);
      this.#transport.send(view, (result, reason) => this.#settled(batch, result, reason));
    }
    if (this.#inFlight === 0 && (this.#waiting.length === 0 || this.#cancelRetry !== null)) {
      for (const callback of this.#idle.splice(0)) callback();
    }
  }

  #settled(batch: Batch, result: SendResult, reason: string | undefined): void {
    this.#inFlight--;
    if (result === "retry" && !this.#closing && ++batch.attempts < SEND_ATTEMPTS) {
      this.#waiting.unshift(batch);
      this.#wait(reason);
    } else {
      // At the end, a receiver that does not answer would cost its timeout for every batch.
      const isOver = this.#closing && result === "retry";
      for (const each of isOver ? [batch, ...this.#waiting.splice(0)] : [batch]) {
        this.#queuedBytes -= each.bytes.length;
        if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(each.bytes);
        if (result === "sent") this.#metrics?.reporterSuccess.increment(each.count);
        else {
          this.stats.failedToEmit += each.count;
          this.#metrics?.reporterFailure.increment(each.count);
        }
      }
      if (result === "sent") this.#backoffMs = 0;
      else this.#logger?.error(`Failed to flush spans in reporter: ${reason ?? result}`);
    }
    this.#sendNext();
  }

  /** Exponential backoff with jitter; nothing is sent meanwhile and what is full drops the new. */
  #wait(reason: string | undefined): void {
    if (this.#cancelRetry !== null) return;
    this.#backoffMs = Math.min(LAST_BACKOFF_MS, this.#backoffMs * 2 || FIRST_BACKOFF_MS);
    const delayMs = this.#backoffMs * (0.5 + this.#random() / 2);
    this.#logger?.error(
      `${String(this.#transport)}: ${reason}; again in ${Math.round(delayMs)} ms`,
    );
    this.#cancelRetry = this.#timers.after(delayMs, () => {
      this.#cancelRetry = null;
      this.#sendNext();
    });
  }

  /** One last attempt for everything, until one fails; then the transport is closed. */
  close(callback?: () => void): void {
    this.#closing = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.flush(() => {
      this.#onClose?.(this);
      this.#transport.close(() => callback?.());
    });
  }

  toString(): string {
    return String(this.#transport);
  }
}
