/** The ledger: received = stored + deduplicated + rejected + dropped + in flight, to the span. */

import type { Counter, CounterTable } from "../base/counters.ts";
import type { Origin, PushResult, Rejections } from "../core/flow.ts";
import { NO_SERVICE_LABEL } from "./service-labels.ts";

const SPANS = "spoor_ledger_spans_total";
const SPANS_HELP =
  "Spans by what became of them; received is the sum of all others and of those in flight.";
const IN_FLIGHT = "spoor_ledger_in_flight_spans";
const REJECTED = "jaeger_collector_spans_rejected_total";

/** Where a span ends up; `received` is where all begin. */
export type LedgerState = "received" | "stored" | "deduplicated" | "rejected" | "dropped";

/** Counts every span in, and every span out with what became of it. One for a process. */
export class Ledger implements Rejections {
  readonly #counters: CounterTable;
  readonly #received: Counter;
  readonly #stored: Counter;
  readonly #deduplicated: Counter;
  readonly #withReason = new Map<string, Counter>();
  #inFlight = 0;

  constructor(counters: CounterTable) {
    this.#counters = counters;
    this.#received = this.#counter("received", "");
    this.#stored = this.#counter("stored", "");
    this.#deduplicated = this.#counter("deduplicated", "");
    counters.gauge(IN_FLIGHT, "Spans received whose end is not known yet.", () => this.#inFlight);
  }

  /** Spans between `began` and its end. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** A batch enters the pipeline. */
  began(spanCount: number): void {
    this.#received.value += spanCount;
    this.#inFlight += spanCount;
  }

  /** The batch's end is known. What `result.dropped` counts was given to `dropped` already. */
  ended(spanCount: number, result: PushResult): void {
    this.#stored.value += result.stored;
    this.#deduplicated.value += result.deduplicated;
    this.#inFlight -= spanCount - result.dropped;
  }

  /** The batch was refused whole. */
  refused(spanCount: number, reason: string): void {
    this.#reasoned("rejected", reason).value += spanCount;
    this.#inFlight -= spanCount;
  }

  /** Spans a receiver could not make part of a batch. */
  rejected(reason: string, spanCount: number, origin: Origin): void {
    this.#received.value += spanCount;
    this.#reasoned("rejected", reason).value += spanCount;
    if (spanCount === 0) return;
    const labels = ["debug", "format", "svc", "transport"];
    const values = ["false", origin.format, NO_SERVICE_LABEL, origin.transport];
    this.#counters.counter(REJECTED, "Spans refused.", labels, values).value += spanCount;
  }

  /** Spans a stage takes out on purpose, once the rest of their batch has gone through. */
  dropped(reason: string, spanCount: number): void {
    this.#reasoned("dropped", reason).value += spanCount;
    this.#inFlight -= spanCount;
  }

  #reasoned(state: LedgerState, reason: string): Counter {
    const key = `${state} ${reason}`;
    let counter = this.#withReason.get(key);
    if (counter === undefined) {
      counter = this.#counter(state, reason);
      this.#withReason.set(key, counter);
    }
    return counter;
  }

  #counter(state: LedgerState, reason: string): Counter {
    return this.#counters.counter(SPANS, SPANS_HELP, ["state", "reason"], [state, reason]);
  }
}
