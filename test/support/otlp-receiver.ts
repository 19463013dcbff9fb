/** OTLP receivers in front of a recording sink, with the stages that count, for tests. */

import type { TestContext } from "node:test";
import { CounterTable } from "../../src/base/counters.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import type { Origin, Sink } from "../../src/core/flow.ts";
import { dictText } from "../../src/core/read.ts";
import type { HttpServer } from "../../src/net/http-server.ts";
import { countStage } from "../../src/pipeline/count.ts";
import { Ledger } from "../../src/pipeline/ledger.ts";
import { throughStages } from "../../src/pipeline/stages.ts";
import { startOtlpGrpc } from "../../src/receivers/otlp/grpc.ts";
import type { OtlpGrpcOptions } from "../../src/receivers/otlp/grpc.ts";
import { startOtlpHttp } from "../../src/receivers/otlp/http.ts";
import type { OtlpHttpOptions } from "../../src/receivers/otlp/http.ts";
import { otlpType } from "./otlp-schema.ts";

const LEDGER = "spoor_ledger_spans_total";

/** Keeps every batch; while `failures` holds errors, each push takes one and rejects with it. */
export class RecordingSink implements Sink {
  readonly batches: SpanBatch[] = [];
  readonly origins: Origin[] = [];
  readonly failures: Error[] = [];

  async push(batch: SpanBatch, origin: Origin) {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.batches.push(batch);
    this.origins.push(origin);
    return { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
  }

  get spanCount(): number {
    return this.batches.reduce((sum, batch) => sum + batch.spanCount, 0);
  }

  /** Names of all spans, in order of arrival. */
  get names(): string[] {
    return this.batches.flatMap((batch) => [...batch.nameId].map((id) => dictText(batch, id)));
  }
}

/** A receiver with all that a test looks at. */
export interface TestReceiver {
  readonly server: HttpServer;
  readonly sink: RecordingSink;
  readonly counters: CounterTable;
  readonly ledger: Ledger;
  readonly faults: unknown[];
}

/** Starts OTLP/HTTP on a free port until the test ends. */
export function httpReceiver(
  t: TestContext,
  options: Partial<OtlpHttpOptions> = {},
): Promise<TestReceiver> {
  return receiver(t, (parts) => startOtlpHttp({ ...parts, ...options }));
}

/** Starts OTLP/gRPC on a free port until the test ends. */
export function grpcReceiver(
  t: TestContext,
  options: Partial<OtlpGrpcOptions> = {},
): Promise<TestReceiver> {
  return receiver(t, (parts) => startOtlpGrpc({ ...parts, ...options }));
}

async function receiver(
  t: TestContext,
  start: (parts: OtlpGrpcOptions & OtlpHttpOptions) => Promise<HttpServer>,
): Promise<TestReceiver> {
  const sink = new RecordingSink();
  const counters = new CounterTable();
  const ledger = new Ledger(counters);
  const faults: unknown[] = [];
  const server = await start({
    host: "127.0.0.1",
    port: 0,
    counters,
    rejections: ledger,
    sink: throughStages([countStage({ counters, ledger })], sink),
    onFault: (error) => faults.push(error),
  });
  t.after(() => server.close(0));
  return { server, sink, counters, ledger, faults };
}

/** The ledger's sums by state; `rejected` and `dropped` over all reasons. */
export function ledgerSums(counters: CounterTable): Record<string, number> {
  const sums: Record<string, number> = { received: 0, stored: 0, deduplicated: 0, rejected: 0 };
  for (const series of counters.metrics.get(LEDGER)?.series.values() ?? []) {
    const state = series.labelValues[0]!;
    sums[state] = (sums[state] ?? 0) + series.value;
  }
  return sums;
}

/** An export request with `count` spans of one service. */
export function exportRequest(count: number, more: { readonly badIds?: number } = {}): Buffer {
  const spans = Array.from({ length: count }, (_, i) => ({
    traceId: Buffer.from(`000000000000000000000000000000${(i % 90) + 10}`, "hex"),
    spanId: Buffer.from(`00000000000000${(i % 90) + 10}`, "hex"),
    name: `span ${i}`,
    kind: 2,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000001000000",
    attributes: [{ key: "http.method", value: { stringValue: "GET" } }],
  }));
  for (let i = 0; i < (more.badIds ?? 0); i++) {
    spans.push({ ...spans[0]!, traceId: Buffer.alloc(16), name: `bad ${i}` });
  }
  const attributes = [{ key: "service.name", value: { stringValue: "Shop Front" } }];
  const resourceSpans = [{ resource: { attributes }, scopeSpans: [{ spans }] }];
  return Buffer.from(otlpType("TracesData").encode({ resourceSpans }).finish());
}

/** Decodes a message of OTLP's schema to a plain object, numbers as numbers. */
export function decoded(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = otlpType(type);
  return message.toObject(message.decode(bytes), { longs: Number, bytes: Buffer });
}
