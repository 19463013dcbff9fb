/** Writing, acknowledging and recovering: what was told to be durable is there again. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import {
  batchOf,
  openOn,
  spansOf as spansIn,
  traceIdOf,
} from "../../../test/support/small-stores.ts";
import { CounterTable } from "../../base/counters.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { EmbeddedStore } from "./store-options.ts";

const SMALL = { headSizes: { arenaBytes: 16 * 1024, rows: 64, arenas: 3 } };

function open(files: FaultyFiles, counters = new CounterTable()): Promise<EmbeddedStore> {
  return openOn(files, { ...SMALL, counters });
}

function spansOf(store: EmbeddedStore, trace: number): Promise<number> {
  return spansIn(store.get([traceIdOf(trace)]));
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
  const store = await open(files, counters);
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
