/** OTLP over gRPC into a sink, through grpc-js and through bare HTTP/2 frames. */

import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as zlib from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { SpoorError } from "../../src/core/errors.ts";
import type { Sink } from "../../src/core/flow.ts";
import type { Serving } from "../../src/net/grpc-well-known.ts";
import { OTLP_TRACE_SERVICE } from "../../src/receivers/otlp/grpc.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { decoded, exportRequest, grpcReceiver, ledgerSums } from "../support/otlp-receiver.ts";
import type { TestReceiver } from "../support/otlp-receiver.ts";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const REQUESTS = "spoor_receiver_requests_total";

interface Reply {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer;
  readonly metadata: grpc.Metadata;
}

/** A caller over grpc-js with bytes in and out. */
function caller(
  t: TestContext,
  { server }: TestReceiver,
  options: grpc.ClientOptions = {},
): (path: string, body: Buffer) => Promise<Reply> {
  const address = `127.0.0.1:${server.port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), options);
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  return (path, body) =>
    new Promise((resolve) => {
      let response: Buffer = Buffer.alloc(0);
      const call = client.makeUnaryRequest(path, same, same, body, (_error, bytes) => {
        if (bytes !== undefined) response = bytes;
      });
      call.on("status", ({ code, details, metadata }) => {
        setImmediate(() => resolve({ code, message: details, body: response, metadata }));
      });
    });
}

/** One call of bare frames: the chunks as they are, then the end. */
function bare(
  receiver: TestReceiver,
  chunks: readonly Uint8Array[],
  headers: http2.OutgoingHttpHeaders = {},
): Promise<http2.IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${receiver.server.port}`);
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": EXPORT,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    let seen: http2.IncomingHttpHeaders = {};
    stream.on("response", (found) => (seen = { ...seen, ...found }));
    stream.on("trailers", (found) => (seen = { ...seen, ...found }));
    stream.on("error", () => {});
    stream.on("close", () => {
      session.close();
      resolve(seen);
    });
    stream.resume();
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  });
}

function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

function result(receiver: TestReceiver, name: string): number {
  return receiver.counters.value(REQUESTS, ["otlp", "grpc", name]);
}

test("export: whole requests, empty ones, and partial success", async (t) => {
  const receiver = await grpcReceiver(t);
  const call = caller(t, receiver);
  const whole = await call(EXPORT, exportRequest(3));
  assert.deepEqual([whole.code, whole.body.length], [0, 0]);
  assert.deepEqual([(await call(EXPORT, Buffer.alloc(0))).code], [0]);
  const partial = await call(EXPORT, exportRequest(1, { badIds: 2 }));
  assert.equal(partial.code, 0);
  const response = decoded("ExportTraceServiceResponse", partial.body);
  assert.equal((response["partialSuccess"] as Record<string, unknown>)["rejectedSpans"], 2);
  assert.equal(receiver.sink.spanCount, 4);
  assert.deepEqual(receiver.sink.origins[0], { format: "otlp", transport: "grpc" });
  const sums = { received: 6, stored: 4, deduplicated: 0, rejected: 2 };
  assert.deepEqual(ledgerSums(receiver.counters), sums);
});

for (const [name, algorithm] of [
  ["deflate", grpc.compressionAlgorithms.deflate],
  ["gzip", grpc.compressionAlgorithms.gzip],
] as const) {
  test(`export: ${name} from grpc-js`, async (t) => {
    const receiver = await grpcReceiver(t);
    const options = { "grpc.default_compression_algorithm": algorithm };
    const call = caller(t, receiver, options);
    for (const count of [1, 250, 30_000]) {
      assert.equal((await call(EXPORT, exportRequest(count))).code, 0);
    }
    assert.equal(receiver.sink.spanCount, 30_251);
  });
}

test("export: zstd in several frames", async (t) => {
  const receiver = await grpcReceiver(t);
  const request = exportRequest(100);
  const frames = [request.subarray(0, 3000), request.subarray(3000)].map((part) =>
    zlib.zstdCompressSync(part),
  );
  const message = framed(Buffer.concat(frames), 1);
  const answer = await bare(receiver, [message], { "grpc-encoding": "zstd" });
  assert.equal(answer["grpc-status"], "0");
  assert.equal(receiver.sink.spanCount, 100);
});

test("overload is UNAVAILABLE with RetryInfo, and the retry is taken", async (t) => {
  const receiver = await grpcReceiver(t);
  const call = caller(t, receiver);
  for (const code of ["overloaded", "disk-full", "io", "closed"] as const) {
    receiver.sink.failures.push(new SpoorError(code, "not now: é%", { retryAfterMs: 1500 }));
    const reply = await call(EXPORT, exportRequest(1));
    assert.equal(reply.code, grpc.status.UNAVAILABLE);
    assert.equal(reply.message, "not now: é%");
    const status = decoded("RpcStatus", reply.metadata.get("grpc-status-details-bin")[0] as Buffer);
    const [detail] = status["details"] as { typeUrl: string; value: Buffer }[];
    assert.equal(detail!.typeUrl, "type.googleapis.com/google.rpc.RetryInfo");
    const retryDelay = { seconds: 1, nanos: 500_000_000 };
    assert.deepEqual(decoded("RetryInfo", detail!.value), { retryDelay });
    assert.equal((await call(EXPORT, exportRequest(1))).code, 0);
  }
  const sums = { received: 8, stored: 4, deduplicated: 0, rejected: 4 };
  assert.deepEqual(ledgerSums(receiver.counters), sums);
});

test("malformed is INVALID_ARGUMENT without details, at every cut of the message", async (t) => {
  const receiver = await grpcReceiver(t);
  const call = caller(t, receiver);
  const body = exportRequest(1);
  for (let length = 1; length < body.length; length++) {
    const reply = await call(EXPORT, body.subarray(0, length));
    assert.equal(reply.code, grpc.status.INVALID_ARGUMENT, `cut at ${length}`);
    assert.deepEqual(reply.metadata.get("grpc-status-details-bin"), []);
    assert.equal(result(receiver, "malformed"), length);
  }
  assert.equal((await call(EXPORT, body)).code, 0);
  assert.deepEqual(receiver.faults, []);
  assert.equal(receiver.ledger.inFlight, 0);
});

test("framing: cut, doubled, absent and mislabelled messages are INVALID_ARGUMENT", async (t) => {
  const receiver = await grpcReceiver(t);
  const body = exportRequest(1);
  const whole = framed(body);
  const cases: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ["absent", []],
    ["cut in the prefix", [whole.subarray(0, 3)]],
    ["cut in the message", [whole.subarray(0, whole.length - 1)]],
    ["longer than its prefix says", [framed(body, 0, body.length - 1)]],
    ["doubled", [whole, whole]],
    ["unknown flags", [framed(body, 2)]],
    ["compressed without encoding", [framed(zlib.gzipSync(body), 1)]],
  ];
  let refused = 0;
  for (const [name, chunks] of cases) {
    const answer = await bare(receiver, chunks);
    assert.equal(answer["grpc-status"], "3", name);
    assert.equal(result(receiver, "malformed"), ++refused, name);
  }
  const gzip = { "grpc-encoding": "gzip" };
  const cut = zlib.gzipSync(body);
  const broken = await bare(receiver, [framed(cut.subarray(0, cut.length - 3), 1)], gzip);
  assert.equal(broken["grpc-status"], "3");
  assert.equal(
    (await bare(receiver, [framed(body)], { "grpc-encoding": "br" }))["grpc-status"],
    "12",
  );
  assert.equal(
    (
      await bare(
        receiver,
        [...whole].map((byte) => Buffer.of(byte)),
      )
    )["grpc-status"],
    "0",
  );
  assert.equal(receiver.sink.spanCount, 1);
});

test("too large, as sent or inflated, is RESOURCE_EXHAUSTED without RetryInfo", async (t) => {
  const receiver = await grpcReceiver(t, { messageBytes: 20_000 });
  const sent = await bare(receiver, [framed(Buffer.alloc(20_001))]);
  assert.equal(sent["grpc-status"], "8");
  assert.equal(sent["grpc-status-details-bin"], undefined);
  const bomb = framed(zlib.gzipSync(Buffer.alloc(1_000_000)), 1);
  assert.equal((await bare(receiver, [bomb], { "grpc-encoding": "gzip" }))["grpc-status"], "8");
  assert.equal(result(receiver, "too-large"), 2);
});

test("other services and signals are UNIMPLEMENTED, other protocols 405 and 415", async (t) => {
  const receiver = await grpcReceiver(t);
  const call = caller(t, receiver);
  const packages = "opentelemetry.proto.collector";
  for (const path of [
    `/${packages}.metrics.v1.MetricsService/Export`,
    `/${packages}.logs.v1.LogsService/Export`,
    "/nothing",
  ]) {
    assert.equal((await call(path, Buffer.alloc(0))).code, grpc.status.UNIMPLEMENTED);
  }
  assert.equal((await bare(receiver, [], { ":method": "GET" }))[":status"], 405);
  assert.equal((await bare(receiver, [], { "content-type": "text/plain" }))[":status"], 415);
});

test("a request that comes too slowly is DEADLINE_EXCEEDED", async (t) => {
  const receiver = await grpcReceiver(t, { receiveMs: 200 });
  const session = http2.connect(`http://127.0.0.1:${receiver.server.port}`);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": EXPORT,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  stream.write(Buffer.of(0, 0, 0, 0, 9));
  const status = await new Promise((resolve) => {
    stream.on("response", (headers) => resolve(headers["grpc-status"]));
  });
  assert.equal(status, "4");
});

test("a bug is a bare INTERNAL; a client that goes away disturbs nobody", async (t) => {
  const receiver = await grpcReceiver(t);
  const call = caller(t, receiver);
  receiver.sink.failures.push(new Error("secret"));
  const reply = await call(EXPORT, exportRequest(1));
  assert.deepEqual([reply.code, reply.message], [grpc.status.INTERNAL, "internal error"]);
  assert.equal(receiver.faults.length, 1);
  const session = http2.connect(`http://127.0.0.1:${receiver.server.port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": EXPORT,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.write(Buffer.of(0, 0, 0, 0, 9), resolve));
  session.destroy();
  assert.equal((await call(EXPORT, exportRequest(1))).code, 0);
  assert.equal(receiver.faults.length, 1);
});

/** A state that the test changes. */
class Switch implements Serving {
  serving = true;
  readonly #listeners = new Set<() => void>();

  set(serving: boolean): void {
    this.serving = serving;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

function healthRequest(service: string): Buffer {
  if (service === "") return Buffer.alloc(0);
  return Buffer.concat([Buffer.of(0x0a, service.length), Buffer.from(service)]);
}

test("health: the server and its services, and no others", async (t) => {
  const state = new Switch();
  const receiver = await grpcReceiver(t, { state });
  const call = caller(t, receiver);
  const check = (service: string): Promise<Reply> =>
    call("/grpc.health.v1.Health/Check", healthRequest(service));
  assert.deepEqual([...(await check("")).body], [8, 1]);
  assert.deepEqual([...(await check(OTLP_TRACE_SERVICE)).body], [8, 1]);
  assert.equal((await check("nobody")).code, grpc.status.NOT_FOUND);
  state.set(false);
  assert.deepEqual([...(await check("")).body], [8, 2]);
});

test("health: a watcher is told every change, and the end", async (t) => {
  const state = new Switch();
  const receiver = await grpcReceiver(t, { state });
  const address = `127.0.0.1:${receiver.server.port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const watch = (service: string) => {
    const path = "/grpc.health.v1.Health/Watch";
    const stream = client.makeServerStreamRequest(path, same, same, healthRequest(service));
    const statuses: (number | undefined)[] = [];
    let wake = (): void => {};
    stream.on("data", (bytes: Buffer) => {
      statuses.push(bytes[1]);
      wake();
    });
    stream.on("error", () => {});
    const ended = new Promise<number>((resolve) =>
      stream.on("status", ({ code }) => resolve(code)),
    );
    const told = async (count: number): Promise<void> => {
      while (statuses.length < count) await new Promise<void>((resolve) => (wake = resolve));
    };
    return { stream, statuses, ended, told };
  };
  const whole = watch("");
  const unknown = watch("nobody");
  const left = watch(OTLP_TRACE_SERVICE);
  await Promise.all([whole.told(1), unknown.told(1), left.told(1)]);
  left.stream.cancel();
  assert.equal(await left.ended, grpc.status.CANCELLED);
  state.set(false);
  await whole.told(2);
  state.set(true);
  await whole.told(3);
  await receiver.server.close(PATIENCE_MS);
  assert.equal(await whole.ended, grpc.status.UNAVAILABLE);
  assert.equal(await unknown.ended, grpc.status.UNAVAILABLE);
  assert.deepEqual(whole.statuses, [1, 2, 1, 2]);
  assert.equal(unknown.statuses[0], 3);
  assert.equal(state.listeners, 0, "nobody listens to what nobody watches");
});

test("reflection: lists the services, each request answered in order", async (t) => {
  const receiver = await grpcReceiver(t);
  const address = `127.0.0.1:${receiver.server.port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  for (const version of ["v1", "v1alpha"]) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const stream = client.makeBidiStreamRequest(path, same, same);
    const answers: string[] = [];
    stream.on("data", (bytes: Buffer) => answers.push(bytes.toString("latin1")));
    const code = new Promise((resolve) => stream.on("status", (status) => resolve(status.code)));
    stream.write(Buffer.of(0x3a, 1, 0x2a));
    stream.write(Buffer.of(0x22, 1, 0x61));
    stream.write(Buffer.of(0x3a, 0));
    stream.end();
    assert.equal(await code, 0);
    assert.equal(answers.length, 3);
    assert.ok(answers[0]!.includes(OTLP_TRACE_SERVICE) && answers[2]!.includes("Health"));
    assert.match(answers[1]!, /symbol a is not known/);
  }
});

test("a connection of some age is told to go, and cut after the grace", async (t) => {
  const receiver = await grpcReceiver(t, { maxAgeMs: 50, ageGraceMs: 50 });
  const session = http2.connect(`http://127.0.0.1:${receiver.server.port}`);
  const told = new Promise<number>((resolve) => session.on("goaway", resolve));
  const closed = new Promise((resolve) => session.on("close", resolve));
  const stream = session.request({
    ":method": "POST",
    ":path": EXPORT,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  stream.write(Buffer.of(0, 0, 0, 0, 9));
  assert.equal(await told, 0);
  await closed;
});

test("closing lets running calls finish", async (t) => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  let entered = (): void => {};
  const running = new Promise<void>((resolve) => (entered = resolve));
  const sink: Sink = {
    async push(batch) {
      entered();
      await gate;
      return { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
    },
  };
  const receiver = await grpcReceiver(t, { sink });
  const call = caller(t, receiver);
  const last = call(EXPORT, exportRequest(1));
  await running;
  const closed = receiver.server.close(PATIENCE_MS);
  release();
  assert.equal((await last).code, 0);
  await closed;
});
