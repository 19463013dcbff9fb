// What tracing adds to a busy node:http server: CPU a request with a server span and a client span.
// Run: node bench/client.ts. This file is also the served process: `--serve MODE …`.
import { fork } from "node:child_process";
import http, { Agent, createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ChildProcess } from "node:child_process";
import type { AddressInfo, Socket } from "node:net";
import { installedFile } from "./client-installed.ts";

/** What the served process does with each request; the second one tells what is noise. */
export const serverModes = [
  "untraced",
  "untraced, again",
  "spoor-client, not sampled",
  "spoor-client, sampled and sent by UDP",
  "jaeger-client by hand, sampled and sent by UDP",
] as const;

type Mode = (typeof serverModes)[number];

export interface ServerCost {
  readonly mode: Mode;
  /** Microseconds of CPU a request, median of the rounds. */
  readonly medianUs: number;
  /** What a round used more than the untraced one beside it: median, and 95 % about it. */
  readonly moreUs: number;
  readonly lowUs: number;
  readonly highUs: number;
  readonly rounds: number;
}

const CONNECTIONS = 16;
const WARM_ROUNDS = 10;

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

function listen(server: http.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function plainHandler(backend: number): Handler {
  const agent = new Agent({ keepAlive: true });
  return (_request, response) => {
    const call = http.request({ port: backend, host: "127.0.0.1", path: "/", agent }, (answer) => {
      answer.on("data", () => {});
      answer.on("end", () => response.end("hello"));
    });
    call.end();
  };
}

interface JaegerSpan {
  setTag(key: string, value: unknown): JaegerSpan;
  finish(): void;
}
interface JaegerTracer {
  startSpan(name: string, options: object): JaegerSpan;
  extract(format: string, carrier: object): unknown;
  inject(span: JaegerSpan, format: string, carrier: object): void;
}

/** The same two spans, written into the handler as users of jaeger-client do. */
function jaegerHandler(backend: number, agentPort: number): Handler {
  const load = createRequire(import.meta.url);
  const jaeger = load("jaeger-client") as { initTracer(config: object): JaegerTracer };
  const sampler = { type: "const", param: 1 };
  const reporter = { agentHost: "127.0.0.1", agentPort };
  const tracer = jaeger.initTracer({ serviceName: "bench", sampler, reporter });
  const agent = new Agent({ keepAlive: true });
  return (incoming, response) => {
    const parent = tracer.extract("http_headers", incoming.headers);
    const server = tracer.startSpan(`HTTP ${incoming.method}`, { childOf: parent });
    server.setTag("span.kind", "server").setTag("component", "node:http");
    server.setTag("http.method", incoming.method).setTag("http.url", incoming.url);
    const client = tracer.startSpan("HTTP GET", { childOf: server });
    client.setTag("span.kind", "client").setTag("component", "node:http");
    client.setTag("http.method", "GET").setTag("http.url", "http://127.0.0.1/");
    client.setTag("peer.hostname", "127.0.0.1");
    const headers = {};
    tracer.inject(client, "http_headers", headers);
    const options = { port: backend, host: "127.0.0.1", path: "/", agent, headers };
    const call = http.request(options, (answer) => {
      client.setTag("http.status_code", answer.statusCode);
      answer.on("data", () => {});
      answer.on("end", () => response.end("hello"));
    });
    call.once("close", () => client.finish());
    response.once("close", () => {
      server.setTag("http.status_code", response.statusCode).finish();
    });
    call.end();
  };
}

type Spoor = typeof import("../src/client/node/index.ts");
type SpoorHttp = typeof import("../src/client/node/instrument-http.ts");

/** The served process: each request makes one request to the backend, as services do. */
async function serve(mode: Mode, backend: number, agentPort: number, at: string): Promise<void> {
  if (mode.startsWith("spoor-client")) {
    const load = (file: string): Promise<unknown> =>
      import(pathToFileURL(installedFile(at, file)).href);
    const { initTracer } = (await load("node/index.js")) as Spoor;
    const { instrumentHttp } = (await load("node/instrument-http.js")) as SpoorHttp;
    const sampler = { type: "const", param: mode.includes("not sampled") ? 0 : 1 };
    const reporter = { agentHost: "127.0.0.1", agentPort };
    instrumentHttp(initTracer({ serviceName: "bench", sampler, reporter }));
  }
  const byHand = mode.startsWith("jaeger-client");
  const handler = byHand ? jaegerHandler(backend, agentPort) : plainHandler(backend);
  const port = await listen(createServer(handler));
  let before = process.cpuUsage();
  process.on("message", (message) => {
    if (message === "end") process.exit(0);
    const used = process.cpuUsage(before);
    if (message === "begin") before = process.cpuUsage();
    process.send!({ us: used.user + used.system });
  });
  process.send!({ port });
}

function reply<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (message) => resolve(message as T)));
}

/** What a service before this one would send; the same bytes whatever the mode. */
function requestBytes(mode: Mode): string {
  const flags = mode.includes("not sampled") ? 0 : 1;
  const trace = `uber-trace-id: 1f3a5c7e9b2d4f60:2b4d6f8091a3c5e7:0:${flags}`;
  return `GET /orders HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n${trace}\r\n\r\n`;
}

/** A kept connection that asks again and again; sockets, for a client would cost more than us. */
class Connection {
  readonly #socket: Socket;
  #answered: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setEncoding("latin1");
    let got = "";
    this.#socket.on("data", (part: string) => {
      got += part;
      if (!got.endsWith("hello")) return;
      if (!got.startsWith("HTTP/1.1 200")) throw new Error(`not served: ${got.slice(0, 80)}`);
      got = "";
      this.#answered();
    });
  }

  ask(bytes: string): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

class Served {
  readonly mode: Mode;
  readonly us: number[] = [];
  readonly #child: ChildProcess;
  readonly #bytes: string;
  #connections: Connection[] = [];

  constructor(mode: Mode, args: readonly string[]) {
    this.mode = mode;
    this.#bytes = requestBytes(mode);
    const self = fileURLToPath(import.meta.url);
    this.#child = fork(self, ["--serve", mode, ...args], { execArgv: [] });
  }

  async start(): Promise<void> {
    const { port } = await reply<{ port: number }>(this.#child);
    this.#connections = Array.from({ length: CONNECTIONS }, () => new Connection(port));
  }

  async #cpu(message: string): Promise<number> {
    const told = reply<{ us: number }>(this.#child);
    this.#child.send(message);
    return (await told).us;
  }

  /** Microseconds of CPU a request. */
  async round(requests: number): Promise<number> {
    await this.#cpu("begin");
    let left = requests;
    const work = async (connection: Connection): Promise<void> => {
      while (left-- > 0) await connection.ask(this.#bytes);
    };
    await Promise.all(this.#connections.map(work));
    return (await this.#cpu("used")) / requests;
  }

  stop(): void {
    for (const connection of this.#connections) connection.close();
    this.#child.send("end");
  }
}

/** The median and the bounds that hold it with 95 % (order statistics, no shape assumed). */
function medianWithin(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number =>
    sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(rank)))]!;
  const middle = (sorted.length - 1) / 2;
  return { median: at(middle), low: at(middle - reach), high: at(middle + reach) };
}

/** Runs the modes in turns, so that the machine's moods meet every mode alike. */
export async function measureServers(
  installed: string,
  udpPort: number,
  options: { rounds: number; requests: number },
): Promise<ServerCost[]> {
  const backend = createServer((_request, response) => response.end("ok"));
  const backendPort = await listen(backend);
  const args = [String(backendPort), String(udpPort), installed];
  const servers = serverModes.map((mode) => new Served(mode, args));
  for (const server of servers) await server.start();
  for (let i = 0; i < WARM_ROUNDS; i++) {
    for (const server of servers) await server.round(options.requests);
  }
  for (let i = 0; i < options.rounds; i++) {
    // Each begins as often as the others: the first after a pause pays for cold caches.
    for (let turn = 0; turn < servers.length; turn++) {
      const server = servers[(turn + i) % servers.length]!;
      server.us.push(await server.round(options.requests));
    }
  }
  for (const server of servers) server.stop();
  backend.close();
  backend.closeAllConnections();
  const untraced = servers[0]!.us;
  return servers.map(({ mode, us }) => {
    const more = medianWithin(us.map((value, i) => value - untraced[i]!));
    const { median } = medianWithin(us);
    const { median: moreUs, low: lowUs, high: highUs } = more;
    return { mode, medianUs: median, moreUs, lowUs, highUs, rounds: us.length };
  });
}

const serveAt = process.argv.indexOf("--serve");
if (serveAt >= 0) {
  const [mode, backend, agentPort, at] = process.argv.slice(serveAt + 1);
  await serve(mode as Mode, Number(backend), Number(agentPort), at!);
}
