// What tracing adds to a busy node:http server: CPU a request with a server span and a client span.
// Run: node bench/client.ts. This file is also the served process: `--serve MODE …`.
import { fork } from "node:child_process";
import http, { Agent, createServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer as createSocketServer } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ChildProcess } from "node:child_process";
import type { AddressInfo, Server, Socket } from "node:net";
import { installedFile } from "./client-installed.ts";

/** What a served process does with the requests it traces; the first one tells what is noise. */
export const serverModes = [
  "nothing",
  "spoor-client, not sampled",
  "spoor-client, sampled and sent by UDP",
  "jaeger-client by hand, sampled and sent by UDP",
] as const;

type Mode = (typeof serverModes)[number];

export interface ServerCost {
  readonly mode: Mode;
  /** Microseconds of CPU a request that is not traced, median of the rounds. */
  readonly plainUs: number;
  /** What a traced round used more than the plain one beside it: median, and 95 % about it. */
  readonly moreUs: number;
  readonly lowUs: number;
  readonly highUs: number;
  readonly rounds: number;
}

/** The path of requests that are not traced, and of those that are. */
const KINDS = ["/plain", "/orders"] as const;
type Kind = (typeof KINDS)[number];

const CONNECTIONS = 16;
/** Requests of each kind before any counts: what runs once a request is optimized late. */
const WARM_REQUESTS = 16_000;

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** The mark of requests that the client's instrumentation leaves alone. */
const UNTRACED = Symbol.for("spoor-client.untraced");
/** As much for Node to copy where there is no mark. */
const TRACED = Symbol("traced");

function plainHandler(backend: number): Handler {
  const agent = new Agent({ keepAlive: true });
  const to = { port: backend, host: "127.0.0.1", path: "/", agent };
  return (incoming, response) => {
    const mark = incoming.url === KINDS[0] ? { [UNTRACED]: true } : { [TRACED]: true };
    const options = { ...to, ...mark };
    const call = http.request(options, (answer) => {
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
    const ignore = (request: http.IncomingMessage): boolean => request.url === KINDS[0];
    instrumentHttp(initTracer({ serviceName: "bench", sampler, reporter }), { ignore });
  }
  const plain = plainHandler(backend);
  const byHand = mode.startsWith("jaeger-client");
  const traced = byHand ? jaegerHandler(backend, agentPort) : plain;
  const port = await listen(
    createServer((request, response) => {
      if (request.url === KINDS[0]) plain(request, response);
      else traced(request, response);
    }),
  );
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

/** What a service before this one would send; as many bytes whatever the mode. */
function requestBytes(mode: Mode, kind: Kind): string {
  const flags = mode.includes("not sampled") ? 0 : 1;
  const trace = `uber-trace-id: 1f3a5c7e9b2d4f60:2b4d6f8091a3c5e7:0:${flags}`;
  return `GET ${kind} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n${trace}\r\n\r\n`;
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
  readonly us: Record<Kind, number[]> = { "/plain": [], "/orders": [] };
  readonly #child: ChildProcess;
  #connections: Connection[] = [];

  constructor(mode: Mode, args: readonly string[]) {
    this.mode = mode;
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
  async round(kind: Kind, requests: number): Promise<number> {
    const bytes = requestBytes(this.mode, kind);
    await this.#cpu("begin");
    let left = requests;
    const work = async (connection: Connection): Promise<void> => {
      while (left-- > 0) await connection.ask(bytes);
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

const ANSWER = Buffer.from(
  "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n" +
    "Date: Sun, 29 Nov 2026 03:00:00 GMT\r\nContent-Length: 2\r\n\r\nok",
);

/** Answers whatever is asked, so cheaply that the served process is what is busy. */
function createBackend(): Server {
  return createSocketServer({ noDelay: true }, (socket) => {
    socket.on("data", () => socket.write(ANSWER));
    socket.on("error", () => {});
  });
}

/**
 * Keeps this process from sleeping until it is called: a write to a process that sleeps pays for
 * waking it, and a server that takes longer meets more sleepers. That alone was 8 µs a request.
 */
function stayAwake(): () => void {
  let awake = true;
  const turn = (): void => {
    if (awake) setImmediate(turn);
  };
  turn();
  return () => {
    awake = false;
  };
}

/**
 * Traced and plain rounds take turns within one process, for two processes that do the same differ
 * by more than tracing costs; which of the two begins changes from pair to pair.
 */
export async function measureServers(
  installed: string,
  udpPort: number,
  options: { rounds: number; requests: number },
): Promise<ServerCost[]> {
  const backend = createBackend();
  const sleep = stayAwake();
  const backendPort = await listen(backend);
  const args = [String(backendPort), String(udpPort), installed];
  const servers = serverModes.map((mode) => new Served(mode, args));
  for (const server of servers) await server.start();
  for (let asked = 0; asked < WARM_REQUESTS; asked += options.requests) {
    for (const server of servers) {
      for (const kind of KINDS) await server.round(kind, options.requests);
    }
  }
  for (let i = 0; i < options.rounds; i++) {
    for (const server of servers) {
      for (const kind of i % 2 === 0 ? KINDS : KINDS.toReversed()) {
        server.us[kind].push(await server.round(kind, options.requests));
      }
    }
  }
  for (const server of servers) server.stop();
  backend.close();
  sleep();
  return servers.map(({ mode, us }) => {
    const plain = us["/plain"];
    const more = medianWithin(us["/orders"].map((value, i) => value - plain[i]!));
    const { median: moreUs, low: lowUs, high: highUs } = more;
    return {
      mode,
      plainUs: medianWithin(plain).median,
      moreUs,
      lowUs,
      highUs,
      rounds: plain.length,
    };
  });
}

const serveAt = process.argv.indexOf("--serve");
if (serveAt >= 0) {
  const [mode, backend, agentPort, at] = process.argv.slice(serveAt + 1);
  await serve(mode as Mode, Number(backend), Number(agentPort), at!);
}
