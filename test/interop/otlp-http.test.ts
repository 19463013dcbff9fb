/** OTLP over HTTP into a sink: answers to the letter of the specification, and the ledger. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { SpoorError } from "../../src/core/errors.ts";
import { decoded, exportRequest, httpReceiver, ledgerSums } from "../support/otlp-receiver.ts";
import type { TestReceiver } from "../support/otlp-receiver.ts";

const REQUESTS = "spoor_receiver_requests_total";
const PROTOBUF = "application/x-protobuf";

function post(
  { server }: TestReceiver,
  body: Uint8Array,
  headers: Record<string, string> = {},
  path = "/v1/traces",
): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    body: Buffer.from(body),
    headers: { "content-type": PROTOBUF, ...headers },
  });
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

function result(receiver: TestReceiver, name: string): number {
  return receiver.counters.value(REQUESTS, ["otlp", "http", name]);
}

test("protobuf: a whole request is an empty response and reaches the sink", async (t) => {
  const receiver = await httpReceiver(t);
  const answer = await post(receiver, exportRequest(3));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), PROTOBUF);
  assert.equal((await bytesOf(answer)).length, 0);
  assert.deepEqual(receiver.sink.names, ["span 0", "span 1", "span 2"]);
  assert.deepEqual(receiver.sink.origins, [{ format: "otlp", transport: "http" }]);
  const labels = ["false", "otlp", "shop_front", "http"];
  const { counters } = receiver;
  assert.equal(counters.value("jaeger_collector_spans_received_total", labels), 3);
  const saved = ["false", "ok", "shop_front"];
  assert.equal(counters.value("jaeger_collector_spans_saved_by_svc_total", saved), 3);
  const roots = ["false", "otlp", "unrecognized", "shop_front", "http"];
  assert.equal(counters.value("jaeger_collector_traces_received_total", roots), 3);
});

test("protobuf: an empty body is a valid empty request", async (t) => {
  const receiver = await httpReceiver(t);
  const answer = await post(receiver, Buffer.alloc(0));
  assert.deepEqual([answer.status, (await bytesOf(answer)).length], [200, 0]);
  assert.equal(receiver.sink.batches.length, 0);
  assert.equal(result(receiver, "ok"), 1);
});

test("protobuf: spans without ids are a partial success, counted with their reason", async (t) => {
  const receiver = await httpReceiver(t);
  const answer = await post(receiver, exportRequest(3, { badIds: 2 }));
  assert.equal(answer.status, 200);
  const response = decoded("ExportTraceServiceResponse", await bytesOf(answer));
  const partial = response["partialSuccess"] as Record<string, unknown>;
  assert.equal(partial["rejectedSpans"], 2);
  assert.match(String(partial["errorMessage"]), /2 spans rejected: 2 without a valid trace id/);
  assert.equal(receiver.sink.spanCount, 3);
  const sums = { received: 5, stored: 3, deduplicated: 0, rejected: 2 };
  assert.deepEqual(ledgerSums(receiver.counters), sums);
  const rejected = receiver.counters.value("spoor_ledger_spans_total", ["rejected", "trace-id"]);
  assert.equal(rejected, 2);
});

for (const [encoding, encode] of [
  ["gzip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["zstd", zlib.zstdCompressSync],
] as const) {
  test(`${encoding}: requests are inflated, cut ones are 400 with a Status`, async (t) => {
    const receiver = await httpReceiver(t);
    const body = encode(exportRequest(300));
    const headers = { "content-encoding": encoding };
    assert.equal((await post(receiver, body, headers)).status, 200);
    assert.equal(receiver.sink.spanCount, 300);
    const cut = await post(receiver, body.subarray(0, body.length - 3), headers);
    assert.equal(cut.status, 400);
    assert.equal(decoded("RpcStatus", await bytesOf(cut))["code"], 3);
    assert.equal(result(receiver, "malformed"), 1);
    assert.equal(receiver.sink.spanCount, 300);
  });
}

test("zstd: a request in several frames is whole", async (t) => {
  const receiver = await httpReceiver(t);
  const request = exportRequest(200);
  const frames = [request.subarray(0, 5000), request.subarray(5000)].map((part) =>
    zlib.zstdCompressSync(part),
  );
  const answer = await post(receiver, Buffer.concat(frames), { "content-encoding": "zstd" });
  assert.equal(answer.status, 200);
  assert.equal(receiver.sink.spanCount, 200);
});

test("a bomb and a body beyond the limit are 413 with a Status and ask for no retry", async (t) => {
  const receiver = await httpReceiver(t, { inflatedBytes: 100_000, bodyBytes: 50_000 });
  const bomb = zlib.gzipSync(Buffer.alloc(10_000_000));
  for (const [body, headers] of [
    [bomb, { "content-encoding": "gzip" }],
    [Buffer.alloc(50_001), {}],
  ] as const) {
    const answer = await post(receiver, body, headers as Record<string, string>);
    assert.equal(answer.status, 413);
    assert.equal(answer.headers.get("retry-after"), null);
    assert.match(String(decoded("RpcStatus", await bytesOf(answer))["message"]), /bytes/);
  }
  assert.equal(result(receiver, "too-large"), 2);
});

test("protobuf cut at every byte is 400 or whole, never anything else, and counted", async (t) => {
  const receiver = await httpReceiver(t);
  const body = exportRequest(1);
  let refused = 0;
  for (let length = 1; length < body.length; length++) {
    const answer = await post(receiver, body.subarray(0, length));
    assert.equal(answer.status, 400, `cut at ${length}`);
    const status = decoded("RpcStatus", await bytesOf(answer));
    assert.equal(status["code"], 3);
    assert.notEqual(status["message"], "");
    assert.equal(result(receiver, "malformed"), ++refused);
  }
  assert.deepEqual(receiver.faults, []);
  assert.equal((await post(receiver, body)).status, 200);
  assert.deepEqual(receiver.sink.names, ["span 0"]);
  const { received, stored, rejected } = ledgerSums(receiver.counters);
  assert.equal(received, stored! + rejected!);
  assert.equal(receiver.ledger.inFlight, 0);
});

test("every byte of a request broken: 200 or 400, no fault, the ledger adds up", async (t) => {
  const receiver = await httpReceiver(t);
  const body = exportRequest(2);
  for (let at = 0; at < body.length; at++) {
    for (const flip of [0xff, 0x80, 0x01]) {
      const broken = Buffer.from(body);
      broken[at]! ^= flip;
      const { status } = await post(receiver, broken);
      assert.ok(status === 200 || status === 400, `byte ${at} ^ ${flip}: ${status}`);
    }
  }
  assert.deepEqual(receiver.faults, []);
  const { received, stored, rejected } = ledgerSums(receiver.counters);
  assert.equal(received, stored! + rejected!);
  assert.equal(stored, receiver.sink.spanCount);
});

for (const code of ["overloaded", "disk-full", "io", "closed"] as const) {
  test(`a sink that says ${code} is 503 with Retry-After, then the retry is taken`, async (t) => {
    const receiver = await httpReceiver(t);
    receiver.sink.failures.push(new SpoorError(code, "not now", { retryAfterMs: 2100 }));
    const answer = await post(receiver, exportRequest(2));
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "3");
    assert.equal(answer.headers.get("content-type"), PROTOBUF);
    assert.deepEqual(decoded("RpcStatus", await bytesOf(answer)), { code: 14, message: "not now" });
    assert.equal((await post(receiver, exportRequest(2))).status, 200);
    const sums = { received: 4, stored: 2, deduplicated: 0, rejected: 2 };
    assert.deepEqual(ledgerSums(receiver.counters), sums);
    assert.equal(receiver.counters.value("spoor_ledger_spans_total", ["rejected", code]), 2);
  });
}

test("a sink that refuses for good is 400; a bug is a bare 500", async (t) => {
  const receiver = await httpReceiver(t);
  receiver.sink.failures.push(new SpoorError("rejected", "no"), new Error("secret"));
  const refused = await post(receiver, exportRequest(1));
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [400, null]);
  const fault = await post(receiver, exportRequest(1));
  assert.equal(fault.status, 500);
  assert.equal(decoded("RpcStatus", await bytesOf(fault))["message"], "internal error");
  assert.equal(receiver.faults.length, 1);
  assert.equal(receiver.ledger.inFlight, 0);
});

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

function jsonRequest(traceIds: readonly string[]): Buffer {
  const spans = traceIds.map((traceId, i) => ({
    traceId,
    spanId: "00000000000000aa",
    name: `span ${i}`,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000001000000",
  }));
  return Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
}

test("JSON: answers come in JSON, whole, partial and refused", async (t) => {
  const receiver = await httpReceiver(t);
  const id = "0102030405060708090a0b0c0d0e0f10";
  const whole = await post(receiver, jsonRequest([id]), JSON_TYPE);
  assert.deepEqual([whole.status, await whole.text()], [200, "{}"]);
  assert.equal(whole.headers.get("content-type"), "application/json");
  const partial = await post(receiver, jsonRequest([id, "0".repeat(32)]), JSON_TYPE);
  const { partialSuccess } = (await partial.json()) as {
    partialSuccess: { rejectedSpans: string };
  };
  assert.equal(partialSuccess.rejectedSpans, "1");
  for (const body of ["", "{", "[]", '{"resourceSpans":7}']) {
    const refused = await post(receiver, Buffer.from(body), JSON_TYPE);
    assert.equal(refused.status, 400, body);
    assert.equal(refused.headers.get("content-type"), "application/json");
    assert.equal(((await refused.json()) as { code: number }).code, 3);
  }
  assert.equal((await post(receiver, Buffer.from("{}"), JSON_TYPE)).status, 200);
  receiver.sink.failures.push(new SpoorError("overloaded", "full", { retryAfterMs: 5000 }));
  const full = await post(receiver, jsonRequest([id]), JSON_TYPE);
  assert.deepEqual([full.status, full.headers.get("retry-after")], [503, "5"]);
  assert.deepEqual(await full.json(), { code: 14, message: "full" });
  assert.deepEqual([result(receiver, "malformed"), result(receiver, "overloaded")], [4, 1]);
  const { received, stored, rejected } = ledgerSums(receiver.counters);
  assert.equal(received, stored! + rejected!);
});

test("JSON cut at every byte is 400", async (t) => {
  const receiver = await httpReceiver(t);
  const body = jsonRequest(["0102030405060708090a0b0c0d0e0f10"]);
  for (let length = 0; length < body.length; length++) {
    const answer = await post(receiver, body.subarray(0, length), JSON_TYPE);
    assert.equal(answer.status, 400, `cut at ${length}`);
    await answer.arrayBuffer();
  }
  assert.equal(result(receiver, "malformed"), body.length);
  assert.deepEqual(receiver.faults, []);
});

test("many at once: every acknowledged span is in the sink, exactly once", async (t) => {
  const receiver = await httpReceiver(t);
  const body = exportRequest(100);
  const rounds = Array.from({ length: 40 }, async (_, i) => {
    const gzip = i % 2 === 0;
    const sent = gzip ? zlib.gzipSync(body) : body;
    return (await post(receiver, sent, gzip ? { "content-encoding": "gzip" } : {})).status;
  });
  assert.deepEqual(new Set(await Promise.all(rounds)), new Set([200]));
  assert.equal(receiver.sink.spanCount, 4000);
  const names = exportNames(100);
  for (let i = 0; i < 4000; i += 100) {
    assert.deepEqual(receiver.sink.names.slice(i, i + 100), names);
  }
});

function exportNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `span ${i}`);
}

test("other signals are 404, other methods 405, other content types 415", async (t) => {
  const receiver = await httpReceiver(t);
  assert.equal((await post(receiver, Buffer.alloc(0), {}, "/v1/metrics")).status, 404);
  assert.equal((await post(receiver, Buffer.alloc(0), {}, "/v1/logs")).status, 404);
  const url = `http://127.0.0.1:${receiver.server.port}/v1/traces`;
  assert.equal((await fetch(url)).status, 405);
  const text = await post(receiver, Buffer.alloc(0), { "content-type": "text/plain" });
  assert.equal(text.status, 415);
});
