// A program with every instrumentation runs as it would without any when tracing is disabled.
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { it } from "node:test";
import * as grpc from "@grpc/grpc-js";
import * as otel from "@opentelemetry/api";
import express from "express";
import fastify from "fastify";
import { FORMAT_HTTP_HEADERS } from "opentracing";
import { expressErrors, expressTracing } from "../../src/client/node/instrument-express.ts";
import { fastifyTracing } from "../../src/client/node/instrument-fastify.ts";
import { grpcClientTracing, grpcServerTracing } from "../../src/client/node/instrument-grpc.ts";
import { instrumentHttp, tracedListener } from "../../src/client/node/instrument-http.ts";
import { initTracer as initPageTracer } from "../../src/client/index.ts";
import { instrumentFetch, tracedFetch } from "../../src/client/instrument-fetch.ts";
import { initTracerFromEnv } from "../../src/client/node/index.ts";
import { SpoorTracerProvider } from "../../src/client/node/opentelemetry.ts";
import { closeServer } from "./client-servers.ts";
import type { AddressInfo } from "node:net";

const tracer = initTracerFromEnv({}, {}, { JAEGER_DISABLED: "true" });

async function textFrom(server: http.Server, path = "/"): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const text = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  await closeServer(server);
  return text;
}

it("has the methods applications call", async () => {
  assert.equal(tracer.activeSpan(), null);
  assert.equal(
    tracer.withSpan(null, () => 7),
    7,
  );
  await new Promise<void>((resolve) => tracer.close(resolve));
});

it("serves and requests without a trace of itself", async () => {
  const undo = [instrumentHttp(tracer), instrumentFetch(tracer)];
  const headers: string[] = [];
  const listener = tracedListener(tracer, (request, response) => {
    headers.push(...request.rawHeaders);
    response.end("plain");
  });
  assert.equal(await textFrom(http.createServer(listener)), "plain");
  assert.ok(!headers.includes("uber-trace-id"));
  const app = express();
  app.use(expressTracing(tracer));
  app.get("/ok", (_request, response) => {
    response.send("express");
  });
  app.get("/broken", () => {
    throw new Error("broken on purpose");
  });
  app.use(expressErrors(tracer));
  app.use((_e: unknown, _q: unknown, response: express.Response, _n: unknown) => {
    response.send("caught");
  });
  assert.equal(await textFrom(http.createServer(app), "/ok"), "express");
  assert.equal(await textFrom(http.createServer(app), "/broken"), "caught");
  const other = fastify();
  await other.register(fastifyTracing(tracer) as never);
  other.get("/", () => "fastify");
  assert.equal((await other.inject("/")).body, "fastify");
  for (const step of undo) step();
});

it("leaves a page's fetch as it is", () => {
  const { fetch } = globalThis;
  for (const each of [tracer, initPageTracer({ serviceName: "page", disable: true })]) {
    assert.equal(tracedFetch(each, fetch), fetch);
    const carrier = {};
    each.inject(each.startSpan("op"), FORMAT_HTTP_HEADERS, carrier);
    assert.deepEqual(carrier, {});
  }
});

it("calls by gRPC", async () => {
  const identity = (bytes: Buffer): Buffer => bytes;
  const path = "/shop.Orders/Get";
  const streams = { requestStream: false, responseStream: false } as const;
  const requests = { requestSerialize: identity, requestDeserialize: identity };
  const responses = { responseSerialize: identity, responseDeserialize: identity };
  const server = new grpc.Server({ interceptors: [grpcServerTracing(tracer, grpc)] });
  server.addService(
    { Get: { path, ...streams, ...requests, ...responses } },
    {
      Get: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) =>
        answer(null, call.request),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const interceptors = [grpcClientTracing(tracer, grpc)];
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    interceptors,
  });
  const answer = await new Promise<string>((resolve, reject) => {
    client.makeUnaryRequest(path, identity, identity, Buffer.from("hi"), (error, got) =>
      error ? reject(error) : resolve(got!.toString()),
    );
  });
  assert.equal(answer, "hi");
  client.close();
  server.forceShutdown();
});

it("leaves OpenTelemetry without a provider", () => {
  const provider = new SpoorTracerProvider(tracer, otel);
  provider.register();
  for (const each of [provider.getTracer("lib"), otel.trace.getTracer("lib")]) {
    each.startActiveSpan("op", (span) => {
      assert.equal(span.setAttribute("a", 1).isRecording(), false);
      span.end();
    });
  }
});
