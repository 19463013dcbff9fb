/** Puts stages in front of a sink, and makes a sink of a store. */

import type { Sink, Stage } from "../core/flow.ts";
import type { SpanWriter } from "../core/store.ts";

/** The sink that passes batches through the stages in order, then to `end`. */
export function throughStages(stages: readonly Stage[], end: Sink): Sink {
  return stages.reduceRight((next, stage) => stage(next), end);
}

/** A sink whose batches are written to the store; it holds them once they are durable. */
export function storeSink(store: SpanWriter): Sink {
  return {
    async push(batch, _origin, signal) {
      const { stored, deduplicated } = await store.write(batch, signal);
      return { stored, deduplicated, dropped: 0 };
    },
  };
}
