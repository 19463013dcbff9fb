/** A process with the stock OpenTelemetry JS SDK: sends a trace by the OTLP exporter it is told. */

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { SpanExporter } from "@opentelemetry/sdk-trace-node";

const EXPORTERS: Readonly<Record<string, (port: string) => SpanExporter>> = {
  protobuf: (port) => new ProtoExporter({ url: `http://127.0.0.1:${port}/v1/traces` }),
  "protobuf gzip": (port) =>
    new ProtoExporter({
      url: `http://127.0.0.1:${port}/v1/traces`,
      compression: CompressionAlgorithm.GZIP,
    }),
  json: (port) => new JsonExporter({ url: `http://127.0.0.1:${port}/v1/traces` }),
  grpc: (port) => new GrpcExporter({ url: `http://127.0.0.1:${port}` }),
  "grpc gzip": (port) =>
    new GrpcExporter({
      url: `http://127.0.0.1:${port}`,
      compression: CompressionAlgorithm.GZIP,
    }),
};

const [kind = "", port = ""] = process.argv.slice(2);
const exporter = EXPORTERS[kind]!(port);
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js-shop", "host.cores": 4 }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer("interop", "1.2.3");
const parent = tracer.startSpan("GET /cart", {
  kind: SpanKind.SERVER,
  startTime: 1_700_000_000_000,
});
const inside = trace.setSpan(ROOT_CONTEXT, parent);
const child = tracer.startSpan(
  "SELECT",
  {
    kind: SpanKind.CLIENT,
    startTime: 1_700_000_000_001,
    links: [{ context: parent.spanContext(), attributes: { why: "test" } }],
    attributes: { text: "Ünï", whole: 42, half: 0.5, yes: true, many: ["a", "b"] },
  },
  inside,
);
child.addEvent("cache miss", { key: "cart:7" }, 1_700_000_000_002);
child.setStatus({ code: SpanStatusCode.ERROR, message: "timed out" });
child.end(1_700_000_000_005);
parent.end(1_700_000_000_010);
const failure = await provider.forceFlush().then(
  () => "",
  (reasons: unknown) => String(reasons),
);
await provider.shutdown().catch(() => {});
const ids = { parent: parent.spanContext(), child: child.spanContext() };
process.stdout.write(JSON.stringify({ ...ids, failure }));
