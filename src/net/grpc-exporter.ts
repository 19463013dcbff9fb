/** A sink whose spans go to collectors by gRPC: what exporters of every protocol share. */

import type { Clock, Random } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import type { Sink } from "../core/flow.ts";
import { LIMITS } from "../core/limits.ts";
import { Delivery } from "./delivery.ts";
import type { DeliveryProtocol, Parcel } from "./delivery.ts";
import type { GrpcCaller } from "./grpc-channel.ts";

/** What every exporter is given. */
export interface GrpcExporterOptions {
  /** Closed with the exporter. */
  readonly channel: GrpcCaller;
  /** Bounds of what waits for the collectors. */
  readonly bufferBytes: number;
  readonly bufferSpans: number;
  /** Times a call is made again that a collector refuses because it is busy. */
  readonly retries: number;
  readonly counters: CounterTable;
  readonly clock: Clock;
  readonly random: Random;
}

/** How an exporter turns batches into parcels, and parcels into calls. */
export interface ExportProtocol extends DeliveryProtocol {
  encode(batch: SpanBatch, format: string): readonly Parcel[];
}

/** A sink that holds what it takes until collectors have it. */
export interface GrpcExporter extends Sink {
  /** Takes nothing new, and delivers what waits for at most `drainMs`; the rest is counted. */
  close(drainMs: number): Promise<void>;
}

/**
 * Opens an exporter. `push` resolves once the batch is in the buffer; it rejects with
 * `overloaded` when that is full and `closed` at the stop, and the spans are counted as dropped.
 */
export function openGrpcExporter(
  options: GrpcExporterOptions,
  protocol: ExportProtocol,
): GrpcExporter {
  const { channel, bufferBytes, bufferSpans, retries, counters, clock, random } = options;
  const delivery = new Delivery({
    channel,
    protocol,
    maxBytes: bufferBytes,
    maxSpans: bufferSpans,
    retries,
    counters,
    clock,
    random,
  });
  return {
    async push(batch, origin) {
      const format = origin.format === "zipkin" ? "zipkin" : "jaeger";
      const outcome = delivery.offer(protocol.encode(batch, format));
      if (outcome === "taken") return { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
      if (outcome === "shutdown") throw new SpoorError("closed", "the reporter is stopping");
      const retryAfterMs = LIMITS.retryAfterMs;
      throw new SpoorError("overloaded", "the buffer to the collectors is full", { retryAfterMs });
    },
    close: (drainMs) => delivery.close(drainMs),
  };
}
