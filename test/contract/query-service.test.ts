/** Tests of the query room over the memory store, and over readers that can do less. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterTable } from "../../src/base/counters.ts";
import { seededRandom, systemClock } from "../../src/base/clock.ts";
import type { Clock } from "../../src/base/clock.ts";
import { SpoorError } from "../../src/core/errors.ts";
import { and, fieldIs } from "../../src/core/filter.ts";
import type { FindQuery, SpanStore, StoreCapabilities } from "../../src/core/store.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { Dice, NastySpans, randomFilter, randomQuery } from "../support/nasty-spans.ts";
import { batchOf, idBytes, plainSpan } from "../support/plain-spans.ts";
import { runSeed } from "../support/run-seed.ts";
import { queryText } from "./store-battery-random.ts";
import { ALWAYS, code, collect, contents, contentsOf, found, put, query } from "./store-reads.ts";
import { walk } from "./store-reads.ts";

const TRACE_A = "a".repeat(32);
const TRACE_B = "b".repeat(32);

/** A store that says it can do less than it can, and sees the queries that reach it. */
function lessAble(
  store: SpanStore,
  less: Partial<StoreCapabilities>,
  seen: FindQuery[] = [],
): SpanStore {
  const can = { ...store.can, name: "lesser", ...less };
  const find: SpanStore["find"] = (asked, signal) => {
    seen.push(asked);
    return store.find(asked, signal);
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "can") return can;
      if (name === "find") return find;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function serviceOver(store: SpanStore, counters = new CounterTable()): QueryService {
  return new QueryService({ store, counters, clock: systemClock });
}

/** A clock whose time passes by hand. */
function handClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; run: () => void }>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass(ms) {
      nowMs += ms;
      for (const timer of Array.from(timers)) {
        if (timer.atMs <= nowMs && timers.delete(timer)) timer.run();
      }
    },
  };
}

test("a whole store's answers pass unchanged", async () => {
  const store = openMemoryStore();
  const spans = [plainSpan({ traceHex: TRACE_A }), plainSpan({ traceHex: TRACE_B, name: "b" })];
  await put(store, spans);
  const service = serviceOver(store);
  const asked = query({ filter: fieldIs("name", "b"), totals: true });
  assert.deepEqual(await service.find(asked), await store.find(asked));
  assert.deepEqual(contents(await collect(service.findTraces(asked))), contentsOf(spans.slice(1)));
  assert.deepEqual(await collect(service.findTraces(query({ filter: fieldIs("name", "c") }))), []);
  assert.deepEqual(await service.services(), ["service-a"]);
  assert.deepEqual(await service.operations("service-a"), await store.operations("service-a"));
  assert.deepEqual(await service.links(0, Infinity), []);
  const scope = { ...ALWAYS, limit: 10 };
  assert.deepEqual(await service.attributeKeys(scope), await store.attributeKeys(scope));
  const values = await service.attributeValues("service.name", scope);
  assert.deepEqual(values, await store.attributeValues("service.name", scope));
});

test("get takes from the archive what is nowhere else, in the order asked", async () => {
  const store = openMemoryStore({ maxTraces: 2 });
  const spans = ["a", "b", "c", "d"].map((digit) => plainSpan({ traceHex: digit.repeat(32) }));
  for (const span of spans) {
    await put(store, [span]);
    await store.archive(idBytes(span.traceHex));
  }
  assert.deepEqual((await found(store)).length, 2);
  const service = serviceOver(store);
  const order = [spans[1]!, spans[3]!, spans[0]!, spans[2]!, spans[3]!];
  const ids = [...order.map((span) => idBytes(span.traceHex)), idBytes("e".repeat(32))];
  const batches = await collect(service.get(ids));
  assert.deepEqual(
    batches.map((batch) => contents([batch])),
    order.map((span) => contentsOf([span])),
  );
});

test("what a store cannot do is refused by name, not answered shorter", async () => {
  const store = openMemoryStore();
  await put(store, [plainSpan()]);
  const refused = (less: Partial<StoreCapabilities>, asked: Partial<FindQuery>) =>
    assert.rejects(
      serviceOver(lessAble(store, less)).find(query(asked)),
      (error) =>
        error instanceof SpoorError &&
        error.code === "unsupported" &&
        error.message.startsWith("the lesser store cannot"),
    );
  const regex = { op: "regex", target: { field: "name" }, pattern: "o" } as const;
  await refused({ allServices: false }, {});
  await refused({ allServices: false }, { filter: { op: "not", filter: fieldIs("service", "a") } });
  await refused({ orders: ["start"] }, { order: "duration" });
  await refused({ totals: false }, { totals: true });
  await refused({ cursor: false }, { cursor: "x" });
  await refused({ filters: false, cursor: false }, { filter: regex });
  await refused({ filters: false }, { filter: regex, totals: true });
  await refused({ filters: false }, { filter: regex, order: "spanCount" });
  const none = { attributeKeys: false, attributeValues: false, links: false, archive: false };
  const service = serviceOver(lessAble(store, { ...none, operationKinds: false }));
  const scope = { ...ALWAYS, limit: 5 };
  await assert.rejects(service.attributeKeys(scope), code("unsupported"));
  await assert.rejects(service.attributeValues("k", scope), code("unsupported"));
  await assert.rejects(service.links(0, 1), code("unsupported"));
  await assert.rejects(service.archive(idBytes(TRACE_A)), code("unsupported"));
  await assert.rejects(collect(service.getArchived(idBytes(TRACE_A))), code("unsupported"));
  await assert.rejects(service.operations("service-a", 2), code("unsupported"));
  assert.equal((await service.operations("service-a")).length, 1);
  assert.equal((await service.find(query())).traces.length, 1);
});

test("bad queries are refused before the store sees them", async () => {
  const seen: FindQuery[] = [];
  const service = serviceOver(lessAble(openMemoryStore(), {}, seen));
  await assert.rejects(service.find(query({ limit: 0 })), code("bad-query"));
  await assert.rejects(service.find(query({ limit: 1.5 })), code("bad-query"));
  const unknown = fieldIs("colour" as "name", "x");
  await assert.rejects(service.find(query({ filter: unknown })), code("bad-query"));
  await assert.rejects(service.attributeKeys({ ...ALWAYS, limit: 0 }), code("bad-query"));
  assert.equal(seen.length, 0);
});

test("a filter beyond a store is completed to the same answers, page by page", async () => {
  const seed = runSeed();
  const spans = new NastySpans(seededRandom(seed), 130);
  const dice = new Dice(seededRandom(seed + 1));
  const store = openMemoryStore({ maxTraces: 0 });
  for (let n = 0; n < 60; n++) await store.write(batchOf(spans.batch()));
  const seen: FindQuery[] = [];
  const lesser = lessAble(store, { filters: false }, seen);
  const service: SpanStore = Object.assign(Object.create(lesser) as SpanStore, {
    find: (asked: FindQuery) => serviceOver(lesser).find(asked),
  });
  for (let n = 0; n < 16; n++) {
    const { totals: _, order, ...rest } = randomQuery(dice);
    const simple = fieldIs(dice.of(["kind", "status"]), dice.below(3));
    const filter = dice.chance(0.5) ? and(simple, randomFilter(dice)) : randomFilter(dice);
    const ranked = order === "spanCount" ? "start" : order;
    const asked = { ...rest, order: ranked, filter, limit: 10 + dice.below(40) };
    const about = `SPOOR_SEED=${seed} query ${n}: ${queryText(asked)}`;
    assert.deepEqual(await walk(service, asked), await walk(store, asked), about);
  }
  const ops = new Set(
    seen.flatMap(({ filter }) => (filter?.op === "and" ? filter.all : [])).map((part) => part.op),
  );
  assert.deepEqual(
    [...ops].filter((op) => !["=", "<=", ">="].includes(op)),
    [],
  );
  assert.ok(seen.length > 16);
});

test("changes of a store that knows none are the whole trace", async () => {
  const store = openMemoryStore();
  const span = plainSpan({ traceHex: TRACE_A });
  await put(store, [span]);
  const service = serviceOver(lessAble(store, { changedSince: false }));
  const { batch, token } = await service.changedSince(idBytes(TRACE_A), undefined);
  assert.deepEqual(contents([batch!]), contentsOf([span]));
  const again = await service.changedSince(idBytes(TRACE_A), token);
  assert.deepEqual(contents([again.batch!]), contentsOf([span]));
  assert.equal((await service.changedSince(idBytes(TRACE_B), undefined)).batch, undefined);
  assert.equal(service.can.changedSince, true);
});

test("a question that outlasts the deadline ends with an error that says so", async () => {
  const clock = handClock();
  const never = new Promise<never>(() => undefined);
  let signal: AbortSignal | undefined;
  const store = new Proxy(openMemoryStore(), {
    get: (target, name) => {
      if (name === "find") return (_: FindQuery, given: AbortSignal) => ((signal = given), never);
      if (name === "get") return () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) });
      return Reflect.get(target, name);
    },
  });
  const counters = new CounterTable();
  const service = new QueryService({ store, counters, clock, deadlineMs: 2000 });
  const asked = service.find(query());
  clock.pass(1999);
  assert.equal(signal?.aborted, false);
  clock.pass(1);
  await assert.rejects(asked, /ran longer than 2 s/);
  assert.equal(signal?.aborted, true);
  const reading = collect(service.get([idBytes(TRACE_A)]));
  await Promise.resolve();
  clock.pass(2000);
  await assert.rejects(reading, code("deadline"));
  assert.equal(counters.value("jaeger_storage_requests_total", ["find_traces", "err"]), 1);
  assert.equal(counters.value("jaeger_storage_requests_total", ["get_trace", "err"]), 1);
  const caller = new AbortController();
  const left = service.find(query(), caller.signal);
  caller.abort();
  await assert.rejects(left, code("cancelled"));
});

test("every question is counted with its result, time and size", async () => {
  const store = openMemoryStore();
  await put(store, [plainSpan({ traceHex: TRACE_A }), plainSpan({ traceHex: TRACE_B })]);
  const counters = new CounterTable();
  const service = serviceOver(store, counters);
  await service.find(query());
  await assert.rejects(service.find(query({ limit: 0 })));
  await service.services();
  await collect(service.get([idBytes(TRACE_A), idBytes(TRACE_B)]));
  for await (const batch of service.get([idBytes(TRACE_A), idBytes(TRACE_B)])) {
    assert.equal(batch.spanCount, 1);
    break;
  }
  const requests = (operation: string, result: string): number =>
    counters.value("jaeger_storage_requests_total", [operation, result]);
  assert.equal(requests("find_traces", "ok"), 1);
  assert.equal(requests("find_traces", "err"), 1);
  assert.equal(requests("get_services", "ok"), 1);
  assert.equal(requests("get_trace", "ok"), 2);
  assert.equal(requests("get_trace", "err"), 0);
  assert.equal(counters.value("jaeger_storage_latency", ["find_traces", "ok"]), 1);
  assert.equal(counters.value("jaeger_storage_responses", ["find_traces"]), 1);
  assert.equal(counters.metrics.get("jaeger_storage_responses")?.series.get("find_traces")?.sum, 2);
});
