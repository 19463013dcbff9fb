/** Jaeger's and Zipkin's doors: what senders are told, of good requests and of hostile ones. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as zlib from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { CounterTable } from "../../src/base/counters.ts";
import { SpoorError } from "../../src/core/errors.ts";
import type { IntakeOptions } from "../../src/core/intake.ts";
import { startGrpcServer } from "../../src/net/grpc-server.ts";
import { startHttpServer } from "../../src/net/http-server.ts";
import { Ledger } from "../../src/pipeline/ledger.ts";
import { jaegerGrpcMethods } from "../../src/receivers/jaeger-grpc/methods.ts";
import { jaegerHttpRoutes } from "../../src/receivers/jaeger-http/routes.ts";
import { startZipkin } from "../../src/receivers/zipkin/server.ts";
import { RICH_REQUESTS } from "../support/rich-span.ts";
import type { Protocol } from "../support/rich-span.ts";
import { send, sendWell } from "../support/rich-senders.ts";
import { metricOf, portOf, runAllInOne, tracesOf } from "../support/running-roles.ts";

const JAEGER_TYPE = "application/x-thrift";
const THRIFT = RICH_REQUESTS["jaeger-thrift-http"];
const V2 = RICH_REQUESTS["zipkin-v2-json"];

/** What senders of each protocol are told of bytes that are none of it: status and text. */
const REFUSED: readonly (readonly [Protocol, number, RegExp])[] = [
  ["jaeger-thrift-http", 400, /^Unable to process request body: .+\n$/],
  ["jaeger-grpc", grpc.status.INVALID_ARGUMENT, /./],
  ["zipkin-v2-json", 400, /^Unable to process request body: .+\n$/],
  ["zipkin-v2-proto", 400, /^Unable to process request body: .+\n$/],
  ["zipkin-v1-json", 400, /^Unable to process request body: .+\n$/],
  ["zipkin-v1-thrift", 400, /^Unable to process request body: .+\n$/],
];

interface Post {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function post(port: number, path: string, body: Uint8Array, { type, headers }: Post = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { ...(type === undefined ? {} : { "content-type": type }), ...headers },
    body: Buffer.from(body),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

for (const [protocol, status, text] of REFUSED) {
  test(`${protocol}: garbage and every cut are refused, counted, and disturb nobody`, async (t) => {
    const role = await runAllInOne(t);
    const good = RICH_REQUESTS[protocol];
    const told = await send(role, protocol, Buffer.from("\u0001garbage, not spans"));
    assert.equal(told.status, status, told.text);
    assert.match(told.text, text);
    let refused = 1;
    for (let cut = 1; cut < good.length; cut += 7) {
      const answer = await send(role, protocol, good.subarray(0, cut));
      assert([status, 0, 202].includes(answer.status), `cut at ${cut}: ${answer.status}`);
      if (answer.status === status) refused++;
    }
    assert(refused > 1, "no cut was refused");
    const name = "spoor_receiver_requests_total";
    assert.equal(await metricOf(role, name, 'result="malformed"'), refused);
    await sendWell(role, protocol, good);
    assert.equal(await metricOf(role, "spoor_ledger_in_flight_spans"), 0);
  });
}

test("Thrift over HTTP: content types and the texts of what is wrong with them", async (t) => {
  const role = await runAllInOne(t);
  const port = portOf(role, "jaegerHttp");
  const cases: [string | undefined, number, string][] = [
    [JAEGER_TYPE, 202, ""],
    ["application/vnd.apache.thrift.binary; charset=utf-8", 202, ""],
    ["Application/X-Thrift", 202, ""],
    [undefined, 400, "Cannot parse content type: mime: no media type\n"],
    ["a b", 400, "Cannot parse content type: mime: expected slash after first token\n"],
    ["a/", 400, "Cannot parse content type: mime: expected token after slash\n"],
    ["a/b c", 400, "Cannot parse content type: mime: unexpected content after media subtype\n"],
    [`${JAEGER_TYPE}; =`, 400, "Cannot parse content type: mime: invalid media parameter\n"],
    ["text/x&y", 400, "Unsupported content type: text/x&amp;y\n"],
  ];
  for (const [type, status, text] of cases) {
    const path = "/api/traces?format=jaeger.thrift";
    const answer = await post(port, path, THRIFT, type === undefined ? {} : { type });
    assert.deepEqual([answer.status, answer.text], [status, text], type);
  }
  const name = "spoor_receiver_requests_total";
  assert.equal(await metricOf(role, name, 'result="content-type"'), 6);
  assert.equal((await post(port, "/somewhere", THRIFT)).status, 404);
  const durations = "jaeger_collector_http_request_duration_count";
  const labels = (path: string, status: number): string =>
    `{method="POST",path="${path}",status="${status}"}`;
  assert.equal(await metricOf(role, durations, labels("/api/traces", 202)), 3);
  assert.equal(await metricOf(role, durations, labels("/api/traces", 400)), 6);
  assert.equal(await metricOf(role, durations, labels("other", 404)), 1);
});

test("bodies come compressed; a bomb is refused and counted", async (t) => {
  const role = await runAllInOne(t);
  const bomb = zlib.gzipSync(Buffer.alloc(200 * 2 ** 20));
  for (const [server, path, type, body] of [
    ["jaegerHttp", "/api/traces", JAEGER_TYPE, THRIFT],
    ["zipkin", "/api/v2/spans", "application/json", V2],
  ] as const) {
    const port = portOf(role, server);
    const encoded = {
      gzip: zlib.gzipSync(body),
      deflate: zlib.deflateSync(body),
      zlib: zlib.deflateSync(body),
      zstd: zlib.zstdCompressSync(body),
    };
    for (const [encoding, bytes] of Object.entries(encoded)) {
      const headers = { "content-encoding": encoding };
      const { status, text } = await post(port, path, bytes, { type, headers });
      assert.equal(status, 202, `${server} ${encoding}: ${text}`);
    }
    const headers = { "content-encoding": "gzip" };
    const refused = await post(port, path, bomb, { type, headers });
    assert.equal(refused.status, 413);
    const unknown = await post(port, path, body, { type, headers: { "content-encoding": "br" } });
    assert.equal(unknown.status, 415);
  }
  const name = "spoor_receiver_requests_total";
  assert.equal(await metricOf(role, name, 'result="too-large"'), 2);
});

test("PostSpans: gzip, and a bomb is RESOURCE_EXHAUSTED", async (t) => {
  const role = await runAllInOne(t);
  const client = new grpc.Client(
    `127.0.0.1:${portOf(role, "jaegerGrpc")}`,
    grpc.credentials.createInsecure(),
    { "grpc.default_compression_algorithm": 2, "grpc.max_send_message_length": -1 },
  );
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = (body: Uint8Array): Promise<number> =>
    new Promise((resolve) => {
      const path = "/jaeger.api_v2.CollectorService/PostSpans";
      const made = client.makeUnaryRequest(path, same, same, Buffer.from(body), () => {});
      made.on("status", ({ code }) => resolve(code));
    });
  assert.equal(await call(RICH_REQUESTS["jaeger-grpc"]), 0);
  assert.equal(await call(Buffer.alloc(80 * 2 ** 20)), grpc.status.RESOURCE_EXHAUSTED);
  assert.equal((await tracesOf(role, "shop", 1)).length, 1);
});

test("Zipkin: any path is v2, a header marks all spans, browsers may be let in", async (t) => {
  const role = await runAllInOne(t, [
    "--collector.zipkin.cors.allowed-origins=https://*.example",
    "--collector.zipkin.keep-alive=false",
  ]);
  const port = portOf(role, "zipkin");
  const plain = Buffer.from(V2.toString().replace('"debug":true,', ""));
  const headers = { "x-b3-flags": "1", origin: "https://shop.example" };
  const type = "application/json";
  const answer = await post(port, "/somewhere", plain, { type, headers });
  assert.equal(answer.status, 202);
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal(answer.headers.get("connection"), "close");
  const [trace] = await tracesOf(role, "shop", 1);
  assert.equal(trace!.spans[0]!.flags, 3);
  const get = await fetch(`http://127.0.0.1:${port}/api/v2/spans`);
  assert.equal(get.status, 405);
});

/** Receivers before a sink that is full, then has a bug. */
function failing(counters: CounterTable): IntakeOptions {
  const failures = [new SpoorError("overloaded", "the queue is full"), new Error("secret")];
  return {
    counters,
    rejections: new Ledger(counters),
    sink: { push: () => Promise.reject(failures.shift() ?? new Error("no more")) },
  };
}

function place(t: TestContext, server: { close(): Promise<void>; readonly port: number }): number {
  t.after(() => server.close());
  return server.port;
}

test("a full queue is told so that senders come back; a bug tells nothing", async (t) => {
  const at = { host: "127.0.0.1", port: 0, flag: "port" };
  const counters = new CounterTable();
  const routes = jaegerHttpRoutes(failing(counters));
  const http = await startHttpServer({ ...at, name: "jaeger-http", routes, counters });
  const zipkin = await startZipkin({ ...at, ...failing(counters) });
  const full = "the queue is full\n";
  for (const [server, path, type, body, what] of [
    [http, "/api/traces", JAEGER_TYPE, THRIFT, "Cannot submit Jaeger batch: "],
    [zipkin, "/api/v2/spans", "application/json", V2, "Cannot submit Zipkin batch: "],
  ] as const) {
    const port = place(t, server);
    const busy = await post(port, path, body, { type });
    assert.deepEqual([busy.status, busy.text], [503, what + full]);
    assert.equal(busy.headers.get("retry-after"), "1");
    const bug = await post(port, path, body, { type });
    assert.deepEqual([bug.status, bug.text], [500, `${what}internal error\n`]);
  }
  const methods = jaegerGrpcMethods(failing(counters));
  const server = await startGrpcServer({ ...at, name: "jaeger-grpc", methods, counters });
  const client = new grpc.Client(
    `127.0.0.1:${place(t, server)}`,
    grpc.credentials.createInsecure(),
  );
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = (): Promise<readonly [number, string]> =>
    new Promise((resolve) => {
      const path = "/jaeger.api_v2.CollectorService/PostSpans";
      const body = Buffer.from(RICH_REQUESTS["jaeger-grpc"]);
      const made = client.makeUnaryRequest(path, same, same, body, () => {});
      made.on("status", ({ code, details }) => resolve([code, details]));
    });
  assert.deepEqual(await call(), [grpc.status.RESOURCE_EXHAUSTED, "server busy"]);
  assert.deepEqual(await call(), [grpc.status.INTERNAL, "internal error"]);
});
