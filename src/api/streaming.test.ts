/** Tests of streamed answers: failures before and after the first byte, lost clients, size. */

import assert from "node:assert/strict";
import * as http from "node:http";
import { describe, it } from "node:test";
import { CounterTable } from "../base/counters.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import type { HttpServer } from "../net/http-server.ts";
import { startQueryServer } from "./query-server.ts";
import type { TraceSource } from "./trace-stream.ts";

const TRACE_ID = "01".repeat(16);

/** A batch of the trace with `count` spans of about 1 kB of JSON, ids from `first`. */
function batchOf(first: number, count: number): SpanBatch {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const scope = builder.addScope();
  const key = builder.key(builder.text("k"), ATTRIBUTE_TYPE.STRING);
  const value = builder.text("x".repeat(800));
  for (let n = 0; n < count; n++) {
    const i = builder.addSpan(resource, scope);
    builder.traceId.fill(1, i * 16, i * 16 + 16);
    new DataView(builder.spanId.buffer).setUint32(i * 8 + 4, first + n);
    builder.spanAttributes.add(key, value);
  }
  return builder.finish();
}

type Get = TraceSource["get"];

/** A source whose traces come from `get`, and nothing else. */
function sourceOf(get: Get): TraceSource {
  const none = (): never => {
    throw new SpoorError("unsupported", "not in this test");
  };
  return {
    can: {
      name: "test",
      allServices: true,
      filters: true,
      orders: ["start"],
      cursor: true,
      totals: true,
      operationKinds: true,
      attributeKeys: true,
      attributeValues: true,
      links: true,
      changedSince: true,
      archive: false,
      delete: false,
    },
    get,
    find: none,
    changedSince: none,
    services: none,
    operations: none,
    attributeKeys: none,
    attributeValues: none,
    links: none,
    archive: none,
    getArchived: none,
  };
}

async function withServer(get: Get, run: (server: HttpServer) => Promise<void>): Promise<void> {
  const query = sourceOf(get);
  const counters = new CounterTable();
  const server = await startQueryServer({ host: "127.0.0.1", port: 0, query, counters });
  try {
    await run(server);
  } finally {
    await server.close(0);
  }
}

const urlOf = (server: HttpServer, query = `traceID=${TRACE_ID}`): string =>
  `http://127.0.0.1:${server.port}/api/traces?${query}`;

describe("a streamed answer", () => {
  it("that fails before its first byte has the error's status", async () => {
    const failing: Get = async function* (ids) {
      if (ids.length > 0) throw new SpoorError("overloaded", "too much", { retryAfterMs: 2500 });
      yield batchOf(0, 1);
    };
    await withServer(failing, async (server) => {
      const response = await fetch(urlOf(server));
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "3");
      const errors = '[{"code":503,"msg":"too much"}]';
      const text = `{"data":null,"total":0,"limit":0,"offset":0,"errors":${errors}}\n`;
      assert.equal(await response.text(), text);
    });
  });

  it("that fails later is cut, never finished", async () => {
    let asked = 0;
    const failing: Get = async function* () {
      if (asked++ > 0) throw new SpoorError("io", "the disk is gone");
      yield batchOf(0, 2000);
    };
    await withServer(failing, async (server) => {
      const response = await fetch(urlOf(server, `traceID=${TRACE_ID}&traceID=02`));
      assert.equal(response.status, 200);
      await assert.rejects(response.text(), TypeError);
    });
  });

  it("of 40,000 spans in many batches is one trace, valid, in bounded chunks", async () => {
    const many: Get = async function* () {
      for (let b = 0; b < 40; b++) yield batchOf(b * 1000, 1000);
    };
    await withServer(many, async (server) => {
      const response = await fetch(urlOf(server));
      assert.equal(response.headers.get("content-length"), null);
      const { data } = (await response.json()) as { data: { spans: { spanID: string }[] }[] };
      assert.equal(data.length, 1);
      assert.equal(data[0]!.spans.length, 40_000);
      assert.equal(data[0]!.spans.at(-1)!.spanID, (39_999).toString(16).padStart(16, "0"));
    });
  });

  it("stops asking the store when the client goes away, and tells it by its signal", async () => {
    const gone = Promise.withResolvers<void>();
    let traces = 0;
    const endless: Get = async function* (_ids, signal) {
      signal?.addEventListener("abort", () => gone.resolve(), { once: true });
      traces++;
      yield batchOf(0, 1000);
    };
    await withServer(endless, async (server) => {
      // 500 ids are 21 kB of URL, some gigabyte of JSON.
      const ids = Array.from({ length: 500 }, () => `traceID=${TRACE_ID}`).join("&");
      const request = http.get(urlOf(server, ids));
      request.on("error", () => undefined);
      const response = await new Promise<http.IncomingMessage>((resolve) => {
        request.on("response", resolve);
      });
      await new Promise((resolve) => response.once("data", resolve));
      response.pause();
      request.destroy();
      await gone.promise;
    });
    assert.ok(traces < 500, `${traces} traces read`);
  });
});
