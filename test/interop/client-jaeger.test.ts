// The client with others in real requests: a Jaeger 1.76 collector, jaeger-client, OpenTelemetry.
import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as otel from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import {
  ConstSampler,
  InMemoryReporter,
  RemoteSampler,
  initTracer,
  opentracing,
} from "../../src/client/node/index.ts";
import { startJaeger, withoutJaeger } from "../support/running-jaeger.ts";
import { closeServer } from "./client-servers.ts";
import type { Tracer } from "../../src/client/node/index.ts";

const require = createRequire(import.meta.url);

function closed(tracer: Tracer): Promise<void> {
  return new Promise((resolve) => tracer.close(resolve));
}

const EVERY_TAG = {
  text: "schön",
  whole: 42,
  large: Number.MAX_SAFE_INTEGER,
  part: 1.5,
  yes: true,
  bytes: Buffer.from("00ff", "hex"),
  big: 9_007_199_254_740_993n,
};

describe("a real Jaeger 1.76", { skip: withoutJaeger() }, () => {
  it("takes spans with every tag type over HTTP, as Thrift and as OTLP", async () => {
    const jaeger = await startJaeger();
    try {
      for (const collectorEndpoint of [jaeger.collector, jaeger.otlp]) {
        const sampler = { type: "const", param: 1 };
        const reporter = { collectorEndpoint };
        const tracer = initTracer({ serviceName: "svc", sampler, reporter });
        const root = tracer.startSpan("root");
        const child = tracer.startSpan("child", { childOf: root, tags: EVERY_TAG });
        child.log({ event: "hit", n: 7 }).finish();
        root.finish();
        await closed(tracer);
        const spans = await jaeger.spans(root.context().traceIdHex, 2);
        const made = spans.find((span) => span.operationName === "child")!;
        const found = made.tags.filter(({ key }) => key in EVERY_TAG);
        const byKey = Object.fromEntries(found.map(({ key, type, value }) => [key, [type, value]]));
        assert.deepEqual(byKey, {
          text: ["string", "schön"],
          whole: ["int64", 42],
          large: ["int64", Number.MAX_SAFE_INTEGER],
          part: ["float64", 1.5],
          yes: ["bool", true],
          bytes: ["binary", "AP8="],
          // Jaeger's JSON writes what JavaScript cannot hold as text.
          big: ["int64", "9007199254740993"],
        });
      }
    } finally {
      await jaeger.stop();
    }
  });

  it("answers the remote sampler", async () => {
    const jaeger = await startJaeger();
    try {
      const sampler = new RemoteSampler("svc", {
        hostPort: jaeger.sampling,
        samplingPath: "/api/sampling",
        refreshInterval: 0,
        sampler: new ConstSampler(true),
      });
      await new Promise<void>((resolve) => sampler.refresh(resolve));
      // Its default strategy: 1 in 1,000, and so for every operation.
      assert.match(String(sampler.sampler), /samplingRate=0\.001|PerOperationSampler/);
    } finally {
      await jaeger.stop();
    }
  });
});

/** What a service of the chain saw of a request. */
interface Seen {
  trace: string;
  parent: string;
  span: string;
  sampled: boolean;
}

/** One way to serve and call: reads the context of headers, makes a span, writes new headers. */
type Kind = (headers: Record<string, string>) => { seen: Seen; headers: Record<string, string> };

function spoorKind(): Kind {
  const tracer = initTracer(
    { serviceName: "spoor", propagation: ["jaeger", "w3c"], sampler: { type: "const", param: 0 } },
    { reporter: new InMemoryReporter() },
  );
  return (incoming) => {
    const childOf = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, incoming);
    const span = tracer.startSpan("serve", { childOf });
    const headers: Record<string, string> = {};
    tracer.inject(span, opentracing.FORMAT_HTTP_HEADERS, headers);
    const { traceIdHex, parentIdHex, spanIdHex } = span.context();
    const sampled = span.context().isSampled();
    return { seen: { trace: traceIdHex, parent: parentIdHex, span: spanIdHex, sampled }, headers };
  };
}

function jaegerKind(): Kind {
  const jaeger = require("jaeger-client");
  const reporter = new jaeger.InMemoryReporter();
  const tracer = new jaeger.Tracer("jaeger", reporter, new jaeger.ConstSampler(false), {});
  return (incoming) => {
    const childOf = tracer.extract("http_headers", incoming);
    const span = tracer.startSpan("serve", { childOf });
    const headers: Record<string, string> = {};
    tracer.inject(span, "http_headers", headers);
    const context = span.context();
    const pad = (text: string | null, digits: number): string => (text ?? "").padStart(digits, "0");
    const trace = pad(context.traceIdStr, 32);
    const parent = pad(context.parentIdStr, 16);
    const sampled = context.isSampled();
    return { seen: { trace, parent, span: pad(context.spanIdStr, 16), sampled }, headers };
  };
}

function otelKind(): Kind {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer("otel");
  // Registering installs W3C propagation, the default of OpenTelemetry's SDKs.
  provider.register();
  return (incoming) => {
    const { ROOT_CONTEXT, propagation, trace } = otel;
    const parent = propagation.extract(ROOT_CONTEXT, incoming);
    const span = tracer.startSpan("serve", {}, parent);
    const headers: Record<string, string> = {};
    propagation.inject(trace.setSpan(parent, span), headers);
    const { traceId, spanId, traceFlags } = span.spanContext();
    const parentId = trace.getSpanContext(parent)?.spanId ?? "";
    const seen = { trace: traceId, parent: parentId, span: spanId, sampled: traceFlags === 1 };
    return { seen, headers };
  };
}

function call(url: string, headers: Record<string, string>): Promise<Seen[]> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += part.toString()));
      response.on("end", () => resolve(JSON.parse(body) as Seen[]));
    });
    request.on("error", reject);
    request.end();
  });
}

/** Servers of the given kinds, each calling the next over HTTP; answers what all of them saw. */
async function throughChain(kinds: Kind[], headers: Record<string, string>): Promise<Seen[]> {
  const servers = [];
  let next: string | null = null;
  for (const kind of kinds.toReversed()) {
    const after: string | null = next;
    const server = createServer((request, response) => {
      const made = kind(request.headers as Record<string, string>);
      const rest = after === null ? Promise.resolve([]) : call(after, made.headers);
      void rest.then((seen) => response.end(JSON.stringify([made.seen, ...seen])));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    next = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
  const seen = await call(next!, headers);
  for (const server of servers) await closeServer(server);
  return seen;
}

function assertOneTrace(seen: Seen[], trace: string): void {
  for (const [i, each] of seen.entries()) {
    assert.equal(each.trace, trace);
    assert.equal(each.sampled, true);
    if (i > 0) assert.equal(each.parent, seen[i - 1]!.span);
  }
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";

describe("a trace through several kinds of services", () => {
  it("crosses jaeger-client, Spoor and jaeger-client", async () => {
    const kinds = [jaegerKind(), spoorKind(), jaegerKind(), spoorKind()];
    const seen = await throughChain(kinds, { "uber-trace-id": `${TRACE}:1:0:1` });
    assert.equal(seen.length, 4);
    assertOneTrace(seen, TRACE);
  });

  it("crosses OpenTelemetry, Spoor and OpenTelemetry", async () => {
    const kinds = [otelKind(), spoorKind(), otelKind(), spoorKind()];
    const seen = await throughChain(kinds, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
    assert.equal(seen.length, 4);
    assertOneTrace(seen, TRACE);
  });

  it("crosses from jaeger-client to OpenTelemetry where Spoor stands between", async () => {
    const kinds = [jaegerKind(), spoorKind(), otelKind(), spoorKind(), jaegerKind()];
    const seen = await throughChain(kinds, { "uber-trace-id": `${TRACE}:1:0:1` });
    assert.equal(seen.length, 5);
    assertOneTrace(seen, TRACE);
  });
});
