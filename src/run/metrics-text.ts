/** Metrics as Prometheus text: the counter table and the process's own, through prom-client. */

import type { MetricValueWithName, Metric as PromMetric, Registry } from "prom-client";
import type { CounterTable, Metric, Series } from "../base/counters.ts";

/** Prometheus' text format. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Renders all metrics when asked. */
export interface MetricsText {
  readonly contentType: string;
  render(): Promise<string>;
}

/** What prom-client asks of a metric it prints. */
interface Printable {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: Metric["kind"];
    readonly aggregator: "sum";
    readonly values: readonly MetricValueWithName<string>[];
  }>;
}

/** Prints the table's metrics as they are at each call, with the process's own beside them. */
export function openMetricsText(table: CounterTable): MetricsText {
  const registered = new Set<string>();
  let opened: Promise<Registry> | undefined;
  return {
    contentType: CONTENT_TYPE,
    async render() {
      opened ??= openRegistry();
      const registry = await opened;
      for (const metric of table.metrics.values()) {
        if (registered.has(metric.name)) continue;
        registered.add(metric.name);
        registerTableMetric(registry, metric);
      }
      return registry.metrics();
    },
  };
}

/** Loaded at the first scrape: a start need not wait for it. */
async function openRegistry(): Promise<Registry> {
  const { Registry: PromRegistry, collectDefaultMetrics } = await import("prom-client");
  const registry = new PromRegistry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** prom-client only calls `get`, but its types want one of its own classes. */
function registerTableMetric(registry: Registry, metric: Metric): void {
  const printable: Printable = {
    name: metric.name,
    get: async () => ({
      name: metric.name,
      help: metric.help,
      type: metric.kind,
      aggregator: "sum",
      values: valuesOf(metric),
    }),
  };
  registry.registerMetric(printable as unknown as PromMetric);
}

function valuesOf(metric: Metric): MetricValueWithName<string>[] {
  const values: MetricValueWithName<string>[] = [];
  for (const series of metric.series.values()) {
    const labels = labelsOf(metric, series);
    if (metric.kind === "histogram") values.push(...histogramValues(metric, series, labels));
    else values.push({ value: series.read?.() ?? series.value, labels });
  }
  return values;
}

function labelsOf(metric: Metric, series: Series): { [label: string]: string } {
  return Object.fromEntries(metric.labels.map((label, i) => [label, series.labelValues[i] ?? ""]));
}

/** Buckets of the table count their own range; Prometheus' are cumulative. */
function histogramValues(
  metric: Metric,
  series: Series,
  labels: { readonly [label: string]: string },
): MetricValueWithName<string>[] {
  const values: MetricValueWithName<string>[] = [];
  const metricName = `${metric.name}_bucket`;
  let below = 0;
  for (const [i, bound] of metric.bounds.entries()) {
    below += series.buckets[i] ?? 0;
    values.push({ metricName, value: below, labels: { ...labels, le: bound } });
  }
  values.push({ metricName, value: series.value, labels: { ...labels, le: "+Inf" } });
  values.push({ metricName: `${metric.name}_sum`, value: series.sum, labels: { ...labels } });
  values.push({ metricName: `${metric.name}_count`, value: series.value, labels: { ...labels } });
  return values;
}
