// Receivers on loopback for tests of the client: a UDP agent and an HTTP collector.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { IncomingHttpHeaders, Server } from "node:http";

export interface Agent {
  port: number;
  packets: Buffer[];
  /** Resolves once `count` packets have come. */
  received(count: number): Promise<Buffer[]>;
  close(): Promise<void>;
}

/** Waits for a list to grow to a length, woken by `wake` at every arrival. */
function arrivals<T>(items: T[]): { wake: () => void; received: (count: number) => Promise<T[]> } {
  let waiting: { count: number; resolve: (items: T[]) => void }[] = [];
  const wake = (): void => {
    const ready = waiting.filter((each) => items.length >= each.count);
    waiting = waiting.filter((each) => items.length < each.count);
    for (const each of ready) each.resolve(items);
  };
  const received = (count: number): Promise<T[]> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve });
      wake();
    });
  return { wake, received };
}

export async function startAgent(): Promise<Agent> {
  const socket = createSocket("udp4");
  const packets: Buffer[] = [];
  const { wake, received } = arrivals(packets);
  socket.on("message", (packet) => {
    packets.push(packet);
    wake();
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  return { port: socket.address().port, packets, received, close };
}

export interface HttpCall {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Collector {
  port: number;
  url: string;
  calls: HttpCall[];
  /** What is answered: a status, or a status and a body, by call. */
  answer: (call: HttpCall) => number | { status: number; body: string };
  received(count: number): Promise<HttpCall[]>;
  close(): Promise<void>;
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export async function startCollector(): Promise<Collector> {
  const calls: HttpCall[] = [];
  const { wake, received } = arrivals(calls);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const call = { method, url, headers, body: Buffer.concat(parts) };
      const answer = collector.answer(call);
      const { status, body } = typeof answer === "number" ? { status: answer, body: "" } : answer;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body);
      calls.push(call);
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    port,
    url: `http://127.0.0.1:${port}`,
    calls,
    answer: () => 202,
    received,
    close: () => closeServer(server),
  };
  return collector;
}
