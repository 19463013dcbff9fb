// What a span costs an application: this client beside jaeger-client and OpenTelemetry.
// Run: node bench/client-span.ts [milliseconds a round]
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { AddressInfo } from "node:net";
import type { Counter } from "../src/client/types.ts";
import type { SpanQueueOptions } from "../src/client/span-queue.ts";

const require = createRequire(import.meta.url);

/** One span of four tags, started and finished. */
type OneSpan = () => unknown;
interface Subject {
  span: OneSpan;
  /** Spans between two turns of the event loop; 0 when nothing is sent. */
  burst: number;
  close(): Promise<void>;
}
type Make = (ports: { udp: number; http: number }) => Promise<Subject> | Subject;

interface TagSpan {
  setTag(key: string, value: unknown): unknown;
  finish(): void;
}

function openTracingSpan(tracer: { startSpan(name: string): TagSpan }): OneSpan {
  return () => {
    const span = tracer.startSpan("GET /orders/:id");
    span.setTag("http.method", "GET");
    span.setTag("http.status_code", 200);
    span.setTag("component", "orders");
    span.setTag("peer.service", "db-main");
    span.finish();
    return span;
  };
}

const nothing = { burst: 0, close: () => Promise.resolve() };
const BURST = 200;

async function spoor(): Promise<typeof import("../src/client/node/index.ts")> {
  return await import("../src/client/node/index.ts");
}

const spoorWith =
  (rate: number): Make =>
  async () => {
    const { InMemoryReporter, ProbabilisticSampler, Tracer } = await spoor();
    const reporter = new InMemoryReporter();
    reporter.report = () => {};
    const tracer = new Tracer("bench", reporter, new ProbabilisticSampler(rate));
    return { ...nothing, span: openTracingSpan(tracer) };
  };

const spoorEncoded =
  (kind: "binary" | "compact" | "otlp"): Make =>
  async () => {
    const { ConstSampler, RemoteReporter, Tracer, systemTimers } = await spoor();
    const { OtlpFormat } = await import("../src/client/otlp-format.ts");
    const { ThriftFormat } = await import("../src/client/thrift-format.ts");
    const { SpanQueue } = await import("../src/client/span-queue.ts");
    const format = kind === "otlp" ? new OtlpFormat() : new ThriftFormat(kind, true);
    const options: SpanQueueOptions = {
      format,
      timers: systemTimers,
      maxBatchBytes: 65_000,
      transport: {
        parallel: 1,
        send: (_bytes, done) => done("sent"),
        close: (done) => done(),
      },
    };
    const reporter = new RemoteReporter(new SpanQueue(options));
    const tracer = new Tracer("bench", reporter, new ConstSampler(true));
    return { ...nothing, span: openTracingSpan(tracer) };
  };

const spoorReporting =
  (reporter: (ports: { udp: number; http: number }) => object): Make =>
  async (ports) => {
    const { initTracer } = await spoor();
    const sampler = { type: "const", param: 1 };
    let lost = 0;
    const createCounter = (_name: string, labels?: Record<string, string>): Counter => ({
      increment: (delta) => {
        if (labels?.["result"] === "dropped" || labels?.["result"] === "err") lost += delta;
      },
    });
    const metrics = { createCounter, createGauge: () => ({ update() {} }) };
    const config = {
      serviceName: "bench",
      sampler,
      // Room enough for a receiver that has no core to itself.
      reporter: { ...reporter(ports), maxQueueBytes: 64 * 1024 * 1024 },
    };
    const tracer = initTracer(config, { metrics });
    const close = async (): Promise<void> => {
      await new Promise<void>((resolve) => tracer.close(resolve));
      if (lost > 0) throw new Error(`${lost} spans were lost: the numbers say nothing`);
    };
    return { span: openTracingSpan(tracer), burst: BURST, close };
  };

interface JaegerTracer {
  startSpan(name: string): TagSpan;
  close(done: () => void): void;
}
interface JaegerClient {
  initTracer(config: object, options?: object): JaegerTracer;
  Tracer: new (name: string, reporter: unknown, sampler: unknown, options: object) => JaegerTracer;
  NoopReporter: new () => unknown;
  ProbabilisticSampler: new (rate: number) => unknown;
}

const jaegerWith =
  (rate: number): Make =>
  () => {
    const jaeger = require("jaeger-client") as JaegerClient;
    const sampler = new jaeger.ProbabilisticSampler(rate);
    const tracer = new jaeger.Tracer("bench", new jaeger.NoopReporter(), sampler, {});
    return { ...nothing, span: openTracingSpan(tracer) };
  };

const jaegerReporting =
  (reporter: (ports: { udp: number; http: number }) => object): Make =>
  (ports) => {
    const jaeger = require("jaeger-client") as JaegerClient;
    const sampler = { type: "const", param: 1 };
    const config = { serviceName: "bench", sampler, reporter: reporter(ports) };
    const tracer = jaeger.initTracer(config);
    const close = (): Promise<void> => new Promise((resolve) => tracer.close(resolve));
    return { span: openTracingSpan(tracer), burst: BURST, close };
  };

const otel =
  (rate: number, send: boolean): Make =>
  async (ports) => {
    const sdk = await import("@opentelemetry/sdk-trace-node");
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
    const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${ports.http}/v1/traces` });
    const processor = new sdk.BatchSpanProcessor(exporter, {
      maxQueueSize: 100_000,
      scheduledDelayMillis: 100,
    });
    const provider = new sdk.NodeTracerProvider({
      sampler: new sdk.TraceIdRatioBasedSampler(rate),
      spanProcessors: send ? [processor] : [],
    });
    const tracer = provider.getTracer("bench");
    const span = (): unknown => {
      const made = tracer.startSpan("GET /orders/:id");
      made.setAttribute("http.method", "GET");
      made.setAttribute("http.status_code", 200);
      made.setAttribute("component", "orders");
      made.setAttribute("peer.service", "db-main");
      made.end();
      return made;
    };
    return { span, burst: send ? BURST : 0, close: () => provider.shutdown() };
  };

const thriftOver = ({ http }: { http: number }): object => ({
  collectorEndpoint: `http://127.0.0.1:${http}/api/traces`,
});
const overUdp = ({ udp }: { udp: number }): object => ({ agentHost: "127.0.0.1", agentPort: udp });

const SUBJECTS: Readonly<Record<string, Make>> = {
  "spoor-client, not sampled (0.1 %)": spoorWith(0.001),
  "jaeger-client, not sampled (0.1 %)": jaegerWith(0.001),
  "OpenTelemetry, not sampled (0.1 %)": otel(0.001, false),
  "spoor-client, sampled, not reported": spoorWith(1),
  "jaeger-client, sampled, not reported": jaegerWith(1),
  "OpenTelemetry, sampled, not reported": otel(1, false),
  "spoor-client, encoded as Thrift binary": spoorEncoded("binary"),
  "spoor-client, encoded as Thrift compact": spoorEncoded("compact"),
  "spoor-client, encoded as OTLP": spoorEncoded("otlp"),
  "spoor-client, sent by UDP": spoorReporting(overUdp),
  "jaeger-client, sent by UDP": jaegerReporting(overUdp),
  "spoor-client, sent by HTTP (Thrift)": spoorReporting(thriftOver),
  "jaeger-client, sent by HTTP (Thrift)": jaegerReporting(thriftOver),
  "spoor-client, sent by HTTP (OTLP)": spoorReporting(({ http }) => ({
    collectorEndpoint: `http://127.0.0.1:${http}/v1/traces`,
  })),
  "OpenTelemetry, sent by HTTP (OTLP)": otel(1, true),
};

/** Keeps the optimizer from leaving the span out. */
const sink: { last: unknown } = { last: null };

function loop(span: OneSpan, count: number): void {
  for (let i = 0; i < count; i++) sink.last = span();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** Nanoseconds of CPU of this process, garbage collection and sending included, a span. */
async function round(subject: Subject, count: number): Promise<number> {
  const before = process.cpuUsage();
  if (subject.burst === 0) loop(subject.span, count);
  for (let done = 0; subject.burst > 0 && done < count; done += subject.burst) {
    loop(subject.span, subject.burst);
    await turn();
    // Receivers get time: what is dropped costs nothing and would flatter.
    if (done % (BURST * 5) === 0) await pause();
  }
  const used = process.cpuUsage(before);
  return ((used.user + used.system) * 1_000) / count;
}

/** Bytes a span allocates: the heap's growth over spans without a collection in between. */
function allocated(subject: Subject): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const count = 10_000;
  const before = process.memoryUsage().heapUsed;
  loop(subject.span, count);
  return (process.memoryUsage().heapUsed - before) / count;
}

async function measure(name: string, ports: { udp: number; http: number }): Promise<void> {
  const subject = await SUBJECTS[name]!(ports);
  const target = Number(process.argv[2] ?? 300) * 1_000_000;
  for (let i = 0; i < 3; i++) await round(subject, 20_000);
  const first = await round(subject, 20_000);
  const count = Math.max(10_000, Math.min(2_000_000, Math.round(target / first / BURST) * BURST));
  const rounds: number[] = [];
  for (let i = 0; i < 9; i++) rounds.push(await round(subject, count));
  rounds.sort((a, b) => a - b);
  const bytes = subject.burst === 0 ? Math.round(allocated(subject)) : Number.NaN;
  await subject.close();
  console.log(JSON.stringify({ best: rounds[0], median: rounds[4], bytes, count }));
  process.exit(0);
}

/** Runs one subject in a process of its own and returns the line it prints. */
function child(name: string, ports: { udp: number; http: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const flags = [
      "--expose-gc",
      "--min-semi-space-size=128",
      "--max-semi-space-size=128",
      "--no-warnings",
    ];
    const self = fileURLToPath(import.meta.url);
    const started = spawn(process.execPath, [...flags, self, ...process.argv.slice(2)], {
      env: { ...process.env, BENCH_SUBJECT: name, BENCH_PORTS: JSON.stringify(ports) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    started.stdout.on("data", (part: Buffer) => (output += part.toString()));
    started.on("error", reject);
    started.on("close", () => resolve(output));
  });
}

async function main(): Promise<void> {
  const udp = createSocket("udp4");
  udp.on("message", () => {});
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const http = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const ports = { udp: udp.address().port, http: (http.address() as AddressInfo).port };
  console.log("start + 4 tags + finish; ns of CPU a span: best and median of 9 rounds");
  console.log("| client | best ns | median ns | bytes allocated | spans a round |");
  console.log("|---|---|---|---|---|");
  for (const name of Object.keys(SUBJECTS)) {
    const line = await child(name, ports);
    const { best, median, bytes, count } = JSON.parse(line.trim().split("\n").at(-1)!) as {
      best: number;
      median: number;
      bytes: number | null;
      count: number;
    };
    const cells = [name, best.toFixed(0), median.toFixed(0), bytes ?? "", count];
    console.log(`| ${cells.join(" | ")} |`);
  }
  udp.close();
  http.close();
  http.closeAllConnections();
}

const subject = process.env["BENCH_SUBJECT"];
if (subject === undefined) await main();
else await measure(subject, JSON.parse(process.env["BENCH_PORTS"]!));
