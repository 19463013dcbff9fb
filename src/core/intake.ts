/** From the bytes of a request to the sink: what receivers of every protocol share. */

import type { Counter, CounterTable } from "../base/counters.ts";
import type { SpanBatch } from "./batch.ts";
import { BatchBuilder } from "./builder.ts";
import { isSpoorError } from "./errors.ts";
import type { Origin, Rejections, Sink } from "./flow.ts";

/** What a codec makes of a request. */
export interface DecodedRequest {
  readonly batch: SpanBatch;
  /** Spans of the request that are not in the batch; the sum of `rejectedReasons`. */
  readonly rejected: number;
  /** Those whose id was absent, of the wrong length or all zero. */
  readonly rejectedReasons: { readonly traceId: number; readonly spanId: number };
  /** For the sender; empty when there is nothing to say. */
  readonly message: string;
}

/** Decodes one request; throws SpoorError `malformed` or `too-large`. */
export type DecodeRequest = (bytes: Uint8Array, builder: BatchBuilder) => DecodedRequest;

/** What every receiver is given. */
export interface IntakeOptions {
  readonly sink: Sink;
  readonly rejections: Rejections;
  readonly counters: CounterTable;
}

/** What the sender is told of a request that was taken. */
export interface Taken {
  readonly rejected: number;
  readonly message: string;
}

/** A request this big leaves a builder this big; such a one is not kept for the next request. */
const KEEP_BUILDER_BYTES = 4 * 1024 * 1024;

/** Takes requests of one origin. Decoding is synchronous, so one builder serves them all. */
export class Intake {
  readonly #sink: Sink;
  readonly #rejections: Rejections;
  readonly #counters: CounterTable;
  readonly #origin: Origin;
  readonly #results = new Map<string, Counter>();
  readonly #bytes: Counter;
  #builder = new BatchBuilder();

  constructor(options: IntakeOptions, origin: Origin) {
    this.#sink = options.sink;
    this.#rejections = options.rejections;
    this.#counters = options.counters;
    this.#origin = origin;
    const { format, transport } = origin;
    const help = "Bytes of requests with spans, inflated.";
    const name = "spoor_receiver_bytes_total";
    const values = [format, transport];
    this.#bytes = this.#counters.counter(name, help, ["format", "transport"], values);
  }

  /**
   * Resolves when the sink has taken responsibility for the request's good spans. Throws what
   * decoding and the sink throw; the caller counts that as it counts what never got here.
   */
  async take(bytes: Uint8Array, decode: DecodeRequest): Promise<Taken> {
    this.#bytes.value += bytes.length;
    const { batch, rejected, rejectedReasons, message } = this.#decode(bytes, decode);
    const { traceId, spanId } = rejectedReasons;
    if (traceId > 0) this.#rejections.rejected("trace-id", traceId, this.#origin);
    if (spanId > 0) this.#rejections.rejected("span-id", spanId, this.#origin);
    if (batch.spanCount > 0) await this.#sink.push(batch, this.#origin);
    this.count(rejected === 0 ? "ok" : "partial");
    return { rejected, message };
  }

  /** Counts a request by its outcome: ok, partial, or the code of its error. */
  count(result: string): void {
    let counter = this.#results.get(result);
    if (counter === undefined) {
      const { format, transport } = this.#origin;
      const help = "Requests with spans by protocol, transport and outcome.";
      const values = [format, transport, result];
      const labels = ["format", "transport", "result"];
      counter = this.#counters.counter("spoor_receiver_requests_total", help, labels, values);
      this.#results.set(result, counter);
    }
    counter.value++;
  }

  #decode(bytes: Uint8Array, decode: DecodeRequest): DecodedRequest {
    const builder = this.#builder;
    try {
      return decode(bytes, builder);
    } catch (error) {
      const reason = isSpoorError(error) ? error.code : "fault";
      this.#rejections.rejected(reason, builder.spanCount, this.#origin);
      throw error;
    } finally {
      if (bytes.length > KEEP_BUILDER_BYTES) this.#builder = new BatchBuilder();
    }
  }
}
