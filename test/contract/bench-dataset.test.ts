/** The bench's dataset is what BENCHMARKS.md says of it, read back with protobufjs. */

import * as assert from "node:assert/strict";
import { test } from "node:test";
import { Dataset } from "../../bench/dataset.ts";
import { otlpType } from "../support/otlp-schema.ts";

const SPANS = 40_000;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Span {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly unknown[];
  readonly status?: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

function dataset(): Dataset {
  const options = { spans: SPANS, seed: 7, endSeconds: 1_750_000_000, seconds: 24 };
  return new Dataset({ ...options, sampleEvery: 1000 });
}

interface Found {
  spans: number;
  bytes: number;
  attributes: number;
  withEvents: number;
  failed: number;
  readonly operations: Set<string>;
  readonly instances: Set<string>;
  readonly spanIds: Set<string>;
  /** Spans and requests of every trace. */
  readonly traces: Map<string, { spans: number; readonly requests: Set<number> }>;
}

function readAll(): Found {
  const found: Found = {
    spans: 0,
    bytes: 0,
    attributes: 0,
    withEvents: 0,
    failed: 0,
    operations: new Set(),
    instances: new Set(),
    spanIds: new Set(),
    traces: new Map(),
  };
  const type = otlpType("TracesData");
  let index = 0;
  for (const request of dataset().requests()) {
    index += 1;
    found.bytes += request.body.length;
    const decoded = type.toObject(type.decode(request.body)) as unknown as Export;
    let position = 0;
    for (const { resource, scopeSpans } of decoded.resourceSpans) {
      assert.equal(resource.attributes.length, 12);
      const service = resource.attributes[0]?.value.stringValue ?? "";
      found.instances.add(resource.attributes[3]?.value.stringValue ?? "");
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        note(found, service, span, index);
        position += 1;
      }
    }
    assert.equal(position, request.spans);
    assert.ok(request.spans <= 256);
  }
  return found;
}

function note(found: Found, service: string, span: Span, request: number): void {
  const traceId = Buffer.from(span.traceId).toString("hex");
  const trace = found.traces.get(traceId) ?? { spans: 0, requests: new Set() };
  trace.spans += 1;
  trace.requests.add(request);
  found.traces.set(traceId, trace);
  found.spans += 1;
  found.attributes += span.attributes.length;
  found.withEvents += (span.events?.length ?? 0) > 0 ? 1 : 0;
  found.failed += span.status?.code === 2 ? 1 : 0;
  found.operations.add(`${service} ${span.name}`);
  found.spanIds.add(Buffer.from(span.spanId).toString("hex"));
}

test("the bench's dataset has the shape it is said to have", () => {
  const found = readAll();
  const about = (measured: number, expected: number, by: number): void =>
    assert.ok(Math.abs(measured - expected) <= by, `${measured} is not about ${expected}`);
  assert.equal(found.spans, SPANS);
  assert.equal(found.spanIds.size, SPANS);
  assert.equal(found.operations.size, 200);
  assert.equal(found.instances.size, 60);
  about(found.bytes / found.spans, 465, 10);
  about(found.attributes / found.spans, 10, 1);
  about(found.withEvents / found.spans, 0.1, 0.01);
  about(found.failed / found.spans, 0.02, 0.005);
  const sizes = [...found.traces.values()];
  // The last trace of a dataset is cut where its spans are used up.
  assert.ok(sizes.slice(0, -1).every(({ spans }) => spans <= 40));
  assert.ok(sizes.filter(({ spans }) => spans < 8).length <= 1);
  const requests = sizes.reduce((sum, trace) => sum + trace.requests.size, 0) / sizes.length;
  assert.ok(requests > 3, `a trace is spread over ${requests} requests`);
});

test("the bench's dataset is the same bytes for the same seed", () => {
  const [first, second] = [dataset().requests(), dataset().requests()];
  for (let i = 0; i < 50; i++) {
    const [a, b] = [first.next().value, second.next().value];
    assert.deepEqual(a?.body, b?.body);
    assert.deepEqual(a?.ids, b?.ids);
  }
});
