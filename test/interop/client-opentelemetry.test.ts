// OpenTelemetry's instrumentations on this tracer: what they must not report, and what they count.
import assert from "node:assert/strict";
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, describe, it } from "node:test";
import * as otel from "@opentelemetry/api";
import { InMemoryReporter, initTracer } from "../../src/client/node/index.ts";
import { SpoorTracerProvider } from "../../src/client/node/opentelemetry.ts";
import { closeServer } from "./client-servers.ts";
import type { AddressInfo } from "node:net";

const original = http.request;

/** As their instrumentation of node:http does: a span for whatever is requested. */
function instrument(): boolean[] {
  const recorded: boolean[] = [];
  http.request = ((...args: Parameters<typeof original>) => {
    const span = otel.trace.getTracer("http").startSpan("call", { kind: otel.SpanKind.CLIENT });
    recorded.push(span.isRecording());
    span.end();
    return original(...args);
  }) as typeof original;
  syncBuiltinESMExports();
  return recorded;
}

afterEach(() => {
  http.request = original;
  syncBuiltinESMExports();
  otel.trace.disable();
  otel.context.disable();
  otel.propagation.disable();
});

const SAMPLED = { type: "const", param: 1 };

describe("OpenTelemetry's instrumentations", () => {
  it("leave the requests alone by which spans are reported", async () => {
    let posts = 0;
    const server = http.createServer((request, response) => {
      posts++;
      request.resume();
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const reporter = { collectorEndpoint: `http://127.0.0.1:${port}/api/traces` };
    const tracer = initTracer({ serviceName: "svc", sampler: SAMPLED, reporter });
    new SpoorTracerProvider(tracer, otel).register();
    const recorded = instrument();
    tracer.startSpan("one").finish();
    await new Promise<void>((resolve) => tracer.close(resolve));
    await closeServer(server);
    assert.equal(posts, 1);
    assert.deepEqual(recorded, [false]);
  });

  it("report nothing where tracing is suppressed", () => {
    const reporter = new InMemoryReporter();
    const tracer = initTracer({ serviceName: "svc", sampler: SAMPLED }, { reporter });
    new SpoorTracerProvider(tracer, otel).register();
    const key = otel.createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
    const suppressed = otel.context.active().setValue(key, true);
    const span = otel.trace.getTracer("lib").startSpan("op", {}, suppressed);
    const headers = {};
    otel.propagation.inject(otel.trace.setSpan(suppressed, span), headers);
    span.end();
    assert.equal(span.isRecording(), false);
    assert.deepEqual(headers, {});
    assert.deepEqual(reporter.spans, []);
  });

  it("are measured as what they serve", () => {
    const counted: string[] = [];
    const metrics = {
      createCounter: (name: string) => ({ increment: () => void counted.push(name) }),
      createGauge: () => ({ update() {} }),
    };
    const config = { serviceName: "svc", sampler: SAMPLED, rpcMetrics: true };
    const tracer = initTracer(config, { reporter: new InMemoryReporter(), metrics });
    const scoped = new SpoorTracerProvider(tracer, otel).getTracer("lib");
    scoped.startSpan("op", { kind: otel.SpanKind.SERVER }).end();
    assert.ok(counted.includes("jaeger:requests"));
  });
});
