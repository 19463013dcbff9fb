/** The numbers the design promises, compared with what was measured. */

import { median } from "./latency.ts";
import type { QueryColumn, Results } from "./results.ts";

export interface TargetRow {
  readonly promise: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean | undefined;
}

const product = "Spoor embedded";
const mib = 2 ** 20;

function column(results: Results, largest: boolean): QueryColumn | undefined {
  const settled = results.queries
    .filter((each) => each.server === product && each.ingestPerSecond === 0)
    .sort((a, b) => a.spans - b.spans);
  return largest ? settled.at(-1) : settled[0];
}

function atMost(
  promise: string,
  unit: string,
  limits: readonly number[],
  measured: readonly (number | undefined)[],
): TargetRow {
  const known = measured.every((value) => value !== undefined);
  const digits = unit === "MiB" || unit === "ms to healthy / accepting" ? 0 : 2;
  return {
    promise,
    target: `≤ ${limits.join(" / ")} ${unit}`,
    measured: known
      ? `${measured.map((value) => value?.toFixed(digits)).join(" / ")} ${unit}`
      : "not measured",
    met: known ? limits.every((limit, i) => (measured[i] as number) <= limit) : undefined,
  };
}

function rate(promise: string, target: number, measured: number | undefined): TargetRow {
  return {
    promise,
    target: `≥ ${target.toLocaleString("en")} spans/s`,
    measured: measured === undefined ? "not measured" : Math.round(measured).toLocaleString("en"),
    met: measured === undefined ? undefined : measured >= target,
  };
}

function ingestTargets(results: Results): TargetRow[] {
  const rounds = (protocol: string): Results["ingest"][number]["rounds"] =>
    results.ingest.find((row) => row.server === product && row.protocol === protocol)?.rounds ?? [];
  const http = rounds("http");
  const middle = (values: readonly number[]): number | undefined =>
    values.length === 0 ? undefined : median(values);
  return [
    rate("Ingest over HTTP, settled", 150_000, middle(http.map((r) => r.settledPerSecond))),
    atMost(
      "CPU until settled",
      "CPU-s a million spans",
      [6.7],
      [middle(http.map((r) => r.cpuSecondsPerMillion))],
    ),
    atMost("Acknowledgement p99", "ms", [250], [middle(http.map((r) => r.load.ackMs.p99))]),
    rate(
      "Ingest over gRPC, settled",
      110_000,
      middle(rounds("grpc").map((r) => r.settledPerSecond)),
    ),
    atMost(
      "Disk, settled: segments",
      "bytes a span",
      [50],
      [middle(http.flatMap((r) => r.keptBytesPerSpan ?? []))],
    ),
    atMost(
      "Disk, settled: all files, with the log's that are kept to be written again",
      "bytes a span",
      [50],
      [middle(http.map((r) => r.bytesPerSpan))],
    ),
    atMost(
      "Peak memory while ingesting",
      "MiB",
      [350],
      [middle(http.map((r) => r.settled.peakRssBytes / mib))],
    ),
  ];
}

function queryTargets(results: Results): TargetRow[] {
  const large = column(results, true);
  const small = column(results, false);
  const time = (
    from: QueryColumn | undefined,
    kind: string,
    what: "p50" | "p95",
  ): number | undefined => from?.times.find((each) => each.kind === kind)?.ms[what];
  const pair = (kind: string): (number | undefined)[] => [
    time(large, kind, "p50"),
    time(large, kind, "p95"),
  ];
  const growth = (kind: string): number | undefined => {
    const [from, to] = [time(small, kind, "p50"), time(large, kind, "p50")];
    return from === undefined || to === undefined || small === large ? undefined : to / from;
  };
  const searches = (large?.times ?? [])
    .map(({ kind }) => kind)
    .filter((kind) => !/trace by id|^services$|^operations$/.test(kind));
  return [
    atMost("Trace by id p50 / p95", "ms", [2, 5], pair("trace by id")),
    ...searches.map((kind) => atMost(`Search: ${kind}, p50 / p95`, "ms", [10, 30], pair(kind))),
    atMost("Growth of a trace by id", "×", [1.5], [growth("trace by id")]),
    atMost("Growth of a rare-tag search", "×", [1.5], [growth("rare tag (user.id)")]),
  ];
}

/** Every promise the bench can check, in the design's order. */
export function compareTargets(results: Results): TargetRow[] {
  const start = results.starts.find((row) => row.server === product);
  const warm = start?.warm.map(([healthy]) => healthy) ?? [];
  const accepted = start?.warm.map(([, first]) => first) ?? [];
  const unit = "ms to healthy / accepting";
  return [
    ...ingestTargets(results),
    ...queryTargets(results),
    atMost(
      "Start, compile cache warm",
      unit,
      [500, 500],
      start === undefined ? [undefined] : [median(warm), median(accepted)],
    ),
    atMost("Start, first time", unit, [1200, 1200], start === undefined ? [undefined] : start.cold),
  ];
}
