// What a span costs an application: this client beside jaeger-client and OpenTelemetry.
// Run: node bench/client.ts. This file is also the process of one subject: BENCH_SUBJECT.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installedFile } from "./client-installed.ts";
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
interface Ports {
  readonly udp: number;
  readonly http: number;
}
type Make = (ports: Ports) => Promise<Subject> | Subject;

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
const ROUND_MS = 120;
/** Before any span counts: the optimizer's own threads are in what the process used. */
const WARM_SPANS = 150_000;

/** A module of the installed client. */
async function load<T>(file: string): Promise<T> {
  const path = installedFile(process.env["BENCH_INSTALLED"]!, file);
  return (await import(pathToFileURL(path).href)) as T;
}

function spoor(): Promise<typeof import("../src/client/node/index.ts")> {
  return load("node/index.js");
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

type Otlp = typeof import("../src/client/otlp-format.ts");
type Thrift = typeof import("../src/client/thrift-format.ts");
type Queue = typeof import("../src/client/span-queue.ts");

const spoorEncoded =
  (kind: "binary" | "compact" | "otlp"): Make =>
  async () => {
    const { ConstSampler, RemoteReporter, Tracer, systemTimers } = await spoor();
    const { OtlpFormat } = await load<Otlp>("otlp-format.js");
    const { ThriftFormat } = await load<Thrift>("thrift-format.js");
    const { SpanQueue } = await load<Queue>("span-queue.js");
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
  (reporter: (ports: Ports) => object): Make =>
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
  (reporter: (ports: Ports) => object): Make =>
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

const thriftOver = ({ http }: Ports): object => ({
  collectorEndpoint: `http://127.0.0.1:${http}/api/traces`,
});
const overUdp = ({ udp }: Ports): object => ({ agentHost: "127.0.0.1", agentPort: udp });

const subjects: Readonly<Record<string, Make>> = {
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

/** Bytes a span allocates: the heap's growth over so few spans that nothing is collected. */
function allocated(subject: Subject): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const count = 2_000;
  const before = process.memoryUsage().heapUsed;
  loop(subject.span, count);
  return (process.memoryUsage().heapUsed - before) / count;
}

const ROUNDS = 5;

interface Measured {
  readonly ns: readonly number[];
  readonly bytes: number | null;
}

async function measure(name: string, ports: Ports): Promise<void> {
  const subject = await subjects[name]!(ports);
  await round(subject, WARM_SPANS);
  const first = await round(subject, 20_000);
  const fitting = Math.round((ROUND_MS * 1_000_000) / first / BURST) * BURST;
  const count = Math.max(10_000, Math.min(2_000_000, fitting));
  const ns: number[] = [];
  for (let i = 0; i < ROUNDS; i++) ns.push(await round(subject, count));
  const bytes = subject.burst === 0 ? Math.round(allocated(subject)) : null;
  await subject.close();
  const measured: Measured = { ns, bytes };
  console.log(JSON.stringify(measured));
  process.exit(0);
}

/** Runs one subject in a process of its own and returns the line it prints. */
function child(name: string, installed: string, ports: Ports): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const self = fileURLToPath(import.meta.url);
    const started = spawn(process.execPath, ["--expose-gc", "--no-warnings", self], {
      env: {
        ...process.env,
        BENCH_SUBJECT: name,
        BENCH_INSTALLED: installed,
        BENCH_PORTS: JSON.stringify(ports),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    started.stdout.on("data", (part: Buffer) => (output += part.toString()));
    started.on("error", reject);
    started.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output.trim().split("\n").at(-1)!) as Measured);
      else reject(new Error(`${name}: ended with ${code}`));
    });
  });
}

export interface SpanCost {
  readonly client: string;
  /** Nanoseconds of CPU a span. */
  readonly bestNs: number;
  readonly medianNs: number;
  readonly bytes: number | null;
  readonly rounds: number;
}

/** Every subject in every pass, one after the other: moods of the machine meet all of them. */
export async function measureSpans(
  installed: string,
  ports: Ports,
  passes: number,
): Promise<SpanCost[]> {
  const found = new Map<string, { ns: number[]; bytes: number | null }>();
  for (let pass = 0; pass < passes; pass++) {
    for (const name of Object.keys(subjects)) {
      const { ns, bytes } = await child(name, installed, ports);
      const before = found.get(name)?.ns ?? [];
      found.set(name, { ns: [...before, ...ns], bytes });
    }
  }
  return [...found].map(([client, { ns, bytes }]) => {
    const sorted = ns.toSorted((a, b) => a - b);
    const medianNs = sorted[sorted.length >> 1]!;
    return { client, bestNs: sorted[0]!, medianNs, bytes, rounds: ns.length };
  });
}

const subject = process.env["BENCH_SUBJECT"];
if (subject !== undefined) await measure(subject, JSON.parse(process.env["BENCH_PORTS"]!) as Ports);
