/** Jaeger's metrics of questions to a store: how many, how long, how large the answers. */

import type { Clock } from "../base/clock.ts";
import type { Counter, CounterTable } from "../base/counters.ts";

/** What a question is called in metrics; the first five as Jaeger calls them. */
export type Operation =
  | "find_traces"
  | "get_trace"
  | "get_services"
  | "get_operations"
  | "get_dependencies"
  | "get_attribute_keys"
  | "get_attribute_values"
  | "get_changes"
  | "archive_trace";

type Result = "ok" | "err";

/** Items an answer may have: spread over what pages, lists and traces hold. */
const SIZE_BOUNDS: readonly number[] = [
  0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000,
];

interface Meters {
  readonly requests: Readonly<Record<Result, Counter>>;
  readonly seconds: Readonly<Record<Result, (value: number) => void>>;
  readonly size: (value: number) => void;
}

/** Counts questions. One for a process and store. */
export class QueryMeter {
  readonly #counters: CounterTable;
  readonly #clock: Clock;
  readonly #operations = new Map<Operation, Meters>();

  constructor(counters: CounterTable, clock: Clock) {
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Begins a question; call the returned function once with its answer's size or "err". */
  begin(operation: Operation): (outcome: number | "err") => void {
    const meters = this.#of(operation);
    const startedMs = this.#clock.monotonicMs();
    return (outcome) => {
      const result = outcome === "err" ? "err" : "ok";
      meters.requests[result].value++;
      meters.seconds[result]((this.#clock.monotonicMs() - startedMs) / 1000);
      if (outcome !== "err") meters.size(outcome);
    };
  }

  #of(operation: Operation): Meters {
    let meters = this.#operations.get(operation);
    if (meters === undefined) {
      meters = {
        requests: { ok: this.#requests(operation, "ok"), err: this.#requests(operation, "err") },
        seconds: { ok: this.#seconds(operation, "ok"), err: this.#seconds(operation, "err") },
        size: this.#counters.histogram(
          "jaeger_storage_responses",
          "Items in the answers of the store.",
          ["operation"],
          [operation],
          SIZE_BOUNDS,
        ),
      };
      this.#operations.set(operation, meters);
    }
    return meters;
  }

  #requests(operation: Operation, result: Result): Counter {
    const help = "Questions put to the store.";
    const labels = ["operation", "result"];
    const values = [operation, result];
    return this.#counters.counter("jaeger_storage_requests_total", help, labels, values);
  }

  #seconds(operation: Operation, result: Result): (value: number) => void {
    const help = "Seconds until the store had answered.";
    const labels = ["operation", "result"];
    return this.#counters.histogram("jaeger_storage_latency", help, labels, [operation, result]);
  }
}
