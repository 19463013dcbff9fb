/** Turns the results of a run into BENCHMARKS.md. */

import type { IngestResult } from "./ingest.ts";
import { median } from "./latency.ts";
import type { QueryColumn, Results } from "./results.ts";
import { compareTargets } from "./targets.ts";

const mib = 2 ** 20;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** The middle of the rounds, and between what they lay. */
function middle(
  rounds: readonly IngestResult[],
  of: (result: IngestResult) => number,
  digits = 0,
): string {
  const values = rounds.map(of);
  const show = (value: number): string => (digits === 0 ? whole(value) : value.toFixed(digits));
  const range = `${show(Math.min(...values))}–${show(Math.max(...values))}`;
  return values.length < 2 ? show(median(values)) : `${show(median(values))} (${range})`;
}

function ingestTable(results: Results): string {
  const rows = results.ingest.map(({ server, protocol, spans, rounds }) => [
    server,
    protocol === "http" ? "HTTP" : "gRPC",
    whole(spans),
    middle(rounds, (r) => r.load.spansPerSecond),
    middle(rounds, (r) => r.settledPerSecond),
    middle(rounds, (r) => r.cpuSecondsPerMillion, 2),
    `${middle(rounds, (r) => r.load.ackMs.p50, 1)} / ${middle(rounds, (r) => r.load.ackMs.p99, 1)}`,
    rounds[0]?.settled.diskBytes === 0 ? "none" : middle(rounds, (r) => r.bytesPerSpan, 1),
    rounds[0]?.keptBytesPerSpan === undefined
      ? "–"
      : middle(rounds, (r) => r.keptBytesPerSpan ?? 0, 1),
    middle(rounds, (r) => r.settled.peakRssBytes / mib),
    middle(rounds, (r) => r.load.busy + r.load.broken + r.load.refused),
    middle(rounds, (r) => r.load.cpuShare * 100),
  ]);
  const head = [
    "server",
    "OTLP over",
    "spans",
    "spans/s acknowledged",
    "spans/s settled",
    "CPU-s a million, settled",
    "ack p50 / p99 ms",
    "all files B/span",
    "segments alone B/span",
    "peak RSS MiB",
    "answers other than accepted",
    "load's share of its core, %",
  ];
  return table(head, rows);
}

function queryTable(columns: readonly QueryColumn[]): string {
  const kinds = [...new Set(columns.flatMap(({ times }) => times.map(({ kind }) => kind)))];
  const title = ({ server, spans, ingestPerSecond }: QueryColumn): string =>
    `${server}, ${whole(spans)} spans${
      ingestPerSecond > 0 ? `, while ${whole(ingestPerSecond)} spans/s arrive` : ""
    }`;
  const rows = kinds.map((kind) => [
    kind,
    ...columns.map(({ times }) => {
      const found = times.find((each) => each.kind === kind);
      if (found === undefined) return "cannot";
      const { p50, p95, n } = found.ms;
      const fault = found.wrong === 0 ? "" : `, **${found.wrong} wrong**`;
      return `${p50.toFixed(2)} / ${p95.toFixed(2)} (${n}${fault})`;
    }),
  ]);
  return table(["p50 / p95 ms (n)", ...columns.map(title)], rows);
}

function startTable(results: Results): string {
  const pair = (values: readonly number[]): string => values.map(whole).join(" / ");
  return table(
    ["healthy / first request accepted, ms", "spans stored", "first time", "later"],
    results.starts.map(({ server, spans, cold, warm }) => [
      server,
      whole(spans),
      pair(cold),
      warm.map(pair).join(", "),
    ]),
  );
}

function targetTable(results: Results): string {
  return table(
    ["promise", "target", "measured", "met"],
    compareTargets(results).map(({ promise, target, measured, met }) => [
      promise,
      target,
      measured,
      met === undefined ? "–" : met ? "yes" : "**no**",
    ]),
  );
}

function stageTable(results: Results): string {
  const { stages } = results;
  if (stages === undefined) return "Not profiled in this run.\n";
  const shown = stages.files.filter(({ microseconds }) => microseconds >= 0.02);
  const rest = stages.files
    .filter(({ microseconds }) => microseconds < 0.02)
    .reduce((sum, row) => sum + row.microseconds, 0);
  const rows = shown.map(({ thread, stage, microseconds }) => [
    stage,
    thread,
    microseconds.toFixed(2),
  ]);
  rows.push(["all others", "both", rest.toFixed(2)]);
  return table(["file below src/", "thread", "µs a span"], rows);
}

function diskTable(results: Results): string {
  const row = results.ingest.find(({ server }) => server === "Spoor embedded");
  const last = row?.rounds.at(-1);
  if (last === undefined) return "";
  const kinds = Object.entries(last.settled.diskByKind).sort((a, b) => b[1] - a[1]);
  return table(
    ["files", "bytes", "bytes a span"],
    kinds.map(([kind, bytes]) => [kind, whole(bytes), (bytes / last.load.spans).toFixed(2)]),
  );
}

function preamble(results: Results): string {
  const { machine, dataset } = results;
  const { cpu, cores, memoryGib, kernel, node } = machine;
  const pinning = machine.pinned ? "pinned to one core, the load to another" : "**not pinned**";
  const bytes = (dataset.bytes / dataset.spans).toFixed(0);
  return `# Benchmarks

Written by \`${results.command}\`; not edited by hand.

- ${results.date}, commit ${results.commit}
- ${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, Node ${node.slice(1)};
  load average before the run ${machine.loadBefore.toFixed(2)}
- The server is ${pinning}.
- Dataset: ${whole(dataset.spans)} spans in ${whole(dataset.requests)} requests, ${bytes} OTLP bytes
  a span, from one seed: 20 services × 10 operations × 3 instances, traces of 8–40 spans spread over
  several requests, 12 resource attributes, about 10 a span, events on 10 %, errors on 2 %.
  Every server gets the same bytes.
- *Settled*: until the server's process used less than 2 % of its core for three seconds.
- Rounds of different servers alternate; a cell shows the middle round and the range.
- Answers are compared with what the dataset holds; a wrong one is counted where it appears.
`;
}

/** The page, from the results alone. */
export function renderReport(results: Results): string {
  const notes = results.notes.map((note) => `- ${note}`).join("\n");
  const parts = [
    preamble(results),
    `## Promises\n\n${targetTable(results)}`,
    `## Ingest\n\n${ingestTable(results)}`,
    "## Queries over HTTP\n\nNewest 20 whole traces for a search; one request at a time; " +
      `warm-up left out.\n\n${queryTable(results.queries)}`,
    `## Start with spans stored\n\n${startTable(results)}`,
    "## Where a span's time goes\n\nFrom V8's profiler in a run of its own, scaled to the CPU " +
      "time used; time inside Node is charged to the file that asked for it.\n\n" +
      stageTable(results),
    `## What is on disk\n\nAllocated bytes when settled.\n\n${diskTable(results)}`,
    ...(notes === "" ? [] : [`## Not measured\n\n${notes}\n`]),
  ];
  return parts.join("\n");
}
