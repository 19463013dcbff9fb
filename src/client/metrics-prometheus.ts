// A metrics factory over an application's prom-client, which is handed in and never imported.
import type { Counter, Gauge, MetricsFactory } from "./types.ts";

interface Labelled<T> {
  labels(...values: string[]): T;
}
interface PromCounter extends Labelled<PromCounter> {
  inc(delta: number): void;
}
interface PromGauge extends Labelled<PromGauge> {
  set(value: number): void;
}
interface PromOptions {
  name: string;
  help: string;
  labelNames: string[];
}

/** The part of prom-client that is used. */
export interface PromClient {
  Counter: new (options: PromOptions) => unknown;
  Gauge: new (options: PromOptions) => unknown;
}

/** `new PrometheusMetricsFactory(require('prom-client'), 'my_namespace')`. */
export class PrometheusMetricsFactory implements MetricsFactory {
  readonly #client: PromClient;
  readonly #namespace: string | undefined;
  readonly #made = new Map<string, unknown>();

  constructor(client: PromClient, namespace?: string) {
    if (!client?.Counter || !client.Gauge) throw new Error("prom-client must be provided");
    this.#client = client;
    this.#namespace = namespace;
  }

  #metric(
    Kind: new (options: PromOptions) => unknown,
    name: string,
    labels: Record<string, string>,
  ): unknown {
    const labelNames = Object.keys(labels);
    const full = this.#namespace ? `${this.#namespace}_${name}` : name;
    // prom-client refuses what Prometheus does not know; jaeger-client has the colon, too.
    const valid = full.replace(/[^a-zA-Z0-9_:]/g, "_");
    const key = `${valid},${labelNames.join()}`;
    let metric = this.#made.get(key);
    if (metric === undefined) {
      metric = new Kind({ name: valid, help: name, labelNames });
      this.#made.set(key, metric);
    }
    const values = Object.values(labels);
    return values.length === 0 ? metric : (metric as Labelled<unknown>).labels(...values);
  }

  createCounter(name: string, labels: Record<string, string> = {}): Counter {
    const counter = this.#metric(this.#client.Counter, name, labels) as PromCounter;
    return { increment: (delta) => counter.inc(delta) };
  }

  createGauge(name: string, labels: Record<string, string> = {}): Gauge {
    const gauge = this.#metric(this.#client.Gauge, name, labels) as PromGauge;
    return { update: (value) => gauge.set(value) };
  }
}
