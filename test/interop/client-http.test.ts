// What a connection may bring, traced: pipelining, HTTP/1.0, upgrades, aborts, hostile headers.
import assert from "node:assert/strict";
import http from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { once } from "node:events";
import { after, before, beforeEach, describe, it } from "node:test";
import fastify from "fastify";
import { fastifyTracing } from "../../src/client/node/instrument-fastify.ts";
import { instrumentHttp } from "../../src/client/node/instrument-http.ts";
import {
  AsyncScopeManager,
  ConstSampler,
  InMemoryReporter,
  TestUtils,
  Tracer,
} from "../../src/client/node/index.ts";
import { closeServer } from "./client-servers.ts";
import type { AddressInfo, Socket } from "node:net";
import type { Span } from "../../src/client/node/index.ts";
import type { ScopeManager } from "../../src/client/types.ts";

/** As on Nodes before 24, whose contexts do not end with the callback they were entered in. */
function withoutEnter(): ScopeManager {
  const scope = new AsyncScopeManager();
  return { active: () => scope.active(), run: (span, action) => scope.run(span, action) };
}

const SCOPES = { "a context a callback": () => new AsyncScopeManager(), run: withoutEnter };

/** Everything a connection answers until it is closed. */
async function answerTo(port: number, ...parts: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  let answer = "";
  socket.on("data", (part: string) => (answer += part));
  for (const part of parts) {
    const before = answer.length;
    socket.write(part);
    while (answer.length === before && !socket.destroyed) await once(socket, "data");
  }
  if (!socket.destroyed) await once(socket, "close");
  return answer;
}

function requestText(path: string, headers = "", version = "1.1"): string {
  return `GET ${path} HTTP/${version}\r\nhost: x\r\nUser-Agent: test\r\n${headers}\r\n`;
}

const LAST = "connection: close\r\n";

for (const [name, scopeManager] of Object.entries(SCOPES)) {
  describe(`a served connection, by ${name}`, () => {
    const reporter = new InMemoryReporter();
    const options = { scopeManager: scopeManager() };
    const tracer = new Tracer("svc", reporter, new ConstSampler(true), options);
    const ignore = (request: http.IncomingMessage): boolean => request.url === "/health";
    let undo: () => void;
    let port = 0;
    const upgraded: (Span | null)[] = [];
    const server = http.createServer((request, response) => {
      if (request.url === "/hang") return;
      setImmediate(() => response.end(`<${tracer.activeSpan()?.context().traceIdStr}>`));
    });
    server.on("upgrade", (_request, socket: Socket) => {
      upgraded.push(tracer.activeSpan());
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    });

    server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      response.writeContinue(() => server.emit("request", request, response));
    });
    server.on("checkExpectation", (_request, response: http.ServerResponse) => {
      response.writeHead(417).end(`<${tracer.activeSpan()?.context().traceIdStr}>`);
    });

    const spans = async (count: number): Promise<Span[]> => {
      while (reporter.spans.length < count) await new Promise((next) => setImmediate(next));
      return reporter.spans;
    };

    before(async () => {
      undo = instrumentHttp(tracer, { ignore });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      port = (server.address() as AddressInfo).port;
    });
    beforeEach(() => reporter.clear());
    after(async () => {
      undo();
      await closeServer(server);
    });

    it("gives pipelined requests their own spans, and ignored ones between them none", async () => {
      const first = requestText("/a", "uber-trace-id: a1:1:0:1\r\n");
      const second = requestText("/b", `Uber-Trace-Id: b2:2:0:1\r\n${LAST}`);
      const answer = await answerTo(port, first + requestText("/health") + second);
      assert.deepEqual(answer.match(/<.*?>/g), ["<a1>", "<undefined>", "<b2>"]);
      const parents = (await spans(2)).map((span) => span.context().parentIdStr);
      assert.deepEqual(parents, ["1", "2"]);
    });

    it("leaves no span active for what follows on a kept connection", async () => {
      const upgrade = requestText("/up", "connection: upgrade\r\nupgrade: x\r\n");
      const traced = requestText("/a", "uber-trace-id: a1:1:0:1\r\n");
      const answer = await answerTo(port, traced, requestText("/health"), upgrade);
      assert.deepEqual(answer.match(/<.*?>/g), ["<a1>", "<undefined>"]);
      assert.deepEqual(upgraded.splice(0), [null]);
    });

    it("traces HTTP/1.0, and roots of their own where no header is", async () => {
      const answer = await answerTo(port, requestText("/old", "", "1.0"));
      const [span] = await spans(1);
      assert.equal(answer.match(/<(.*?)>/)![1], span!.context().traceIdStr);
      assert.equal(span!.context().parentIdStr, null);
      const tags = { "span.kind": "server", "http.url": "/old", "sampler.type": "const" };
      assert.ok(TestUtils.hasTags(span!, tags));
    });

    it("traces a request that expects something once, whichever listener answers it", async () => {
      const first = requestText("/a", "uber-trace-id: a1:1:0:1\r\nexpect: 100-continue\r\n");
      const second = requestText("/b", `uber-trace-id: b2:2:0:1\r\nexpect: x\r\n${LAST}`);
      const answer = await answerTo(port, first + second);
      assert.match(answer, /100 Continue[^]*<a1>[^]*417[^]*<b2>/);
      const parents = (await spans(2)).map((span) => span.context().parentIdStr);
      assert.deepEqual(parents, ["1", "2"]);
    });

    it("marks a request that its caller gave up", async () => {
      const socket = connect(port, "127.0.0.1");
      const asked = once(server, "request");
      socket.write(requestText("/hang", "uber-trace-id: a1:1:0:1\r\n"));
      await asked;
      socket.destroy();
      const [span] = await spans(1);
      // Nothing was answered: no status, though the response that was prepared has one.
      const { error, "http.status_code": status } = TestUtils.getTags(span!);
      assert.deepEqual([error, status], [true, undefined]);
      assert.equal(span!._logs[0]!.fields[0]!.value, "aborted");
    });

    it("reads baggage and debug ids beside ids, and ignores what is malformed", async () => {
      const ids = "uber-trace-id: a1:1:0:1\r\n";
      const baggage = requestText("/a", `uberctx-user: ann\r\n${ids}`);
      const debug = requestText("/b", "Jaeger-Debug-Id: why\r\n");
      const twice = requestText("/c", `${ids}${ids}`);
      const bad = requestText("/d", `uber-trace-id: a1:xyz:0:1\r\n${LAST}`);
      await answerTo(port, baggage + debug + twice + bad);
      const [first, second, third, fourth] = (await spans(4)) as [Span, Span, Span, Span];
      assert.equal(first.getBaggageItem("user"), "ann");
      assert.ok(TestUtils.hasTags(second, { "jaeger-debug-id": "why" }));
      assert.ok(second.context().isDebug());
      for (const span of [third, fourth]) assert.equal(span.context().parentIdStr, null);
    });

    it("returns to the caller's span when a request is emitted by hand", async () => {
      const span = tracer.startSpan("by hand");
      const request = new http.IncomingMessage(connect(port, "127.0.0.1"));
      const response = new http.ServerResponse(request);
      request.url = "/hang";
      tracer.withSpan(span, () => {
        server.emit("request", request, response);
        assert.equal(tracer.activeSpan(), span);
      });
      request.socket.destroy();
    });
  });
}

describe("a request that is made", () => {
  const reporter = new InMemoryReporter();
  const scopeManager = new AsyncScopeManager();
  const tracer = new Tracer("svc", reporter, new ConstSampler(true), { scopeManager });
  let undo: () => void;
  let url = "";
  const server = http.createServer((request, response) => {
    if (request.url === "/cut") response.write("half", () => request.socket.destroy());
    else response.writeHead(request.method === "HEAD" ? 204 : 200).end();
  });
  server.on("upgrade", (_request, socket: Socket) => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
  });

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    undo = instrumentHttp(tracer, { server: false });
  });
  after(async () => {
    undo();
    await closeServer(server);
  });

  /** The tags of the one span, once its request is closed. */
  async function made(path: string, options: http.RequestOptions): Promise<object> {
    reporter.clear();
    const request = http.request(url + path, { agent: false, ...options }, (response) => {
      response.on("error", () => {}).resume();
    });
    request.on("upgrade", (_response, socket) => socket.destroy());
    request.on("error", () => {});
    request.end();
    await once(request, "close");
    while (reporter.spans.length === 0) await new Promise((next) => setImmediate(next));
    return TestUtils.getTags(reporter.spans[0]!);
  }

  it("is marked when its answer breaks off", async () => {
    const tags = await made("/cut", {});
    assert.deepEqual([Object(tags)["http.status_code"], Object(tags)["error"]], [200, true]);
    assert.equal(reporter.spans[0]!._logs[0]!.fields[0]!.value, "aborted");
  });

  it("is no error without a body, nor when it is upgraded", async () => {
    const upgrade = { headers: { connection: "upgrade", upgrade: "x" } };
    for (const options of [{}, { method: "HEAD" }, upgrade]) {
      assert.equal(Object(await made("/", options))["error"], undefined);
    }
  });
});

describe("what stands in for a connection", () => {
  const reporter = new InMemoryReporter();
  const scopeManager = new AsyncScopeManager();
  const tracer = new Tracer("svc", reporter, new ConstSampler(true), { scopeManager });
  beforeEach(() => reporter.clear());

  /** What becomes of a request to an application whose answer is whole. */
  async function errorOfSpan(): Promise<unknown> {
    while (reporter.spans.length === 0) await new Promise((next) => setImmediate(next));
    assert.equal(reporter.spans[0]!.operationName, "GET /whole");
    return TestUtils.getTags(reporter.spans[0]!)["error"];
  }

  it("is no abort: fastify's inject", async () => {
    const app = fastify();
    await app.register(fastifyTracing(tracer) as never);
    app.get("/whole", () => "all");
    assert.equal((await app.inject("/whole")).body, "all");
    assert.equal(await errorOfSpan(), undefined);
  });

  it("is no abort: HTTP/2", async () => {
    const app = fastify({ http2: true });
    await app.register(fastifyTracing(tracer) as never);
    app.get("/whole", () => "all");
    const session = connectHttp2(await app.listen({ port: 0, host: "127.0.0.1" }));
    const stream = session.request({ ":path": "/whole", "uber-trace-id": "a1:1:0:1" });
    stream.setEncoding("utf8");
    let body = "";
    for await (const part of stream) body += String(part);
    assert.equal(body, "all");
    assert.equal(await errorOfSpan(), undefined);
    assert.equal(reporter.spans[0]!.context().traceIdStr, "a1");
    session.close();
    await app.close();
  });
});
