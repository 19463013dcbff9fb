/** The store battery's searches: matching, order, limit, cursor, totals, summaries. */

import assert from "node:assert/strict";
import { test } from "./battery-test.ts";
import type { Filter } from "../../src/core/filter.ts";
import { and, fieldIs, tagIs } from "../../src/core/filter.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { plainSummary } from "../support/brute-force.ts";
import { bool, double, int, plainSpan, serviceResource, text } from "../support/plain-spans.ts";
import type { PlainSpan } from "../support/plain-spans.ts";
import type { OpenStore } from "./store-battery-random.ts";
import { code, found, put, query, walk } from "./store-reads.ts";

const START_NS = 1_700_000_000_000_000_000n;
const START_US = 1_700_000_000_000_000;

/** A trace id that ends in `n`. */
function traceHexOf(n: number): string {
  return n.toString(16).padStart(32, "0");
}

function spanHexOf(n: number): string {
  return n.toString(16).padStart(16, "0");
}

/** One span of trace `n`, started `n` µs after the base. */
function spanOf(n: number, part: Partial<PlainSpan> = {}): PlainSpan {
  const startNs = START_NS + BigInt(n) * 1000n;
  return plainSpan({ traceHex: traceHexOf(n), spanHex: spanHexOf(n), startNs, ...part });
}

export function runFindBattery(name: string, open: OpenStore): void {
  runMatchBattery(name, open);
  runOrderBattery(name, open);
  runCursorBattery(name, open);
}

function runMatchBattery(name: string, open: OpenStore): void {
  test(`${name}: every condition is met by one and the same span`, async (t) => {
    const store = await open(t);
    await put(store, [
      spanOf(1, { name: "a", attributes: [["x", int(1)]] }),
      spanOf(1, { name: "b", spanHex: spanHexOf(9), attributes: [["x", int(2)]] }),
    ]);
    const both = (operation: string, x: string): Filter =>
      and(fieldIs("service", "service-a"), fieldIs("name", operation), tagIs("x", x));
    assert.deepEqual(await found(store, { filter: both("a", "1") }), [traceHexOf(1)]);
    assert.deepEqual(await found(store, { filter: both("b", "2") }), [traceHexOf(1)]);
    assert.deepEqual(await found(store, { filter: both("a", "2") }), []);
  });

  test(`${name}: attributes match at every level, or at those named`, async (t) => {
    const store = await open(t);
    const attributes = [["k", text("v")]] as const;
    const plain = { traceHex: traceHexOf(99), spanHex: spanHexOf(99), attributes };
    const at = { atNs: START_NS, name: "e", attributes };
    await put(store, [
      spanOf(1, { attributes }),
      spanOf(2, { resource: { attributes, schemaUrl: "" } }),
      spanOf(3, { scope: { name: "", version: "", attributes } }),
      spanOf(4, { events: [at] }),
      spanOf(5, { links: [plain] }),
      spanOf(6),
    ]);
    const all = [5, 4, 3, 2, 1].map(traceHexOf);
    assert.deepEqual(await found(store, { filter: tagIs("k", "v") }), all);
    const levels = ["span", "resource", "scope", "event", "link"] as const;
    for (const [n, level] of levels.entries()) {
      const target = { attribute: "k", levels: [level] };
      const filter: Filter = { op: "=", target, value: "v" };
      assert.deepEqual(await found(store, { filter }), [traceHexOf(n + 1)], level);
    }
  });

  test(`${name}: numbers compare as numbers, exactly, and untyped text as text too`, async (t) => {
    const store = await open(t);
    const values = [
      int(500),
      double(500),
      text("500"),
      double(500.5),
      int(9007199254740993n),
      double(9007199254740992),
      double(NaN),
      bool(true),
      text("true"),
      int(-(2n ** 63n)),
    ];
    await put(
      store,
      values.map((value, n) => spanOf(n + 1, { attributes: [["k", value]] })),
    );
    const matching = async (filter: Filter): Promise<number[]> =>
      (await found(store, { filter }))
        .map((hex) => parseInt(hex, 16) - 1)
        .toSorted((a, b) => a - b);
    const target = { attribute: "k" };
    assert.deepEqual(await matching({ op: "=", target, value: 500 }), [0, 1]);
    assert.deepEqual(await matching({ op: "=", target, value: "500" }), [2]);
    assert.deepEqual(await matching(tagIs("k", "500")), [0, 1, 2]);
    assert.deepEqual(await matching(tagIs("k", "5e2")), [0, 1]);
    assert.deepEqual(await matching(tagIs("k", "true")), [7, 8]);
    assert.deepEqual(await matching({ op: "=", target, value: true }), [7]);
    assert.deepEqual(await matching({ op: ">", target, value: 500 }), [3, 4, 5]);
    assert.deepEqual(await matching({ op: ">", target, value: 2 ** 53 }), [4]);
    assert.deepEqual(await matching({ op: "=", target, value: 9007199254740993n }), [4]);
    assert.deepEqual(await matching({ op: "!=", target, value: 500 }), [3, 4, 5, 9]);
    assert.deepEqual(await matching({ op: "<", target, value: 0 }), [9]);
    assert.deepEqual(await matching({ op: "in", target, values: [500.5, "true"] }), [3, 8]);
    assert.deepEqual(await matching({ op: "regex", target, pattern: "^5" }), [2]);
    assert.deepEqual(await matching({ op: "exists", target: { attribute: "K" } }), []);
    const different: Filter = { op: "not", filter: { op: "=", target, value: 500 } };
    assert.deepEqual(await matching(different), [2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test(`${name}: texts are ordered by their UTF-8 bytes`, async (t) => {
    const store = await open(t);
    await put(store, [
      spanOf(1, { name: "\uff5e" }),
      spanOf(2, { name: "\u{1f98a}" }),
      spanOf(3, { name: "" }),
    ]);
    const filter: Filter = { op: ">", target: { field: "name" }, value: "\uff5e" };
    assert.deepEqual(await found(store, { filter }), [traceHexOf(2)]);
  });

  test(`${name}: the range is about the matching span's start, both ends included`, async (t) => {
    const store = await open(t);
    await put(store, [spanOf(1), spanOf(2), spanOf(2, { spanHex: spanHexOf(77) }), spanOf(3)]);
    const range = (from: number, to: number) =>
      found(store, { startMinUs: START_US + from, startMaxUs: START_US + to });
    assert.deepEqual(await range(2, 2), [traceHexOf(2)]);
    assert.deepEqual(await range(2, 3), [traceHexOf(3), traceHexOf(2)]);
    assert.deepEqual(await range(4, 9), []);
    assert.deepEqual(await range(3, 1), []);
    const late = spanOf(1, { spanHex: spanHexOf(5), name: "late", startNs: START_NS + 9000n });
    await put(store, [late]);
    assert.deepEqual(await range(9, 9), [traceHexOf(1)]);
    const filter = fieldIs("name", "operation");
    assert.deepEqual(await found(store, { filter, startMinUs: START_US + 9 }), []);
  });

  test(`${name}: queries that mean nothing are refused as bad-query`, async (t) => {
    const store = await open(t);
    await put(store, [spanOf(1)]);
    const target = { attribute: "k" };
    let deep: Filter = fieldIs("name", "x");
    for (let n = 0; n < LIMITS.filterDepth; n++) deep = { op: "not", filter: deep };
    const leaf = fieldIs("name", "x");
    const filters: Filter[] = [
      { op: "regex", target, pattern: "(" },
      { op: "regex", target, pattern: "a".repeat(LIMITS.regexBytes + 1) },
      { op: "=", target: { field: "colour" as "name" }, value: "x" },
      { op: "<", target, value: true },
      { op: "=", target, value: 5, untyped: true },
      { op: "and", all: Array.from({ length: LIMITS.filterLeaves + 1 }, () => leaf) },
      deep,
    ];
    for (const filter of filters) {
      await assert.rejects(store.find(query({ filter })), code("bad-query"));
    }
    await assert.rejects(store.find(query({ limit: 0 })), code("bad-query"));
    const limit = LIMITS.findTraces + 1;
    await assert.rejects(store.find(query({ limit })), code("bad-query"));
    for (const cursor of ["", "x", "AAAA", "%%%"]) {
      await assert.rejects(store.find(query({ cursor })), code("bad-query"), cursor);
    }
  });
}

function runOrderBattery(name: string, open: OpenStore): void {
  test(`${name}: newest, longest, largest first, or the other way; ties by ids`, async (t) => {
    const store = await open(t);
    const long = { durationNs: 9_000_000n };
    await put(store, [
      spanOf(1, long),
      spanOf(2),
      spanOf(2, { spanHex: spanHexOf(20) }),
      spanOf(2, { spanHex: spanHexOf(21) }),
      spanOf(3),
      spanOf(3, { spanHex: spanHexOf(30), durationNs: 5000n }),
      spanOf(4, { startNs: spanOf(3).startNs }),
    ]);
    const numbers = async (part: Parameters<typeof found>[1]): Promise<number[]> =>
      (await found(store, part)).map((hex) => parseInt(hex, 16));
    assert.deepEqual(await numbers({ order: "start" }), [3, 4, 2, 1]);
    assert.deepEqual(await numbers({ order: "start", descending: false }), [1, 2, 3, 4]);
    assert.deepEqual(await numbers({ order: "duration" }), [1, 2, 3, 4]);
    assert.deepEqual(await numbers({ order: "duration", descending: false }), [3, 2, 4, 1]);
    assert.deepEqual(await numbers({ order: "spanCount" }), [2, 3, 1, 4]);
    assert.deepEqual(await numbers({ order: "spanCount", descending: false }), [1, 4, 3, 2]);
  });

  test(`${name}: the rank is the matching span's, to the nanosecond`, async (t) => {
    const store = await open(t);
    const at = (n: number, ns: bigint, part: Partial<PlainSpan> = {}): PlainSpan =>
      spanOf(n, { startNs: START_NS + ns, ...part });
    await put(store, [
      at(1, 5n),
      at(2, 7n),
      at(3, 6n),
      at(3, 900n, { name: "other", spanHex: spanHexOf(33) }),
    ]);
    const filter = fieldIs("name", "operation");
    const { traces } = await store.find(query({ filter }));
    const seen = traces.map(plainSummary).map((trace) => [trace.matchSpanHex, trace.matchStartNs]);
    assert.deepEqual(seen, [
      [spanHexOf(2), 7],
      [spanHexOf(3), 6],
      [spanHexOf(1), 5],
    ]);
  });

  test(`${name}: a summary tells of the whole trace`, async (t) => {
    const store = await open(t);
    const backend = serviceResource("backend");
    const traceHex = traceHexOf(5);
    const root = spanOf(5, { name: "root", spanHex: spanHexOf(1), durationNs: 1_500n });
    await put(store, [
      spanOf(6, { traceHex, spanHex: spanHexOf(2), parentHex: spanHexOf(1), status: 2 }),
      spanOf(4, { traceHex, spanHex: spanHexOf(3), parentHex: spanHexOf(8), resource: backend }),
      root,
    ]);
    const answer = await store.find(query({ filter: fieldIs("name", "root"), totals: true }));
    assert.deepEqual(answer.traces.map(plainSummary), [
      {
        traceHex,
        rootService: "service-a",
        rootName: "root",
        startUs: START_US + 4,
        endUs: START_US + 1006,
        spanCount: 3,
        errorCount: 1,
        orphanCount: 1,
        services: [
          { name: "backend", spanCount: 1, errorCount: 0 },
          { name: "service-a", spanCount: 2, errorCount: 1 },
        ],
        matchSpanHex: spanHexOf(1),
        matchStartUs: START_US + 5,
        matchStartNs: 0,
        matchDurationNs: 1500,
      },
    ]);
    assert.deepEqual(answer.totals, { matchingSpans: 1, traces: 1, tracesExact: true });
    assert.equal((await store.find(query())).totals, undefined);
  });
}

function runCursorBattery(name: string, open: OpenStore): void {
  test(`${name}: pages hold exactly the limit and end without a cursor`, async (t) => {
    const store = await open(t);
    await put(
      store,
      Array.from({ length: 12 }, (_, n) => spanOf(n + 1)),
    );
    for (const limit of [1, 5, 6, 11, 12, 13]) {
      const { traces } = await walk(store, query({ limit, totals: true }));
      const expected = Array.from({ length: 12 }, (_, n) => traceHexOf(12 - n));
      assert.deepEqual(
        traces.map((trace) => trace.traceHex),
        expected,
        `limit ${limit}`,
      );
    }
    assert.equal((await store.find(query({ limit: 12 }))).cursor, undefined);
    assert.equal(typeof (await store.find(query({ limit: 11 }))).cursor, "string");
  });

  test(`${name}: a cursor of one order is refused by another`, async (t) => {
    const store = await open(t);
    await put(store, [spanOf(1), spanOf(2)]);
    const cursor = (await store.find(query({ limit: 1 }))).cursor!;
    const duration = query({ limit: 1, order: "duration", cursor });
    await assert.rejects(store.find(duration), code("bad-query"));
    const ascending = query({ limit: 1, descending: false, cursor });
    await assert.rejects(store.find(ascending), code("bad-query"));
  });

  for (const order of ["start", "duration", "spanCount"] as const) {
    test(`${name}: by ${order}, what was there is neither skipped nor repeated`, async (t) => {
      const store = await open(t);
      const spans = Array.from({ length: 30 }, (_, n) =>
        spanOf(n + 1, { durationNs: BigInt(n + 1) * 1000n }),
      );
      await put(store, spans);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page++) {
        const part = cursor === undefined ? {} : { cursor };
        const answer = await store.find(query({ order, limit: 4, ...part }));
        seen.push(...answer.traces.map((trace) => plainSummary(trace).traceHex));
        cursor = answer.cursor;
        if (cursor === undefined) break;
        // Traces that wait and traces that were returned both get better and worse matches.
        const grown = [3, 9, 17, 22, 28].map((n) => {
          const ns = BigInt(page % 2 === 0 ? 90_000 + page : 100 + page) * 1000n;
          const spanHex = spanHexOf(1000 + page * 100 + n);
          return spanOf(n, { spanHex, startNs: START_NS + ns, durationNs: ns });
        });
        await put(store, grown);
      }
      const expected = spans.map((span) => span.traceHex);
      assert.deepEqual(seen.toSorted(), expected.toSorted());
    });
  }

  test(`${name}: a waiting trace keeps its place; newer ones are left to page one`, async (t) => {
    const store = await open(t);
    await put(
      store,
      [1, 2, 3, 4].map((n) => spanOf(n)),
    );
    const first = await store.find(query({ limit: 2 }));
    await put(store, [
      spanOf(1, { spanHex: spanHexOf(50), startNs: START_NS + 50_000n }),
      spanOf(60),
      spanOf(5, { startNs: START_NS + 1500n }),
    ]);
    const rest = await store.find(query({ limit: 9, cursor: first.cursor! }));
    const seen = rest.traces.map(plainSummary).map((trace) => trace.traceHex);
    assert.deepEqual(seen, [2, 5, 1].map(traceHexOf));
    assert.equal(rest.traces[2]!.matchStartUs, START_US + 1);
    assert.equal(rest.cursor, undefined);
  });

  test(`${name}: walking far beyond what a cursor remembers repeats nothing`, async (t) => {
    const store = await open(t);
    const count = LIMITS.cursorTraces * 2 + 77;
    const spans = Array.from({ length: count }, (_, n) => [
      spanOf(n + 1),
      // Each trace matches again far below, where only its first match tells it was returned.
      spanOf(n + 1, { spanHex: spanHexOf(9), startNs: START_NS - BigInt(n) * 1000n }),
    ]).flat();
    await put(store, spans);
    for (const limit of [100, 333, count - 1]) {
      const { traces } = await walk(store, query({ limit, totals: true }));
      const hexes = traces.map((trace) => trace.traceHex);
      const expected = Array.from({ length: count }, (_, n) => traceHexOf(count - n));
      assert.deepEqual(hexes, expected, `limit ${limit}`);
    }
  });
}
