/** Opened traces: kept within bytes and time, opened again from their token when they are not. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OpenTraces } from "../../src/api/open-traces.ts";
import type { Clock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { batchOf, idBytes, plainSpan } from "../support/plain-spans.ts";

const signal = new AbortController().signal;
const shown = { adjusted: true, maxClockSkewNs: 0 };
const ID = "11".repeat(16);

/** A clock that stands until it is moved. */
class StandingClock implements Clock {
  #nowMs = 0;
  #waiting: { atMs: number; run: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  move(ms: number): void {
    this.#nowMs += ms;
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { run } of due) run();
  }
}

/** Opened traces over a memory store, and how often the store was read. */
async function opened(mostBytes?: number) {
  const store = openMemoryStore();
  const clock = new StandingClock();
  const write = async (spanHex: string): Promise<void> => {
    await store.write(batchOf([plainSpan({ traceHex: ID, spanHex: spanHex.repeat(8) })]));
    await store.settle();
  };
  await write("01");
  let reads = 0;
  const query = new QueryService({ store, counters: new CounterTable(), clock });
  const source = {
    can: query.can,
    changedSince: query.changedSince.bind(query),
    get(ids: readonly Uint8Array[], ending?: AbortSignal): AsyncIterable<SpanBatch> {
      reads++;
      return query.get(ids, ending);
    },
  };
  const size = mostBytes === undefined ? {} : { mostBytes };
  const traces = new OpenTraces({ source, clock, ...size });
  return { traces, clock, write, reads: () => reads };
}

describe("opened traces", () => {
  it("answer questions about rows without reading the store again", async () => {
    const { traces, reads } = await opened();
    const { skeleton } = await traces.open(idBytes(ID), shown, signal);
    for (let n = 0; n < 3; n++) await traces.at(idBytes(ID), skeleton.token, signal);
    assert.equal(reads(), 1);
  });

  it("are forgotten when nobody asks for some time, and opened again", async () => {
    const { traces, clock, reads } = await opened();
    const { skeleton } = await traces.open(idBytes(ID), shown, signal);
    clock.move(LIMITS.openTraceIdleMs - 1);
    await traces.at(idBytes(ID), skeleton.token, signal);
    clock.move(1);
    clock.move(LIMITS.openTraceIdleMs - 2);
    await traces.at(idBytes(ID), skeleton.token, signal);
    assert.equal(reads(), 1, "used in time");
    clock.move(LIMITS.openTraceIdleMs);
    clock.move(LIMITS.openTraceIdleMs);
    const again = await traces.at(idBytes(ID), skeleton.token, signal);
    assert.deepEqual([reads(), again.skeleton.token], [2, skeleton.token]);
  });

  it("beyond the limit of bytes are not kept, but answered", async () => {
    const { traces, reads, write } = await opened(100);
    const { skeleton } = await traces.open(idBytes(ID), shown, signal);
    await traces.at(idBytes(ID), skeleton.token, signal);
    assert.equal(reads(), 2);
    assert.equal(await traces.lateSpans(idBytes(ID), skeleton.token, signal), 0);
    await write("02");
    assert.equal(await traces.lateSpans(idBytes(ID), skeleton.token, signal), 1);
    await assert.rejects(traces.at(idBytes(ID), skeleton.token, signal), (error) =>
      isSpoorError(error, "changed"),
    );
  });

  it("of two states of a trace both are kept", async () => {
    const { traces, reads, write } = await opened();
    const first = await traces.open(idBytes(ID), shown, signal);
    await write("02");
    const second = await traces.open(idBytes(ID), shown, signal);
    const counts = [first, second].map(({ skeleton }) => skeleton.spanCount);
    assert.deepEqual(counts, [1, 2]);
    for (const { skeleton } of [first, second]) {
      const kept = await traces.at(idBytes(ID), skeleton.token, signal);
      assert.equal(kept.skeleton.spanCount, skeleton.spanCount);
    }
    assert.equal(reads(), 2);
    assert.equal(await traces.lateSpans(idBytes(ID), first.skeleton.token, signal), 1);
    assert.equal(await traces.lateSpans(idBytes(ID), second.skeleton.token, signal), 0);
  });
});
