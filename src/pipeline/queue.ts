/** The queue stage: bounds what is between receivers and store, and refuses what is beyond. */

import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { Sink, Stage } from "../core/flow.ts";
import { LIMITS } from "../core/limits.ts";

export interface QueueOptions {
  readonly counters: CounterTable;
  /** Default LIMITS.queueBytes. */
  readonly queueBytes?: number;
  /** Default LIMITS.queueBatches. */
  readonly queueBatches?: number;
  /** Value of Jaeger's `host` label. Default "". */
  readonly host?: string;
}

/**
 * Lets batches through at once while their images together are within the bounds; beyond them
 * rejects with `overloaded` and when to come back. A batch alone always passes.
 */
export function queueStage(options: QueueOptions): Stage {
  const maxBytes = options.queueBytes ?? LIMITS.queueBytes;
  const maxBatches = options.queueBatches ?? LIMITS.queueBatches;
  const { counters } = options;
  const host = [options.host ?? ""];
  let bytes = 0;
  let batches = 0;
  let lastBatchSpans = 0;
  const refusedHelp = "Spans refused because the queue was full; their senders were told.";
  const refused = counters.counter(
    "jaeger_collector_spans_dropped_total",
    refusedHelp,
    ["host"],
    host,
  );
  const gauge = (name: string, help: string, read: () => number): void =>
    counters.gauge(`jaeger_collector_${name}`, help, read, ["host"], host);
  gauge("queue_length", "Batches on their way to the store.", () => batches);
  gauge("queue_capacity", "Batches that may be on their way at once.", () => maxBatches);
  gauge("batch_size", "Spans of the batch received last.", () => lastBatchSpans);
  counters.gauge("spoor_queue_bytes", "Bytes of batches on their way to the store.", () => bytes);
  return (next: Sink): Sink => ({
    async push(batch, origin, signal) {
      const size = batch.image.length;
      lastBatchSpans = batch.spanCount;
      if (batches > 0 && (bytes + size > maxBytes || batches >= maxBatches)) {
        refused.value += batch.spanCount;
        throw new SpoorError("overloaded", "the queue to the store is full", {
          retryAfterMs: LIMITS.retryAfterMs,
        });
      }
      bytes += size;
      batches++;
      try {
        return await next.push(batch, origin, signal);
      } finally {
        bytes -= size;
        batches--;
      }
    },
  });
}
