// Requests, errors and durations of the operations a service serves, whether sampled or not.
import { MEASURED_ENDPOINTS } from "../limits.ts";
import { Span } from "../span.ts";
import { nameText } from "../tag-text.ts";
import type { Counter, MetricsFactory } from "../types.ts";

type Labels = Record<string, string>;

/**
 * jaeger-client-go's RPC metrics: `requests`, `http_requests` by class of status, and in place of
 * its timer `request_latency_us`, the sum that divided by `requests` gives the mean.
 */
export class RpcMetrics {
  readonly #factory: MetricsFactory;
  readonly #endpoints = new Map<string, string>();
  readonly #counters = new Map<string, Counter>();

  constructor(factory: MetricsFactory) {
    this.#factory = factory;
  }

  /** A metric's label: characters that Jaeger's client takes, and a bounded number of them. */
  #endpoint(operation: string): string {
    const known = this.#endpoints.get(operation);
    if (known !== undefined) return known;
    if (this.#endpoints.size >= MEASURED_ENDPOINTS) return "other";
    const endpoint = nameText(operation).replace(/[^a-zA-Z0-9\-_/.]/g, "-");
    this.#endpoints.set(operation, endpoint);
    return endpoint;
  }

  #add(name: string, labels: Labels, delta: number): void {
    const key = `${name},${Object.values(labels).join()}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = this.#factory.createCounter(`jaeger:${name}`, labels);
      this.#counters.set(key, counter);
    }
    counter.increment(delta);
  }

  finished(operation: string, durationMs: number, failed: boolean, status: number): void {
    const endpoint = this.#endpoint(operation);
    const labels = { endpoint, error: String(failed) };
    this.#add("requests", labels, 1);
    this.#add("request_latency_us", labels, Math.max(0, Math.round(durationMs * 1_000)));
    if (status >= 200 && status < 600) {
      const statusClass = `${Math.floor(status / 100)}xx`;
      this.#add("http_requests", { endpoint, status_code: statusClass }, 1);
    }
  }
}

/** The class of server spans that are measured: it looks at tags also when they are not kept. */
export function measuredSpan(metrics: RpcMetrics): typeof Span {
  return class MeasuredSpan extends Span {
    #failed = false;
    #status = 0;
    #open = true;

    override setTag(key: string, value: unknown): this {
      if (key === "error") this.#failed = value === true || value === "true";
      else if (key === "http.status_code") this.#status = Number(value);
      return super.setTag(key, value);
    }

    override addTags(pairs: Record<string, unknown>): this {
      if (!pairs) return this;
      for (const key of ["error", "http.status_code"]) {
        if (this.record() === null && key in pairs) this.setTag(key, pairs[key]);
      }
      return super.addTags(pairs);
    }

    override finish(finishTimeMs?: number): void {
      const endMs = this.owner.timeOr(finishTimeMs);
      if (this.#open) {
        const durationMs = endMs - this.startMs;
        metrics.finished(this.operationName, durationMs, this.#failed, this.#status);
      }
      this.#open = false;
      super.finish(endMs);
    }
  };
}
