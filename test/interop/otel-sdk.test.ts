/** The stock OpenTelemetry SDKs, JavaScript's and Python's, send to real receivers. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { toHex } from "../../src/base/bytes.ts";
import type { AttributeTable, SpanBatch } from "../../src/core/batch.ts";
import { SpoorError } from "../../src/core/errors.ts";
import {
  attributeName,
  attributeValue,
  dictText,
  exactDurationNs,
  exactStartNs,
  serviceOf,
} from "../../src/core/read.ts";
import { needs } from "../needs.ts";
import { pythonWithOtel } from "../support/python-otel.ts";
import { grpcReceiver, httpReceiver, ledgerSums } from "../support/otlp-receiver.ts";
import type { TestReceiver } from "../support/otlp-receiver.ts";

const SENDER = `${import.meta.dirname}/../support/otel-js-sender.ts`;
const PYTHON_SENDER = `${import.meta.dirname}/../support/otel_python_sender.py`;

/** Runs a sender to its end; resolves to what it printed. Fails on a non-zero exit. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${code}: ${errors}`));
    });
  });
}

interface Ids {
  readonly traceId: string;
  readonly spanId: string;
}

interface Sent {
  readonly parent: Ids;
  readonly child: Ids;
  /** What the exporter said of its failure, empty when there was none. */
  readonly failure: string;
}

async function send(kind: string, receiver: TestReceiver): Promise<Sent> {
  const port = String(receiver.server.port);
  return JSON.parse(await run(process.execPath, [SENDER, kind, port])) as Sent;
}

function receiverFor(kind: string, t: TestContext): Promise<TestReceiver> {
  return kind.startsWith("grpc") ? grpcReceiver(t) : httpReceiver(t);
}

/** Attributes of one owner as a plain object. */
function attributes(
  batch: SpanBatch,
  table: AttributeTable,
  owner: number,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    const value = attributeValue(batch, table, a);
    found[attributeName(batch, table, a)] = value instanceof Uint8Array ? value.length : value;
  }
  return found;
}

function rowOf(batch: SpanBatch, name: string): number {
  const row = [...batch.nameId].findIndex((id) => dictText(batch, id) === name);
  assert.ok(row >= 0, `a span named ${name}`);
  return row;
}

/** Checks everything the senders set; both SDKs send the same trace. */
function checkTrace(batch: SpanBatch, sent: Sent, service: string): void {
  assert.equal(batch.spanCount, 2);
  const parent = rowOf(batch, "GET /cart");
  const child = rowOf(batch, "SELECT");
  assert.equal(serviceOf(batch, child), service);
  const resource = batch.resourceRow[child]!;
  assert.equal(attributes(batch, batch.resourceAttributes, resource)["host.cores"], 4n);
  assert.equal(dictText(batch, batch.scopeNameId[batch.scopeRow[child]!]!), "interop");
  assert.equal(dictText(batch, batch.scopeVersionId[batch.scopeRow[child]!]!), "1.2.3");
  const trace = (row: number): string => toHex(batch.traceId, row * 16, 16);
  assert.deepEqual([trace(parent), trace(child)], [sent.parent.traceId, sent.child.traceId]);
  assert.equal(toHex(batch.spanId, child * 8, 8), sent.child.spanId);
  assert.equal(toHex(batch.parentSpanId, child * 8, 8), sent.parent.spanId);
  assert.equal(toHex(batch.parentSpanId, parent * 8, 8), "0000000000000000");
  assert.deepEqual([batch.kind[parent], batch.kind[child]], [2, 3]);
  assert.equal(exactStartNs(batch, child), 1_700_000_000_001_000_000n);
  assert.equal(exactDurationNs(batch, child), 4_000_000n);
  assert.deepEqual([batch.status[parent], batch.status[child]], [0, 2]);
  assert.equal(dictText(batch, batch.statusMessageId[child]!), "timed out");
  assert.deepEqual(attributes(batch, batch.spanAttributes, child), {
    text: "Ünï",
    whole: 42n,
    half: 0.5,
    yes: true,
    many: 10,
  });
  const event = batch.eventOffsets[child]!;
  assert.equal(dictText(batch, batch.eventNameId[event]!), "cache miss");
  assert.equal(batch.eventUs[event], 1_700_000_000_002_000);
  assert.deepEqual(attributes(batch, batch.eventAttributes, event), { key: "cart:7" });
  const link = batch.linkOffsets[child]!;
  assert.equal(toHex(batch.linkSpanId, link * 8, 8), sent.parent.spanId);
  assert.deepEqual(attributes(batch, batch.linkAttributes, link), { why: "test" });
}

for (const kind of ["protobuf", "protobuf gzip", "json", "grpc", "grpc gzip"]) {
  test(`JavaScript SDK, ${kind}: the trace arrives as it was made`, async (t) => {
    const receiver = await receiverFor(kind, t);
    const sent = await send(kind, receiver);
    assert.equal(receiver.sink.batches.length, 1);
    checkTrace(receiver.sink.batches[0]!, sent, "js-shop");
  });
}

for (const kind of ["protobuf", "json"]) {
  test(`JavaScript SDK, ${kind}: sends again after the time it is told`, async (t) => {
    const receiver = await receiverFor(kind, t);
    receiver.sink.failures.push(new SpoorError("overloaded", "full", { retryAfterMs: 1000 }));
    const startMs = performance.now();
    const sent = await send(kind, receiver);
    assert.ok(performance.now() - startMs > 700, "it waited");
    checkTrace(receiver.sink.batches[0]!, sent, "js-shop");
    const sums = { received: 4, stored: 2, deduplicated: 0, rejected: 2 };
    assert.deepEqual(ledgerSums(receiver.counters), sums);
  });

  test(`JavaScript SDK, ${kind}: does not send again what is refused for good`, async (t) => {
    const receiver = await receiverFor(kind, t);
    receiver.sink.failures.push(new SpoorError("rejected", "no"));
    const sent = await send(kind, receiver);
    assert.match(sent.failure, /Bad Request/);
    assert.equal(receiver.sink.batches.length, 0);
    const sums = { received: 2, stored: 0, deduplicated: 0, rejected: 2 };
    assert.deepEqual(ledgerSums(receiver.counters), sums);
  });
}

test("JavaScript SDK, grpc: understands overload (this one does not send again)", async (t) => {
  const receiver = await grpcReceiver(t);
  receiver.sink.failures.push(new SpoorError("overloaded", "full", { retryAfterMs: 1000 }));
  assert.match((await send("grpc", receiver)).failure, /14 UNAVAILABLE: full/);
});

const python = { skip: needs("python") };

/** Undefined when Python's SDK could not be installed: the test is skipped and says why. */
async function sendPython(
  t: TestContext,
  kind: string,
  receiver: TestReceiver,
): Promise<Sent | undefined> {
  const interpreter = await pythonWithOtel().catch((error: unknown) => {
    if (process.env["SPOOR_TEST_REQUIRE"] === "all") throw error;
    t.skip(`Python's OpenTelemetry SDK cannot be installed: ${String(error).slice(0, 300)}`);
  });
  if (interpreter === undefined) return undefined;
  const args = [PYTHON_SENDER, kind, String(receiver.server.port)];
  return JSON.parse(await run(interpreter, args)) as Sent;
}

for (const kind of ["http", "http gzip", "grpc", "grpc gzip"]) {
  test(`Python SDK, ${kind}: the trace arrives as it was made`, python, async (t) => {
    const receiver = await receiverFor(kind, t);
    const sent = await sendPython(t, kind, receiver);
    if (sent === undefined) return;
    checkTrace(receiver.sink.batches[0]!, sent, "python-shop");
  });
}

for (const kind of ["http", "grpc"]) {
  test(`Python SDK, ${kind}: sends again when it is told to`, python, async (t) => {
    const receiver = await receiverFor(kind, t);
    receiver.sink.failures.push(new SpoorError("overloaded", "full", { retryAfterMs: 1000 }));
    const sent = await sendPython(t, kind, receiver);
    if (sent === undefined) return;
    checkTrace(receiver.sink.batches[0]!, sent, "python-shop");
    const sums = { received: 4, stored: 2, deduplicated: 0, rejected: 2 };
    assert.deepEqual(ledgerSums(receiver.counters), sums);
  });
}
