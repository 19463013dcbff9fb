/** The servers the bench can run: how each is started, and where its doors are. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { freePortFlags, keptPort } from "../test/support/free-ports.ts";

export interface Doors {
  readonly otlpHttp: string;
  /** Host and port. */
  readonly otlpGrpc: string;
  /** Jaeger's Thrift over HTTP, and its gRPC as host and port. */
  readonly jaegerHttp: string;
  readonly jaegerGrpc: string;
  /** Base of Jaeger's HTTP API, up to and with `/api`. */
  readonly query: string;
  /** Searches by Spoor's filter tree, which peers do not have. */
  readonly find?: string;
  readonly health: string;
  readonly metrics: string;
}

export interface ServerPlan {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly doors: Doors;
  /** Where it keeps spans; nothing when it keeps them in memory. */
  readonly dataFolder?: string;
  /** Names of gauges on /metrics that are all 0 once it has settled. */
  readonly settledGauges: readonly string[];
  /** Gauges of what it keeps in its final form: bytes, and spans in them. */
  readonly keptGauges?: { readonly bytes: string; readonly spans: string };
}

export type Build = (dataFolder: string, checkout: string) => Promise<ServerPlan>;

export const jaegerVersion = "1.76.0";
const cache = process.env["SPOOR_BENCH_CACHE"] ?? path.join(os.homedir(), ".cache", "spoor-bench");
export const jaegerBinary = path.join(cache, `jaeger-all-in-one-${jaegerVersion}`);

async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  // Kept: a server that is killed comes back to them.
  while (ports.length < count) ports.push(await keptPort());
  return ports;
}

/** Flags both Jaeger 1.76 and Spoor understand, and the doors they open. */
async function commonFlags(): Promise<{ flags: string[]; doors: Doors }> {
  const ports = await freePorts(6);
  const at = (index: number): string => `127.0.0.1:${ports[index]}`;
  return {
    flags: [
      `--collector.otlp.http.host-port=${at(0)}`,
      `--collector.otlp.grpc.host-port=${at(1)}`,
      `--query.http-server.host-port=${at(2)}`,
      `--admin.http.host-port=${at(3)}`,
      `--collector.http-server.host-port=${at(4)}`,
      `--collector.grpc-server.host-port=${at(5)}`,
    ],
    doors: {
      otlpHttp: `http://${at(0)}/v1/traces`,
      otlpGrpc: at(1),
      jaegerHttp: `http://${at(4)}/api/traces`,
      jaegerGrpc: at(5),
      query: `http://${at(2)}/api`,
      health: `http://${at(3)}/`,
      metrics: `http://${at(3)}/metrics`,
    },
  };
}

/** Jaeger opens one more door than is asked for here; it gets a free port too. */
async function otherJaegerFlags(): Promise<string[]> {
  const ports = await freePorts(1);
  return [`--query.grpc-server.host-port=127.0.0.1:${ports[0]}`];
}

/** Free ports for the doors that are not used here. */
function otherSpoorFlags(used: readonly string[]): string[] {
  const nameOf = (flag: string): string => flag.slice(0, flag.indexOf("="));
  const names = new Set(used.map(nameOf));
  return freePortFlags("all-in-one").filter((flag) => !names.has(nameOf(flag)));
}

function jaeger(storage: "memory" | "badger"): Build {
  return async (dataFolder) => {
    const { flags, doors } = await commonFlags();
    const folders = ["key", "value"].map((kind) => path.join(dataFolder, kind));
    if (storage === "badger")
      for (const folder of folders) fs.mkdirSync(folder, { recursive: true });
    const badger = [
      "--badger.ephemeral=false",
      `--badger.directory-key=${folders[0]}`,
      `--badger.directory-value=${folders[1]}`,
    ];
    return {
      name: `Jaeger ${jaegerVersion} ${storage}`,
      command: [
        jaegerBinary,
        ...flags,
        ...(await otherJaegerFlags()),
        "--log-level=error",
        ...(storage === "badger" ? badger : []),
      ],
      env: { SPAN_STORAGE_TYPE: storage },
      doors,
      ...(storage === "badger" ? { dataFolder } : {}),
      settledGauges: ["jaeger_collector_queue_length"],
    };
  };
}

const keptGauges = {
  bytes: "spoor_embedded_segment_bytes",
  spans: "spoor_embedded_segment_rows",
};

function spoor(storage: "embedded" | "memory" | "blackhole"): Build {
  return async (dataFolder, checkout) => {
    const { flags, doors } = await commonFlags();
    return {
      name: `Spoor ${storage}`,
      command: [
        path.join(checkout, "bin", "spoor"),
        "all-in-one",
        ...flags,
        ...otherSpoorFlags(flags),
        ...(storage === "embedded" ? [`--embedded.directory=${dataFolder}`] : []),
        ...(storage === "memory" ? ["--memory.max-traces=1000000"] : []),
      ],
      env: { SPAN_STORAGE_TYPE: storage },
      doors: { ...doors, find: `${doors.query}/spoor/v1/find` },
      ...(storage === "embedded" ? { dataFolder, keptGauges } : {}),
      settledGauges: storage === "embedded" ? ["spoor_embedded_unsettled_rows"] : [],
    };
  };
}

/** Every server by the name it has on the command line. */
export const builds: Readonly<Record<string, Build>> = {
  spoor: spoor("embedded"),
  "spoor-memory": spoor("memory"),
  "spoor-blackhole": spoor("blackhole"),
  "jaeger-memory": jaeger("memory"),
  "jaeger-badger": jaeger("badger"),
};
