/** What receiving costs: CPU µs a span of our HTTP and gRPC servers, and of grpc-js, same bytes. */

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { CounterTable } from "../src/base/counters.ts";
import { BatchBuilder } from "../src/core/builder.ts";
import { startGrpcServer } from "../src/net/grpc-server.ts";
import { startHttpServer } from "../src/net/http-server.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { prepareDataset } from "./dataset-file.ts";
import type { LoadResult } from "./load.ts";
import { cpuSeconds, memory, pin } from "./process-stats.ts";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const EMPTY = new Uint8Array(0);
const LISTEN = { host: "127.0.0.1", port: 0, flag: "port" } as const;

type Work = (body: Uint8Array) => void;

/** Servers by name; each resolves to its port. */
const SERVERS: Readonly<Record<string, (work: Work) => Promise<number>>> = {
  async http(work) {
    const handle = (request: { readonly body: Uint8Array }): { status: number } => {
      work(request.body);
      return { status: 200 };
    };
    const routes = [{ method: "POST" as const, path: "/v1/traces", handle }];
    const counters = new CounterTable();
    return (await startHttpServer({ ...LISTEN, name: "bench", routes, counters })).port;
  },
  async grpc(work) {
    const handle = async (request: Uint8Array): Promise<Uint8Array> => {
      work(request);
      return EMPTY;
    };
    const methods = new Map([[EXPORT, { handle }]]);
    const counters = new CounterTable();
    return (await startGrpcServer({ ...LISTEN, name: "bench", methods, counters })).port;
  },
  "grpc-js"(work) {
    const same = (bytes: Buffer): Buffer => bytes;
    const server = new grpc.Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
    const definition = {
      path: EXPORT,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    } as const;
    server.addService(
      { Export: definition },
      {
        Export: (call: { request: Buffer }, reply: grpc.sendUnaryData<Buffer>) => {
          work(call.request);
          reply(null, Buffer.alloc(0));
        },
      },
    );
    return new Promise((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  },
};

process.on("SIGINT", () => process.exit(0));
async function serve(kind: string, decodes: boolean): Promise<void> {
  const builder = new BatchBuilder();
  const work = decodes ? (body: Uint8Array) => void decodeOtlpProto(body, builder) : () => {};
  const port = await SERVERS[kind]!(work);
  process.send!({ port });
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("message", (message: { port: number }) => resolve(message.port));
    child.once("exit", () => reject(new Error("the server ended")));
  });
}

async function measure(kind: string, work: string, folder: string, spans: number): Promise<string> {
  const args = [import.meta.filename, "--serve", kind, "--work", work];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    const port = await started(server);
    pin(server.pid!, 0);
    const load = (count: number): LoadResult => runLoad(kind, port, folder, count);
    load(Math.min(spans, 50_000));
    const before = cpuSeconds(server.pid!);
    const result = load(spans);
    const cpu = cpuSeconds(server.pid!) - before;
    const micros = ((cpu * 1e6) / result.spans).toFixed(2);
    const rate = Math.round(result.spansPerSecond);
    const peak = Math.round(memory(server.pid!).peak / 2 ** 20);
    const used = `${micros} µs CPU/span, ${rate} spans/s, peak ${peak} MiB`;
    return `${kind} ${work}: ${used}, n=${result.spans}`;
  } finally {
    server.kill();
  }
}

function runLoad(kind: string, port: number, folder: string, spans: number): LoadResult {
  const http = kind === "http";
  const target = http ? `http://127.0.0.1:${port}/v1/traces` : `127.0.0.1:${port}`;
  const load = ["--dataset", folder, "--target", target, "--protocol", http ? "http" : "grpc"];
  const more = ["--connections", "8", "--spans", String(spans)];
  const script = `${import.meta.dirname}/load.ts`;
  const args = ["-c", "1", process.execPath, script, ...load, ...more];
  const run = spawnSync("taskset", args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as LoadResult;
}

const { values } = parseArgs({
  options: {
    serve: { type: "string" },
    work: { type: "string", default: "none" },
    spans: { type: "string", default: "300000" },
    rounds: { type: "string", default: "2" },
  },
});
if (values.serve !== undefined) await serve(values.serve, values.work === "decode");
else {
  const spans = Number(values.spans);
  const { folder } = prepareDataset(spans, Math.floor(Date.now() / 1000));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const kind of Object.keys(SERVERS)) {
      for (const work of ["none", "decode"]) {
        console.log(await measure(kind, work, folder, spans));
      }
    }
  }
}
