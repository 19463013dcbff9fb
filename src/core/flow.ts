/** How spans move: sinks, stages, and what a receiver tells of where a batch came from. */

import type { SpanBatch } from "./batch.ts";

/** What became of a pushed batch, in spans; their sum is the batch's span count. */
export interface PushResult {
  readonly stored: number;
  readonly deduplicated: number;
  /** Taken out on purpose on the way (sampling), counted as dropped by the stage that did. */
  readonly dropped: number;
}

/** Where a batch came from, for counters. */
export interface Origin {
  readonly format: "otlp" | "jaeger" | "proto" | "zipkin" | "unknown";
  readonly transport: "http" | "grpc" | "udp" | "kafka" | "unknown";
}

/** Takes batches. */
export interface Sink {
  /**
   * Resolves when the next holder has taken responsibility (a store: once durable). Rejects
   * with SpoorError: class `overloaded` means send again later, `bad-input` never again.
   */
  push(batch: SpanBatch, origin: Origin, signal?: AbortSignal): Promise<PushResult>;
}

/** Told of spans that never became part of a batch, so that the ledger holds them too. */
export interface Rejections {
  /** `reason` is a short fixed word: a SpoorError code, or what a codec found wrong. */
  rejected(reason: string, spanCount: number, origin: Origin): void;
}

/** A step of the pipeline: wraps the next sink. */
export type Stage = (next: Sink) => Sink;
