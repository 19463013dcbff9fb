/** The queue stage: bounds what is between receivers and store, and refuses what is beyond. */

import type { Clock } from "../base/clock.ts";
import type { Counter, CounterTable } from "../base/counters.ts";
import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import type { Sink, Stage } from "../core/flow.ts";
import { LIMITS } from "../core/limits.ts";

export interface QueueOptions {
  readonly counters: CounterTable;
  readonly clock: Clock;
  /** Default LIMITS.queueBytes. */
  readonly queueBytes?: number;
  /** Default LIMITS.queueSpans. */
  readonly queueSpans?: number;
  /** Batches that are passed on at once; others wait their turn. Default LIMITS.queueWorkers. */
  readonly workers?: number;
  /** Whether bytes of spans are counted. Default no. */
  readonly sizeMetrics?: boolean;
  /** Value of Jaeger's `host` label. Default "". */
  readonly host?: string;
}

/**
 * Holds batches while they and those that wait are together within the bounds; beyond them
 * rejects with `overloaded` and when to come back. A batch alone always passes.
 */
export function queueStage(options: QueueOptions): Stage {
  return (next: Sink): Sink => {
    const queue = new Queue(options);
    return {
      async push(batch, origin, signal) {
        queue.enter(batch);
        try {
          const turn = queue.turn();
          if (turn !== undefined) await turn;
          return await queue.timed(next.push(batch, origin, signal));
        } finally {
          queue.leave(batch);
        }
      },
    };
  };
}

/** What is under way. */
class Queue {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #maxSpans: number;
  readonly #workers: number;
  readonly #refused: Counter;
  readonly #inQueue: (seconds: number) => void;
  readonly #saved: (seconds: number) => void;
  readonly #waiting: (() => void)[] = [];
  /** Index of the one that has waited longest. */
  #first = 0;
  #running = 0;
  #batches = 0;
  #spans = 0;
  #bytes = 0;
  #lastSpans = 0;
  #totalBytes = 0;

  constructor(options: QueueOptions) {
    const { counters } = options;
    this.#clock = options.clock;
    this.#maxBytes = options.queueBytes ?? LIMITS.queueBytes;
    this.#maxSpans = options.queueSpans ?? LIMITS.queueSpans;
    this.#workers = options.workers ?? LIMITS.queueWorkers;
    const labels = ["host"];
    const host = [options.host ?? ""];
    const refusedHelp = "Spans refused because the queue was full; their senders were told.";
    const dropped = "jaeger_collector_spans_dropped_total";
    this.#refused = counters.counter(dropped, refusedHelp, labels, host);
    const seconds = (name: string, help: string): ((value: number) => void) =>
      counters.histogram(`jaeger_collector_${name}`, help, labels, host);
    this.#inQueue = seconds("in_queue_latency", "Seconds a batch waits for its turn.");
    this.#saved = seconds("save_latency", "Seconds the store takes for a batch.");
    const gauge = (name: string, help: string, read: () => number): void =>
      counters.gauge(`jaeger_collector_${name}`, help, read, labels, host);
    gauge("queue_length", "Spans on their way to the store.", () => this.#spans);
    gauge("queue_capacity", "Spans that may be on their way at once.", () => this.#maxSpans);
    gauge("batch_size", "Spans of the batch received last.", () => this.#lastSpans);
    if (options.sizeMetrics === true) {
      gauge("spans_bytes", "Bytes of all spans received so far.", () => this.#totalBytes);
    }
    const bytesHelp = "Bytes of batches on their way to the store.";
    counters.gauge("spoor_queue_bytes", bytesHelp, () => this.#bytes);
  }

  enter(batch: SpanBatch): void {
    const { spanCount } = batch;
    const size = batch.image.length;
    this.#lastSpans = spanCount;
    const full =
      this.#bytes + size > this.#maxBytes ||
      this.#spans + spanCount > this.#maxSpans ||
      this.#batches >= LIMITS.queueBatches;
    if (full && this.#batches > 0) {
      this.#refused.value += spanCount;
      throw new SpoorError("overloaded", "the queue to the store is full", {
        retryAfterMs: LIMITS.retryAfterMs,
      });
    }
    this.#batches++;
    this.#spans += spanCount;
    this.#bytes += size;
    this.#totalBytes += size;
  }

  /** The batch is somebody else's, or nobody's: the next one may go. */
  leave(batch: SpanBatch): void {
    this.#batches--;
    this.#spans -= batch.spanCount;
    this.#bytes -= batch.image.length;
    const next = this.#waiting[this.#first];
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#first++;
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    }
    next();
  }

  /** A promise for the batch's turn; undefined when it is at once. */
  turn(): Promise<void> | undefined {
    if (this.#running < this.#workers) {
      this.#running++;
      this.#inQueue(0);
      return undefined;
    }
    const sinceMs = this.#clock.monotonicMs();
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#inQueue((this.#clock.monotonicMs() - sinceMs) / 1000);
        resolve();
      });
    });
  }

  async timed<T>(saving: Promise<T>): Promise<T> {
    const sinceMs = this.#clock.monotonicMs();
    const result = await saving;
    this.#saved((this.#clock.monotonicMs() - sinceMs) / 1000);
    return result;
  }
}
