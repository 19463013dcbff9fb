// The queue between an application and a receiver that is slow, refuses, or is gone for an hour.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeTimers } from "./fake-timers.ts";
import { HTTP_BATCH_BYTES, QUEUE_BYTES, SEND_ATTEMPTS } from "./limits.ts";
import { OtlpFormat } from "./otlp-format.ts";
import { RemoteReporter } from "./remote-reporter.ts";
import { ConstSampler } from "./samplers.ts";
import { SpanQueue } from "./span-queue.ts";
import { ThriftFormat } from "./thrift-format.ts";
import { Tracer } from "./tracer.ts";
import type { SendResult, SpanQueueOptions, Transport } from "./span-queue.ts";

interface Scene {
  timers: FakeTimers;
  queue: SpanQueue;
  tracer: Tracer;
  /** What is on its way, to be settled by the test. */
  sent: { size: number; done: (result: SendResult, reason?: string) => void }[];
  answer: { with: SendResult | null };
}

function scene(options: Partial<SpanQueueOptions> = {}): Scene {
  const timers = new FakeTimers();
  const sent: Scene["sent"] = [];
  const answer: Scene["answer"] = { with: null };
  const transport: Transport = {
    parallel: 1,
    send(bytes, done) {
      sent.push({ size: bytes.length, done });
      if (answer.with !== null) done(answer.with, "told to");
    },
    close: (callback) => callback(),
    toString: () => "test",
  };
  const format = new ThriftFormat("binary", false);
  const queue = new SpanQueue({ format, transport, timers, random: () => 1, ...options });
  const reporter = new RemoteReporter(queue, { timers });
  return {
    timers,
    queue,
    tracer: new Tracer("svc", reporter, new ConstSampler(true)),
    sent,
    answer,
  };
}

function spans(tracer: Tracer, count: number): void {
  for (let i = 0; i < count; i++)
    tracer.startSpan("op", { tags: { filler: "x".repeat(100) } }).finish();
}

describe("a receiver that is gone for an hour", () => {
  it("costs a bounded amount of memory, and every span is accounted for", () => {
    const { timers, queue, tracer, answer, sent } = scene();
    answer.with = "retry";
    const perSecond = 200;
    for (let second = 0; second < 3_600; second++) {
      spans(tracer, perSecond);
      timers.advance(1_000);
      assert.ok(queue.queuedBytes <= QUEUE_BYTES + HTTP_BATCH_BYTES, `${queue.queuedBytes} bytes`);
    }
    const attempts = sent.length;
    assert.ok(attempts < 100, `${attempts} attempts in an hour`);
    assert.ok(queue.stats.fullQueueDropped > 0);
    assert.ok(queue.stats.failedToEmit > 0);
    answer.with = "sent";
    timers.advance(120_000);
    assert.ok(queue.queuedBytes < HTTP_BATCH_BYTES);
    const before = sent.length;
    spans(tracer, 1);
    timers.advance(1_000);
    assert.equal(sent.length, before + 1);
  });
});

describe("retries", () => {
  it("wait longer each time and end after a number of attempts", () => {
    const { timers, queue, tracer, answer, sent } = scene();
    answer.with = "retry";
    spans(tracer, 1);
    timers.advance(1_000);
    const times: number[] = [];
    let seen = sent.length;
    for (let ms = 0; ms < 600_000; ms += 500) {
      timers.advance(500);
      if (sent.length > seen) times.push(ms + 500);
      seen = sent.length;
    }
    assert.deepEqual(times, [1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000]);
    assert.equal(sent.length, SEND_ATTEMPTS);
    assert.deepEqual(queue.stats, { fullQueueDropped: 0, tooLargeDropped: 0, failedToEmit: 1 });
  });

  it("do not follow a refusal", () => {
    const { timers, queue, tracer, answer, sent } = scene();
    answer.with = "refused";
    spans(tracer, 3);
    timers.advance(600_000);
    assert.equal(sent.length, 1);
    assert.equal(queue.stats.failedToEmit, 3);
  });

  it("hold up the end for one timeout, not for one of every batch that waits", () => {
    const { tracer, queue, sent } = scene();
    for (let i = 0; i < 5; i++) {
      spans(tracer, 2);
      queue.flush();
    }
    let closed = 0;
    tracer.close(() => closed++);
    assert.equal(sent.length, 1);
    sent[0]!.done("retry", "timeout");
    assert.equal(closed, 1);
    assert.equal(sent.length, 1);
    assert.equal(queue.stats.failedToEmit, 10);
  });

  it("end with one last attempt when the tracer is closed", () => {
    const { timers, tracer, answer, sent } = scene();
    answer.with = "retry";
    spans(tracer, 1);
    timers.advance(1_000);
    let closed = 0;
    answer.with = null;
    tracer.close(() => closed++);
    assert.equal(sent.length, 2);
    assert.equal(closed, 0);
    sent[1]!.done("retry");
    assert.equal(closed, 1);
    assert.equal(timers.pending, 0);
    spans(tracer, 1);
    timers.advance(10_000);
    assert.equal(sent.length, 2);
  });
});

describe("batches", () => {
  it("go one at a time, full ones at once, the rest by the interval", () => {
    const { timers, tracer, sent } = scene({ maxBatchSpans: 16 });
    spans(tracer, 40);
    assert.equal(sent.length, 1);
    sent[0]!.done("sent");
    assert.equal(sent.length, 2);
    sent[1]!.done("sent");
    assert.equal(sent.length, 2);
    timers.advance(1_000);
    assert.equal(sent.length, 3);
  });

  it("hold spans as they were when they were finished", () => {
    const texts: string[] = [];
    const transport: Transport = {
      parallel: 1,
      send: (bytes, done) => {
        texts.push(Buffer.from(bytes).toString("latin1"));
        done("sent");
      },
      close: (callback) => callback(),
    };
    const { tracer, queue } = scene({ transport });
    const first = tracer.startSpan("first", { tags: { plain: "before" } });
    first.finish();
    first.setTag("late", "late").log({ event: "late" }).setOperationName("late");
    first.setBaggageItem("late", "late");
    const list = ["before"];
    tracer.startSpan("second", { tags: { list } }).finish();
    list[0] = "late";
    const logged = { value: "before" };
    tracer.startSpan("third").log({ logged }).finish();
    logged.value = "late";
    assert.equal(texts.join(), "");
    assert.ok(queue.queuedBytes > 0);
    queue.flush();
    assert.equal(texts.length, 1);
    assert.equal(texts[0]!.match(/before/g)!.length, 3);
    assert.ok(!texts[0]!.includes("late"));
    const order = ["first", "second", "third"].map((name) => texts[0]!.indexOf(name));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  it("of a size limit never exceed it", () => {
    for (const format of [new ThriftFormat("compact", true), new OtlpFormat()]) {
      const { tracer, answer, sent, queue, timers } = scene({ format, maxBatchBytes: 4_000 });
      answer.with = "sent";
      for (let length = 0; length < 3_000; length += 7) {
        tracer.startSpan("op", { tags: { filler: "x".repeat(length) } }).finish();
      }
      tracer.startSpan("huge", { tags: { filler: "x".repeat(4_000) } }).finish();
      timers.advance(1_000);
      assert.ok(sent.length > 100);
      for (const { size } of sent) assert.ok(size <= 4_000, String(size));
      assert.equal(queue.stats.tooLargeDropped, 1);
    }
  });

  it("survive values that cannot be read", () => {
    const { tracer, answer, timers, queue, sent } = scene();
    answer.with = "sent";
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const hostile = {
      toJSON() {
        throw new Error("no");
      },
    };
    tracer.startSpan("op", { tags: { cyclic, hostile, symbol: Symbol("s"), fn() {} } }).finish();
    timers.advance(1_000);
    assert.equal(sent.length, 1);
    assert.deepEqual(queue.stats, { fullQueueDropped: 0, tooLargeDropped: 0, failedToEmit: 0 });
  });
});
