// Instrumentations in real requests: each continues the caller's trace and carries its own on.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import * as grpc from "@grpc/grpc-js";
import * as otel from "@opentelemetry/api";
import express from "express";
import fastify from "fastify";
import { expressErrors, expressTracing } from "../../src/client/node/instrument-express.ts";
import { fastifyTracing } from "../../src/client/node/instrument-fastify.ts";
import { grpcClientTracing, grpcServerTracing } from "../../src/client/node/instrument-grpc.ts";
import { instrumentHttp, tracedListener } from "../../src/client/node/instrument-http.ts";
import { instrumentFetch } from "../../src/client/instrument-fetch.ts";
import {
  AsyncScopeManager,
  ConstSampler,
  InMemoryReporter,
  Tracer,
} from "../../src/client/node/index.ts";
import { SpoorTracerProvider } from "../../src/client/node/opentelemetry.ts";
import { TestUtils } from "../../src/client/node/index.ts";
import { closeServer } from "./client-servers.ts";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import type { Span } from "../../src/client/node/index.ts";

function setUp(): {
  tracer: Tracer;
  reporter: InMemoryReporter;
  done: (n: number) => Promise<Span[]>;
} {
  const reporter = new InMemoryReporter();
  const scopeManager = new AsyncScopeManager();
  const tracer = new Tracer("svc", reporter, new ConstSampler(true), { scopeManager });
  /** The spans once `n` of them are finished. */
  const done = async (n: number): Promise<Span[]> => {
    while (reporter.spans.length < n) await new Promise((resolve) => setImmediate(resolve));
    return reporter.spans;
  };
  return { tracer, reporter, done };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A request by node:http, its body as text. */
function get(url: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("end", () => resolve(body));
    });
    request.on("error", reject);
  });
}

function spanNamed(spans: readonly Span[], name: string): Span {
  const found = spans.find((span) => span.operationName === name);
  assert.ok(found, `${name} among ${String(spans.map((span) => span.operationName))}`);
  return found;
}

function assertChild(child: Span, parent: Span): void {
  assert.equal(child.context().traceIdHex, parent.context().traceIdHex);
  assert.equal(child.context().parentIdHex, parent.context().spanIdHex);
}

const INCOMING = { "uber-trace-id": "abc:1:0:1", "uberctx-user": "ann" };

describe("node:http and fetch", () => {
  const { tracer, reporter, done } = setUp();
  let undo: (() => void)[] = [];
  let servers: Server[] = [];
  let back = "";
  let front = "";

  before(async () => {
    undo = [instrumentHttp(tracer), instrumentFetch(tracer)];
    const inner = http.createServer((request, response) => {
      const baggage = tracer.activeSpan()?.getBaggageItem("user");
      if (request.url === "/fail") response.statusCode = 503;
      response.end(`hello ${baggage}`);
    });
    back = await listening(inner);
    const outer = http.createServer((request, response) => {
      const path = request.url!.includes("fail") ? "/fail" : "/inner?token=secret";
      const call = request.url!.startsWith("/fetch")
        ? fetch(back + path).then((answer) => answer.text())
        : get(back + path);
      void call.then((body) => response.end(body));
    });
    front = await listening(outer);
    servers = [inner, outer];
  });

  after(async () => {
    for (const step of undo) step();
    for (const server of servers) await closeServer(server);
  });

  for (const kind of ["http", "fetch"] as const) {
    it(`continues through ${kind} with baggage, and hides queries`, async () => {
      reporter.clear();
      // The request from outside is not one of ours to trace.
      const body = await tracer.withSpan(null, () => get(`${front}/${kind}`, INCOMING));
      assert.equal(body, "hello ann");
      const spans = await done(4);
      const servers = spans.filter((span) => TestUtils.hasTags(span, { "span.kind": "server" }));
      const byPath = (path: string): Span =>
        servers.find((span) => TestUtils.getTags(span)["http.url"] === path)!;
      const [outer, inner] = [byPath(`/${kind}`), byPath("/inner")];
      const client = spans.find(
        (span) => span.context().spanIdHex === inner.context().parentIdHex,
      )!;
      assertChild(client, outer);
      assertChild(inner, client);
      assert.ok(
        TestUtils.hasTags(client, { "http.status_code": 200, "http.url": `${back}/inner` }),
      );
      assert.ok(TestUtils.hasTags(inner, { "http.method": "GET", "http.status_code": 200 }));
    });

    it(`marks a ${kind} call that fails`, async () => {
      reporter.clear();
      await get(`${front}/${kind}/fail`);
      const spans = await done(4);
      const failed = spans.filter((span) => TestUtils.hasTags(span, { error: true }));
      assert.equal(failed.length, 2);
      assert.ok(failed.every((span) => TestUtils.getTags(span)["http.status_code"] === 503));
    });
  }

  it("reports a refused connection and leaves the error to the caller", async () => {
    reporter.clear();
    await assert.rejects(get("http://127.0.0.1:1/"));
    const [span] = await done(1);
    assert.ok(TestUtils.hasTags(span!, { error: true, "span.kind": "client" }));
  });

  it("leaves what is no URL, and what calls nobody, to the platform", async () => {
    reporter.clear();
    await assert.rejects(fetch("nonsense"), /parse URL/);
    assert.equal(await (await fetch("data:text/plain,hello")).text(), "hello");
    assert.equal(reporter.spans.length, 0);
  });

  it("reports a call whose headers are refused, and leaves the error to the caller", async () => {
    reporter.clear();
    await assert.rejects(fetch(back, { headers: { "no name": "x" } }), TypeError);
    const [span] = await done(1);
    assert.ok(TestUtils.hasTags(span!, { error: true, "span.kind": "client" }));
  });

  it("leaves no trace of itself when undone", async () => {
    for (const step of undo.splice(0)) step();
    reporter.clear();
    await get(`${back}/inner`).catch(() => {});
    assert.equal(reporter.spans.length, 0);
    assert.equal(Object.hasOwn(http.Server.prototype, "emit"), false);
  });
});

describe("a request that is not sampled", () => {
  it("is carried on without being watched, and reported once a handler asks for it", async () => {
    const { tracer, reporter, done } = setUp();
    const undo = instrumentHttp(tracer);
    const seen: (string | undefined)[] = [];
    const listeners: number[] = [];
    const inner = http.createServer((request, response) => {
      seen.push(request.headers["uber-trace-id"] as string | undefined);
      response.end();
    });
    const back = await listening(inner);
    const outer = http.createServer((request, response) => {
      if (request.url === "/asked") tracer.activeSpan()!.setTag("sampling.priority", 1);
      const call = http.get(back, { agent: false }, (answer) => {
        answer.resume();
        answer.on("end", () => response.end());
      });
      listeners.push(call.listenerCount("close"));
    });
    const front = await listening(outer);
    // By fetch, which is not instrumented here.
    const headers = { "uber-trace-id": "abc:1:0:0" };
    await (await fetch(`${front}/`, { headers })).text();
    assert.equal(reporter.spans.length, 0);
    await (await fetch(`${front}/asked`, { headers })).text();
    const spans = await done(3);
    assert.deepEqual(listeners, [0, 1]);
    assert.match(String(seen), /^abc:[0-9a-f]+:[0-9a-f]+:0,abc:[0-9a-f]+:[0-9a-f]+:3$/);
    assert.ok(spans.some((span) => TestUtils.hasTags(span, { "sampling.priority": 1 })));
    undo();
    for (const server of [inner, outer]) await closeServer(server);
  });
});

describe("a traced listener", () => {
  it("needs no patching", async () => {
    const { tracer, done } = setUp();
    const server = http.createServer(
      tracedListener(tracer, (_request, response) => {
        response.end(tracer.activeSpan()!.context().traceIdStr);
      }),
    );
    assert.equal(await get(await listening(server), INCOMING), "abc");
    assert.equal((await done(1))[0]!.context().parentIdStr, "1");
    await closeServer(server);
  });
});

describe("express", () => {
  it("names spans after routes and logs what they throw", async () => {
    const { tracer, reporter, done } = setUp();
    const app = express();
    app.use(expressTracing(tracer));
    const router = express.Router();
    router.get("/orders/:id", async (_request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      response.send(tracer.activeSpan()!.getBaggageItem("user"));
    });
    router.get("/broken", () => {
      throw new Error("broken on purpose");
    });
    app.use("/shop", router);
    app.use(expressErrors(tracer));
    app.use((_e: unknown, _q: unknown, response: express.Response, _n: unknown) => {
      response.status(500).end();
    });
    const server = http.createServer(app);
    const url = await listening(server);
    assert.equal(await get(`${url}/shop/orders/7`, INCOMING), "ann");
    await get(`${url}/shop/broken`);
    const spans = await done(2);
    const order = spanNamed(spans, "GET /shop/orders/:id");
    assert.equal(order.context().parentIdStr, "1");
    assert.ok(TestUtils.hasTags(order, { component: "express", "http.status_code": 200 }));
    const broken = spanNamed(spans, "GET /shop/broken");
    assert.ok(TestUtils.hasTags(broken, { error: true, "http.status_code": 500 }));
    assert.match(String(broken._logs[0]!.fields[1]!.value), /Error: broken on purpose/);
    assert.equal(reporter.spans.length, 2);
    await closeServer(server);
  });
});

describe("fastify", () => {
  it("names spans after routes and logs what they throw", async () => {
    const { tracer, done } = setUp();
    const app = fastify();
    await app.register(fastifyTracing(tracer) as never);
    app.get("/orders/:id", async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return tracer.activeSpan()!.getBaggageItem("user");
    });
    app.get("/broken", () => {
      throw new Error("broken on purpose");
    });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    assert.equal(await get(`${url}/orders/7`, INCOMING), "ann");
    await get(`${url}/broken`);
    const spans = await done(2);
    const order = spanNamed(spans, "GET /orders/:id");
    assert.equal(order.context().traceIdStr, "abc");
    assert.ok(TestUtils.hasTags(order, { component: "fastify", "http.status_code": 200 }));
    const broken = spanNamed(spans, "GET /broken");
    assert.ok(TestUtils.hasTags(broken, { error: true, "http.status_code": 500 }));
    assert.match(String(broken._logs[0]!.fields[1]!.value), /Error: broken on purpose/);
    await app.close();
  });
});

describe("grpc-js", () => {
  it("joins client and server, with the span active in the handler", async () => {
    const { tracer, done } = setUp();
    const identity = (bytes: Buffer): Buffer => bytes;
    const definition = {
      path: "/shop.Orders/Get",
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    } as const;
    const server = new grpc.Server({ interceptors: [grpcServerTracing(tracer, grpc)] });
    server.addService(
      { Get: definition },
      {
        Get: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
          const span = tracer.activeSpan();
          if (call.request.toString() === "fail") {
            answer({ code: grpc.status.NOT_FOUND, details: "no such order" });
          } else answer(null, Buffer.from(String(span?.getBaggageItem("user"))));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      interceptors: [grpcClientTracing(tracer, grpc)],
    });
    const call = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const { path } = definition;
        client.makeUnaryRequest(path, identity, identity, Buffer.from(text), (error, answer) => {
          if (error) reject(error);
          else resolve(answer!.toString());
        });
      });
    const root = tracer.startSpan("root").setBaggageItem("user", "ann");
    assert.equal(await tracer.withSpan(root, () => call("get")), "ann");
    await assert.rejects(
      tracer.withSpan(root, () => call("fail")),
      /no such order/,
    );
    const spans = await done(4);
    const kind = (name: string): Span[] =>
      spans.filter((span) => TestUtils.hasTags(span, { "span.kind": name }));
    for (const span of kind("client")) assertChild(span, root);
    for (const span of kind("server")) {
      const parent = kind("client").find(
        (each) => each.context().spanIdHex === span.context().parentIdHex,
      );
      assert.ok(parent);
      assertChild(span, parent);
    }
    const codes = spans.map((span) => TestUtils.getTags(span)["rpc.grpc.status_code"]);
    assert.equal(codes.filter((code) => code === 0).length, 2);
    assert.equal(codes.filter((code) => code === 5).length, 2);
    client.close();
    server.forceShutdown();
  });
});

describe("the OpenTelemetry bridge", () => {
  it("puts OpenTelemetry and OpenTracing spans into one trace, both ways", async () => {
    const { tracer, reporter } = setUp();
    new SpoorTracerProvider(tracer, otel).register();
    const outer = tracer.startSpan("outer").setBaggageItem("user", "ann");
    await tracer.withSpan(outer, async () => {
      const scoped = otel.trace.getTracer("lib", "2.0");
      await scoped.startActiveSpan("middle", { kind: otel.SpanKind.CLIENT }, async (span) => {
        await new Promise((resolve) => setImmediate(resolve));
        tracer.startSpan("inner", { childOf: tracer.activeSpan() }).finish();
        span.setAttributes({ a: 1, list: ["x"] }).addEvent("hit", { n: 2 });
        span.recordException(new Error("oops"));
        span.setStatus({ code: otel.SpanStatusCode.ERROR, message: "bad" });
        const headers: Record<string, string> = {};
        otel.propagation.inject(otel.context.active(), headers);
        assert.equal(
          headers["uber-trace-id"]!.split(":")[1],
          tracer.activeSpan()!.context().spanIdStr,
        );
        assert.equal(headers["uberctx-user"], "ann");
        span.end();
        span.end();
      });
    });
    outer.finish();
    const [inner, middle] = reporter.spans as [Span, Span];
    assert.equal(reporter.spans.length, 3);
    assertChild(middle, outer);
    assertChild(inner, middle);
    const expected = { "span.kind": "client", a: 1, error: true, "otel.scope.name": "lib" };
    assert.ok(TestUtils.hasTags(middle, expected));
    assert.deepEqual(
      middle._logs.map((log) => log.fields[0]!.value),
      ["hit", "exception"],
    );
  });

  it("continues what it extracts, with baggage, and keeps links", () => {
    const { tracer, reporter } = setUp();
    const provider = new SpoorTracerProvider(tracer, otel);
    otel.trace.disable();
    otel.context.disable();
    otel.propagation.disable();
    provider.register();
    const parent = otel.propagation.extract(otel.ROOT_CONTEXT, INCOMING);
    const link = { context: tracer.startSpan("elsewhere").context() };
    const linked = {
      traceId: link.context.traceIdHex,
      spanId: link.context.spanIdHex,
      traceFlags: 1,
    };
    const span = provider
      .getTracer("lib")
      .startSpan("op", { links: [{ context: linked }] }, parent);
    span.end();
    const [made] = reporter.spans as [Span];
    assert.equal(made.context().traceIdStr, "abc");
    assert.equal(made.getBaggageItem("user"), "ann");
    assert.equal(made._references[0]!.type(), "follows_from");
  });
});
