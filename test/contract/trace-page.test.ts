/** What the trace page asks of the server: skeleton, rows, find, values, late spans, archive. */

import assert from "node:assert/strict";
import * as http from "node:http";
import { after, before, describe, it } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { startQueryServer } from "../../src/api/query-server.ts";
import { toHex } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import type { SpanStore } from "../../src/core/store.ts";
import type { SpanDetail } from "../../src/core/trace/span-detail.ts";
import type { HttpServer } from "../../src/net/http-server.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { SkeletonDecoder } from "../../src/wire/skeleton-decode.ts";
import type { LoadingSkeleton } from "../../src/wire/skeleton-decode.ts";
import { batchOf, plainSpan } from "../support/plain-spans.ts";
import { mixedShape, shapeBatches } from "../support/trace-shapes.ts";

let store: SpanStore;
let server: HttpServer;
const BIG = "07".repeat(16);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** Plain node:http: fetch would undo the gzip that is asked about here. */
function call(path: string, body?: unknown, accept = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port: server.port,
        path: `/api/spoor/v1/traces/${path}`,
        method: body === undefined ? "GET" : "POST",
        headers: accept === "" ? {} : { "accept-encoding": accept },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: Buffer.concat(chunks) });
        });
      },
    );
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The members of all JSON answers here. */
interface Json {
  readonly error: { readonly code: string; readonly message: string };
  readonly spans: readonly SpanDetail[];
  readonly keys: readonly { readonly key: string; readonly spanCount: number }[];
  readonly late: number;
  readonly archived: boolean;
}

async function json(path: string, body?: unknown): Promise<{ status: number; json: Json }> {
  const answer = await call(path, body);
  assert.equal(answer.headers["content-type"], "application/json");
  return { status: answer.status, json: JSON.parse(answer.body.toString()) as Json };
}

async function skeleton(path: string): Promise<LoadingSkeleton> {
  const { status, headers, body } = await call(path);
  assert.equal(status, 200, body.toString());
  assert.equal(headers["content-type"], "application/x-spoor-skeleton");
  const decoder = new SkeletonDecoder();
  decoder.push(body);
  assert.ok(decoder.complete);
  return decoder.columns!;
}

before(async () => {
  store = openMemoryStore();
  for (const batch of shapeBatches(mixedShape(5000, 3))) await store.write(batch);
  const counters = new CounterTable();
  const query = new QueryService({ store, counters, clock: systemClock });
  server = await startQueryServer({ host: "127.0.0.1", port: 0, query, counters });
});

after(async () => {
  await server.close(0);
  await store.close();
});

describe("trace page API", () => {
  it("gives the skeleton, plain or compressed, the same", async () => {
    const plain = await call(`${BIG}/skeleton`);
    const zipped = await call(`${BIG}/skeleton`, undefined, "br, gzip");
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.equal(zipped.headers["content-encoding"], "gzip");
    assert.ok(zipped.body.length < plain.body.length);
    assert.deepEqual(gunzipSync(zipped.body), plain.body);
    for (const accept of ["gzip, deflate, br, zstd", "zstd;q=0.1, gzip"]) {
      const smaller = await call(`${BIG}/skeleton`, undefined, accept);
      assert.equal(smaller.headers["content-encoding"], "zstd", accept);
      assert.ok(smaller.body.length <= zipped.body.length * 1.05, `${smaller.body.length} bytes`);
      assert.deepEqual(zstdDecompressSync(smaller.body), plain.body);
    }
    const other = await call(`${BIG}/skeleton`, undefined, "zstd;q=0, gzip");
    assert.equal(other.headers["content-encoding"], "gzip");
    const refused = await call(`${BIG}/skeleton`, undefined, "gzip;q=0, zstd;q=0.0");
    assert.equal(refused.headers["content-encoding"], undefined);
    const columns = await skeleton(`${BIG}/skeleton`);
    assert.equal(columns.spanCount, 5000);
    assert.equal(columns.traceIdHex, BIG);
    assert.ok(columns.criticalPath.row.length > 0);
  });

  it("tells of traces that are not there and of wrong questions", async () => {
    const missing = await json(`${"12".repeat(16)}/skeleton`);
    assert.deepEqual(
      [missing.status, missing.json.error],
      [404, { code: "not-found", message: "trace not found" }],
    );
    const { token } = await skeleton(`${BIG}/skeleton`);
    const wrong: (readonly [string, unknown])[] = [
      ["skeleton?adjust=maybe", undefined],
      ["skeleton?clockSkew=2", undefined],
      ["rows", { token, rows: [5000] }],
      ["rows", { token, rows: [-1] }],
      ["rows", { token, rows: Array.from({ length: 1001 }, () => 0) }],
      ["rows", { rows: [0] }],
      ["rows", { token, rows: [0], more: 1 }],
      ["find", { token, text: 5 }],
      ["find", { token, minDurationNs: "1ms" }],
      ["find", { token: "x", text: "a" }],
      ["find", { token, text: "a ".repeat(100) }],
      ["keys?token=x", undefined],
      ["values", { token, key: "" }],
      ["values", { token, key: 5 }],
      ["values", { token, key: "a", more: 1 }],
      ["late?token=x", undefined],
    ];
    for (const [path, body] of wrong) {
      const { status, json: answer } = await json(`${BIG}/${path}`, body);
      assert.deepEqual([status, answer.error.code], [400, "bad-query"], path);
    }
  });

  it("gives details of rows in the order asked", async () => {
    const columns = await skeleton(`${BIG}/skeleton`);
    const { token } = columns;
    const { json: answer } = await json(`${BIG}/rows`, { token, rows: [4999, 0, 17] });
    const rows = answer.spans.map(({ row }) => row);
    assert.deepEqual(rows, [4999, 0, 17]);
    for (const detail of answer.spans) {
      const { row, spanIdHex, parentSpanIdHex, attributes, resource } = detail;
      assert.equal(spanIdHex, toHex(columns.spanId, row * 8, 8));
      const parent = columns.parent[row]!;
      assert.equal(parentSpanIdHex, parent < 0 ? "" : toHex(columns.spanId, parent * 8, 8));
      assert.equal(attributes.length, 3);
      const service = columns.services[columns.service[row]!];
      assert.deepEqual(resource, [{ key: "service.name", type: "string", text: service }]);
    }
    const zipped = await call(`${BIG}/rows`, { token, rows: [0] }, "gzip");
    assert.equal(JSON.parse(gunzipSync(zipped.body).toString()).spans.length, 1);
  });

  it("finds rows", async () => {
    const columns = await skeleton(`${BIG}/skeleton`);
    const { token } = columns;
    const rowsFor = async (find: object): Promise<number[]> => {
      const { status, body } = await call(`${BIG}/find`, { token, ...find });
      assert.equal(status, 200, body.toString());
      assert.equal(body.length, Math.ceil(columns.spanCount / 8));
      const all = [...Array(columns.spanCount).keys()];
      return all.filter((r) => (body[r >> 3]! & (1 << (r & 7))) !== 0);
    };
    assert.deepEqual(
      await rowsFor({ errorsOnly: true }),
      rowsWith(columns, (r) => (columns.flags[r]! & 1) === 1),
    );
    const named = rowsWith(columns, (r) => columns.names[columns.name[r]!] === "GET /api/things/7");
    assert.deepEqual(await rowsFor({ text: '"get /api/things/7"' }), named);
    const long = rowsWith(columns, (r) => columns.spanDurationNs[r]! >= 1e6);
    assert.deepEqual(await rowsFor({ minDurationNs: 1e6 }), long);
    const id = toHex(columns.spanId, 42 * 8, 8);
    assert.deepEqual(await rowsFor({ text: id.toUpperCase() }), [42]);
    const one = await rowsFor({ text: '"attribute.0=value of span 77"' });
    assert.equal(one.length, 11, "77 and 770 to 779");
    assert.deepEqual(await rowsFor({ text: '"value of span 77" -attribute.0' }), []);
  });

  it("tells of keys, and which value of one each row has", async () => {
    const columns = await skeleton(`${BIG}/skeleton`);
    const { token } = columns;
    const { json: told } = await json(`${BIG}/keys?token=${token}`);
    assert.deepEqual(
      told.keys.map(({ key, spanCount }) => `${key} ${spanCount}`),
      ["attribute.0 5000", "attribute.1 5000", "attribute.2 5000", "service.name 5000"],
    );
    const { status, body } = await call(`${BIG}/values`, { token, key: "service.name" });
    assert.equal(status, 200, body.toString());
    const length = body.readUInt32LE(0);
    const head = JSON.parse(body.subarray(4, 4 + length).toString()) as {
      values: { text: string; spanCount: number }[];
      others: number;
      absent: number;
    };
    const groups = body.subarray(4 + length);
    assert.equal(groups.length, columns.spanCount);
    assert.equal(head.values.length, 10);
    assert.equal(head.absent, 0);
    for (let row = 0; row < columns.spanCount; row++) {
      const service = columns.services[columns.service[row]!];
      const value = head.values[groups[row]!]?.text;
      if (groups[row] === 254) assert.ok(head.values.every(({ text }) => text !== service));
      else assert.equal(value, service);
    }
    const none = await call(`${BIG}/values`, { token, key: "no such key" }, "gzip");
    assert.ok(
      gunzipSync(none.body)
        .subarray(-5000)
        .every((group) => group === 255),
    );
  });

  it("counts late spans, and tells whoever asks about rows that are others by now", async () => {
    const at = { traceHex: "55".repeat(16), startNs: 1_700_000_000_000_000_000n };
    await store.write(batchOf([plainSpan({ ...at, spanHex: "a1".repeat(8) })]));
    await store.settle();
    const path = "55".repeat(16);
    const { token } = await skeleton(`${path}/skeleton`);
    assert.deepEqual((await json(`${path}/late?token=${token}`)).json, { late: 0 });
    await store.write(
      batchOf([
        plainSpan({ ...at, spanHex: "a2".repeat(8), parentHex: "a1".repeat(8) }),
        plainSpan({ ...at, spanHex: "a3".repeat(8), parentHex: "a1".repeat(8) }),
      ]),
    );
    await store.settle();
    for (let n = 0; n < 2; n++) {
      assert.deepEqual((await json(`${path}/late?token=${token}`)).json, { late: 2 });
    }
    // What was opened stays as it was while it is kept.
    assert.equal((await json(`${path}/rows`, { token, rows: [0] })).status, 200);
    const old = token.replace(/[0-9a-z]$/, (last) => (last === "0" ? "1" : "0"));
    const changed = await json(`${path}/rows`, { token: old, rows: [0] });
    assert.deepEqual([changed.status, changed.json.error.code], [409, "changed"]);
    assert.equal((await skeleton(`${path}/skeleton`)).spanCount, 3);
  });

  it("adjusts clocks as asked", async () => {
    const traceHex = "66".repeat(16);
    const startNs = 1_700_000_000_000_000_000n;
    const parent = { traceHex, spanHex: "01".repeat(8), startNs, durationNs: 1_000_000n };
    const child = {
      traceHex,
      spanHex: "02".repeat(8),
      parentHex: "01".repeat(8),
      startNs: startNs + 5_000_000n,
      durationNs: 500_000n,
    };
    await store.write(batchOf([plainSpan(parent), plainSpan(child)]));
    await store.settle();
    const offset = async (query: string): Promise<number> =>
      (await skeleton(`${traceHex}/skeleton?${query}`)).startOffsetNs[1]!;
    assert.equal(await offset("clockSkew=off"), 5_000_000);
    assert.equal(await offset("adjust=false"), 5_000_000);
    assert.equal(await offset("clockSkew=on"), 250_000);
    const { token } = await skeleton(`${traceHex}/skeleton?clockSkew=on`);
    const { json: answer } = await json(`${traceHex}/rows`, { token, rows: [1] });
    assert.match(answer.spans[0]!.warnings[0]!, /adjusted by -4.75ms/);
  });

  it("archives, and shows archived traces", async () => {
    const traceHex = "77".repeat(16);
    await store.write(batchOf([plainSpan({ traceHex, spanHex: "01".repeat(8) })]));
    await store.settle();
    assert.deepEqual((await json(`${traceHex}/archive`, {})).json, { archived: true });
    assert.equal((await json(`${"78".repeat(16)}/archive`, {})).status, 404);
    assert.equal((await skeleton(`${traceHex}/skeleton`)).spanCount, 1);
  });
});

function rowsWith(columns: LoadingSkeleton, holds: (row: number) => boolean): number[] {
  return [...Array(columns.spanCount).keys()].filter(holds);
}
