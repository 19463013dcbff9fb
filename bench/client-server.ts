// What tracing adds to a busy node:http server: CPU a request with a server span and a client span.
// Run: node bench/client-server.ts [requests a round]
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import http, { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const REQUESTS = Number(process.argv[2] ?? 4_000);
const ROUNDS = 7;
const CONNECTIONS = 16;
/** What the served process does: nothing, spans that are not sampled, spans that are sent. */
const MODES = ["untraced", "not sampled", "sampled, sent by UDP"] as const;

type Mode = (typeof MODES)[number];

function listen(server: http.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** The served process: each request makes one request to the backend, as services do. */
async function serve(mode: Mode, backend: number, agentPort: number): Promise<void> {
  if (mode !== "untraced") {
    const { initTracer } = await import("../src/client/node/index.ts");
    const { instrumentHttp } = await import("../src/client/node/instrument-http.ts");
    const sampler = { type: "const", param: mode === "not sampled" ? 0 : 1 };
    const reporter = { agentHost: "127.0.0.1", agentPort };
    instrumentHttp(initTracer({ serviceName: "bench", sampler, reporter }));
  }
  const agent = new Agent({ keepAlive: true });
  const server = createServer((_request, response) => {
    const call = http.request({ port: backend, host: "127.0.0.1", path: "/", agent }, (answer) => {
      answer.on("data", () => {});
      answer.on("end", () => response.end("hello"));
    });
    call.end();
  });
  const port = await listen(server);
  process.send!({ port });
  let before = process.cpuUsage();
  process.on("message", (message) => {
    if (message === "begin") before = process.cpuUsage();
    const used = process.cpuUsage(before);
    process.send!({ us: used.user + used.system });
  });
}

function reply<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (message) => resolve(message as T)));
}

function ask(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", path: "/orders", agent }, (response) => {
      response.resume();
      response.on("end", resolve);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Microseconds of CPU of the served process a request. */
async function round(child: ChildProcess, port: number, agent: Agent): Promise<number> {
  const begun = reply(child);
  child.send("begin");
  await begun;
  let left = REQUESTS;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await ask(port, agent);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const ended = reply<{ us: number }>(child);
  child.send("end");
  return (await ended).us / REQUESTS;
}

async function main(): Promise<void> {
  const backend = createServer((_request, response) => response.end("ok"));
  const backendPort = await listen(backend);
  const udp = createSocket("udp4");
  udp.on("message", () => {});
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const children: { mode: Mode; child: ChildProcess; port: number; rounds: number[] }[] = [];
  for (const mode of MODES) {
    const args = [mode, String(backendPort), String(udp.address().port)];
    const child = fork(fileURLToPath(import.meta.url), ["--serve", ...args]);
    const { port } = await reply<{ port: number }>(child);
    children.push({ mode, child, port, rounds: [] });
  }
  // Rounds take turns, so that the machine's moods meet every mode alike.
  for (let i = 0; i < ROUNDS + 2; i++) {
    for (const { child, port, rounds } of children) {
      const us = await round(child, port, agent);
      if (i >= 2) rounds.push(us);
    }
  }
  console.log(`node:http server with one call a request; ${REQUESTS} requests a round`);
  console.log("| served process | best µs of CPU a request | median | more than untraced (best) |");
  console.log("|---|---|---|---|");
  for (const { rounds } of children) rounds.sort((a, b) => a - b);
  const base = children[0]!.rounds[0]!;
  for (const { mode, rounds, child } of children) {
    const cells = [mode, rounds[0]!.toFixed(1), rounds[ROUNDS >> 1]!.toFixed(1)];
    console.log(`| ${cells.join(" | ")} | ${(rounds[0]! - base).toFixed(1)} |`);
    child.kill();
  }
  agent.destroy();
  udp.close();
  backend.close();
  backend.closeAllConnections();
}

const serveAt = process.argv.indexOf("--serve");
if (serveAt < 0) await main();
else {
  const [mode, backend, agentPort] = process.argv.slice(serveAt + 1);
  await serve(mode as Mode, Number(backend), Number(agentPort));
}
