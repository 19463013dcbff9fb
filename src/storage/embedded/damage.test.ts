/** Flipped bits and cut-off files: what is damaged is named, the rest is served as it was. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import { runSeed } from "../../../test/support/run-seed.ts";
import { batchOf, openOn, standingClock, traceIdOf } from "../../../test/support/small-stores.ts";
import { seededRandom } from "../../base/clock.ts";
import { fieldIs } from "../../core/filter.ts";
import { isSpoorError } from "../../core/errors.ts";
import { spanContent } from "../../core/trace/span-content.ts";
import type { EmbeddedStore } from "./store-options.ts";

const TRACES = 40;
/** Damages tried per file. */
const TRIES = Number(process.env["SPOOR_DAMAGE_TRIES"] ?? 6);
const SEED = runSeed();
const SIZES = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
const OPTIONS = { headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 }, upkeepSizes: SIZES };
const DELETED = 7;
const ARCHIVED = 9;

/** A directory with bundles, segments, logs with rows, archived and deleted traces. */
async function directory(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  const store = await openOn(files, OPTIONS);
  for (let trace = 0; trace < TRACES; trace++) await store.write(batchOf(trace));
  await store.settle();
  await store.archive(traceIdOf(ARCHIVED));
  await store.delete(traceIdOf(DELETED));
  await store.write(batchOf(TRACES));
  await store.settle();
  return files.afterKill();
}

interface Seen {
  /** Content of every span of every trace, the archived one's after them. */
  readonly spans: string[];
  readonly services: readonly string[];
  /** Traces found by searching for a service. */
  readonly found: number;
  readonly notes: readonly string[];
}

async function see(store: EmbeddedStore): Promise<Seen> {
  const spans: string[] = [];
  for (let trace = 0; trace <= TRACES; trace++) {
    for await (const batch of store.get([traceIdOf(trace)])) {
      for (let i = 0; i < batch.spanCount; i++) spans.push(spanContent(batch, i));
    }
  }
  for await (const batch of store.getArchived(traceIdOf(ARCHIVED))) {
    for (let i = 0; i < batch.spanCount; i++) spans.push(`archived ${spanContent(batch, i)}`);
  }
  const { traces } = await store.find({
    filter: fieldIs("service", "service-1"),
    startMinUs: 0,
    startMaxUs: Number.MAX_SAFE_INTEGER,
    order: "start",
    limit: 1000,
  });
  const services = await store.services();
  return { spans: spans.sort(), services, found: traces.length, notes: store.notes() };
}

/** Nothing but what was there; what is missing is explained by a note that names the file. */
function checkSeen(seen: Seen, whole: Seen, path: string, label: string): void {
  const all = new Set(whole.spans);
  const named = seen.notes.some((note) => note.includes(path));
  const isTombstones = path.endsWith("deleted.log");
  for (const span of seen.spans) {
    if (!all.has(span)) assert.ok(isTombstones && named, `${label}: a span that never was`);
  }
  assert.equal(new Set(seen.spans).size, seen.spans.length, `${label}: a span twice`);
  const same =
    seen.spans.length === whole.spans.length &&
    seen.found === whole.found &&
    seen.services.join() === whole.services.join();
  if (!same) assert.ok(named, `${label}: ${seen.spans.length} spans, ${seen.found} found, no note`);
}

async function tryDamage(
  base: FaultyFiles,
  whole: Seen,
  path: string,
  label: string,
  harm: (files: FaultyFiles) => void,
): Promise<void> {
  const files = base.afterKill();
  harm(files);
  let store: EmbeddedStore;
  try {
    store = await openOn(files, OPTIONS);
  } catch (error) {
    // A damaged version number looks like a later version; that is told and nothing changed.
    assert.ok(isSpoorError(error) && error.message.includes(path.split("/").at(-1)!), label);
    return;
  }
  checkSeen(await see(store), whole, path, label);
  await store.settle();
  checkSeen(await see(store), whole, path, `${label}, settled`);
  await store.close();
}

test(`a flipped bit anywhere (seed ${SEED}, ${TRIES} a file)`, async () => {
  const base = await directory();
  const store = await openOn(base.afterKill(), OPTIONS);
  const whole = await see(store);
  assert.equal(whole.spans.length, TRACES * 4 + 4);
  await store.close();
  const random = seededRandom(SEED);
  assert.ok(base.paths().some((path) => path.endsWith(".bundle")));
  for (const path of base.paths()) {
    const bits = base.sizeBytes(path)! * 8;
    for (let n = 0; n < TRIES; n++) {
      const bit = Math.floor(random() * bits);
      const label = `${path} bit ${bit}`;
      await tryDamage(base, whole, path, label, (files) => files.flipBit(path, bit));
    }
  }
});

test(`a file cut off anywhere (seed ${SEED})`, async () => {
  const base = await directory();
  const store = await openOn(base.afterKill(), OPTIONS);
  const whole = await see(store);
  await store.close();
  const random = seededRandom(SEED);
  for (const path of base.paths()) {
    const size = base.sizeBytes(path)!;
    for (let n = 0; n < TRIES; n++) {
      const kept = n === 0 ? 0 : Math.floor(random() * size);
      const label = `${path} cut to ${kept}`;
      await tryDamage(base, whole, path, label, (files) => files.cutOff(path, kept));
    }
  }
});

/** Rows of one segment in these tests. */
const SEGMENT_ROWS = SIZES.rows;

test(`damage in a bundle costs the segment it hits, not the others (seed ${SEED})`, async () => {
  const base = await directory();
  const first = await openOn(base.afterKill(), OPTIONS);
  const whole = await see(first);
  await first.close();
  const random = seededRandom(SEED);
  const bundles = base.paths().filter((path) => path.endsWith(".bundle"));
  let hit = 0;
  for (const path of bundles) {
    const bits = base.sizeBytes(path)! * 8;
    for (let n = 0; n < TRIES * 4; n++) {
      const bit = n === 0 ? bits - 1 : n === 1 ? bits - 20 * 8 : Math.floor(random() * bits);
      const label = `${path} bit ${bit}`;
      const files = base.afterKill();
      files.flipBit(path, bit);
      const store = await openOn(files, OPTIONS);
      const seen = await see(store);
      const missing = whole.spans.length - seen.spans.length;
      assert.ok(missing >= 0 && missing <= SEGMENT_ROWS, `${label}: ${missing} missing`);
      if (missing > 0) hit++;
      await store.settle();
      await store.close();
      // Both an orderly stop's start and a crash's know of it without meeting it again.
      for (const next of [files, files.afterKill()]) {
        const again = await openOn(next, OPTIONS);
        const named = again.notes().some((note) => note.includes(path));
        assert.equal(named, missing > 0, `${label}: named again`);
        assert.deepEqual((await see(again)).spans, seen.spans, label);
        if (next === files) await again.close();
      }
    }
  }
  assert.ok(bundles.length > 0 && hit > 0);
});

test("a bundle without its table is read by its segments", async () => {
  const base = await directory();
  const first = await openOn(base.afterKill(), OPTIONS);
  const whole = await see(first);
  await first.close();
  for (const path of base.paths().filter((one) => one.endsWith(".bundle"))) {
    for (const lost of [1, 16, 17, 100]) {
      const files = base.afterKill();
      files.cutOff(path, files.sizeBytes(path)! - lost);
      const store = await openOn(files, OPTIONS);
      assert.deepEqual((await see(store)).spans, whole.spans, `${path} without ${lost} bytes`);
      assert.ok(store.notes().some((note) => note.includes(path)));
      await store.close();
    }
  }
});

test("a mark beside a bundle goes with it", async () => {
  const base = await directory();
  const path = base.paths().find((one) => one.endsWith(".bundle"))!;
  const files = base.afterKill();
  files.flipBit(path, 30 * 8);
  const clock = standingClock();
  const options = { ...OPTIONS, clock, retentionMs: 1000 };
  const store = await openOn(files, options);
  await see(store);
  assert.ok(
    files.paths().some((one) => one.startsWith(`${path}@`)),
    files.paths().join(),
  );
  clock.ms += 5000;
  await store.write(batchOf(TRACES + 1));
  await store.settle();
  assert.ok(!files.paths().some((one) => one.startsWith(path)), files.paths().join());
  await store.close();
});
