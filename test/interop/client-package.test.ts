// The packed client, installed in an empty folder: ES modules, CommonJS, older Nodes, exits, forks.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startAgent, startCollector } from "./client-servers.ts";
import { readBody, readPacket } from "./client-thrift.ts";
import { measurePages } from "../../bench/client-size.ts";
import { installPackedClient } from "../support/packed-client.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import type { ReadBatch } from "./client-thrift.ts";

const root = join(import.meta.dirname, "..", "..");
let folder = "";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program in the folder until it ends by itself. */
function runProgram(
  name: string,
  source: string,
  env: Record<string, string> = {},
  node: string = process.execPath,
): Promise<Ended> {
  const file = join(folder, name);
  writeFileSync(file, source);
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: PATIENCE_MS, env: { ...process.env, ...env } };
    execFile(node, [file], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? -1);
      resolve({ code, stdout, stderr });
    });
  });
}

async function mustRun(
  name: string,
  source: string,
  env: Record<string, string> = {},
  node?: string,
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(name, source, env, node);
  assert.equal(code, 0, stderr);
  return stdout;
}

function names(batches: readonly ReadBatch[]): string[] {
  return batches.flatMap((batch) => batch.spans.map((span) => span.name));
}

/** Another Node on this machine, if its major version differs from the one that runs this. */
function olderNode(): string | null {
  const path = (process.env["PATH"] ?? "").split(":").filter((each) => !each.includes(root));
  for (const each of path) {
    const candidate = join(each, "node");
    try {
      const version = execFileSync(candidate, ["--version"], { encoding: "utf8" });
      if (version.split(".", 1)[0] !== process.version.split(".", 1)[0]) return candidate;
    } catch {
      // No node there.
    }
  }
  return null;
}

before(() => {
  folder = installPackedClient(["prom-client", "tdigest", "bintrees", "@opentelemetry"]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const README = `
var initTracer = require('spoor-client').initTracer;
var PrometheusMetricsFactory = require('spoor-client').PrometheusMetricsFactory;
var promClient = require('prom-client');
var opentracing = require('spoor-client').opentracing;
var ZipkinB3TextMapCodec = require('spoor-client').ZipkinB3TextMapCodec;
var config = {
  serviceName: 'my_awesome_service',
  sampler: { type: 'const', param: 1 },
  reporter: { agentHost: '127.0.0.1', agentPort: Number(process.env.PORT) },
};
var metrics = new PrometheusMetricsFactory(promClient, config.serviceName);
var logger = { info: function (m) { console.log(m); }, error: function (m) { console.log(m); } };
var options = { tags: { 'my-awesome-service.version': '1.1.2' }, metrics: metrics, logger: logger };
var tracer = initTracer(config, options);
var codec = new ZipkinB3TextMapCodec({ urlEncoding: true });
tracer.registerInjector(opentracing.FORMAT_HTTP_HEADERS, codec);
tracer.registerExtractor(opentracing.FORMAT_HTTP_HEADERS, codec);
var span = tracer.startSpan('readme');
span.setTag(opentracing.Tags.SAMPLING_PRIORITY, 1);
var headers = {};
tracer.inject(span, opentracing.FORMAT_HTTP_HEADERS, headers);
span.finish();
promClient.register.metrics().then(function (text) {
  console.log(Object.keys(headers).join(), /my_awesome_service_jaeger:started_spans/.test(text));
  tracer.close(function () { console.log('closed'); });
});
`;

const TYPED = `
import { InMemoryReporter, TextMapCodec, initTracer, opentracing } from "spoor-client";
import type { JaegerTracer, Logger, Reporter, ReporterConfig, SamplerConfig } from "spoor-client";
import type { Injector, TextMapCodecOptions, TracingConfig, TracingOptions } from "spoor-client";
import { instrumentHttp } from "spoor-client/http";
import { SpoorTracerProvider } from "spoor-client/opentelemetry";
import * as api from "@opentelemetry/api";
const config: TracingConfig = { serviceName: "s", sampler: { type: "const", param: 1 } };
const tracer = initTracer(config, { tags: { a: 1 }, reporter: new InMemoryReporter() });
const standard: opentracing.Tracer = tracer;
const span: opentracing.Span = standard.startSpan("op", { childOf: tracer.startSpan("parent") });
const name: string = tracer.startSpan("op")._operationName;
const size: number = tracer.startSpan("op").context().traceId.length;
const reporter: Reporter = {
  report: (reported: opentracing.Span) => void reported.context(),
  close: (done) => done?.(),
  setProcess: (_service: string, _tags: unknown) => {},
};
const parts: [SamplerConfig, ReporterConfig] = [{ type: "const", param: 1 }, { logSpans: true }];
const logger: Logger = { info: (_text: string) => {}, error: (_text: string) => {} };
const options: TracingOptions = { reporter, logger, tags: {}, traceId128bit: true };
const codec: Injector = new TextMapCodec({ urlEncoding: true } satisfies TextMapCodecOptions);
const another: JaegerTracer = initTracer({ serviceName: "s", sampler: parts[0] }, options);
another.registerInjector(opentracing.FORMAT_HTTP_HEADERS, codec);
instrumentHttp(tracer);
new SpoorTracerProvider(tracer, api).register();
console.log(span, name, size);
`;

/** Types that are \`any\` would not refuse this, and the compiler would say so. */
const WRONG = `
// @ts-expect-error there is no such option
spoor.initTracer({ serviceNam: 1 });
`;

describe("the packed client", () => {
  it("runs jaeger-client's examples but for the import", async () => {
    const agent = await startAgent();
    const stdout = await mustRun("readme.cjs", README, { PORT: String(agent.port) });
    assert.match(stdout, /x-b3-traceid,x-b3-spanid,x-b3-flags true\nclosed/);
    const [packet] = await agent.received(1);
    const batch = readPacket(packet!, "binary");
    assert.equal(batch.service, "my_awesome_service");
    assert.equal(batch.spans[0]!.flags, 3);
    await agent.close();
  });

  it("has the same names for import, import as one object, and require", async () => {
    const source = `
      import * as named from 'spoor-client';
      import whole from 'spoor-client';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('spoor-client');
      const missing = (a, b) => Object.keys(a).filter((k) => k !== 'default' && !(k in b));
      console.log(JSON.stringify([missing(required, named), missing(named, whole)]));
      console.log(Object.keys(required).sort().join());`;
    const [missing, all] = (await mustRun("names.mjs", source)).trim().split("\n");
    assert.equal(missing, "[[],[]]");
    const jaeger = ["Configuration", "initTracer", "initTracerFromEnv", "SpanContext", "Span"];
    jaeger.push("Tracer", "ConstSampler", "ProbabilisticSampler", "RateLimitingSampler");
    jaeger.push("RemoteSampler", "experimental", "CompositeReporter", "InMemoryReporter");
    jaeger.push("LoggingReporter", "NoopReporter", "RemoteReporter", "TextMapCodec", "TestUtils");
    jaeger.push("ZipkinB3TextMapCodec", "PrometheusMetricsFactory", "opentracing");
    for (const name of jaeger) assert.ok(all!.split(",").includes(name), name);
  });

  it("has every entry in both module kinds", async () => {
    const entries = ["http", "fetch", "express", "fastify", "grpc", "opentelemetry"];
    const source = `
      const { createRequire } = await import('node:module');
      const require = createRequire(import.meta.url);
      for (const entry of ${JSON.stringify(entries)}) {
        const name = 'spoor-client/' + entry;
        const [a, b] = [Object.keys(await import(name)), Object.keys(require(name))];
        const same = a.sort().join() === b.filter((k) => k !== 'default').sort().join();
        console.log(entry, same, a.length > 0);
      }`;
    const lines = (await mustRun("entries.mjs", source)).trim().split("\n");
    assert.deepEqual(
      lines,
      entries.map((entry) => `${entry} true true`),
    );
    // Compilers that resolve as Node 10 did look here instead of in `exports`.
    const installed = join(folder, "node_modules", "spoor-client");
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    for (const entry of entries) {
      const [types] = manifest.typesVersions["*"][entry];
      assert.equal(types, manifest.exports[`./${entry}`].require.types);
      assert.ok(existsSync(join(installed, types)), types);
    }
  });

  it("has types for strict programs of both module kinds, libraries checked too", () => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      module: "nodenext",
      target: "es2022",
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    };
    const files = ["typed.mts", "typed.cts"];
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    writeFileSync(join(folder, "typed.mts"), TYPED);
    const required = 'import spoor = require("spoor-client");\nspoor.initTracer({});\n' + WRONG;
    writeFileSync(join(folder, "typed.cts"), required);
    const tsc = join(root, "node_modules", ".bin", "tsc");
    execFileSync(tsc, ["-p", folder], { stdio: "pipe", timeout: PATIENCE_MS });
  });

  it("keeps a trace whole where a program holds both module kinds", async () => {
    const source = `
      import { createRequire } from 'node:module';
      import * as a from 'spoor-client';
      const b = createRequire(import.meta.url)('spoor-client');
      const make = (copy) => {
        const reporter = new copy.InMemoryReporter();
        const config = { serviceName: 's', sampler: { type: 'const', param: 1 } };
        return { reporter, tracer: copy.initTracer(config, { reporter }) };
      };
      const parent = make(a).tracer.startSpan('parent');
      const { tracer, reporter } = make(b);
      for (const given of [parent, parent.context()]) {
        const child = tracer.startSpan('child', { childOf: given });
        const headers = {};
        tracer.inject(given, 'http_headers', headers);
        console.log(child.context().toTraceId() === parent.context().toTraceId(),
          child.context().parentIdStr === parent.context().toSpanId(),
          headers['uber-trace-id'] === String(parent.context()));
      }`;
    assert.equal(await mustRun("both.mjs", source), "true true true\n".repeat(2));
  });

  it("adds at most 12 kB to a page", async () => {
    const pages = await measurePages(folder);
    const { gzipBytes } = pages.find(({ imports }) => imports === "spoor-client: initTracer")!;
    assert.ok(gzipBytes > 3_000 && gzipBytes <= 12_000, `${gzipBytes} bytes`);
  });

  it("runs on an older Node", async (context) => {
    const node = olderNode();
    if (node === null) {
      context.skip("no Node of another major version is in the PATH");
      return;
    }
    const agent = await startAgent();
    const env = { PORT: String(agent.port) };
    assert.match(await mustRun("older.cjs", README, env, node), /closed/);
    await agent.received(1);
    await agent.close();
  });
});

const START = `
const { initTracer } = require('spoor-client');
const reporter = process.env.ENDPOINT
  ? { collectorEndpoint: process.env.ENDPOINT }
  : { agentHost: '127.0.0.1', agentPort: Number(process.env.PORT) };
const config = { serviceName: 'svc', sampler: { type: 'const', param: 1 }, reporter };
const tracer = initTracer(config);
`;

describe("the end of a process", () => {
  const ways: [string, string][] = [
    ["runs out of work", ""],
    ["calls process.exit", "process.exit(0);"],
    ["throws", "setImmediate(() => { throw new Error('on purpose'); });"],
  ];
  for (const [way, end] of ways) {
    it(`that ${way} still sends by UDP`, async () => {
      const agent = await startAgent();
      const source = `${START} tracer.startSpan('last').finish(); ${end}`;
      await runProgram("exit.cjs", source, { PORT: String(agent.port) });
      const [packet] = await agent.received(1);
      assert.deepEqual(names([readPacket(packet!, "binary")]), ["last"]);
      await agent.close();
    });
  }

  it("that runs out of work still sends by HTTP", async () => {
    const collector = await startCollector();
    const ENDPOINT = `${collector.url}/api/traces`;
    const source = `${START} tracer.startSpan('last').finish();`;
    assert.equal((await runProgram("exit.cjs", source, { ENDPOINT })).code, 0);
    const [call] = await collector.received(1);
    assert.deepEqual(names([readBody(call!.body)]), ["last"]);
    await collector.close();
  });

  it("is not held up by a collector that is gone, nor by the remote sampler", async () => {
    const source = `
      const { initTracer } = require('spoor-client');
      const reporter = { collectorEndpoint: 'http://127.0.0.1:1/api/traces' };
      initTracer({ serviceName: 'svc' });
      const sampler = { type: 'const', param: 1 };
      const tracer = initTracer({ serviceName: 'svc', sampler, reporter });
      tracer.startSpan('last').finish();`;
    const started = Date.now();
    assert.equal((await runProgram("gone.cjs", source)).code, 0);
    // All attempts take two minutes, and the sampler asks for ever.
    assert.ok(Date.now() - started < 60_000);
  });
});

const WORK = `
  ${START}
  const spans = Array.from({ length: 20 }, () => tracer.startSpan(process.env.NAME ?? name));
  for (const span of spans) span.finish();
`;

describe("several in one program", () => {
  const programs: Record<string, string> = {
    cluster: `
      const cluster = require('node:cluster');
      if (cluster.isPrimary) {
        for (const NAME of ['a', 'b', 'c']) cluster.fork({ NAME });
      } else {
        const name = '';
        ${WORK}
        tracer.close(() => process.disconnect());
      }`,
    fork: `
      const { fork } = require('node:child_process');
      if (!process.env.NAME) {
        const name = 'a';
        ${WORK}
        for (const NAME of ['b', 'c']) fork(__filename, { env: { ...process.env, NAME } });
      } else {
        const name = '';
        ${WORK}
      }`,
    "worker threads": `
      const { Worker, isMainThread, workerData } = require('node:worker_threads');
      if (isMainThread) {
        for (const name of ['a', 'b', 'c']) new Worker(__filename, { workerData: name });
      } else {
        const name = workerData;
        ${WORK}
      }`,
  };
  for (const [kind, source] of Object.entries(programs)) {
    it(`have ids and sockets of their own: ${kind}`, async () => {
      const agent = await startAgent();
      await mustRun("several.cjs", source, { PORT: String(agent.port) });
      const packets = await agent.received(3);
      const batches = packets.map((packet) => readPacket(packet, "binary"));
      const spans = batches.flatMap((batch) => batch.spans);
      const byName = new Map(["a", "b", "c"].map((name) => [name, 0]));
      for (const { name } of spans) byName.set(name, byName.get(name)! + 1);
      assert.deepEqual([...byName.values()], [20, 20, 20]);
      assert.equal(new Set(spans.map((span) => span.traceId)).size, 60);
      const uuid = (batch: ReadBatch): unknown =>
        batch.processTags.find(([key]) => key === "client-uuid")![2];
      assert.equal(new Set(batches.map(uuid)).size, 3);
      await agent.close();
    });
  }
});
