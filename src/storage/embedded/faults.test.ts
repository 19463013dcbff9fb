/** Faults at every step of a store's life: what was acknowledged is served, or named as lost. */

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

/** What a workload was told, by trace. */
interface Told {
  readonly acknowledged: Set<number>;
  /** Refused, and not sent again. */
  readonly refused: Set<number>;
  readonly deleted: Set<number>;
  /** Deletion rejected: the trace may be there or not. */
  readonly unsure: Set<number>;
  readonly archived: Set<number>;
}

function toldNothing(): Told {
  return {
    acknowledged: new Set(),
    refused: new Set(),
    deleted: new Set(),
    unsure: new Set(),
    archived: new Set(),
  };
}

const TRACES = 40;

/** Writes, seals, merges, bundles, archives and deletes; goes on after refusals. */
async function work(store: EmbeddedStore, told: Told): Promise<void> {
  for (let trace = 0; trace < TRACES; trace++) {
    try {
      await store.write(batchOf(trace));
      told.acknowledged.add(trace);
    } catch (error) {
      if (!isSpoorError(error)) throw error;
      assert.equal(error.class, "overloaded", error.message);
      told.refused.add(trace);
    }
    if (trace % 10 === 9) await store.settle();
    if (trace % 12 === 5) await archive(store, told, trace - 2);
    if (trace % 9 === 7) await remove(store, told, trace - 4);
  }
  await store.settle();
}

async function archive(store: EmbeddedStore, told: Told, trace: number): Promise<void> {
  if (told.deleted.has(trace) || told.unsure.has(trace)) return;
  try {
    if (await store.archive(traceIdOf(trace))) told.archived.add(trace);
  } catch (error) {
    if (!isSpoorError(error)) throw error;
  }
}

async function remove(store: EmbeddedStore, told: Told, trace: number): Promise<void> {
  try {
    const found = await store.delete(traceIdOf(trace));
    assert.equal(found, told.acknowledged.has(trace));
    if (found) told.deleted.add(trace);
  } catch (error) {
    if (!isSpoorError(error)) throw error;
    told.unsure.add(trace);
  }
}

/** What of the told does not hold; spans are counted, so one too many shows too. */
async function broken(store: EmbeddedStore, told: Told): Promise<string[]> {
  const wrong: string[] = [];
  for (let trace = 0; trace < TRACES; trace++) {
    if (told.unsure.has(trace)) continue;
    const spans = await spansOf(store.get([traceIdOf(trace)]));
    const acknowledged = told.acknowledged.has(trace);
    if (told.deleted.has(trace)) {
      if (spans !== 0) wrong.push(`deleted trace ${trace} has ${spans} spans`);
    } else if (acknowledged && spans !== 4) wrong.push(`trace ${trace} has ${spans} spans`);
    else if (told.refused.has(trace) && spans !== 0) wrong.push(`refused trace ${trace} is there`);
    if (!told.archived.has(trace)) continue;
    const kept = await spansOf(store.getArchived(traceIdOf(trace)));
    const wanted = told.deleted.has(trace) ? 0 : 4;
    if (kept !== wanted) wrong.push(`archived trace ${trace} has ${kept} spans`);
  }
  return wrong;
}

/** Rows that are stored, in segments and heads, whether reads show them or not. */
function storedRows(counters: CounterTable): number {
  const rows = counters.value("spoor_embedded_segment_rows");
  return rows + counters.value("spoor_embedded_head_rows");
}

/** No span is stored twice: what reads would hide is counted here. `more`: may be there. */
function checkRows(counters: CounterTable, told: Told, label: string, more = 0): void {
  const most = (told.acknowledged.size + more) * 4;
  assert.ok(storedRows(counters) <= most, `${label}: ${storedRows(counters)} rows, not ${most}`);
}

const EAGER = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
const OPTIONS = { headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 }, upkeepSizes: EAGER };

async function stepsOfWork(): Promise<number> {
  const files = new FaultyFiles();
  const store = await openOn(files, OPTIONS);
  const told = toldNothing();
  await work(store, told);
  assert.deepEqual(await broken(store, told), []);
  assert.equal(told.refused.size, 0);
  assert.ok(
    files.paths().some((path) => path.endsWith(".bundle")),
    "the work makes bundles",
  );
  await store.close();
  return files.steps;
}

async function tryFault(fault: Fault, at: number): Promise<void> {
  const label = `${fault} at step ${at}`;
  const files = new FaultyFiles();
  let where = "";
  files.plan = (step, verb, path) => {
    if (step !== at) return undefined;
    where = `${verb} ${path}`;
    return fault;
  };
  const told = toldNothing();
  let store: EmbeddedStore;
  try {
    store = await openOn(files, OPTIONS);
  } catch (error) {
    assert.ok(isSpoorError(error), `${label}: ${String(error)}`);
    files.plan = () => undefined;
    store = await openOn(files, OPTIONS);
  }
  await work(store, told);
  assert.deepEqual(await broken(store, told), [], `${label} (${where})`);
  const counters = new CounterTable();
  const killed = await openOn(files.afterKill(), { ...OPTIONS, counters });
  assert.deepEqual(await broken(killed, told), [], `${label} (${where}), killed`);
  await killed.settle();
  assert.deepEqual(await broken(killed, told), [], `${label} (${where}), killed and settled`);
  checkRows(counters, told, `${label} (${where}), killed and settled`);
  const cut = await openOn(files.afterPowerCut(seededRandom(at)), OPTIONS);
  assert.deepEqual(await broken(cut, told), [], `${label} (${where}), power cut`);
  for (const each of [store, killed, cut]) await each.close();
}

for (const fault of ["full", "error"] as const) {
  test(`one operation fails (${fault}), at every place in turn (stride ${STRIDE})`, async () => {
    const steps = await stepsOfWork();
    for (let at = SEED % STRIDE; at < steps; at += STRIDE) await tryFault(fault, at);
  });
}

test(`the power goes at every place in turn (stride ${STRIDE})`, async () => {
  const steps = await stepsOfWork();
  for (let at = SEED % STRIDE; at < steps; at += STRIDE) {
    const files = new FaultyFiles();
    files.plan = (step) => (step === at ? "cut" : undefined);
    const told = toldNothing();
    const before = openOn(files, OPTIONS);
    // What had been told when the power went holds; all later fails.
    const working = before.then((store) => work(store, told));
    await Promise.race([files.whenCut, working]).catch(() => undefined);
    // What was going on when the power went may be there or not.
    for (const trace of inFlight(told)) told.unsure.add(trace);
    await before.then((store) => store.close()).catch(() => undefined);
    await working.catch(() => undefined);
    const counters = new CounterTable();
    const store = await openOn(files.afterPowerCut(seededRandom(at)), { ...OPTIONS, counters });
    assert.deepEqual(await broken(store, told), [], `cut at step ${at}`);
    const alarms = store.notes().filter((note) => !note.includes("torn record"));
    assert.deepEqual(alarms, [], `cut at step ${at}: nothing is damaged by a cut but a tail`);
    await store.settle();
    assert.deepEqual(await broken(store, told), [], `cut at step ${at}, settled`);
    checkRows(counters, told, `cut at step ${at}, settled`, 1);
    await store.close();
  }
});

/** Traces whose write or deletion may have been under way at the cut. */
function inFlight(told: Told): number[] {
  const traces: number[] = [];
  for (let trace = 0; trace < TRACES; trace++) {
    const isNext = !told.acknowledged.has(trace);
    const isDeleting = trace % 9 === 3 && !told.deleted.has(trace);
    if (isNext || isDeleting) traces.push(trace);
  }
  return traces;
}
