/** The store battery: every sentence of core/store.ts, run over every store. */

import assert from "node:assert/strict";
import { test } from "./battery-test.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SpanStore } from "../../src/core/store.ts";
import { seededRandom } from "../../src/base/clock.ts";
import { NastySpans } from "../support/nasty-spans.ts";
import { batchOf, idBytes, int, plainSpan, serviceResource, text } from "../support/plain-spans.ts";
import type { PlainSpan } from "../support/plain-spans.ts";
import { distinctTraces } from "../support/brute-force.ts";
import { runFindBattery } from "./store-battery-find.ts";
import { runNamesBattery } from "./store-battery-names.ts";
import type { OpenStore } from "./store-battery-random.ts";
import { code, collect, contents, contentsOf, found, put, query, traceOf } from "./store-reads.ts";

const TRACE_A = "a".repeat(32);
const TRACE_B = "b".repeat(32);
const TRACE_C = "c".repeat(32);

/** Runs all of it over stores that `open` gives, empty each time. */
export function runStoreBattery(name: string, open: OpenStore): void {
  runWriteBattery(name, open);
  runTraceBattery(name, open);
  runLifeBattery(name, open);
  runFindBattery(name, open);
  runNamesBattery(name, open);
}

function runWriteBattery(name: string, open: OpenStore): void {
  test(`${name}: a batch is stored with everything it holds`, async (t) => {
    const store = await open(t);
    const nasty = new NastySpans(seededRandom(7), 12);
    for (let n = 0; n < 20; n++) await store.write(batchOf(nasty.batch()));
    await put(store, nasty.batch());
    for (let n = 0; n < 20; n++) await store.write(batchOf(nasty.batch()));
    await store.settle();
    for (const [traceHex, spans] of distinctTraces(nasty.made)) {
      assert.deepEqual(await traceOf(store, traceHex), contentsOf(spans));
    }
  });

  test(`${name}: the same batch again is deduplicated and counted`, async (t) => {
    const store = await open(t);
    const spans = [
      plainSpan({ spanHex: "00000000000000a1" }),
      plainSpan({ spanHex: "00000000000000a2" }),
      plainSpan({ spanHex: "00000000000000a3", traceHex: TRACE_B }),
    ];
    assert.deepEqual(await store.write(batchOf(spans)), { stored: 3, deduplicated: 0 });
    assert.deepEqual(await store.write(batchOf(spans)), { stored: 0, deduplicated: 3 });
    await store.settle();
    assert.deepEqual(await store.write(batchOf(spans)), { stored: 0, deduplicated: 3 });
    await store.settle();
    assert.deepEqual(await traceOf(store, TRACE_B), contentsOf(spans.slice(2)));
    assert.equal((await store.find(query({ totals: true }))).totals?.matchingSpans, 3);
  });

  test(`${name}: a span sent again in another batch is read and counted once`, async (t) => {
    const store = await open(t);
    const spans = Array.from({ length: 6 }, (_, n) =>
      plainSpan({ spanHex: `00000000000000c${n}`, attributes: [["n", int(n)]] }),
    );
    await put(store, spans.slice(0, 4));
    await put(store, spans.slice(2, 6));
    await put(store, [spans[5]!, plainSpan({ traceHex: TRACE_B }), spans[0]!]);
    assert.deepEqual(await traceOf(store, spans[0]!.traceHex), contentsOf(spans));
    const answer = await store.find(query({ totals: true }));
    assert.equal(answer.totals?.matchingSpans, 7);
    assert.deepEqual(
      answer.traces.map((trace) => trace.spanCount),
      [6, 1],
    );
  });

  test(`${name}: spans that share ids but not content all stay`, async (t) => {
    const store = await open(t);
    const client = plainSpan({ kind: 3, resource: serviceResource("client") });
    const server = plainSpan({ kind: 2, resource: serviceResource("server") });
    const other = plainSpan({ traceHex: TRACE_B });
    await put(store, [client, server, other]);
    assert.deepEqual(await traceOf(store, client.traceHex), contentsOf([client, server]));
    assert.deepEqual(await traceOf(store, TRACE_B), contentsOf([other]));
  });

  test(`${name}: the store copies what it keeps`, async (t) => {
    const store = await open(t);
    const span = plainSpan();
    const batch = batchOf([span]);
    await store.write(batch);
    batch.image.fill(0xee);
    await store.settle();
    assert.deepEqual(await traceOf(store, span.traceHex), contentsOf([span]));
  });

  test(`${name}: writes at once are all kept`, async (t) => {
    const store = await open(t);
    const batches = Array.from({ length: 20 }, (_, n) => [
      plainSpan({ spanHex: (n + 1).toString(16).padStart(16, "0"), traceHex: TRACE_A }),
      plainSpan({ spanHex: (n + 1).toString(16).padStart(16, "0"), traceHex: TRACE_B }),
    ]);
    const results = await Promise.all(batches.map((spans) => store.write(batchOf(spans))));
    for (const result of results) assert.deepEqual(result, { stored: 2, deduplicated: 0 });
    await store.settle();
    const expected = contentsOf(batches.map((spans) => spans[1]!));
    assert.deepEqual(await traceOf(store, TRACE_B), expected);
  });

  test(`${name}: an empty batch is stored as nothing`, async (t) => {
    const store = await open(t);
    assert.deepEqual(await store.write(batchOf([])), { stored: 0, deduplicated: 0 });
    assert.deepEqual(await found(store), []);
  });
}

function runTraceBattery(name: string, open: OpenStore): void {
  test(`${name}: get gives a trace a batch, in the order asked, absent ones skipped`, async (t) => {
    const store = await open(t);
    const spans = [TRACE_A, TRACE_B, TRACE_C].flatMap((traceHex) =>
      ["01", "02"].map((id) => plainSpan({ traceHex, spanHex: id.padStart(16, "0") })),
    );
    await put(store, [spans[0]!, spans[2]!, spans[4]!]);
    await put(store, [spans[1]!, spans[3]!, spans[5]!]);
    const asked = [TRACE_C, "d".repeat(32), TRACE_A, TRACE_B].map(idBytes);
    const batches = await collect(store.get(asked));
    assert.deepEqual(
      batches.map((batch) => contents([batch])),
      [TRACE_C, TRACE_A, TRACE_B].map((hex) =>
        contentsOf(spans.filter((span) => span.traceHex === hex)),
      ),
    );
    assert.deepEqual(await collect(store.get([])), []);
  });

  test(`${name}: ids are whole: halves and zeros are told apart`, async (t) => {
    const store = await open(t);
    const hexes = ["0".repeat(16) + "a".repeat(16), "a".repeat(16) + "0".repeat(16), TRACE_A];
    hexes.push("0".repeat(32), "0".repeat(31) + "1");
    await put(
      store,
      hexes.map((traceHex, n) => plainSpan({ traceHex, name: `${n}` })),
    );
    for (const [n, traceHex] of hexes.entries()) {
      const expected = contentsOf([plainSpan({ traceHex, name: `${n}` })]);
      assert.deepEqual(await traceOf(store, traceHex), expected);
    }
  });

  test(`${name}: a trace beyond getSpansPerBatch spans comes in several batches`, async (t) => {
    const store = await open(t);
    const total = LIMITS.getSpansPerBatch + 1000;
    for (let at = 0; at < total; at += 20_000) {
      const count = Math.min(20_000, total - at);
      const spans = Array.from({ length: count }, (_, n) =>
        plainSpan({ traceHex: TRACE_A, spanHex: (at + n + 1).toString(16).padStart(16, "0") }),
      );
      await store.write(batchOf([...spans, plainSpan({ traceHex: TRACE_B })]));
    }
    await store.settle();
    const batches = await collect(store.get([idBytes(TRACE_A), idBytes(TRACE_B)]));
    const last = batches.pop()!;
    assert.deepEqual(contents([last]), contentsOf([plainSpan({ traceHex: TRACE_B })]));
    assert.ok(batches.length > 1);
    const ids = new Set<string>();
    for (const batch of batches) {
      assert.ok(batch.spanCount <= LIMITS.getSpansPerBatch);
      assert.equal(Buffer.from(batch.traceId).toString("hex"), TRACE_A.repeat(batch.spanCount));
      for (let i = 0; i < batch.spanCount; i++) {
        ids.add(Buffer.from(batch.spanId.subarray(i * 8, i * 8 + 8)).toString("hex"));
      }
    }
    assert.equal(ids.size, total);
    const summary = (await store.find(query({ order: "spanCount" }))).traces[0]!;
    assert.equal(summary.spanCount, total);
  });

  test(`${name}: what of a large trace was sent again in another batch comes once`, async (t) => {
    const store = await open(t);
    const total = LIMITS.getSpansPerBatch + 5000;
    const spans = Array.from({ length: total }, (_, n) =>
      plainSpan({ traceHex: TRACE_A, spanHex: (n + 1).toString(16).padStart(16, "0") }),
    );
    const first = total - 3000;
    for (let at = 0; at < first; at += 20_000) {
      await store.write(batchOf(spans.slice(at, Math.min(first, at + 20_000))));
    }
    await store.settle();
    const others = [first - 1, 17].map((n) => ({ ...spans[n]!, name: "another of this id" }));
    // The last thousand of the first ones again, then new ones; these are sealed by nobody yet.
    await store.write(batchOf([...spans.slice(first - 1000, first + 2000), ...others]));
    await store.write(batchOf(spans.slice(first + 1000)));
    const batches = await collect(store.get([idBytes(TRACE_A)]));
    assert.deepEqual(contents(batches), contentsOf([...spans, ...others]));
    const summary = (await store.find(query({ order: "spanCount" }))).traces[0]!;
    assert.equal(summary.spanCount, total + others.length);
  });

  test(`${name}: changedSince gives everything once, then what is new`, async (t) => {
    const store = await open(t);
    const [one, two, three] = ["01", "02", "03"].map((id) =>
      plainSpan({ traceHex: TRACE_A, spanHex: id.padStart(16, "0") }),
    ) as [PlainSpan, PlainSpan, PlainSpan];
    const read = async (token: string | undefined) => {
      const { batch, token: next } = await store.changedSince(idBytes(TRACE_A), token);
      return { spans: batch === undefined ? [] : contents([batch]), token: next };
    };
    const nothing = await read(undefined);
    assert.deepEqual(nothing.spans, []);
    await put(store, [one, plainSpan({ traceHex: TRACE_B })]);
    const first = await read(nothing.token);
    assert.deepEqual(first.spans, contentsOf([one]));
    await put(store, [two]);
    await put(store, [three, one]);
    const second = await read(first.token);
    for (const content of contentsOf([two, three])) {
      assert.ok(second.spans.includes(content), "nothing new is omitted");
    }
    const all = new Set(contentsOf([one, two, three]));
    assert.ok(
      second.spans.every((content) => all.has(content)),
      "only of this trace",
    );
    assert.deepEqual((await read(undefined)).spans, contentsOf([one, two, three]));
    const other = await store.changedSince(idBytes(TRACE_B), first.token);
    assert.equal(other.batch, undefined, "a token serves for any trace");
    await put(store, [plainSpan({ traceHex: TRACE_B, name: "other" })]);
    const third = await read(second.token);
    assert.ok(
      third.spans.every((content) => all.has(content)),
      "only of this trace",
    );
  });
}

function runLifeBattery(name: string, open: OpenStore): void {
  test(`${name}: a trace is archived as it is then, again when it grew`, async (t) => {
    const store = await open(t);
    const [one, two] = ["01", "02"].map((id) =>
      plainSpan({ traceHex: TRACE_A, spanHex: id.padStart(16, "0") }),
    ) as [PlainSpan, PlainSpan];
    const archived = async () => contents(await collect(store.getArchived(idBytes(TRACE_A))));
    assert.equal(await store.archive(idBytes(TRACE_A)), false);
    assert.deepEqual(await archived(), []);
    await put(store, [one, plainSpan({ traceHex: TRACE_B })]);
    assert.equal(await store.archive(idBytes(TRACE_A)), true);
    assert.equal(await store.archive(idBytes(TRACE_A)), true);
    await put(store, [two]);
    assert.deepEqual(await archived(), contentsOf([one]));
    assert.equal(await store.archive(idBytes(TRACE_A)), true);
    assert.deepEqual(await archived(), contentsOf([one, two]));
    assert.deepEqual(await collect(store.getArchived(idBytes(TRACE_B))), []);
  });

  test(`${name}: a deleted trace is gone, archive included, and may come again`, async (t) => {
    const store = await open(t);
    const spans = [TRACE_A, TRACE_B].map((traceHex) => plainSpan({ traceHex }));
    await put(store, spans);
    await store.archive(idBytes(TRACE_A));
    assert.equal(await store.delete(idBytes(TRACE_C)), false);
    assert.equal(await store.delete(idBytes(TRACE_A)), true);
    await store.settle();
    assert.deepEqual(await traceOf(store, TRACE_A), []);
    assert.deepEqual(await collect(store.getArchived(idBytes(TRACE_A))), []);
    assert.deepEqual(await found(store), [TRACE_B]);
    assert.equal((await store.find(query({ totals: true }))).totals?.matchingSpans, 1);
    assert.equal((await store.changedSince(idBytes(TRACE_A), undefined)).batch, undefined);
    assert.equal(await store.delete(idBytes(TRACE_A)), false);
    const later = plainSpan({ traceHex: TRACE_A, name: "later" });
    await put(store, [later]);
    assert.deepEqual(await traceOf(store, TRACE_A), contentsOf([later]));
  });

  test(`${name}: a trace that is only archived can be deleted`, async (t) => {
    const store = await open(t);
    await put(store, [plainSpan({ traceHex: TRACE_A, attributes: [["k", text("v")]] })]);
    await store.archive(idBytes(TRACE_A));
    assert.equal(await store.delete(idBytes(TRACE_A)), true);
    assert.equal(await store.archive(idBytes(TRACE_A)), false);
  });

  test(`${name}: an aborted call rejects as cancelled`, async (t) => {
    const store = await open(t);
    await put(store, [plainSpan()]);
    const signal = AbortSignal.abort();
    await assert.rejects(store.find(query(), signal), code("cancelled"));
    await assert.rejects(collect(store.get([idBytes(TRACE_A)], signal)), code("cancelled"));
    await assert.rejects(store.services(signal), code("cancelled"));
  });

  test(`${name}: after close every call rejects as closed`, async (t) => {
    const store: SpanStore = await open(t);
    await put(store, [plainSpan()]);
    await store.close();
    await assert.rejects(store.write(batchOf([plainSpan()])), code("closed"));
    await assert.rejects(store.find(query()), code("closed"));
    await assert.rejects(collect(store.get([idBytes(TRACE_A)])), code("closed"));
    await assert.rejects(store.services(), code("closed"));
    await assert.rejects(store.archive(idBytes(TRACE_A)), code("closed"));
    await store.close();
  });
}
