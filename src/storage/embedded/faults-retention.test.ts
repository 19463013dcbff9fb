/** Faults while retention takes the oldest away: a trace is whole or gone, the newest are there. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import type { Fault } from "../../../test/support/faulty-files.ts";
import { runSeed } from "../../../test/support/run-seed.ts";
import { batchOf, openOn, spansOf, traceIdOf } from "../../../test/support/small-stores.ts";
import { seededRandom } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { EmbeddedStore } from "./store-options.ts";

/** Every how many steps a fault is tried; 1 tries all. */
const STRIDE = Number(process.env["SPOOR_FAULT_STRIDE"] ?? 13);
const SEED = runSeed();

const TRACES = 60;
/** These are never the oldest: the bound leaves room for three times as many. */
const NEWEST = 8;
const EAGER = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
const UNBOUNDED = {
  headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 },
  upkeepSizes: EAGER,
  retentionMs: 0,
};

/** What a workload was told of its traces, in order. */
interface Told {
  readonly acknowledged: number[];
  readonly refused: number[];
}

/** Writes more than the bound holds; goes on after refusals. */
async function work(store: EmbeddedStore, told: Told): Promise<void> {
  for (let trace = 0; trace < TRACES; trace++) {
    try {
      await store.write(batchOf(trace));
      told.acknowledged.push(trace);
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      assert.equal(error.class, "overloaded", error.message);
      told.refused.push(trace);
    }
    if (trace % 10 === 9) await store.settle();
  }
  await store.settle();
}

/** What of the told does not hold. */
async function broken(store: EmbeddedStore, told: Told): Promise<string[]> {
  const wrong: string[] = [];
  const newest = new Set(told.acknowledged.slice(-NEWEST));
  for (const trace of told.acknowledged) {
    const spans = await spansOf(store.get([traceIdOf(trace)]));
    if (spans !== 4 && (spans !== 0 || newest.has(trace))) {
      wrong.push(`trace ${trace} has ${spans} spans`);
    }
  }
  for (const trace of told.refused) {
    const spans = await spansOf(store.get([traceIdOf(trace)]));
    if (spans !== 0) wrong.push(`refused trace ${trace} is there`);
  }
  return wrong;
}

/** Options whose bound holds about half of the work, and the steps of the work under it. */
async function bounded() {
  const counters = new CounterTable();
  const all = await openOn(new FaultyFiles(), { ...UNBOUNDED, counters });
  await work(all, { acknowledged: [], refused: [] });
  const maxSizeBytes = counters.value("spoor_embedded_segment_bytes") / 2;
  await all.close();
  const options = { ...UNBOUNDED, maxSizeBytes };
  const files = new FaultyFiles();
  const removed = new CounterTable();
  const store = await openOn(files, { ...options, counters: removed });
  const told: Told = { acknowledged: [], refused: [] };
  await work(store, told);
  assert.deepEqual(await broken(store, told), []);
  assert.equal(await spansOf(store.get([traceIdOf(0)])), 0, "the oldest trace went");
  assert.ok(removed.value("spoor_embedded_expired_segments_total") > 2);
  await store.close();
  return { options, steps: files.steps };
}

for (const fault of ["full", "error"] as const satisfies readonly Fault[]) {
  test(`retention: one operation fails (${fault}), in turn (stride ${STRIDE})`, async () => {
    const { options, steps } = await bounded();
    for (let at = SEED % STRIDE; at < steps; at += STRIDE) {
      const files = new FaultyFiles();
      let where = `${fault} at step ${at}`;
      files.plan = (step, verb, path) => {
        if (step !== at) return undefined;
        where += ` (${verb} ${path})`;
        return fault;
      };
      const told: Told = { acknowledged: [], refused: [] };
      const opened = await openOn(files, options).catch((error: unknown) => {
        assert.ok(isSpoorError(error), `${where}: ${String(error)}`);
        return openOn(files, options);
      });
      await work(opened, told);
      assert.deepEqual(await broken(opened, told), [], where);
      const killed = await openOn(files.afterKill(), options);
      await killed.settle();
      assert.deepEqual(await broken(killed, told), [], `${where}, killed and settled`);
      const cut = await openOn(files.afterPowerCut(seededRandom(at)), options);
      assert.deepEqual(await broken(cut, told), [], `${where}, power cut`);
      for (const each of [opened, killed, cut]) await each.close();
    }
  });
}

test(`retention: the power goes at every place in turn (stride ${STRIDE})`, async () => {
  const { options, steps } = await bounded();
  for (let at = SEED % STRIDE; at < steps; at += STRIDE) {
    const files = new FaultyFiles();
    files.plan = (step) => (step === at ? "cut" : undefined);
    const told: Told = { acknowledged: [], refused: [] };
    const before = openOn(files, options);
    const working = before.then((store) => work(store, told));
    await Promise.race([files.whenCut, working]).catch(() => undefined);
    // What was refused or under way when the power went may be there or not.
    const known = { acknowledged: [...told.acknowledged], refused: [] };
    await before.then((store) => store.close()).catch(() => undefined);
    await working.catch(() => undefined);
    const store = await openOn(files.afterPowerCut(seededRandom(at)), options);
    assert.deepEqual(await broken(store, known), [], `cut at step ${at}`);
    const alarms = store.notes().filter((note) => !note.includes("torn record"));
    assert.deepEqual(alarms, [], `cut at step ${at}: nothing is damaged by a cut but a tail`);
    await store.settle();
    assert.deepEqual(await broken(store, known), [], `cut at step ${at}, settled`);
    await store.close();
  }
});
