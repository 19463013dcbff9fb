/** The HTTP server kit: routing, limits, encodings, CORS, slow and broken senders, drain. */

import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as zlib from "node:zlib";
import { PATIENCE_MS } from "../../test/support/patience.ts";
import { CounterTable } from "../base/counters.ts";
import { isSpoorError, SpoorError } from "../core/errors.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "./http-message.ts";
import { startHttpServer } from "./http-server.ts";
import type { HttpServer, HttpServerOptions } from "./http-server.ts";

const FAILURES = "spoor_http_failures_total";

interface Running {
  readonly server: HttpServer;
  readonly url: string;
  readonly counters: CounterTable;
  readonly faults: unknown[];
}

function echo(request: HttpRequest): HttpAnswer {
  return { status: 200, headers: { "content-type": "text/plain" }, body: request.body };
}

const ECHO: HttpRoute = { method: "POST", path: "/echo", handle: echo };

async function start(
  t: TestContext,
  routes: readonly HttpRoute[],
  more: Partial<HttpServerOptions> = {},
): Promise<Running> {
  const counters = new CounterTable();
  const faults: unknown[] = [];
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    flag: "test.host-port",
    name: "test",
    routes,
    counters,
    onFault: (error) => faults.push(error),
    ...more,
  });
  t.after(() => server.close(0));
  return { server, url: `http://127.0.0.1:${server.port}`, counters, faults };
}

/** Sends raw bytes; resolves to all that came back once the server closed the connection. */
function raw(port: number, text: string | Buffer, end = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.write(text);
    if (end) socket.end();
  });
}

test("routes: exact, parameters, rest, HEAD by GET, 404 and 405", async (t) => {
  const show = (request: HttpRequest): HttpAnswer => ({
    status: 200,
    body: `${request.path} ${JSON.stringify(request.params)} ${request.query}`,
  });
  const { url, counters } = await start(t, [
    { method: "GET", path: "/api/traces/latest", handle: () => ({ status: 200, body: "exact" }) },
    { method: "GET", path: "/api/traces/:id", handle: show },
    { method: "GET", path: "/files/*", handle: show },
    ECHO,
    { method: "POST", path: "/files/*", handle: show },
    { method: "POST", path: "/files/:name", handle: show },
  ]);
  const text = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text();
  assert.equal(await text("/api/traces/latest"), "exact");
  assert.equal(await text("/api/traces/a%2Fb?x=1&y"), '/api/traces/a%2Fb {"id":"a/b"} x=1&y');
  assert.equal(await text("/files/a/b.js"), '/files/a/b.js {"*":"a/b.js"} ');
  const head = await fetch(`${url}/api/traces/latest`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), "5");
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  assert.equal((await fetch(`${url}/api/traces/%ff`)).status, 404);
  const wrong = await fetch(`${url}/echo`);
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get("allow"), "POST");
  const put = await fetch(`${url}/files/a`, { method: "PUT" });
  assert.equal(await put.text(), "405 method not allowed, supported: [GET, POST]\n");
  assert.equal(counters.value(FAILURES, ["test", "404"]), 2);
  assert.equal(counters.value(FAILURES, ["test", "405"]), 2);
});

test("bodies arrive whole, declared or chunked, and connections are kept", async (t) => {
  const { url } = await start(t, [ECHO]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (const size of [0, 1, 1000, 65_536, 1_000_000]) {
    for (const declared of [true, false]) {
      const body = Buffer.alloc(size, "spoor");
      const answer = await new Promise<Buffer>((resolve, reject) => {
        const headers = declared ? { "content-length": size } : { "transfer-encoding": "chunked" };
        const request = http.request(`${url}/echo`, { method: "POST", agent, headers });
        request.on("error", reject);
        request.on("response", (response) => {
          ports.add(response.socket.localPort);
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => resolve(Buffer.concat(chunks)));
        });
        const half = size >> 1;
        if (half > 0) request.write(body.subarray(0, half));
        request.end(body.subarray(half));
      });
      assert.ok(answer.equals(body), `${size} bytes, declared: ${declared}`);
    }
  }
  assert.equal(ports.size, 1);
});

test("a body beyond the limit is 413, told before it has all been sent", async (t) => {
  const { server, counters } = await start(t, [ECHO], { bodyBytes: 1000 });
  const head = "POST /echo HTTP/1.1\r\nhost: x\r\n";
  const declared = await raw(server.port, `${head}content-length: 1001\r\n\r\n${"x".repeat(10)}`);
  assert.match(declared, /^HTTP\/1\.1 413 .*\r\n[\s\S]*connection: close/i);
  assert.match(declared, /the body is larger than 1000 bytes/);
  const chunk = `3e9\r\n${"x".repeat(1001)}\r\n`;
  const chunked = await raw(server.port, `${head}transfer-encoding: chunked\r\n\r\n${chunk}`);
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  const fits = `${head}connection: close\r\ncontent-length: 1000\r\n\r\n${"x".repeat(1000)}`;
  assert.match(await raw(server.port, fits), /^HTTP\/1\.1 200 /);
  assert.equal(counters.value(FAILURES, ["test", "413"]), 2);
});

test("encoded bodies are inflated; bombs are 413, broken 400, unknown 415", async (t) => {
  const { url, counters } = await start(t, [ECHO], { inflatedBytes: 10_000 });
  const send = (body: Uint8Array<ArrayBuffer>, encoding: string): Promise<Response> =>
    fetch(`${url}/echo`, { method: "POST", body, headers: { "content-encoding": encoding } });
  const plain = Buffer.from("span".repeat(100));
  for (const [encoding, body] of [
    ["gzip", zlib.gzipSync(plain)],
    ["deflate", zlib.deflateSync(plain)],
    ["zstd", zlib.zstdCompressSync(plain)],
    ["identity", plain],
  ] as const) {
    const answer = await send(body, encoding);
    assert.equal(answer.status, 200, encoding);
    assert.equal(await answer.text(), plain.toString(), encoding);
  }
  assert.equal((await send(zlib.gzipSync(Buffer.alloc(10_001)), "gzip")).status, 413);
  assert.equal((await send(zlib.gzipSync(plain).subarray(0, 20), "gzip")).status, 400);
  assert.equal((await send(plain, "gzip")).status, 400);
  assert.equal((await send(plain, "br")).status, 415);
  assert.equal(counters.total(FAILURES), 4);
});

test("content types: parameters are ignored, others are 415", async (t) => {
  const { url } = await start(t, [{ ...ECHO, contentTypes: ["application/json"] }]);
  const send = async (type: string): Promise<number> =>
    (await fetch(`${url}/echo`, { method: "POST", body: "{}", headers: { "content-type": type } }))
      .status;
  assert.equal(await send("Application/JSON; charset=utf-8"), 200);
  assert.equal(await send("application/jsonx"), 415);
  assert.equal(await send(""), 415);
});

test("what handlers throw: statuses by code, Retry-After, a bare 500 for bugs", async (t) => {
  const errors: Readonly<Record<string, Error>> = {
    "/full": new SpoorError("overloaded", "queue full", { retryAfterMs: 1500 }),
    "/disk": new SpoorError("disk-full", "disk full"),
    "/bad": new SpoorError("malformed", "bad bytes"),
    "/bug": new Error("secret"),
  };
  const routes = Object.entries(errors).map(([path, error]): HttpRoute => ({
    method: "POST",
    path,
    handle: () => Promise.reject(error),
  }));
  const { url, faults } = await start(t, routes);
  const send = (path: string): Promise<Response> => fetch(`${url}${path}`, { method: "POST" });
  const full = await send("/full");
  assert.deepEqual([full.status, full.headers.get("retry-after")], [503, "2"]);
  const disk = await send("/disk");
  assert.deepEqual([disk.status, disk.headers.get("retry-after")], [503, "1"]);
  const bad = await send("/bad");
  assert.deepEqual([bad.status, bad.headers.get("retry-after")], [400, null]);
  const bug = await send("/bug");
  assert.deepEqual([bug.status, await bug.text()], [500, "internal error\n"]);
  assert.deepEqual(faults, [errors["/bug"]]);
});

test("a head that comes too slowly is 408; idle connections go", async (t) => {
  const slow = await start(t, [ECHO], { headersMs: 200 });
  assert.match(await raw(slow.server.port, "POST /echo HTTP/1.1\r\nhos"), /^HTTP\/1\.1 408 /);
  const request = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
  const idle = await start(t, [ECHO], { idleMs: 50 });
  assert.match(await raw(idle.server.port, request), /^HTTP\/1\.1 200 [^]*hi$/);
  const single = await start(t, [ECHO], { keepAlive: false });
  const answer = await raw(single.server.port, request);
  assert.match(answer, /connection: close/i);
});

test("a body that comes too slowly is cut with 408", async (t) => {
  const { server, counters } = await start(t, [ECHO], { receiveMs: 300 });
  const head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
  assert.match(await raw(server.port, `${head}half`), /^HTTP\/1\.1 408 /);
  assert.equal(counters.value(FAILURES, ["test", "408"]), 1);
});

test("a body shorter than declared disturbs nobody", async (t) => {
  let handled = 0;
  const handle = (request: HttpRequest): HttpAnswer => {
    handled++;
    return echo(request);
  };
  const { server, url } = await start(t, [{ ...ECHO, handle }]);
  const head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
  await raw(server.port, `${head}half`, true);
  assert.equal((await fetch(`${url}/echo`, { method: "POST", body: "next" })).status, 200);
  assert.equal(handled, 1);
});

test("bytes that are no HTTP are 400", async (t) => {
  const { server, counters } = await start(t, [ECHO]);
  assert.match(await raw(server.port, "\u0016\u0003 not http\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.equal(counters.value(FAILURES, ["test", "400"]), 1);
});

test("streamed answers arrive whole, and an error inside one cuts the connection", async (t) => {
  async function* pieces(broken: boolean): AsyncIterable<string> {
    for (let i = 0; i < 200; i++) yield "x".repeat(10_000);
    if (broken) throw new Error("halfway");
  }
  const { url, faults } = await start(t, [
    { method: "GET", path: "/whole", handle: () => ({ status: 200, body: pieces(false) }) },
    { method: "GET", path: "/broken", handle: () => ({ status: 200, body: pieces(true) }) },
  ]);
  assert.equal((await (await fetch(`${url}/whole`)).text()).length, 2_000_000);
  const broken = await fetch(`${url}/broken`);
  await assert.rejects(broken.text());
  assert.equal(faults.length, 1);
});

test("CORS: preflights and answers for allowed origins only", async (t) => {
  const cors = { origins: ["https://*.example.com", "http://localhost"], headers: ["X-Api-Key"] };
  const { url } = await start(t, [ECHO], { cors });
  const preflight = (origin: string, asked: string): Promise<Response> =>
    fetch(`${url}/echo`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
      },
    });
  const allowed = await preflight("https://app.example.com", "content-type,x-api-key");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example.com");
  assert.equal(allowed.headers.get("access-control-allow-methods"), "POST");
  assert.equal(allowed.headers.get("access-control-allow-headers"), "content-type, x-api-key");
  const origin = (response: Response): string | null =>
    response.headers.get("access-control-allow-origin");
  assert.equal(origin(await preflight("https://example.com.evil.org", "")), null);
  assert.equal(origin(await preflight("http://localhost", "x-other")), null);
  const send = (from: string): Promise<Response> =>
    fetch(`${url}/echo`, { method: "POST", body: "x", headers: { origin: from } });
  assert.equal(origin(await send("http://localhost")), "http://localhost");
  assert.equal(origin(await send("http://localhost.evil.org")), null);
});

test("CORS: * allows all; without origins there is none", async (t) => {
  const open = await start(t, [ECHO], { cors: { origins: ["*"], headers: ["*"] } });
  const closed = await start(t, [ECHO], { cors: { origins: [], headers: [] } });
  const ask = (url: string): Promise<Response> =>
    fetch(`${url}/echo`, {
      method: "OPTIONS",
      headers: {
        origin: "http://a",
        "access-control-request-method": "POST",
        "access-control-request-headers": "anything",
      },
    });
  const answer = await ask(open.url);
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal(answer.headers.get("access-control-allow-headers"), "anything");
  assert.equal((await ask(closed.url)).status, 405);
});

test("a port in use is one readable line that names the flag", async (t) => {
  const { server } = await start(t, [ECHO]);
  const options = { host: "127.0.0.1", port: server.port, flag: "test.host-port", name: "second" };
  await assert.rejects(
    startHttpServer({ ...options, routes: [], counters: new CounterTable() }),
    (error) =>
      isSpoorError(error, "in-use") &&
      error.message.includes(String(server.port)) &&
      error.message.includes("--test.host-port") &&
      !error.message.includes("\n"),
  );
});

test("closing lets a running request finish and cuts idle connections", async (t) => {
  let finish = (): void => {};
  const gate = new Promise<void>((resolve) => (finish = resolve));
  let entered = (): void => {};
  const running = new Promise<void>((resolve) => (entered = resolve));
  const handle = async (): Promise<HttpAnswer> => {
    entered();
    await gate;
    return { status: 200, body: "done" };
  };
  const { server, url } = await start(t, [{ method: "GET", path: "/slow", handle }]);
  const idle = net.connect(server.port, "127.0.0.1");
  const idleClosed = new Promise((resolve) => idle.on("close", resolve));
  await new Promise((resolve) => idle.on("connect", resolve));
  const slow = fetch(`${url}/slow`);
  await running;
  const closed = server.close(PATIENCE_MS);
  await idleClosed;
  finish();
  const answer = await slow;
  assert.equal(await answer.text(), "done");
  assert.equal(answer.headers.get("connection"), "close");
  await closed;
  await assert.rejects(fetch(`${url}/slow`));
});
