/** Spoor's own query API over the memory store: filters, pages, totals, completion, errors. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startQueryServer } from "../../src/api/query-server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import type { SpanStore } from "../../src/core/store.ts";
import type { HttpServer } from "../../src/net/http-server.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";

let store: SpanStore;
let server: HttpServer;

/** Ten traces of one span: trace n starts at n s, lasts n ms, has path /v1/n or /v2/n. */
function tenTraces(): BatchBuilder {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const string = (key: string): number => builder.key(builder.text(key), ATTRIBUTE_TYPE.STRING);
  builder.resourceAttributes.add(string("service.name"), builder.text("s"));
  const scope = builder.addScope();
  const big = builder.key(builder.text("big"), ATTRIBUTE_TYPE.INT);
  for (let n = 1; n <= 10; n++) {
    const i = builder.addSpan(resource, scope);
    builder.traceId[i * 16 + 15] = n;
    builder.spanId[i * 8 + 7] = n;
    builder.nameId[i] = builder.text("op");
    builder.startUs[i] = n * 1e6;
    builder.durationNs[i] = n * 1e6;
    builder.spanAttributes.add(string("path"), builder.text(`/v${1 + (n & 1)}/${n}`));
    builder.spanAttributes.add(big, builder.int(2n ** 53n + BigInt(n)));
  }
  return builder;
}

interface Found {
  readonly traces: readonly {
    readonly traceId: string;
    readonly match: { readonly spanId: string };
  }[];
  readonly cursor: string | null;
  readonly totals: unknown;
}

async function call(path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = body === undefined ? {} : { method: "POST", body: text };
  const response = await fetch(`http://127.0.0.1:${server.port}/api/spoor/v1/${path}`, init);
  assert.equal(response.headers.get("content-type"), "application/json");
  return { status: response.status, json: await response.json() };
}

async function find(body: unknown): Promise<Found> {
  const { status, json } = await call("find", body);
  assert.equal(status, 200, JSON.stringify(json));
  return json as Found;
}

/** Numbers of the found traces, in order. */
function numbers(found: Found): number[] {
  return found.traces.map(({ traceId }) => parseInt(traceId, 16));
}

before(async () => {
  store = openMemoryStore();
  await store.write(tenTraces().finish());
  await store.settle();
  const counters = new CounterTable();
  const query = new QueryService({ store, counters, clock: systemClock });
  server = await startQueryServer({ host: "127.0.0.1", port: 0, query, counters });
});

after(async () => {
  await server.close();
  await store.close();
});

const path = { attribute: "path" };

describe("find", () => {
  const cases: readonly (readonly [string, unknown, readonly number[]])[] = [
    ["everything, newest first", { limit: 3 }, [10, 9, 8]],
    ["oldest first", { limit: 3, descending: false }, [1, 2, 3]],
    ["longest first", { limit: 2, order: "duration" }, [10, 9]],
    ["by time", { startMinUs: 2e6, startMaxUs: 3e6 }, [3, 2]],
    ["regex", { filter: { op: "regex", target: path, pattern: "^/v1/[24]$" } }, [4, 2]],
    [
      "a range of numbers",
      {
        filter: {
          op: "and",
          all: [
            { op: ">", target: { field: "duration" }, value: 3e6 },
            { op: "<=", target: { field: "duration" }, value: 5e6 },
          ],
        },
      },
      [5, 4],
    ],
    [
      "an int64",
      { filter: { op: "=", target: { attribute: "big" }, value: { int64: "9007199254740995" } } },
      [3],
    ],
    ["in", { filter: { op: "in", target: path, values: ["/v2/1", "/v1/2", "/v1/1"] } }, [2, 1]],
    [
      "or, not",
      {
        filter: {
          op: "not",
          filter: { op: "or", any: [{ op: ">", target: { field: "start" }, value: 1e6 }] },
        },
      },
      [1],
    ],
    [
      "levels",
      { filter: { op: "exists", target: { attribute: "path", levels: ["resource"] } } },
      [],
    ],
    [
      "untyped",
      {
        filter: { op: "=", target: { attribute: "big" }, value: "9007199254740993", untyped: true },
      },
      [1],
    ],
  ];
  for (const [what, body, expected] of cases) {
    it(what, async () => assert.deepEqual(numbers(await find(body)), expected));
  }

  it("pages with a cursor and counts totals", async () => {
    const first = await find({ limit: 4, totals: true });
    assert.deepEqual(first.totals, { matchingSpans: 10, traces: 10, tracesExact: true });
    const second = await find({ limit: 4, cursor: first.cursor });
    assert.equal(second.totals, null);
    const third = await find({ limit: 4, cursor: second.cursor });
    assert.deepEqual([...numbers(second), ...numbers(third)], [6, 5, 4, 3, 2, 1]);
    assert.equal(third.cursor, null);
  });

  it("gives whole summaries", async () => {
    const [trace] = (await find({ limit: 1 })).traces;
    assert.deepEqual(trace, {
      traceId: "0000000000000000000000000000000a",
      rootService: "s",
      rootName: "op",
      startUs: 10e6,
      endUs: 10_010_000,
      spanCount: 1,
      errorCount: 0,
      orphanCount: 0,
      services: [{ name: "s", spanCount: 1, errorCount: 0 }],
      match: { spanId: "000000000000000a", startUs: 10e6, startNs: 0, durationNs: 10e6 },
    });
  });
});

describe("completion", () => {
  it("lists keys", async () => {
    const { json } = await call("attributes/keys?prefix=p");
    assert.deepEqual(json, { keys: [{ key: "path", level: "span", type: "string" }] });
  });

  it("lists values", async () => {
    const { json } = await call("attributes/values?key=path&prefix=/v1/&limit=2");
    assert.deepEqual(json, {
      values: [
        { value: "/v1/10", type: "string", spanCount: 1 },
        { value: "/v1/2", type: "string", spanCount: 1 },
      ],
    });
  });
});

describe("errors", () => {
  const wrong = (what: string, body: unknown, message: string): void => {
    it(what, async () => {
      const { status, json } = await call("find", body);
      assert.equal(status, 400);
      assert.deepEqual(json, { error: { code: "bad-query", message } });
    });
  };
  const op = (filter: unknown): unknown => ({ filter });
  const many = { op: "in", target: path, values: Array.from({ length: 10_001 }, String) };
  wrong("no JSON", "{", "the body is not JSON");
  wrong("no object", "[]", "the body must be a JSON object");
  wrong("an unknown member", { filtre: {} }, "filtre is not known here");
  wrong("an unknown order", { order: "x" }, "order must be one of start, duration, spanCount");
  wrong("a limit of zero", { limit: 0 }, "limit must be between 1 and 10000");
  wrong("a limit too large", { limit: 10_001 }, "limit must be between 1 and 10000");
  wrong("half a limit", { limit: 1.5 }, "limit must be a whole number");
  wrong("a cursor of ours that is none", { cursor: "x!" }, "not a cursor");
  wrong("totals that are no flag", { totals: 1 }, "totals must be true or false");
  wrong("a filter that is no object", op(5), "filter must be an object");
  wrong("no operator", op({ target: path }), "filter.op is no operator");
  wrong("no target", op({ op: "exists" }), "filter.target must be an object");
  wrong(
    "an empty target",
    op({ op: "exists", target: {} }),
    "filter.target needs a field or an attribute",
  );
  wrong("an unknown field", op({ op: "exists", target: { field: "x" } }), "unknown field x");
  wrong(
    "an unknown level",
    op({ op: "exists", target: { attribute: "a", levels: ["x"] } }),
    "unknown attribute level x",
  );
  wrong(
    "a value of no type",
    op({ op: "and", all: [{ op: "=", target: path, value: null }] }),
    'filter.all[0].value must be a text, a number, a boolean or {"int64": "digits"}',
  );
  wrong(
    "a misspelt member",
    op({ op: "=", target: path, value: "", untypd: true }),
    "filter.untypd is not known here",
  );
  wrong("too many values", op(many), "filter has more than 10000 values");

  it("a key is needed for values", async () => {
    const { status, json } = await call("attributes/values");
    assert.equal(status, 400);
    assert.deepEqual(json, {
      error: { code: "bad-query", message: "parameter 'key' is required" },
    });
  });

  it("a pattern that is none says so", async () => {
    const { status, json } = await call("find", op({ op: "regex", target: path, pattern: "(" }));
    assert.equal(status, 400);
    assert.equal((json as { error: { code: string } }).error.code, "bad-query");
  });
});
