/** One measured ingest: a fresh server, a pinned load process, and the cost until all is quiet. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { PreparedDataset } from "./dataset-file.ts";
import type { LoadResult } from "./load.ts";
import { RunningServer, loadCore } from "./server-run.ts";
import type { Settled } from "./server-run.ts";
import type { Build, Doors } from "./servers.ts";

/** What the load process speaks; Jaeger's need bodies of their own (doors.ts makes them). */
export type Protocol = "http" | "grpc" | "jaeger-http" | "jaeger-grpc";

export interface LoadPlan {
  readonly dataset: PreparedDataset;
  readonly spans: number;
  readonly from?: number;
  readonly protocol?: Protocol;
  readonly connections?: number;
  /** Spans a second; as fast as possible when left out. */
  readonly rate?: number;
}

export interface RunningLoad {
  readonly result: Promise<LoadResult>;
  stop(): void;
}

export interface IngestResult {
  readonly server: string;
  readonly load: LoadResult;
  readonly settled: Settled;
  /** Acknowledged spans over the time until the server was quiet again. */
  readonly settledPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  /** All its files, with logs that are kept to be written again. */
  readonly bytesPerSpan: number;
  /** In its final form alone, where the server says so. */
  readonly keptBytesPerSpan?: number;
  readonly healthyMs: number;
}

const loadScript = path.join(import.meta.dirname, "load.ts");

/** Starts the load process on its own core. */
export function startLoad(server: RunningServer, plan: LoadPlan): RunningLoad {
  const protocol = plan.protocol ?? "http";
  const { doors } = server.plan;
  const options = {
    dataset: plan.dataset.folder,
    target: targetOf(doors, protocol),
    protocol,
    connections: plan.connections ?? 32,
    from: plan.from ?? 0,
    spans: plan.spans,
    rate: plan.rate ?? 0,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = ["-c", String(loadCore), process.execPath, loadScript, ...flags];
  const child = spawn("taskset", command, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const finish = async (): Promise<LoadResult> => {
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`the load process ended with ${code}: ${text}`);
    return JSON.parse(text) as LoadResult;
  };
  return { result: finish(), stop: () => void child.kill("SIGTERM") };
}

function targetOf(doors: Doors, protocol: Protocol): string {
  const { jaegerGrpc, jaegerHttp, otlpGrpc, otlpHttp } = doors;
  const targets = {
    http: otlpHttp,
    grpc: otlpGrpc,
    "jaeger-http": jaegerHttp,
    "jaeger-grpc": jaegerGrpc,
  };
  return targets[protocol];
}

/** A new empty folder for a server's data. */
export function newDataFolder(): string {
  const root = path.join(os.tmpdir(), "spoor-bench");
  fs.mkdirSync(root, { recursive: true });
  return fs.mkdtempSync(path.join(root, "data-"));
}

/** Loads a running server and measures until it is quiet again. */
export async function measureIngest(
  server: RunningServer,
  plan: LoadPlan,
  healthyMs: number,
  idleShare = 0,
): Promise<IngestResult> {
  const before = server.usage();
  const load = await startLoad(server, plan).result;
  const loadedMs = performance.now();
  const settled = await server.settled(idleShare);
  const kept = await server.keptBytesPerSpan();
  const seconds = load.seconds + Math.max(0, settled.atMs - loadedMs) / 1000;
  return {
    server: server.plan.name,
    load,
    settled,
    settledPerSecond: load.spans / seconds,
    cpuSecondsPerMillion: ((settled.cpuSeconds - before.cpuSeconds) / load.spans) * 1e6,
    bytesPerSpan: settled.diskBytes / load.spans,
    ...(kept === undefined ? {} : { keptBytesPerSpan: kept }),
    healthyMs,
  };
}

/** A fresh server in an empty folder, measured, then handed on to `then` before it is stopped. */
export async function ingestFresh(
  build: Build,
  checkout: string,
  plan: LoadPlan,
  then?: (server: RunningServer, result: IngestResult) => Promise<void>,
): Promise<IngestResult> {
  const folder = newDataFolder();
  const server = new RunningServer(await build(folder, checkout));
  try {
    const healthyMs = await server.healthy();
    const result = await measureIngest(server, plan, healthyMs);
    await then?.(server, result);
    return result;
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
