/** The page's source over a real server: progress, details, find, growth, and what goes wrong. */

import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { startQueryServer } from "../../src/api/query-server.ts";
import { toHex } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import type { SpanStore } from "../../src/core/store.ts";
import type { HttpServer } from "../../src/net/http-server.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { archiveTrace, NoSkeletonsError, serverSource } from "../../ui/data/server-source.ts";
import { TraceLoadError } from "../../ui/data/trace-source.ts";
import { batchOf, plainSpan } from "../support/plain-spans.ts";
import { mixedShape, shapeBatches } from "../support/trace-shapes.ts";

let store: SpanStore;
let server: HttpServer;
let base: string;
const BIG = "07".repeat(16);
const signal = new AbortController().signal;
const ignore = (): void => undefined;

before(async () => {
  store = openMemoryStore();
  for (const batch of shapeBatches(mixedShape(60_000))) await store.write(batch);
  const counters = new CounterTable();
  const query = new QueryService({ store, counters, clock: systemClock });
  server = await startQueryServer({ host: "127.0.0.1", port: 0, query, counters });
  base = `http://127.0.0.1:${server.port}`;
});

after(async () => {
  await server.close(0);
  await store.close();
});

const failsWith = (code: string) => (error: unknown) =>
  error instanceof TraceLoadError && error.code === code && error.message !== "";

/** A server that answers everything with the first bytes of what ours does, then hangs up. */
async function withCutServer(keep: number, run: (cut: string) => Promise<void>): Promise<void> {
  const cut = http.createServer((request, response) => {
    void (async () => {
      const answer = await fetch(base + request.url!, {
        headers: { "accept-encoding": "identity" },
      });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      response.writeHead(answer.status, {
        "content-type": answer.headers.get("content-type")!,
        "content-length": bytes.length,
      });
      response.write(bytes.subarray(0, keep), () => response.destroy());
    })();
  });
  await new Promise<void>((resolve) => cut.listen(0, "127.0.0.1", resolve));
  try {
    await run(`http://127.0.0.1:${(cut.address() as AddressInfo).port}`);
  } finally {
    cut.closeAllConnections();
    cut.close();
  }
}

describe("server source", () => {
  it("shows the first rows before the last have arrived", async () => {
    const loaded: number[] = [];
    const source = serverSource({ base, traceId: BIG.toUpperCase() });
    const columns = await source.load((c) => loaded.push(c.loaded), signal);
    assert.deepEqual([loaded[0], columns.loaded], [4096, 60_000]);
    assert.ok(columns.criticalPath.row.length > 0);
  });

  it("tells of what comes also while a part is under way", async () => {
    const path = `/api/spoor/v1/traces/${BIG}/skeleton`;
    const whole = await fetch(base + path, { headers: { "accept-encoding": "identity" } });
    const bytes = new Uint8Array(await whole.arrayBuffer());
    let sent = 0;
    let answer: http.ServerResponse | undefined;
    const goOn = (most: number): void => {
      const piece = bytes.subarray(sent, sent + most);
      sent += piece.length;
      if (piece.length > 0) answer?.write(piece);
      else answer?.end();
    };
    const slow = http.createServer((_, response) => {
      answer = response;
      response.setHeader("content-type", whole.headers.get("content-type")!);
      goOn(200_000);
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const { port } = slow.address() as AddressInfo;
    const told: number[] = [];
    // The next piece goes out when the last one was told of.
    try {
      const source = serverSource({ base: `http://127.0.0.1:${port}`, traceId: BIG });
      const columns = await source.load(({ loaded }) => {
        told.push(loaded);
        goOn(20_000);
      }, signal);
      assert.equal(columns.loaded, 60_000);
    } finally {
      slow.closeAllConnections();
      slow.close();
    }
    assert.ok(told.filter((loaded) => loaded === 4096).length > 10, told.join());
  });

  it("gives details, find and JSON", async () => {
    const source = serverSource({ base, traceId: BIG });
    const columns = await source.load(ignore, signal);
    const rows = [5, 3, 5];
    for (let n = 0; n < 2; n++) {
      const details = await source.details(columns, rows, signal);
      assert.deepEqual(
        details.map(({ row }) => row),
        rows,
      );
      const ids = rows.map((row) => toHex(columns.spanId, row * 8, 8));
      assert.deepEqual(
        details.map(({ spanIdHex }) => spanIdHex),
        ids,
      );
    }
    const bits = await source.find(columns, { text: '"GET /api/things/9"' }, signal);
    for (let r = 0; r < columns.spanCount; r++) {
      const named = columns.names[columns.name[r]!] === "GET /api/things/9";
      assert.equal((bits[r >> 3]! & (1 << (r & 7))) !== 0, named);
    }
    const keys = await source.keys(columns, signal);
    assert.deepEqual(keys, [{ key: "service.name", spanCount: 60_000 }]);
    const { values, groups } = await source.values(columns, "service.name", signal);
    for (const [row, group] of groups.entries()) {
      const service = columns.services[columns.service[row]!];
      assert.equal(values[group]?.text ?? service, service);
    }
    assert.equal(groups.length, 60_000);
    const text = await (await source.json(true, signal)).text();
    assert.equal(
      (JSON.parse(text) as { data: { spans: unknown[] }[] }).data[0]!.spans.length,
      60_000,
    );
  });

  it("tells of growth and loads anew", async () => {
    const traceHex = "31".repeat(16);
    await store.write(batchOf([plainSpan({ traceHex, spanHex: "01".repeat(8) })]));
    await store.settle();
    const source = serverSource({ base, traceId: traceHex });
    const columns = await source.load(ignore, signal);
    await store.write(batchOf([plainSpan({ traceHex, spanHex: "02".repeat(8) })]));
    await store.settle();
    assert.equal(await source.lateSpans(columns, signal), 1);
    assert.equal((await source.load(ignore, signal)).spanCount, 2);
    const moved = { ...columns, token: columns.token.replace(/.$/, "_").replace("_", "x") };
    await assert.rejects(source.details(moved, [0], signal), failsWith("changed"));
    await archiveTrace(base, traceHex, signal);
  });

  it("says what is wrong in words", async () => {
    const load = (at: string, traceId: string): Promise<unknown> =>
      serverSource({ base: at, traceId }).load(ignore, signal);
    await assert.rejects(load(base, "99".repeat(16)), failsWith("not-found"));
    await assert.rejects(archiveTrace(base, "99".repeat(16), signal), failsWith("not-found"));
    await assert.rejects(load(base, "no id"), failsWith("not-available"));
    await assert.rejects(load("http://127.0.0.1:1", BIG), failsWith("not-available"));
    await withCutServer(300_000, (cut) => assert.rejects(load(cut, BIG), failsWith("cut-short")));
    await withCutServer(100, (cut) => assert.rejects(load(cut, BIG), failsWith("cut-short")));
  });

  it("knows a server that has no skeletons", async () => {
    const jaeger = http.createServer((_, response) => {
      response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
    });
    await new Promise<void>((resolve) => jaeger.listen(0, "127.0.0.1", resolve));
    const at = `http://127.0.0.1:${(jaeger.address() as AddressInfo).port}`;
    await assert.rejects(
      serverSource({ base: at, traceId: BIG }).load(ignore, signal),
      NoSkeletonsError,
    );
    jaeger.close();
  });

  it("stops when aborted, at once and midway", async () => {
    const source = serverSource({ base, traceId: BIG });
    await assert.rejects(source.load(ignore, AbortSignal.abort()), { name: "AbortError" });
    const midway = new AbortController();
    await assert.rejects(
      source.load(() => midway.abort(), midway.signal),
      { name: "AbortError" },
    );
  });
});
