/** Zipkin's messages to an agent, many of them one batch. */

import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import type { DecodeLimits, RejectedReasons } from "./otlp-decoded.ts";
import type { ThriftProtocol } from "./thrift-scanner.ts";
import { ZipkinScanner } from "./zipkin-thrift-decode.ts";

const NO_BYTES = new Uint8Array(0);

/** Collects messages `emitZipkinBatch` into one batch, as JaegerThriftMessages does Jaeger's. */
export class ZipkinThriftMessages {
  readonly #protocol: ThriftProtocol;
  readonly #builder: BatchBuilder;
  readonly #limits: DecodeLimits;
  /** Of the batch that is being collected. */
  #scanner: ZipkinScanner | undefined;
  /** Spans that were read of the message added last, also if it was no good. */
  spansRead = 0;

  constructor(protocol: ThriftProtocol, builder = new BatchBuilder(), limits = LIMITS) {
    this.#protocol = protocol;
    this.#builder = builder;
    this.#limits = limits;
  }

  /**
   * Adds a message, whose bytes are not needed afterwards. Spans without ids are left out and
   * counted. Throws SpoorError `malformed` for what is no such message; nothing of it stays.
   */
  add(bytes: Uint8Array): { readonly rejectedReasons: RejectedReasons } {
    const builder = this.#builder;
    const scanner = this.#open();
    const { rows } = scanner;
    const before = rows.rejectedReasons;
    const spans = builder.spanCount;
    const resources = builder.resourceAttributes.owners;
    scanner.scan(bytes);
    try {
      scanner.emitZipkinBatch();
    } catch (error) {
      this.spansRead = builder.spanCount - spans;
      rows.truncate(spans, resources);
      throw error;
    }
    this.spansRead = builder.spanCount - spans;
    const { traceId, spanId } = rows.rejectedReasons;
    return {
      rejectedReasons: { traceId: traceId - before.traceId, spanId: spanId - before.spanId },
    };
  }

  /** The batch of all messages since the last one; `allocate` as BatchBuilder has it. */
  finish(allocate?: (sizeBytes: number) => Uint8Array): SpanBatch {
    this.#open();
    const batch = this.#builder.finish(allocate);
    this.#scanner = undefined;
    return batch;
  }

  /** Empties the builder where a batch begins. */
  #open(): ZipkinScanner {
    this.#scanner ??= new ZipkinScanner(NO_BYTES, this.#protocol, this.#builder, this.#limits);
    return this.#scanner;
  }
}
