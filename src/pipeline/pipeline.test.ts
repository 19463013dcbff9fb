/** The stages together and alone: what passes, what is counted, and that the ledger adds up. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, systemClock } from "../base/clock.ts";
import { CounterTable } from "../base/counters.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError, SpoorError } from "../core/errors.ts";
import type { Origin, PushResult, Sink } from "../core/flow.ts";
import { attributeName, attributeValue, dictText, exactDurationNs } from "../core/read.ts";
import { batchOf, plainSpan, serviceResource, text } from "../../test/support/plain-spans.ts";
import { countStage } from "./count.ts";
import { enrichStage } from "./enrich.ts";
import { Ledger } from "./ledger.ts";
import { queueStage } from "./queue.ts";
import { rebuildBatch } from "./rebuild.ts";
import { sampleStage, sampleThreshold, TraceHash } from "./sample.ts";
import { sanitizeStage } from "./sanitize.ts";
import { storeSink, throughStages } from "./stages.ts";

const LEDGER = "spoor_ledger_spans_total";
const OTLP: Origin = { format: "otlp", transport: "http" };

/** A sink that keeps batches, or does as `answer` says. */
function recorder(answer?: (batch: SpanBatch) => Promise<PushResult>) {
  const batches: SpanBatch[] = [];
  const sink: Sink = {
    push(batch) {
      batches.push(batch);
      if (answer !== undefined) return answer(batch);
      return Promise.resolve({ stored: batch.spanCount, deduplicated: 0, dropped: 0 });
    },
  };
  return { sink, batches };
}

/** Ids that differ everywhere: FNV hardly lets the last bytes reach its upper bits. */
function hexId(n: number): string {
  const random = seededRandom(n);
  return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
}

/** `count` spans of one service, each a trace of its own. */
function batchOfTraces(count: number, service = "shop"): SpanBatch {
  const resource = serviceResource(service);
  return batchOf(
    Array.from({ length: count }, (_, i) => plainSpan({ resource, traceHex: hexId(i + 1) })),
  );
}

test("rebuild keeps exact times and drops what only left-out spans used", () => {
  const builder = new BatchBuilder();
  builder.addResource();
  builder.addScope();
  for (const name of ["kept", "left out"]) {
    const row = builder.addSpan(0, 0);
    builder.nameId[row] = builder.text(name);
    builder.setExactTimes(row, -(2n ** 70n), 2n ** 65n + 1n);
    builder.setExactEventUs(builder.addEvent(0, 7, builder.text(`${name} event`)), 2n ** 60n);
    builder.setDropped(row, 1, 2, 3);
  }
  const batch = builder.finish();
  const rebuilt = rebuildBatch(batch, { keepSpan: (i) => i === 0 });
  assert.equal(rebuilt.spanCount, 1);
  assert.equal(exactDurationNs(rebuilt, 0), 2n ** 65n + 1n);
  assert.equal(rebuilt.rareStartUs[0], batch.rareStartUs[0]);
  assert.equal(rebuilt.exactEventUs[0], 2n ** 60n);
  assert.deepEqual([rebuilt.rareDroppedEvents[0], rebuilt.rareDroppedLinks[0]], [2, 3]);
  assert.equal(Buffer.from(rebuilt.dictBytes).includes("left out"), false);
});

test("enrich adds tags to each resource once, and is no stage without tags", async () => {
  const { sink, batches } = recorder();
  assert.equal(enrichStage([])(sink), sink);
  const stage = enrichStage([
    { key: "zone", value: "b" },
    { key: "env", value: "prod" },
  ])(sink);
  const tagged = {
    ...serviceResource("tagged"),
    attributes: [
      ["service.name", text("tagged")],
      ["zone", text("b")],
    ] as const,
  };
  const spans = [plainSpan({ resource: serviceResource("shop") }), plainSpan({ resource: tagged })];
  await stage.push(batchOf(spans), OTLP);
  const [batch] = batches;
  const table = batch!.resourceAttributes;
  const attributes = [0, 1].map((r) => {
    const found: string[] = [];
    for (let a = table.offsets[r]!; a < table.offsets[r + 1]!; a++) {
      found.push(`${attributeName(batch!, table, a)}=${String(attributeValue(batch!, table, a))}`);
    }
    return found;
  });
  assert.deepEqual(attributes, [
    ["service.name=shop", "env=prod", "zone=b"],
    ["service.name=tagged", "zone=b", "env=prod"],
  ]);
});

test("sanitize repairs negative durations only, and passes other batches as they are", async () => {
  const { sink, batches } = recorder();
  const stage = sanitizeStage()(sink);
  const fine = batchOf([plainSpan({ durationNs: 0n }), plainSpan({ durationNs: 5n })]);
  await stage.push(fine, OTLP);
  assert.equal(batches[0], fine);
  const durations = [-1n, 0n, -(2n ** 62n)];
  await stage.push(batchOf(durations.map((durationNs) => plainSpan({ durationNs }))), OTLP);
  const repaired = batches[1]!;
  assert.deepEqual(
    [0, 1, 2].map((i) => exactDurationNs(repaired, i)),
    [1n, 0n, 1n],
  );
  const table = repaired.spanAttributes;
  assert.deepEqual([...table.offsets], [0, 1, 1, 2]);
  assert.equal(attributeName(repaired, table, 0), "InvalidNegativeDuration");
  const value = attributeValue(repaired, table, 0);
  const why = "Duration can't be negative, so it is changed to default value";
  assert.deepEqual(value, new Uint8Array(Buffer.from(why)));
});

test("sample: FNV-64a and thresholds as Go computes them", () => {
  const fnv = (bytes: Buffer): bigint => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    return hash;
  };
  const random = seededRandom(7);
  for (let round = 0; round < 200; round++) {
    const id = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256)));
    const hash = new TraceHash("salt é");
    hash.of(id, 0);
    const found = (BigInt(hash.high) << 32n) | BigInt(hash.low);
    assert.equal(found, fnv(Buffer.concat([Buffer.from("salt é"), id])));
  }
  assert.equal(sampleThreshold(0), 0n);
  assert.equal(sampleThreshold(1), 2n ** 64n - 1n);
  assert.equal(sampleThreshold(0.5), 2n ** 63n - 1n);
  assert.equal(sampleThreshold(0.25), 2n ** 62n - 1n);
  const tenth = (2n ** 64n - 1n) * 3602879701896397n;
  assert.ok(sampleThreshold(0.1) - (tenth >> 55n) <= 1n);
});

test("sample keeps about the ratio, whole traces, and counts what it drops", async () => {
  const counters = new CounterTable();
  const ledger = new Ledger(counters);
  const { sink, batches } = recorder();
  const count = countStage({ counters, ledger });
  const stage = throughStages([count, sampleStage({ ratio: 0.3, salt: "", ledger })], sink);
  const result = await stage.push(batchOfTraces(2000), OTLP);
  const kept = batches[0]!.spanCount;
  assert.ok(kept > 500 && kept < 700, `${kept} of 2000`);
  assert.deepEqual(result, { stored: kept, deduplicated: 0, dropped: 2000 - kept });
  assert.equal(counters.value(LEDGER, ["dropped", "downsampling"]), 2000 - kept);
  await stage.push(batchOfTraces(2000), OTLP);
  assert.deepEqual(batches[1]!.traceId, batches[0]!.traceId);
  assert.equal(ledger.inFlight, 0);
});

test("queue: bounds bytes and spans, lets one alone pass, and recovers", async () => {
  const waiting: (() => void)[] = [];
  const { sink, batches } = recorder(
    (batch) =>
      new Promise((resolve) => {
        const result = { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
        waiting.push(() => resolve(result));
      }),
  );
  const batch = batchOfTraces(10);
  const size = batch.image.length;
  const counters = new CounterTable();
  const queue = queueStage({ counters, clock: systemClock, queueBytes: size * 2 })(sink);
  const running = [queue.push(batch, OTLP), queue.push(batch, OTLP)];
  assert.equal(counters.value("spoor_queue_bytes"), size * 2);
  await assert.rejects(
    queue.push(batch, OTLP),
    (error) => isSpoorError(error, "overloaded") && error.retryAfterMs! > 0,
  );
  assert.equal(counters.total("jaeger_collector_spans_dropped_total"), 10);
  for (const one of waiting.splice(0)) one();
  await Promise.all(running);
  assert.equal(counters.value("jaeger_collector_queue_length", [""]), 0);
  const big = batchOfTraces(100);
  const alone = queue.push(big, OTLP);
  for (const one of waiting.splice(0)) one();
  assert.equal((await alone).stored, 100);
  assert.equal(batches.length, 3);
  const own = { counters: new CounterTable(), clock: systemClock };
  const few = queueStage({ ...own, queueSpans: 10 })(sink);
  const first = few.push(batch, OTLP);
  await assert.rejects(few.push(batch, OTLP), (error) => isSpoorError(error, "overloaded"));
  for (const one of waiting.splice(0)) one();
  await first;
});

test("queue: so many batches at once, others in their order; the wait is measured", async () => {
  const running: (() => void)[] = [];
  const { sink, batches } = recorder(
    (batch) =>
      new Promise((resolve, reject) => {
        const result = { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
        running.push(() => (batch.spanCount === 2 ? reject(new Error("no")) : resolve(result)));
      }),
  );
  const counters = new CounterTable();
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const queue = queueStage({ counters, clock, workers: 2, sizeMetrics: true, host: "h" })(sink);
  const sizes = [1, 2, 3, 4, 5];
  const pushes = sizes.map((size) => queue.push(batchOfTraces(size), OTLP).catch(() => "failed"));
  const passed = (): number[] => batches.map(({ spanCount }) => spanCount);
  assert.deepEqual(passed(), [1, 2]);
  assert.equal(counters.value("jaeger_collector_queue_length", ["h"]), 15);
  nowMs = 300;
  while (running.length > 0) {
    for (const one of running.splice(0)) one();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const results = await Promise.all(pushes);
  assert.deepEqual(passed(), sizes);
  assert.equal(results[1], "failed");
  assert.equal(counters.value("jaeger_collector_queue_length", ["h"]), 0);
  const waits = counters.metrics.get("jaeger_collector_in_queue_latency")!.series.get("h")!;
  assert.deepEqual([waits.value, Math.round(waits.sum * 1000)], [5, 900]);
  const total = batches.reduce((sum, { image }) => sum + image.length, 0);
  assert.equal(counters.value("jaeger_collector_spans_bytes", ["h"]), total);
});

test("sanitize: texts that are not UTF-8 become bytes, and words tell of it", async () => {
  const { sink, batches } = recorder();
  const stage = sanitizeStage()(sink);
  const builder = new BatchBuilder();
  const bad = Uint8Array.of(0x61, 0xff);
  const string = (name: string | Uint8Array): number =>
    builder.key(typeof name === "string" ? builder.text(name) : builder.bytes(name), 1);
  builder.addResource();
  builder.resourceAttributes.add(string("service.name"), builder.bytes(bad));
  builder.resourceAttributes.add(string("ok"), builder.text("ünï"));
  builder.addScope();
  const row = builder.addSpan(0, 0);
  builder.spanId[row * 8] = 1;
  builder.nameId[row] = builder.bytes(bad);
  builder.spanAttributes.add(string("v"), builder.bytes(bad));
  builder.spanAttributes.add(string(bad), builder.text("text"));
  builder.spanAttributes.add(
    builder.key(builder.bytes(bad), ATTRIBUTE_TYPE.INT),
    builder.int(200n),
  );
  builder.spanAttributes.add(builder.key(builder.text("n"), ATTRIBUTE_TYPE.INT), builder.int(200n));
  builder.addEvent(1, 0, builder.bytes(bad));
  builder.eventAttributes.add(string("e"), builder.bytes(bad));
  await stage.push(builder.finish(), OTLP);
  const batch = batches[0]!;
  const list = (table: AttributeTable): [string, unknown][] =>
    [...table.key].map((_, a) => [attributeName(batch, table, a), attributeValue(batch, table, a)]);
  const asBytes = (suffix: string): Uint8Array =>
    Uint8Array.of(...bad, ...new TextEncoder().encode(suffix));
  assert.equal(dictText(batch, batch.nameId[0]!), "InvalidOperationName");
  assert.deepEqual(list(batch.resourceAttributes), [
    ["service.name", "InvalidServiceName"],
    ["ok", "ünï"],
  ]);
  assert.deepEqual(list(batch.spanAttributes), [
    ["v", bad],
    ["InvalidTagKey", asBytes(":text")],
    ["InvalidTagKey", asBytes(":200")],
    ["n", 200n],
    ["InvalidOperationName", bad],
    ["InvalidServiceName", bad],
  ]);
  assert.equal(batch.eventNameId[0], 0);
  assert.deepEqual(list(batch.eventAttributes), [
    ["e", bad],
    ["event", bad],
  ]);
  const fine = batchOfTraces(3);
  await stage.push(fine, OTLP);
  assert.equal(batches[1], fine, "nothing to repair, no new batch");
});

test("sanitize: a text of a number's bytes is looked at, a number is not", async () => {
  const { sink, batches } = recorder();
  const stage = sanitizeStage()(sink);
  const bytes = Uint8Array.of(0xff, 0xfe, 0, 0, 0, 0, 0, 0);
  const value = new DataView(bytes.buffer).getBigInt64(0, true);
  const batchWith = (withText: boolean): SpanBatch => {
    const builder = new BatchBuilder();
    builder.addResource();
    builder.addScope();
    builder.spanId[builder.addSpan(0, 0) * 8] = 1;
    const { spanAttributes } = builder;
    spanAttributes.add(builder.key(builder.text("n"), ATTRIBUTE_TYPE.INT), builder.int(value));
    const text = builder.key(builder.text("t"), ATTRIBUTE_TYPE.STRING);
    if (withText) spanAttributes.add(text, builder.bytes(bytes));
    return builder.finish();
  };
  const numbers = batchWith(false);
  assert.equal(numbers.isAscii, true);
  await stage.push(numbers, OTLP);
  assert.equal(batches[0], numbers, "numbers are no texts");
  await stage.push(batchWith(true), OTLP);
  const batch = batches[1]!;
  const { spanAttributes } = batch;
  assert.equal(attributeValue(batch, spanAttributes, 0), value);
  assert.deepEqual(attributeValue(batch, spanAttributes, 1), bytes, "the text became bytes");
});

test("the ledger adds up over every outcome, also while batches are in flight", async () => {
  const counters = new CounterTable();
  const ledger = new Ledger(counters);
  const random = seededRandom(11);
  const outcomes: ((batch: SpanBatch) => PushResult)[] = [
    (batch) => ({ stored: batch.spanCount, deduplicated: 0, dropped: 0 }),
    (batch) => ({ stored: batch.spanCount - 1, deduplicated: 1, dropped: 0 }),
    () => {
      throw new SpoorError("overloaded", "full");
    },
    () => {
      throw new SpoorError("rejected", "never");
    },
    () => {
      throw new Error("bug");
    },
  ];
  const { sink } = recorder(async (batch) => {
    await new Promise((resolve) => setImmediate(resolve));
    return outcomes[Math.floor(random() * outcomes.length)]!(batch);
  });
  const stages = [
    countStage({ counters, ledger }),
    queueStage({ counters, clock: systemClock, queueSpans: 400, workers: 2 }),
    sanitizeStage(),
    sampleStage({ ratio: 0.5, salt: "x", ledger }),
  ];
  const head = throughStages(stages, sink);
  const holds = (): void => {
    const received = counters.value(LEDGER, ["received", ""]);
    assert.equal(counters.total(LEDGER) - received + ledger.inFlight, received);
  };
  const pushes: Promise<unknown>[] = [];
  for (let round = 0; round < 60; round++) {
    ledger.rejected("trace-id", round % 3, OTLP);
    const batch = batchOfTraces(1 + Math.floor(random() * 20));
    pushes.push(head.push(batch, OTLP).catch(() => {}));
    holds();
    if (round % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(ledger.inFlight > 0);
  await Promise.all(pushes);
  holds();
  assert.equal(ledger.inFlight, 0);
  for (const state of ["overloaded", "rejected", "fault", "trace-id"]) {
    assert.ok(counters.value(LEDGER, ["rejected", state]) > 0, state);
  }
  assert.ok(counters.value(LEDGER, ["deduplicated", ""]) > 0);
});

test("metrics: by service and debug flag, roots by sampler, services to a limit", async () => {
  const counters = new CounterTable();
  const ledger = new Ledger(counters);
  const { sink } = recorder();
  const head = countStage({ counters, ledger, host: "here" })(sink);
  const resource = serviceResource("Ünï Shop");
  const debug = 2 << JAEGER_FLAGS.SHIFT;
  const parentHex = "00000000000000aa";
  const sampler = (type: string) => [["sampler.type", text(type)]] as const;
  const spans = [
    plainSpan({ resource, attributes: sampler("probabilistic") }),
    plainSpan({ resource, attributes: sampler("made up") }),
    plainSpan({ resource, flags: debug, parentHex }),
    plainSpan({ resource, parentHex }),
    plainSpan({ resource: serviceResource("other") }),
  ];
  await head.push(batchOf(spans), { format: "jaeger", transport: "udp" });
  const received = (labels: readonly string[]): number =>
    counters.value("jaeger_collector_spans_received_total", labels);
  assert.equal(received(["false", "jaeger", "_n__shop", "udp"]), 3);
  assert.equal(received(["true", "jaeger", "_n__shop", "udp"]), 1);
  assert.equal(received(["false", "jaeger", "other", "udp"]), 1);
  const roots = (type: string): number =>
    counters.value("jaeger_collector_traces_received_total", [
      "false",
      "jaeger",
      type,
      "_n__shop",
      "udp",
    ]);
  assert.deepEqual([roots("probabilistic"), roots("unrecognized"), roots("const")], [1, 1, 0]);
  const saved = counters.value("jaeger_collector_spans_saved_by_svc_total", [
    "true",
    "ok",
    "_n__shop",
  ]);
  assert.equal(saved, 1);
  assert.equal(counters.value("jaeger_collector_spans_serviceNames", ["here"]), 2);
  const many = Array.from({ length: 4100 }, (_, i) =>
    plainSpan({ resource: serviceResource(`s${i}`) }),
  );
  await head.push(batchOf(many), OTLP);
  assert.equal(received(["false", "otlp", "s10", "http"]), 1);
  assert.equal(received(["false", "otlp", "s4099", "http"]), 0);
  assert.equal(received(["false", "otlp", "other-services", "http"]), 102);
});

test("a store is a sink: its result, its errors", async () => {
  const batch = batchOfTraces(3);
  const written = storeSink({ write: async () => ({ stored: 2, deduplicated: 1 }) });
  assert.deepEqual(await written.push(batch, OTLP), { stored: 2, deduplicated: 1, dropped: 0 });
  const full = storeSink({ write: () => Promise.reject(new SpoorError("disk-full", "full")) });
  await assert.rejects(full.push(batch, OTLP), (error) => isSpoorError(error, "disk-full"));
});
