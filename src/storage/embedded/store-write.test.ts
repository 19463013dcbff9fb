/** Writing, acknowledging and recovering: what was told to be durable is there again. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import { seededRandom } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { isSpoorError } from "../../core/errors.ts";
import { openEmbeddedStore } from "./store.ts";
import type { EmbeddedStore, EmbeddedStoreOptions } from "./store-options.ts";

const SMALL = { arenaBytes: 16 * 1024, rows: 64, arenas: 3 };

/** A batch of `spans` spans of the trace with this number. */
function batchOf(trace: number, spans = 4, first = 0): SpanBatch {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const name = builder.text("service.name");
  builder.resourceAttributes.add(builder.key(name, 1), builder.text(`service-${trace % 3}`));
  const scope = builder.addScope();
  for (let s = 0; s < spans; s++) {
    const i = builder.addSpan(resource, scope);
    builder.nameId[i] = builder.text(`name-${s}`);
    builder.startUs[i] = 1_700_000_000_000_000 + trace * 1000 + s;
    new DataView(builder.traceId.buffer).setUint32(i * 16 + 12, trace);
    new DataView(builder.spanId.buffer).setUint32(i * 8 + 4, trace * 1000 + first + s + 1);
  }
  return builder.finish();
}

function traceId(trace: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, trace);
  return id;
}

function open(
  files: FaultyFiles,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore> {
  const lock = async () => ({ release: async () => undefined });
  return openEmbeddedStore({
    directory: "data",
    files,
    inline: true,
    lock,
    headSizes: SMALL,
    ...options,
  });
}

async function spansOf(store: EmbeddedStore, trace: number): Promise<number> {
  let spans = 0;
  for await (const batch of store.get([traceId(trace)])) spans += batch.spanCount;
  return spans;
}

test("a written trace is read at once, and again after a kill", async () => {
  const files = new FaultyFiles();
  const store = await open(files);
  assert.deepEqual(await store.write(batchOf(1)), { stored: 4, deduplicated: 0 });
  assert.equal(await spansOf(store, 1), 4);
  const again = await open(files.afterKill());
  assert.equal(await spansOf(again, 1), 4);
  await store.close();
  await again.close();
});

test("a retried request is deduplicated, also after a restart and after a seal", async () => {
  const files = new FaultyFiles();
  const store = await open(files);
  const [first, second] = await Promise.all([store.write(batchOf(1)), store.write(batchOf(1))]);
  assert.deepEqual(first, { stored: 4, deduplicated: 0 });
  assert.deepEqual(second, { stored: 0, deduplicated: 4 });
  const again = await open(files.afterKill());
  assert.deepEqual(await again.write(batchOf(1)), { stored: 0, deduplicated: 4 });
  await again.settle();
  await again.close();
  const third = await open(files.afterKill());
  assert.deepEqual(await third.write(batchOf(1)), { stored: 0, deduplicated: 4 });
  await store.close();
  await third.close();
});

test("heads rotate, are sealed, and their log files are used again", async () => {
  const files = new FaultyFiles();
  const counters = new CounterTable();
  const store = await open(files, { counters });
  for (let trace = 0; trace < 200; trace++) await store.write(batchOf(trace));
  await store.settle();
  for (let trace = 0; trace < 200; trace++) assert.equal(await spansOf(store, trace), 4);
  assert.ok(counters.value("spoor_embedded_seals_total") >= 11);
  assert.equal(counters.value("spoor_embedded_unsettled_rows"), 0);
  const logs = files.paths().filter((path) => path.endsWith(".wal"));
  assert.ok(logs.length <= 3, logs.join());
  await store.close();
  const again = await open(files.afterKill());
  for (let trace = 0; trace < 200; trace++) assert.equal(await spansOf(again, trace), 4);
  await again.close();
});

test("acknowledged spans survive a power cut at every step", async () => {
  const counting = new FaultyFiles();
  const whole = await open(counting);
  for (let trace = 0; trace < 60; trace++) await whole.write(batchOf(trace));
  await whole.settle();
  await whole.close();
  const steps = counting.steps;
  assert.ok(steps > 100);
  for (let cut = 0; cut < steps; cut++) {
    const files = new FaultyFiles();
    files.plan = (step) => (step === cut ? "cut" : undefined);
    const acknowledged: number[] = [];
    let store: EmbeddedStore | undefined;
    try {
      store = await open(files);
      for (let trace = 0; trace < 60; trace++) {
        await store.write(batchOf(trace));
        acknowledged.push(trace);
      }
      await store.settle();
    } catch {
      // The power went.
    }
    const next = files.afterPowerCut(seededRandom(cut));
    const again = await open(next);
    for (const trace of acknowledged) {
      assert.equal(await spansOf(again, trace), 4, `cut at ${cut}, trace ${trace}`);
    }
    await again.settle();
    for (const trace of acknowledged) {
      assert.equal(await spansOf(again, trace), 4, `cut at ${cut}, settled, trace ${trace}`);
    }
    await again.close();
    await store?.close().catch(() => undefined);
  }
});

test("a batch larger than a head is split; a span larger than a head is refused", async () => {
  const store = await open(new FaultyFiles());
  assert.deepEqual(await store.write(batchOf(1, 100)), { stored: 100, deduplicated: 0 });
  assert.equal(await spansOf(store, 1), 100);
  const builder = new BatchBuilder();
  const i = builder.addSpan(builder.addResource(), builder.addScope());
  builder.nameId[i] = builder.text("x".repeat(20_000));
  await assert.rejects(store.write(builder.finish()), (error) => isSpoorError(error, "rejected"));
  await store.close();
});
