/** Losses of clients: added up from their own counts, whatever order packets come in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import { LIMITS } from "../../core/limits.ts";
import type { ClientStats } from "../../wire/jaeger-thrift-decode.ts";
import { ClientStatsMeter } from "./client-stats.ts";

function lost(full: number, large: number, failed: number): ClientStats {
  return {
    fullQueueDroppedSpans: full,
    tooLargeDroppedSpans: large,
    failedToEmitSpans: failed,
  };
}

/** A clock that goes on when told; one timer at a time. */
function handClock(): Clock & { advance(ms: number): void } {
  let nowMs = 0;
  let timer: { readonly atMs: number; readonly run: () => void } | undefined;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      timer = { atMs: nowMs + delayMs, run };
      return () => {
        timer = undefined;
      };
    },
    advance(ms) {
      const endMs = nowMs + ms;
      while (timer !== undefined && timer.atMs <= endMs) {
        nowMs = timer.atMs;
        timer.run();
      }
      nowMs = endMs;
    },
  };
}

function rig() {
  const counters = new CounterTable();
  const clock = handClock();
  const meter = new ClientStatsMeter(counters, clock);
  const value = (name: string, ...labels: string[]): number =>
    counters.value(`jaeger_agent_client_stats_${name}`, labels);
  const sums = (): number[] => [
    value("batches_received_total"),
    value("batches_sent_total"),
    value("spans_dropped_total", "full-queue"),
    value("spans_dropped_total", "too-large"),
    value("spans_dropped_total", "send-failure"),
  ];
  return { meter, clock, sums, connected: () => value("connected_clients") };
}

test("the first batch of a client is where its counts begin", () => {
  const { meter, sums, connected } = rig();
  meter.received("a", 100, lost(10, 20, 30));
  assert.deepEqual(sums(), [1, 0, 0, 0, 0]);
  meter.received("a", 103, lost(11, 22, 33));
  assert.deepEqual(sums(), [2, 3, 1, 2, 3]);
  meter.received("b", 1, lost(5, 5, 5));
  meter.received("b", 2, lost(6, 5, 5));
  assert.deepEqual(sums(), [4, 4, 2, 2, 3]);
  assert.equal(connected(), 2);
});

test("a batch that was overtaken, or counts that go down, add nothing", () => {
  const { meter, sums } = rig();
  meter.received("a", 5, lost(1, 1, 1));
  meter.received("a", 9, lost(4, 1, 1));
  meter.received("a", 7, lost(2, 1, 1));
  meter.received("a", 9, lost(9, 9, 9));
  assert.deepEqual(sums(), [4, 4, 3, 0, 0]);
  meter.received("a", 10, lost(0, 0, 2));
  assert.deepEqual(sums(), [5, 5, 3, 0, 1]);
});

test("batches without a number, a client's name or losses are no trouble", () => {
  const { meter, sums, connected } = rig();
  meter.received("a", undefined, lost(1, 1, 1));
  meter.received(undefined, 1, lost(1, 1, 1));
  assert.deepEqual([...sums(), connected()], [0, 0, 0, 0, 0, 0]);
  meter.received("a", 1, undefined);
  meter.received("a", 2, undefined);
  meter.received("a", 3, lost(2, 0, 0));
  assert.deepEqual(sums(), [3, 2, 2, 0, 0]);
});

test("silent clients are forgotten after an hour, others are not", () => {
  const { meter, clock, connected } = rig();
  meter.received("silent", 1, undefined);
  meter.received("talking", 1, undefined);
  clock.advance(LIMITS.udpClientMs - 1);
  meter.received("talking", 2, undefined);
  clock.advance(LIMITS.udpClientSweepMs);
  assert.equal(connected(), 1);
  clock.advance(LIMITS.udpClientMs + LIMITS.udpClientSweepMs);
  assert.equal(connected(), 0);
  meter.close();
});

test("beyond the limit the client silent longest is forgotten", () => {
  const { meter, sums, connected } = rig();
  for (let i = 0; i < LIMITS.udpClients; i++) meter.received(`client ${i}`, 1, undefined);
  meter.received("client 0", 2, undefined);
  meter.received("one more", 1, undefined);
  assert.equal(connected(), LIMITS.udpClients);
  const [, before = 0] = sums();
  meter.received("client 0", 3, undefined);
  meter.received("client 1", 9, undefined);
  assert.equal(sums()[1], before + 1, "client 1 begins anew");
});
