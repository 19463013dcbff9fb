/** What a delivery counts: Jaeger's metrics of its agent's reporter, and every span's end. */

import type { Counter, CounterTable } from "../base/counters.ts";
import type { Parcel } from "./delivery.ts";
import type { GrpcReply } from "./grpc-reply-reader.ts";

/** Why spans were given up. */
export type DropReason =
  /** The buffer was full when they came. */
  | "buffer-full"
  /** A server said that they are no good. */
  | "refused"
  /** Servers were busy each time they were asked. */
  | "retries-exhausted"
  /** Connections broke under them again and again. */
  | "connection-lost"
  /** The program stopped before they were delivered. */
  | "shutdown";

const SPANS = "spoor_reporter_spans_total";
const SPANS_HELP =
  "Spans for the collectors by what became of them; received is all others and the buffered.";
const REPORTER = "jaeger_agent_reporter_";
const PROTOCOL = "grpc";

interface FormatMeters {
  readonly batches: Counter;
  readonly batchFailures: Counter;
  readonly spans: Counter;
  readonly spanFailures: Counter;
  lastBatchSpans: number;
}

/** Counters of one delivery. */
export class DeliveryMeters {
  readonly #counters: CounterTable;
  readonly #received: Counter;
  readonly #delivered: Counter;
  readonly #dropped = new Map<string, Counter>();
  readonly #failures = new Map<number, Counter>();
  readonly #formats = new Map<string, FormatMeters>();

  constructor(
    counters: CounterTable,
    buffered: { readonly spans: () => number; readonly bytes: () => number },
  ) {
    this.#counters = counters;
    this.#received = this.#spans("received", "");
    this.#delivered = this.#spans("delivered", "");
    const help = "of spans taken and neither delivered nor given up.";
    counters.gauge("spoor_reporter_buffered_spans", `Number ${help}`, buffered.spans);
    counters.gauge("spoor_reporter_buffered_bytes", `Bytes ${help}`, buffered.bytes);
  }

  received(spans: number): void {
    this.#received.value += spans;
  }

  /** A server took the parcel's message and said that it refused `refused` of the spans. */
  delivered(parcel: Parcel, refused: number): void {
    this.#delivered.value += parcel.spans - refused;
    if (refused > 0) this.#reason("refused").value += refused;
    const meters = this.#of(parcel.format);
    meters.batches.value++;
    meters.spans.value += parcel.spans - refused;
    meters.spanFailures.value += refused;
    meters.lastBatchSpans = parcel.spans;
  }

  dropped(parcel: Parcel, reason: DropReason): void {
    this.#reason(reason).value += parcel.spans;
    const meters = this.#of(parcel.format);
    meters.batchFailures.value++;
    meters.spanFailures.value += parcel.spans;
  }

  /** A call that did not go well; its spans may be delivered yet. */
  failed(reply: GrpcReply): void {
    let counter = this.#failures.get(reply.code);
    if (counter === undefined) {
      const help = "Calls to collectors that failed, by gRPC status code; most are made again.";
      const values = [String(reply.code)];
      counter = this.#counters.counter("spoor_reporter_failed_calls_total", help, ["code"], values);
      this.#failures.set(reply.code, counter);
    }
    counter.value++;
  }

  #reason(reason: DropReason): Counter {
    let counter = this.#dropped.get(reason);
    if (counter === undefined) {
      counter = this.#spans("dropped", reason);
      this.#dropped.set(reason, counter);
    }
    return counter;
  }

  #spans(state: string, reason: string): Counter {
    return this.#counters.counter(SPANS, SPANS_HELP, ["state", "reason"], [state, reason]);
  }

  #of(format: string): FormatMeters {
    let meters = this.#formats.get(format);
    if (meters === undefined) {
      meters = this.#open(format);
      this.#formats.set(format, meters);
    }
    return meters;
  }

  #open(format: string): FormatMeters {
    const labels = ["format", "protocol"];
    const values = [format, PROTOCOL];
    const counter = (name: string, help: string): Counter =>
      this.#counters.counter(`${REPORTER}${name}_total`, help, labels, values);
    const meters = {
      batches: counter("batches_submitted", "Batches that collectors took."),
      batchFailures: counter("batches_failures", "Batches that were given up."),
      spans: counter("spans_submitted", "Spans that collectors took."),
      spanFailures: counter("spans_failures", "Spans that were given up."),
      lastBatchSpans: 0,
    };
    const help = "Spans of the batch submitted last.";
    const read = (): number => meters.lastBatchSpans;
    this.#counters.gauge(`${REPORTER}batch_size`, help, read, labels, values);
    return meters;
  }
}
