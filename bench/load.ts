/** The load process: sends a dataset's bodies in a closed loop, prints what it saw as JSON. */

import { parseArgs } from "node:util";
import { openDataset, readBodies, requestsFor } from "./dataset-file.ts";
import { GrpcSender } from "./grpc-sender.ts";
import { HttpSender } from "./http-sender.ts";
import { summarize } from "./latency.ts";
import type { Summary } from "./latency.ts";
import type { Sender } from "./sender.ts";

export interface LoadResult {
  readonly protocol: string;
  readonly connections: number;
  readonly requests: number;
  /** Spans in requests that were acknowledged. */
  readonly spans: number;
  readonly seconds: number;
  readonly spansPerSecond: number;
  readonly ackMs: Summary;
  /** Times a request was told to come back later (each was sent again). */
  readonly busy: number;
  /** Times a connection broke under a request (each was sent again). */
  readonly broken: number;
  /** Requests refused for good, with the first answer. */
  readonly refused: number;
  readonly firstRefusal: string;
  readonly partial: number;
  /** Share of its core the load process used: near 1 it measures itself. */
  readonly cpuShare: number;
}

interface LoadOptions {
  readonly protocol: string;
  readonly connections: number;
  /** Spans a second, or 0 for as fast as the server answers. */
  readonly rate: number;
}

/** How a connection is opened, by protocol. */
const openers: Readonly<Record<string, (target: string) => Sender>> = {
  http: (target) => new HttpSender(target),
  grpc: (target) => new GrpcSender(target),
  "jaeger-http": (target) => new HttpSender(target, "application/x-thrift"),
  "jaeger-grpc": (target) => new GrpcSender(target, "/jaeger.api_v2.CollectorService/PostSpans"),
};

const retryMs = 50;
const mostRetries = 2000;
/** Connections that break this often in a row mean that nobody listens. */
const mostBroken = 100;

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

class Load {
  private readonly bodies: readonly Buffer[];
  private readonly counts: readonly number[];
  private readonly options: LoadOptions;
  private readonly latencies: number[] = [];
  private next = 0;
  private sentSpans = 0;
  private spans = 0;
  private busy = 0;
  private broken = 0;
  private refused = 0;
  private partial = 0;
  private firstRefusal = "";
  private startedMs = 0;
  stopping = false;

  constructor(bodies: readonly Buffer[], counts: readonly number[], options: LoadOptions) {
    this.bodies = bodies;
    this.counts = counts;
    this.options = options;
  }

  async run(open: () => Sender): Promise<LoadResult> {
    const { connections } = this.options;
    const cpuBefore = process.cpuUsage();
    this.startedMs = performance.now();
    const senders = Array.from({ length: connections }, open);
    await Promise.all(senders.map((sender) => this.work(sender)));
    const seconds = (performance.now() - this.startedMs) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    for (const sender of senders) sender.close();
    return {
      protocol: this.options.protocol,
      connections,
      requests: this.latencies.length,
      spans: this.spans,
      seconds,
      spansPerSecond: this.spans / seconds,
      ackMs: summarize(this.latencies),
      busy: this.busy,
      broken: this.broken,
      refused: this.refused,
      firstRefusal: this.firstRefusal,
      partial: this.partial,
      cpuShare: (cpu.user + cpu.system) / 1e6 / seconds,
    };
  }

  private async work(sender: Sender): Promise<void> {
    while (this.next < this.bodies.length && !this.stopping) {
      const index = this.next++;
      const count = this.counts[index] as number;
      const dueMs = this.options.rate > 0 ? (this.sentSpans / this.options.rate) * 1000 : 0;
      this.sentSpans += count;
      const earlyMs = dueMs - (performance.now() - this.startedMs);
      if (earlyMs > 0) await sleep(earlyMs);
      await this.deliver(sender, this.bodies[index] as Buffer, count);
    }
  }

  private async deliver(sender: Sender, body: Buffer, count: number): Promise<void> {
    let broken = 0;
    for (let attempt = 0; attempt < mostRetries; attempt++) {
      const sentMs = performance.now();
      const reply = await sender.send(body).catch((reason: unknown) => reason as Error);
      if (reply instanceof Error) {
        this.broken += 1;
        if (++broken === mostBroken) throw reply;
        await sleep(retryMs);
        continue;
      }
      if (reply.accepted) {
        this.latencies.push(performance.now() - sentMs);
        this.spans += count;
        if (reply.bodyBytes > 2) this.partial += 1;
        return;
      }
      if (!reply.busy) {
        this.refused += 1;
        this.firstRefusal ||= `${reply.status} ${reply.text}`;
        return;
      }
      this.busy += 1;
      await sleep(Math.max(reply.retryAfterMs, retryMs));
    }
    throw new Error(`a request was refused or cut off ${mostRetries} times`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dataset: { type: "string" },
      target: { type: "string" },
      protocol: { type: "string", default: "http" },
      connections: { type: "string", default: "32" },
      from: { type: "string", default: "0" },
      spans: { type: "string" },
      rate: { type: "string", default: "0" },
    },
  });
  if (values.dataset === undefined || values.target === undefined) {
    throw new Error("usage: load.ts --dataset FOLDER --target URL|HOST:PORT [--protocol grpc] …");
  }
  const { target } = values;
  const dataset = openDataset(values.dataset);
  const from = Number(values.from);
  const to = from + requestsFor(dataset, Number(values.spans ?? dataset.spans), from);
  const options = {
    protocol: values.protocol,
    connections: Number(values.connections),
    rate: Number(values.rate),
  };
  const load = new Load(readBodies(dataset, from, to), dataset.counts.slice(from, to), options);
  process.on("SIGTERM", () => {
    load.stopping = true;
  });
  const open = openers[options.protocol];
  if (open === undefined) throw new Error(`--protocol is ${Object.keys(openers).join(" or ")}`);
  const result = await load.run(() => open(target));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

if (import.meta.main) await main();
