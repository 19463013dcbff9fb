/** From the bytes of an export request to the sink: what OTLP over HTTP and gRPC share. */

import type { Counter, CounterTable } from "../../base/counters.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { Origin, Rejections, Sink } from "../../core/flow.ts";
import type { OtlpDecoded } from "../../wire/otlp-decoded.ts";

/** Decodes one export request; throws SpoorError `malformed` or `too-large`. */
export type OtlpDecode = (bytes: Uint8Array, builder: BatchBuilder) => OtlpDecoded;

/** What every OTLP receiver is given. */
export interface OtlpIntakeOptions {
  readonly sink: Sink;
  readonly rejections: Rejections;
  readonly counters: CounterTable;
}

/** What the sender is told of a request that was taken. */
export interface OtlpTaken {
  readonly rejected: number;
  readonly message: string;
}

/** A request this big leaves a builder this big; such a one is not kept for the next request. */
const KEEP_BUILDER_BYTES = 4 * 1024 * 1024;

/** Takes requests of one transport. Decoding is synchronous, so one builder serves them all. */
export class OtlpIntake {
  readonly #sink: Sink;
  readonly #rejections: Rejections;
  readonly #counters: CounterTable;
  readonly #origin: Origin;
  readonly #results = new Map<string, Counter>();
  readonly #bytes: Counter;
  #builder = new BatchBuilder();

  constructor(options: OtlpIntakeOptions, transport: "http" | "grpc") {
    this.#sink = options.sink;
    this.#rejections = options.rejections;
    this.#counters = options.counters;
    this.#origin = { format: "otlp", transport };
    const help = "Bytes of OTLP export requests, inflated.";
    this.#bytes = options.counters.counter(
      "spoor_otlp_received_bytes_total",
      help,
      ["transport"],
      [transport],
    );
  }

  /**
   * Resolves when the sink has taken responsibility for the request's good spans. Throws what
   * decoding and the sink throw; the caller counts that as it counts what never got here.
   */
  async take(bytes: Uint8Array, decode: OtlpDecode): Promise<OtlpTaken> {
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
      const help = "OTLP export requests by transport and outcome.";
      const values = [this.#origin.transport, result];
      const labels = ["transport", "result"];
      counter = this.#counters.counter("spoor_otlp_requests_total", help, labels, values);
      this.#results.set(result, counter);
    }
    counter.value++;
  }

  #decode(bytes: Uint8Array, decode: OtlpDecode): OtlpDecoded {
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
