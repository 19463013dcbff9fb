/** The one table of counters, gauges and histograms: parts count here, admin shows it. */

/** Label values of one series, in the order of the metric's label names. */
export type LabelValues = readonly string[];

/** One number that goes up. */
export interface Counter {
  value: number;
}

/** What kind of number a metric is. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** One metric with all its series. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labels: readonly string[];
  /** Upper bounds in seconds (histograms only). */
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
}

/** One labelled series: a counter or gauge value, or a histogram's buckets. */
export interface Series extends Counter {
  readonly labelValues: LabelValues;
  /** Histogram only: count per bound, then the overflow. */
  readonly buckets: number[];
  sum: number;
  /** Gauge only: read when asked, instead of `value`. */
  read: (() => number) | undefined;
}

/** Most series one metric may have; later ones share the series whose labels are all "other". */
export const MAX_SERIES_PER_METRIC = 8192;

const SEPARATOR = "\u0000";

/** Prometheus' default buckets, seconds. */
export const DEFAULT_BOUNDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** A table of metrics. Registering a name again returns the same metric. */
export class CounterTable {
  readonly metrics = new Map<string, Metric>();

  /** The counter series `name{labels}`; keep the returned object and add to its `value`. */
  counter(name: string, help: string, labels: readonly string[] = [], values: LabelValues = []) {
    return this.#series(name, help, "counter", labels, values) as Counter;
  }

  /** A gauge read when asked. */
  gauge(
    name: string,
    help: string,
    read: () => number,
    labels: readonly string[] = [],
    values: LabelValues = [],
  ): void {
    this.#series(name, help, "gauge", labels, values).read = read;
  }

  /** Records one observation, in seconds (or the metric's own unit), into a histogram. */
  histogram(
    name: string,
    help: string,
    labels: readonly string[] = [],
    values: LabelValues = [],
    bounds: readonly number[] = DEFAULT_BOUNDS,
  ): (value: number) => void {
    const series = this.#series(name, help, "histogram", labels, values, bounds);
    return (value) => {
      let i = 0;
      while (i < bounds.length && value > bounds[i]!) i++;
      series.buckets[i]!++;
      series.sum += value;
      series.value++;
    };
  }

  /** Current value of a series, 0 when it does not exist. */
  value(name: string, values: LabelValues = []): number {
    const series = this.metrics.get(name)?.series.get(values.join(SEPARATOR));
    return series === undefined ? 0 : (series.read?.() ?? series.value);
  }

  /** Sum over all series of a metric. */
  total(name: string): number {
    let sum = 0;
    for (const series of this.metrics.get(name)?.series.values() ?? []) {
      sum += series.read?.() ?? series.value;
    }
    return sum;
  }

  #series(
    name: string,
    help: string,
    kind: MetricKind,
    labels: readonly string[],
    values: LabelValues,
    bounds: readonly number[] = [],
  ): Series {
    let metric = this.metrics.get(name);
    if (metric === undefined) {
      metric = { name, help, kind, labels, bounds, series: new Map() };
      this.metrics.set(name, metric);
    }
    const key = values.join(SEPARATOR);
    const known = metric.series.get(key);
    if (known !== undefined) return known;
    const full = metric.series.size >= MAX_SERIES_PER_METRIC;
    const labelValues = full ? labels.map(() => "other") : values;
    const otherKey = labelValues.join(SEPARATOR);
    const other = metric.series.get(otherKey);
    if (other !== undefined) return other;
    const buckets = kind === "histogram" ? new Array<number>(bounds.length + 1).fill(0) : [];
    const made: Series = { labelValues, value: 0, buckets, sum: 0, read: undefined };
    metric.series.set(otherKey, made);
    return made;
  }
}
