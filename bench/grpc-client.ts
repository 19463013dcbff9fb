/** What a unary gRPC call costs its client: CPU µs a call and memory, our client and grpc-js. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import { CounterTable } from "../src/base/counters.ts";
import { systemClock } from "../src/base/clock.ts";
import { startGrpcServer } from "../src/net/grpc-server.ts";
import { pin } from "./process-stats.ts";

const PATH = "/jaeger.api_v2.CollectorService/PostSpans";
const IN_FLIGHT = 16;
const DEADLINE_MS = 10_000;

interface Figures {
  readonly microsPerCall: number;
  readonly rssMib: number;
}

type Call = () => Promise<void>;

/** Clients by name: each makes one call a time it is asked. */
const CLIENTS: Readonly<Record<string, (port: number, message: Buffer) => Promise<Call>>> = {
  async own(port, message) {
    const { GrpcChannel } = await import("../src/net/grpc-channel.ts");
    const channel = new GrpcChannel({
      targets: [{ host: "127.0.0.1", port }],
      peers: 1,
      clock: systemClock,
      random: Math.random,
    });
    await channel.ready();
    return async () => {
      const reply = await channel.call(PATH, message, DEADLINE_MS);
      if (reply.code !== 0) throw new Error(reply.message);
    };
  },
  async "grpc-js"(port, message) {
    const grpc = await import("@grpc/grpc-js");
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const same = (bytes: Buffer): Buffer => bytes;
    return () =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + DEADLINE_MS;
        client.makeUnaryRequest(PATH, same, same, message, { deadline }, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
  },
};

async function serve(): Promise<void> {
  const handle = async (): Promise<Uint8Array> => new Uint8Array(0);
  const { port } = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    flag: "port",
    name: "bench",
    methods: new Map([[PATH, { handle }]]),
    counters: new CounterTable(),
  });
  process.send!({ port });
}

async function run(kind: string, port: number, bytes: number, calls: number): Promise<void> {
  const call = await CLIENTS[kind]!(port, Buffer.alloc(bytes, 7));
  let left = 0;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  const all = async (count: number): Promise<void> => {
    left = count;
    await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  };
  await all(Math.min(2000, calls));
  const before = process.cpuUsage();
  await all(calls);
  const { user, system } = process.cpuUsage(before);
  const figures: Figures = {
    microsPerCall: (user + system) / calls,
    rssMib: process.memoryUsage.rss() / 2 ** 20,
  };
  process.send!(figures);
  process.disconnect();
  process.exit(0);
}

function start(...args: string[]): ChildProcess {
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  return spawn(process.execPath, [import.meta.filename, ...args], { stdio: [...stdio] });
}

function told<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", () => reject(new Error("a process of the bench ended")));
  });
}

const { values } = parseArgs({
  options: {
    serve: { type: "boolean", default: false },
    run: { type: "string" },
    port: { type: "string", default: "0" },
    bytes: { type: "string", default: "4000,30000" },
    calls: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
  },
});
if (values.serve) await serve();
else if (values.run !== undefined) {
  await run(values.run, Number(values.port), Number(values.bytes), Number(values.calls));
} else {
  const server = start("--serve");
  pin(server.pid!, 1);
  const { port } = await told<{ port: number }>(server);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const bytes of values.bytes.split(",")) {
      for (const kind of Object.keys(CLIENTS)) {
        const place = ["--run", kind, "--port", String(port)];
        const client = start(...place, "--bytes", bytes, "--calls", values.calls);
        pin(client.pid!, 0);
        const { microsPerCall, rssMib } = await told<Figures>(client);
        const used = `${microsPerCall.toFixed(1)} µs CPU/call, ${rssMib.toFixed(0)} MiB`;
        console.log(`${kind}, ${bytes} bytes: ${used}, n=${values.calls}`);
      }
    }
  }
  server.kill();
}
