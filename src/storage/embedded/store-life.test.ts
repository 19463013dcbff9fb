/** Life of a store: full disks, failing syncs, retention, archive, deletion, lock, workers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import {
  batchOf,
  openOn,
  spansOf,
  standingClock,
  traceIdOf,
} from "../../../test/support/small-stores.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/patience.ts";
import { CounterTable } from "../../base/counters.ts";
import type { Clock } from "../../base/clock.ts";
import { isSpoorError } from "../../core/errors.ts";
import { openEmbeddedStore } from "./store.ts";
import { DEFAULTS } from "./store-options.ts";
import type { EmbeddedStore, StoreEvent } from "./store-options.ts";

const SMALL = { headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 } };

function spansIn(store: EmbeddedStore, trace: number): Promise<number> {
  return spansOf(store.get([traceIdOf(trace)]));
}

test("a full disk refuses with disk-full, keeps what it had, and recovers by itself", async () => {
  const files = new FaultyFiles();
  files.capacityBytes = 64 * 1024;
  const said: string[] = [];
  const report = ({ message }: StoreEvent): void => void said.push(message);
  const store = await openOn(files, { ...SMALL, retentionMs: 0, report });
  let refused = 0;
  let stored = 0;
  for (let trace = 0; refused < 3; trace++) {
    assert.ok(trace < 10_000, "the disk fills");
    try {
      await store.write(batchOf(trace));
      stored = trace + 1;
    } catch (error) {
      assert.ok(isSpoorError(error, "disk-full"), String(error));
      refused++;
    }
  }
  assert.ok(
    store.notes().some((note) => note.includes("disk full")),
    store.notes().join(),
  );
  assert.equal(await spansIn(store, stored - 1), 4);
  assert.equal(await spansIn(store, stored + 1), 0, "nothing refused is visible");
  files.capacityBytes = Infinity;
  await store.settle();
  await store.write(batchOf(20_000));
  assert.equal(await spansIn(store, 20_000), 4);
  for (let trace = 0; trace < stored; trace += 7) assert.equal(await spansIn(store, trace), 4);
  assert.deepEqual(store.notes(), []);
  // Told when it began and when it ended.
  assert.ok(
    said.some((message) => message.includes("disk full")),
    said.join("\n"),
  );
  assert.ok(
    said.some((message) => message.endsWith("written again")),
    said.join("\n"),
  );
  await store.close();
});

/** A standing clock whose minute passes by hand. */
function minuteClock(): Clock & { minute: () => void } {
  const standing = standingClock();
  const clock = {
    ...standing,
    minute: (): void => undefined,
    after(delayMs: number, run: () => void) {
      if (delayMs !== DEFAULTS.tickMs) return standing.after(delayMs, run);
      clock.minute = run;
      return () => undefined;
    },
  };
  return clock;
}

test("a disk without room for a log file is told at the start, until there is room", async () => {
  const files = new FaultyFiles();
  files.capacityBytes = 4 * 1024;
  const said: string[] = [];
  const report = ({ message }: StoreEvent): void => void said.push(message);
  const counters = new CounterTable();
  const clock = minuteClock();
  const headSizes = { arenaBytes: 2 * 1024 * 1024, rows: 16, arenas: 3 };
  const store = await openOn(files, { headSizes, counters, report, clock });
  const notMade = (): number => counters.value("spoor_embedded_wal_files_not_made_total");
  await until("the attempt", () => notMade() === 1);
  const text = "disk full: no log file of 2 MiB can be made in data/wal";
  assert.deepEqual(store.notes(), [`${text}: spans are refused once they need one`]);
  clock.minute();
  await until("another attempt", () => notMade() === 2);
  assert.deepEqual(said, [text], "once, not each time");
  await assert.rejects(store.write(batchOf(1)), (error) => isSpoorError(error, "disk-full"));
  assert.equal(store.notes().length, 2);
  files.capacityBytes = Infinity;
  clock.minute();
  await until("a file", () => said.at(-1) === "log files can be made again");
  await store.write(batchOf(1));
  assert.deepEqual(store.notes(), []);
  await store.close();
});

test("after a failed sync the file is not used again, and nothing is lost", async () => {
  const files = new FaultyFiles();
  const store = await openOn(files, SMALL);
  await store.write(batchOf(1));
  let failed = "";
  files.plan = (_step, verb, path) => {
    if (verb !== "sync" || failed !== "" || !path.includes(".wal")) return undefined;
    failed = path;
    return "error";
  };
  assert.deepEqual(await store.write(batchOf(2)), { stored: 4, deduplicated: 0 });
  assert.notEqual(failed, "");
  const killed = await openOn(files.afterKill(), SMALL);
  for (const trace of [1, 2]) assert.equal(await spansIn(killed, trace), 4);
  await store.settle();
  files.plan = (_step, verb, path) => {
    assert.ok(verb !== "write" || path !== failed, "the file is written again");
    return undefined;
  };
  for (let trace = 3; trace < 40; trace++) await store.write(batchOf(trace));
  await store.settle();
  for (let trace = 1; trace < 40; trace++) assert.equal(await spansIn(store, trace), 4);
  await store.close();
  await killed.close();
});

test("retention goes by the age of arrival, whatever the spans' own times", async () => {
  const clock = standingClock();
  const counters = new CounterTable();
  const files = new FaultyFiles();
  const store = await openOn(files, { ...SMALL, clock, counters, retentionMs: 1000 });
  for (let trace = 0; trace < 20; trace++) await store.write(batchOf(trace));
  await store.settle();
  clock.ms += 5000;
  for (let trace = 20; trace < 40; trace++) await store.write(batchOf(trace));
  await store.settle();
  assert.equal(await spansIn(store, 0), 0);
  assert.equal(await spansIn(store, 39), 4);
  const removed = counters.total("spoor_store_removed_spans_total");
  const rows = counters.value("spoor_embedded_segment_rows");
  assert.equal(removed + rows + counters.value("spoor_embedded_head_rows"), 160);
  await store.close();
});

test("retention by size drops the oldest segments", async () => {
  const counters = new CounterTable();
  const upkeepSizes = { rows: 16 };
  const sizes = { ...SMALL, upkeepSizes, counters, retentionMs: 0 };
  const store = await openOn(new FaultyFiles(), { ...sizes, maxSizeBytes: 30_000 });
  for (let trace = 0; trace < 200; trace++) await store.write(batchOf(trace));
  await store.settle();
  assert.ok(counters.value("spoor_embedded_segment_bytes") <= 30_000);
  assert.equal(await spansIn(store, 0), 0);
  assert.equal(await spansIn(store, 199), 4);
  await store.close();
});

test("an archived trace outlives retention and goes by deletion, over restarts", async () => {
  const clock = standingClock();
  const files = new FaultyFiles();
  const options = { ...SMALL, clock, retentionMs: 1000 };
  const store = await openOn(files, options);
  for (let trace = 0; trace < 100; trace++) {
    await store.write(batchOf(trace));
    assert.equal(await store.archive(traceIdOf(trace)), true);
  }
  assert.equal(await store.archive(traceIdOf(500)), false);
  await store.delete(traceIdOf(50));
  clock.ms += 5000;
  for (let trace = 200; trace < 230; trace++) await store.write(batchOf(trace));
  await store.settle();
  assert.equal(await spansIn(store, 3), 0);
  const again = await openOn(files.afterKill(), options);
  for (const one of [store, again]) {
    for (let trace = 0; trace < 100; trace++) {
      const kept = await spansOf(one.getArchived(traceIdOf(trace)));
      assert.equal(kept, trace === 50 ? 0 : 4, `trace ${trace}`);
    }
  }
  const archived = files.paths().filter((path) => path.startsWith("data/archive/"));
  assert.ok(archived.length <= 65, `${archived.length} files`);
  await store.close();
  await again.close();
});

test("a deleted trace stays away over seal, merge, restart; spans sent later are new", async () => {
  const files = new FaultyFiles();
  const sizes = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
  const options = { ...SMALL, upkeepSizes: sizes };
  const store = await openOn(files, options);
  await store.write(batchOf(1));
  assert.equal(await store.delete(traceIdOf(1)), true);
  assert.equal(await store.delete(traceIdOf(1)), false);
  assert.equal(await spansIn(store, 1), 0);
  await store.write(batchOf(1, 2, 10));
  assert.equal(await spansIn(store, 1), 2);
  for (let trace = 100; trace < 160; trace++) await store.write(batchOf(trace));
  await store.settle();
  assert.equal(await spansIn(store, 1), 2, "sealed");
  const again = await openOn(files.afterKill(), options);
  assert.equal(await spansIn(again, 1), 2, "opened again");
  await store.close();
  await again.close();
});

test("a directory is owned by one store; workers answer, also once opened again", async () => {
  const directory = tempFolder("life");
  const options = { directory, ...SMALL, roomWaitMs: 30_000 };
  const store = await openEmbeddedStore(options);
  await assert.rejects(openEmbeddedStore({ directory }), (error) => isSpoorError(error, "in-use"));
  for (let trace = 0; trace < 50; trace++) await store.write(batchOf(trace));
  await store.settle();
  for (let trace = 0; trace < 50; trace++) assert.equal(await spansIn(store, trace), 4);
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(store.services(controller.signal), (e) => isSpoorError(e, "cancelled"));
  await store.close();
  await assert.rejects(store.services(), (error) => isSpoorError(error, "closed"));
  const again = await openEmbeddedStore(options);
  for (let trace = 0; trace < 50; trace++) assert.equal(await spansIn(again, trace), 4);
  await again.close();
});

test("relaxed fsync acknowledges before the sync, and health says so", async () => {
  const files = new FaultyFiles();
  const store = await openOn(files, { ...SMALL, fsync: "relaxed" });
  await store.write(batchOf(1));
  assert.equal(await spansIn(store, 1), 4);
  assert.match(store.notes().join(), /fsync is relaxed/);
  const killed = await openOn(files.afterKill(), SMALL);
  assert.equal(await spansIn(killed, 1), 4);
  await killed.close();
  await store.close();
});

/** Segment files cannot be opened to be searched, as when a process has too many files open. */
function refuseSegments(files: FaultyFiles): { end(): void } {
  const open = files.open.bind(files);
  files.open = (path, mode) => {
    if (mode !== "read" || !path.endsWith(".segment")) return open(path, mode);
    throw Object.assign(new Error(`EMFILE: too many open files, open '${path}'`), {
      code: "EMFILE",
    });
  };
  return { end: () => void (files.open = open) };
}

test("what cannot be searched is no empty answer, hinders no write, is tried again", async () => {
  const files = new FaultyFiles();
  const said: string[] = [];
  const report = ({ message }: StoreEvent): void => void said.push(message);
  const counters = new CounterTable();
  // No merge, which could not open them either and be tried for ever.
  const upkeepSizes = { smallFiles: 1000, bundleBeyond: 1000 };
  const store = await openOn(files, { ...SMALL, upkeepSizes, report, counters });
  await store.write(batchOf(0));
  assert.equal(await spansIn(store, 0), 4);
  const refusal = refuseSegments(files);
  for (let trace = 1; trace < 40; trace++) await store.write(batchOf(trace));
  await store.settle();
  assert.ok(counters.value("spoor_embedded_seals_total") > 4, "heads are sealed all the same");
  const isNotStarted = (error: unknown): boolean =>
    isSpoorError(error, "io") && error.message.startsWith("searching does not start: EMFILE");
  await assert.rejects(spansIn(store, 0), isNotStarted);
  await assert.rejects(store.services(), isNotStarted);
  assert.match(store.notes().join(), /searching does not start: EMFILE/);
  refusal.end();
  const all = Array.from({ length: 40 }, (_, trace) => spansIn(store, trace));
  const found = await Promise.all(all);
  assert.deepEqual(found, Array.from<number>({ length: 40 }).fill(4));
  assert.deepEqual(store.notes(), []);
  assert.equal(said.at(-1), "searching works again");
  await store.close();
});

test("a store whose segments cannot be opened at the start says so until they can", async () => {
  const files = new FaultyFiles();
  const first = await openOn(files, SMALL);
  for (let trace = 0; trace < 40; trace++) await first.write(batchOf(trace));
  await first.settle();
  await first.close();
  const refusal = refuseSegments(files);
  const store = await openOn(files, SMALL);
  await assert.rejects(spansIn(store, 3), (error) => isSpoorError(error, "io"));
  assert.match(store.notes().join(), /searching does not start: EMFILE/);
  refusal.end();
  assert.equal(await spansIn(store, 3), 4);
  assert.deepEqual(store.notes(), []);
  await store.close();
});
