/** The agent under load: packets by UDP, agent on one core, a sink that counts spans over gRPC. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CounterTable } from "../src/base/counters.ts";
import { BatchBuilder } from "../src/core/builder.ts";
import type { SpanBatch } from "../src/core/batch.ts";
import { partsOf } from "../src/exporters/jaeger-grpc/post-spans.ts";
import { startGrpcServer } from "../src/net/grpc-server.ts";
import { rebuildBatch } from "../src/pipeline/rebuild.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { encodeJaegerThrift } from "../test/support/jaeger-thrift-encode.ts";
import { Dataset } from "./dataset.ts";
import { farAway } from "./far-away.ts";
import { cpuSeconds, memory, pin } from "./process-stats.ts";

const POST_SPANS = "/jaeger.api_v2.CollectorService/PostSpans";
const AGENT_CORE = 0;
const LOAD_CORE = 1;
const HOST = "127.0.0.1";
const TICK_MS = 2;
const MOST_PACKET_BYTES = 65_000;
const QUIET_MS = 1000;
const LAUNCHER = fileURLToPath(new URL("../bin/spoor", import.meta.url));

interface Packet {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

/** Packets of at most `perPacket` spans of one process, in the order an agent would see them. */
function makePackets(spans: number, perPacket: number): Packet[] {
  const endSeconds = Math.floor(Date.now() / 1000);
  const options = { spans, seed: 1, endSeconds, seconds: 60, sampleEvery: spans };
  const builder = new BatchBuilder();
  const packets: Packet[] = [];
  for (const { body } of new Dataset(options).requests()) {
    const { batch } = decodeOtlpProto(body, builder);
    for (let from = 0; from < batch.spanCount;) {
      let count = Math.min(perPacket, batch.spanCount - from);
      let bytes = packetOf(batch, from, count);
      while (bytes.length > MOST_PACKET_BYTES) bytes = packetOf(batch, from, (count -= 5));
      packets.push({ bytes: bytes.slice(), spans: count });
      from += count;
    }
  }
  return packets;
}

function packetOf(batch: SpanBatch, from: number, count: number): Uint8Array {
  const part = rebuildBatch(batch, { keepSpan: (i) => i >= from && i < from + count });
  return encodeJaegerThrift(part, "compact", true);
}

interface Sink {
  readonly port: number;
  readonly seen: { spans: number; calls: number };
}

async function startSink(): Promise<Sink> {
  const seen = { spans: 0, calls: 0 };
  const handle = async (request: Uint8Array): Promise<Uint8Array> => {
    seen.spans += partsOf(request).spanCount;
    seen.calls++;
    return new Uint8Array(0);
  };
  const { port } = await startGrpcServer({
    host: HOST,
    port: 0,
    flag: "port",
    name: "sink",
    methods: new Map([[POST_SPANS, { handle }]]),
    counters: new CounterTable(),
  });
  return { port, seen };
}

interface Agent {
  readonly child: ChildProcess;
  readonly udpPort: number;
  readonly admin: string;
}

async function startAgent(launcher: string, sinkPort: number, more: string[]): Promise<Agent> {
  const doors = ["processor.jaeger-compact.server-", "admin.http."];
  const off = [
    "processor.jaeger-binary.server-",
    "processor.zipkin-compact.server-",
    "http-server.",
  ];
  const args = [
    "agent",
    `--reporter.grpc.host-port=${HOST}:${sinkPort}`,
    ...doors.map((name) => `--${name}host-port=${HOST}:0`),
    ...off.map((name) => `--${name}host-port=`),
    ...more,
  ];
  const child = spawn(launcher, args, { stdio: ["ignore", "pipe", "inherit"] });
  pin(child.pid!, AGENT_CORE);
  const [banner] = (await once(child.stdout!, "data")) as [Buffer];
  const portOf = (name: string): number =>
    Number(new RegExp(`^ *${name} .*:(\\d+)/?$`, "m").exec(String(banner))?.[1]);
  pin(child.pid!, AGENT_CORE);
  return { child, udpPort: portOf("UDP compact"), admin: `http://${HOST}:${portOf("Health")}` };
}

async function metric(agent: Agent, name: string): Promise<number> {
  const text = await (await fetch(`${agent.admin}/metrics`)).text();
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}

/** Sends `spans` spans at a rate a second; resolves to how many were sent. */
async function send(
  socket: Socket,
  port: number,
  packets: readonly Packet[],
  load: { readonly spans: number; readonly rate: number },
): Promise<number> {
  const startMs = performance.now();
  let sent = 0;
  let next = 0;
  while (sent < load.spans) {
    const due = ((performance.now() - startMs) / 1000) * load.rate;
    while (sent < Math.min(due, load.spans)) {
      const { bytes, spans } = packets[next++ % packets.length]!;
      socket.send(bytes, port, HOST);
      sent += spans;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return sent;
}

async function quiet(sink: Sink): Promise<void> {
  for (let before = -1; before !== sink.seen.spans;) {
    before = sink.seen.spans;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "1000000" },
    rates: { type: "string", default: "50000,100000,150000" },
    "per-packet": { type: "string", default: "10,100" },
    launcher: { type: "string", default: LAUNCHER },
    flag: { type: "string", multiple: true, default: [] },
    "round-trip-ms": { type: "string", default: "0" },
  },
});

pin(process.pid, LOAD_CORE);
const sink = await startSink();
const roundTripMs = Number(values["round-trip-ms"]);
const sinkPort = roundTripMs === 0 ? sink.port : await farAway(sink.port, roundTripMs);
const socket = createSocket({ type: "udp4", sendBufferSize: 4 * 1024 * 1024 });
const spans = Number(values.spans);
for (const perPacket of values["per-packet"].split(",").map(Number)) {
  const packets = makePackets(5000, perPacket);
  const bytes = packets.reduce((sum, packet) => sum + packet.bytes.length, 0);
  const meanBytes = Math.round(bytes / packets.length);
  const meanSpans = packets.reduce((sum, packet) => sum + packet.spans, 0) / packets.length;
  console.log(`packets of ${meanSpans.toFixed(1)} spans, ${meanBytes} bytes`);
  const agent = await startAgent(values.launcher, sinkPort, values.flag);
  const pid = agent.child.pid!;
  await send(socket, agent.udpPort, packets, { spans: 100_000, rate: 50_000 });
  await quiet(sink);
  for (const rate of values.rates.split(",").map(Number)) {
    const drops = "spoor_udp_kernel_dropped_packets";
    const dropped = "jaeger_agent_thrift_udp_server_packets_dropped_total";
    const before = { kernel: await metric(agent, drops), own: await metric(agent, dropped) };
    const seenBefore = { ...sink.seen };
    const cpuBefore = cpuSeconds(pid);
    const startMs = performance.now();
    const sent = await send(socket, agent.udpPort, packets, { spans, rate });
    const seconds = (performance.now() - startMs) / 1000;
    await quiet(sink);
    const got = sink.seen.spans - seenBefore.spans;
    const calls = sink.seen.calls - seenBefore.calls;
    const cpu = ((cpuSeconds(pid) - cpuBefore) / got) * 1e6;
    const kernel = (await metric(agent, drops)) - before.kernel;
    const own = (await metric(agent, dropped)) - before.own;
    const { rss, peak } = memory(pid);
    const mib = (size: number): string => (size / 2 ** 20).toFixed(0);
    console.log(
      [
        `${Math.round(sent / seconds)} spans/s sent, n=${sent}`,
        `${((got / sent) * 100).toFixed(2)} % delivered`,
        `${cpu.toFixed(2)} CPU-s/M (${Math.round(1e6 / cpu)} spans/s a core)`,
        `${(got / calls).toFixed(0)} spans a call`,
        `packets lost: kernel ${kernel}, queue ${own}`,
        `RSS ${mib(rss)}, peak ${mib(peak)} MiB`,
      ].join("; "),
    );
  }
  agent.child.kill("SIGTERM");
  await once(agent.child, "exit");
}
process.exit(0);
