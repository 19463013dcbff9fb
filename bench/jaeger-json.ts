// Jaeger's UI JSON of 20 traces of 24 spans with 10 attributes each, adjusted: µs a span.

import { BatchBuilder } from "../src/core/builder.ts";
import { ATTRIBUTE_TYPE } from "../src/core/batch.ts";
import type { SpanBatch } from "../src/core/batch.ts";
import { adjustTrace } from "../src/core/trace/adjust.ts";
import { viewTrace } from "../src/core/trace/view.ts";
import { encodeJaegerTrace } from "../src/wire/jaeger-json.ts";
import { JsonWriter } from "../src/wire/json-writer.ts";

const traces = 20;
const spansEach = 24;
const rounds = 300;

function makeTrace(seed: number): SpanBatch {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const text = (key: string, value: string): readonly [number, number] => [
    builder.key(builder.text(key), ATTRIBUTE_TYPE.STRING),
    builder.text(value),
  ];
  for (const [key, value] of [
    ["service.name", `service-${seed % 7}`],
    ["host.name", `host-${seed % 5}`],
    ["service.instance.id", `0b1f-${seed}`],
    ["telemetry.sdk.language", "nodejs"],
  ] as const) {
    builder.resourceAttributes.add(...text(key, value));
  }
  const scope = builder.addScope();
  builder.scopeNameId[scope] = builder.text("@opentelemetry/instrumentation-http");
  for (let s = 0; s < spansEach; s++) {
    const i = builder.addSpan(resource, scope);
    builder.traceId.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, seed + 1], i * 16);
    builder.spanId.set([9, 8, 7, 6, 5, 4, seed, s + 1], i * 8);
    if (s > 0) builder.parentSpanId.set([9, 8, 7, 6, 5, 4, seed, (s >> 1) + 1], i * 8);
    builder.nameId[i] = builder.text(`GET /api/orders/:id/${s % 5}`);
    builder.kind[i] = 1 + (s % 5);
    builder.startUs[i] = 1.7e15 + seed * 1000 + s * 10;
    builder.durationNs[i] = 1_000_000 - s * 20_000;
    for (const [key, value] of [
      ["http.request.method", "GET"],
      ["url.path", `/api/orders/${seed * 1000 + s}`],
      ["url.scheme", "https"],
      ["server.address", "orders.internal"],
      ["user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"],
      ["network.protocol.version", "1.1"],
      ["customer.id", `customer-${(seed * 31 + s) % 997}`],
    ] as const) {
      builder.spanAttributes.add(...text(key, value));
    }
    const int = (key: string): number => builder.key(builder.text(key), ATTRIBUTE_TYPE.INT);
    builder.spanAttributes.add(int("http.response.status_code"), builder.int(200n));
    builder.spanAttributes.add(int("server.port"), builder.int(8080n));
    const double = builder.key(builder.text("queue.seconds"), ATTRIBUTE_TYPE.DOUBLE);
    builder.spanAttributes.add(double, builder.double(0.125 + s / 1000));
  }
  return builder.finish();
}

const batches = Array.from({ length: traces }, (_, seed) => makeTrace(seed));

function encodeAll(): number {
  const writer = new JsonWriter();
  let bytes = 0;
  for (const batch of batches) {
    const view = viewTrace([batch]);
    adjustTrace(view);
    for (const _ of encodeJaegerTrace(writer, view)) {
      for (const chunk of writer.take()) bytes += chunk.length;
    }
  }
  for (const chunk of writer.take()) bytes += chunk.length;
  return bytes;
}

const bytes = encodeAll();
for (let round = 0; round < rounds; round++) encodeAll();
const spans = traces * spansEach;
const perSpan: number[] = [];
for (let run = 0; run < 5; run++) {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) encodeAll();
  const { user, system } = process.cpuUsage(before);
  perSpan.push((user + system) / rounds / spans);
}
perSpan.sort((a, b) => a - b);
const [fastest, , middle] = perSpan as [number, number, number];
console.log(
  `jaeger-json: ${middle.toFixed(2)} µs CPU a span, fastest run ${fastest.toFixed(2)} ` +
    `(${traces} traces of ${spansEach} spans, n=5×${rounds})`,
);
console.log(`jaeger-json: ${(bytes / spans).toFixed(0)} bytes a span`);
