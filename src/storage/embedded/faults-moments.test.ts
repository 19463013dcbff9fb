/** Stops at moments a fault by itself does not reach: between two steps of one change. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import { batchOf, openOn, spansOf, traceIdOf } from "../../../test/support/small-stores.ts";
import { CounterTable } from "../../base/counters.ts";
import type { EmbeddedStore } from "./store-options.ts";

const EAGER = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
const OPTIONS = { headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 }, upkeepSizes: EAGER };

/** What a stop leaves of the disk: everything written, or of what was not synced nothing. */
const STOPS = {
  "the process is killed": (files: FaultyFiles) => files.afterKill(),
  "the power goes": (files: FaultyFiles) => files.afterPowerCut(() => 0.25),
} as const;

/** The disk at one moment, and how many traces had been written by then, or were begun. */
interface Moment {
  readonly label: string;
  readonly files: FaultyFiles;
  readonly acknowledged: number;
  readonly begun: number;
}

/** Rows that are stored, in segments and heads, whether reads show them or not. */
function storedRows(counters: CounterTable): number {
  const rows = counters.value("spoor_embedded_segment_rows");
  return rows + counters.value("spoor_embedded_head_rows");
}

/** Every acknowledged trace is whole, and no row is there twice, read or not. */
async function check(moment: Moment): Promise<void> {
  const { acknowledged, begun, files, label } = moment;
  const counters = new CounterTable();
  const store = await openOn(files, { ...OPTIONS, counters });
  for (const when of ["opened", "settled"]) {
    if (when === "settled") await store.settle();
    for (let trace = 0; trace < acknowledged; trace++) {
      const spans = await spansOf(store.get([traceIdOf(trace)]));
      assert.equal(spans, 4, `${label}, ${when}: trace ${trace}`);
    }
  }
  const rows = storedRows(counters);
  assert.ok(rows <= begun * 4, `${label}: ${rows} rows of ${begun * 4} written`);
  await store.close();
}

for (const [stop, after] of Object.entries(STOPS)) {
  test(`${stop} between any two steps of sealing, merging and bundling`, async () => {
    const files = new FaultyFiles();
    const moments: Moment[] = [];
    let acknowledged = 0;
    let begun = 0;
    files.plan = (step, verb, path) => {
      // Only renames and removals, and what follows them at once, change which files count.
      if (verb === "write" || verb === "sync") return undefined;
      const label = `${stop} before step ${step} (${verb} ${path})`;
      moments.push({ label, files: after(files), acknowledged, begun });
      return undefined;
    };
    const store = await openOn(files, OPTIONS);
    for (let trace = 0; trace < 40; trace++) {
      begun++;
      await store.write(batchOf(trace));
      acknowledged++;
      if (trace % 10 === 9) await store.settle();
    }
    await store.close();
    const merges = moments.filter(({ label }) => /unlink .*(segment|bundle)\)/.test(label));
    assert.ok(merges.length > 4, `${merges.length} files were replaced`);
    for (const moment of moments) await check(moment);
  });
}

test("a log whose sync failed is not replayed beyond it, at any moment after", async () => {
  const counters = new CounterTable();
  for (let failing = 2; failing < 8; failing++) {
    const files = new FaultyFiles();
    const moments: Moment[] = [];
    let acknowledged = 0;
    let syncs = 0;
    files.plan = (step, verb, path) => {
      // Nothing is sealed, so that the log is what a restart goes by.
      if (verb === "create" && path.includes("segments")) return "error";
      if (syncs > failing) {
        const label = `sync ${failing} failed, killed before step ${step} (${verb} ${path})`;
        moments.push({ label, files: files.afterKill(), acknowledged, begun: acknowledged + 1 });
      }
      if (verb !== "sync" || !path.includes(".wal")) return undefined;
      return syncs++ === failing ? "error" : undefined;
    };
    const store = await openOn(files, { ...OPTIONS, counters });
    for (let trace = 0; trace < 7; trace++) {
      await store.write(batchOf(trace));
      acknowledged++;
    }
    await store.close();
    assert.ok(moments.length > 2, `${moments.length} moments`);
    for (const moment of moments) await check(moment);
  }
  assert.ok(counters.value("spoor_embedded_wal_failures_total") >= 4, "syncs of records failed");
});

test("what retention took does not come back out of a log after the power went", async () => {
  const files = new FaultyFiles();
  const moments: Pick<Moment, "label" | "files">[] = [];
  let isFailing = true;
  let isGone = false;
  files.plan = (step, verb, path) => {
    if (isFailing && verb === "create" && path.includes("segments")) return "error";
    if (!isGone) return undefined;
    const label = `the power goes before step ${step} (${verb} ${path})`;
    moments.push({ label, files: files.afterPowerCut(() => 0.25) });
    return undefined;
  };
  const store = await openOn(files, { ...OPTIONS, maxSizeBytes: 1 });
  for (let trace = 0; trace < 24; trace++) {
    await store.write(batchOf(trace));
    // Three heads are sealed at once: of their logs, one then lies unused.
    if (trace === 11) isFailing = false;
    if (trace >= 11 && trace % 4 === 0) await store.settle();
    if (trace === 12) isGone = (await tracesIn(store)) === 0;
  }
  await store.close();
  assert.ok(isGone, "retention took the first heads");
  for (const { files: left, label } of moments) {
    const again = await openOn(left, OPTIONS);
    assert.equal(await tracesIn(again), 0, label);
    await again.close();
  }
});

/** How many of the first twelve traces are there. */
async function tracesIn(store: EmbeddedStore): Promise<number> {
  let found = 0;
  for (let trace = 0; trace < 12; trace++) {
    if ((await spansOf(store.get([traceIdOf(trace)]))) > 0) found++;
  }
  return found;
}
