/** The measurements of `npm run bench`: ingest in alternating rounds, queries by size, starts. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { prepareDataset, readBodies, requestsFor, seeds } from "./dataset-file.ts";
import type { PreparedDataset } from "./dataset-file.ts";
import { ingestFresh, measureIngest, newDataFolder, startLoad } from "./ingest.ts";
import type { IngestResult, LoadPlan, Protocol } from "./ingest.ts";
import { median } from "./latency.ts";
import { measureQueries } from "./queries.ts";
import type { QueryTimes } from "./queries.ts";
import type { IngestRow, QueryColumn, Results, StartRow } from "./results.ts";
import { RunningServer } from "./server-run.ts";
import { builds } from "./servers.ts";
import type { Build, ServerPlan } from "./servers.ts";

export interface MeasureOptions {
  readonly checkout: string;
  /** The name of the server that is compared with the peers. */
  readonly product: string;
  readonly rounds: number;
  readonly spans: number;
  readonly smallSpans: number;
  readonly grpcSpans: number;
  /** Which peers take part, each with how many spans of the same dataset. */
  readonly peers: readonly { readonly name: string; readonly spans: number }[];
  readonly queryCount: number;
  readonly say: (line: string) => void;
}

/** Spans sent while queries run on top of the stored ones; other traces than those. */
const moreSpans = 1_500_000;
const underLoad = { count: 40, secondsPerKind: 1.5 };
const secondsPerKind = 12;

function build(name: string): Build {
  const found = builds[name];
  if (found === undefined) throw new Error(`no server ${name}`);
  return found;
}

function line(result: IngestResult): string {
  const { load } = result;
  return (
    `${result.server} ${load.protocol}: ${Math.round(load.spansPerSecond)} spans/s acknowledged, ` +
    `${Math.round(result.settledPerSecond)} settled, ` +
    `${result.cpuSecondsPerMillion.toFixed(2)} CPU-s a million, ` +
    `ack p50 ${load.ackMs.p50.toFixed(1)} p99 ${load.ackMs.p99.toFixed(1)} ms, ` +
    `${result.bytesPerSpan.toFixed(1)} B/span, ` +
    `${Math.round(result.settled.peakRssBytes / 2 ** 20)} MiB peak, busy ${load.busy}`
  );
}

/** Measures it all; what it finds is put into `results` as it goes, so that nothing is lost. */
export class Measurement {
  private readonly dataset: PreparedDataset;
  private readonly options: MeasureOptions;
  private readonly results: Results;

  constructor(dataset: PreparedDataset, options: MeasureOptions, results: Results) {
    this.dataset = dataset;
    this.options = options;
    this.results = results;
  }

  private row(server: string, protocol: Protocol, spans: number): IngestRow {
    const found = this.results.ingest.find(
      (row) => row.server === server && row.protocol === protocol,
    );
    if (found !== undefined) return found;
    const row: IngestRow = { server, protocol, spans, rounds: [] };
    this.results.ingest.push(row);
    return row;
  }

  private async ingest(name: string, plan: Omit<LoadPlan, "dataset">, ask: boolean): Promise<void> {
    const { checkout, say } = this.options;
    const full = { ...plan, dataset: this.dataset };
    const result = await ingestFresh(build(name), checkout, full, async (server) => {
      if (ask) await this.column(server, plan.spans);
    });
    say(line(result));
    this.row(result.server, plan.protocol ?? "http", plan.spans).rounds.push(result);
  }

  /** Rounds in which every server takes its turn with the same bytes. */
  async ingestRounds(): Promise<void> {
    const { options } = this;
    for (let round = 0; round < options.rounds; round++) {
      options.say(`round ${round + 1} of ${options.rounds}`);
      await this.ingest(options.product, { spans: options.spans }, false);
      await this.ingest(options.product, { spans: options.grpcSpans, protocol: "grpc" }, false);
      for (const { name, spans } of options.peers) {
        await this.ingest(name, { spans }, round === 0);
        if (name === "jaeger-memory") await this.ingest(name, { spans, protocol: "grpc" }, false);
      }
    }
  }

  private async column(server: RunningServer, spans: number): Promise<void> {
    const { queryCount, say } = this.options;
    const times = await measureQueries(server.plan.doors, {
      dataset: this.dataset,
      spans,
      count: queryCount,
      secondsPerKind,
    });
    this.addColumn(server, spans, 0, times);
    say(`${server.plan.name}, queries at ${spans} spans done`);
  }

  private addColumn(
    server: RunningServer,
    spans: number,
    ingestPerSecond: number,
    times: readonly QueryTimes[],
  ): void {
    const column: QueryColumn = {
      server: server.plan.name,
      spans,
      ingestPerSecond,
      times,
      peakRssBytes: server.usage().peakRssBytes,
    };
    this.results.queries.push(column);
    for (const { kind, ms, wrong, firstWrong } of times) {
      const fault = wrong === 0 ? "" : `  ${wrong} wrong: ${firstWrong}`;
      const { p50, p95, n } = ms;
      this.options.say(`  ${kind}: p50 ${p50.toFixed(2)} p95 ${p95.toFixed(2)} ms (${n})${fault}`);
    }
  }

  /** The store as it grows: queries at the small size, at the full one, under load; then starts. */
  async growth(): Promise<void> {
    const { options, dataset } = this;
    const folder = newDataFolder();
    const plan = await build(options.product)(folder, options.checkout);
    let server = new RunningServer(plan);
    try {
      const healthyMs = await server.healthy();
      const first = requestsFor(dataset, options.smallSpans);
      await measureIngest(server, { dataset, spans: options.smallSpans }, healthyMs);
      await this.column(server, options.smallSpans);
      if (options.spans > options.smallSpans) {
        const rest = options.spans - options.smallSpans;
        await measureIngest(server, { dataset, spans: rest, from: first }, healthyMs);
        await this.column(server, options.spans);
      }
      await server.stop();
      if (plan.dataFolder !== undefined) await this.starts(plan);
      server = new RunningServer(plan);
      await server.healthy();
      if (plan.dataFolder !== undefined) await this.busyColumn(server);
    } finally {
      await server.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  private async busyColumn(server: RunningServer): Promise<void> {
    const { options, results } = this;
    const rates = results.ingest
      .filter((row) => row.server === server.plan.name && row.protocol === "http")
      .flatMap((row) => row.rounds.map((round) => round.settledPerSecond));
    const rate = Math.round(median(rates) / 2) || 50_000;
    const more = prepareDataset(moreSpans, Math.floor(Date.now() / 1000), seeds.more);
    const load = startLoad(server, { dataset: more, spans: moreSpans, rate, connections: 16 });
    const times = await measureQueries(server.plan.doors, {
      dataset: this.dataset,
      spans: options.spans,
      ...underLoad,
    });
    load.stop();
    const { spansPerSecond } = await load.result;
    options.say(`${server.plan.name}, queries while ${Math.round(spansPerSecond)} spans/s arrive`);
    this.addColumn(server, options.spans, spansPerSecond, times);
  }

  private async starts(plan: ServerPlan): Promise<void> {
    const cache = fs.mkdtempSync(path.join(os.tmpdir(), "spoor-bench", "compiled-"));
    const more = prepareDataset(moreSpans, Math.floor(Date.now() / 1000), seeds.more);
    const bodies = readBodies(more, more.counts.length - 4, more.counts.length);
    const times: (readonly [number, number])[] = [];
    for (const body of bodies) {
      const env = { ...plan.env, NODE_COMPILE_CACHE: cache };
      const server = new RunningServer({ ...plan, env });
      times.push(await Promise.all([server.healthy(), server.firstAccepted(body)]));
      await server.stop();
    }
    fs.rmSync(cache, { recursive: true, force: true });
    const [cold, ...warm] = times as [readonly [number, number], ...(readonly [number, number])[]];
    const row: StartRow = { server: plan.name, spans: this.options.spans, cold, warm };
    this.results.starts.push(row);
    this.options.say(
      `${plan.name}, start: cold ${cold.map(Math.round).join(" / ")} ms, warm ` +
        warm.map((pair) => pair.map(Math.round).join(" / ")).join(", "),
    );
  }
}
