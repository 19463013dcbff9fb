/** What a stop leaves for the next start: used once, only while it is true, never needed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../../../test/support/faulty-files.ts";
import { batchOf, openOn, spansOf, traceIdOf } from "../../../test/support/small-stores.ts";
import type { EmbeddedStore } from "./store-options.ts";

const SIZES = { rows: 16, bundleBeyond: 3, filesAtOnce: 3, smallFiles: 2 };
const OPTIONS = { headSizes: { arenaBytes: 8 * 1024, rows: 16, arenas: 3 }, upkeepSizes: SIZES };
const TRACES = 40;
const STOPPED = "data/stopped";

/** Bundles, segments, an archived trace; stopped in order. */
async function stoppedStore(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  const store = await openOn(files, OPTIONS);
  for (let trace = 0; trace < TRACES; trace++) await store.write(batchOf(trace));
  await store.settle();
  await store.archive(traceIdOf(3));
  await store.close();
  assert.ok(files.paths().includes(STOPPED));
  return files;
}

/** Opens, and counts how often a segment file is opened meanwhile. */
async function openCounting(files: FaultyFiles): Promise<{ store: EmbeddedStore; read: number }> {
  const open = files.open.bind(files);
  let read = 0;
  files.open = (path, mode) => {
    if (/\.(segment|bundle)$/.test(path)) read++;
    return open(path, mode);
  };
  const store = await openOn(files, OPTIONS);
  files.open = open;
  return { store, read };
}

async function checkWhole(store: EmbeddedStore): Promise<void> {
  for (let trace = 0; trace < TRACES; trace++) {
    assert.equal(await spansOf(store.get([traceIdOf(trace)])), 4, `trace ${trace}`);
  }
  assert.equal(await spansOf(store.getArchived(traceIdOf(3))), 4);
  assert.deepEqual(store.notes(), []);
}

test("the next start reads no footer but for searching, and finds everything", async () => {
  const files = await stoppedStore();
  const singles = files.paths().filter((path) => path.endsWith(".segment")).length;
  const bundles = files.paths().filter((path) => path.endsWith(".bundle")).length;
  assert.ok(singles > 2 && bundles > 0);
  const crashed = files.afterKill();
  crashed.unlink(STOPPED);
  const without = await openCounting(crashed);
  const withIt = await openCounting(files);
  // Both open each segment to search it. Without it, footers and bundles' tables besides.
  const footersAndTables = singles + bundles * (SIZES.filesAtOnce + 1);
  assert.equal(without.read - withIt.read, footersAndTables);
  await checkWhole(withIt.store);
  await checkWhole(without.store);
  await withIt.store.close();
  await without.store.close();
});

test("it is used once: a crash after the start leaves none", async () => {
  const files = await stoppedStore();
  const store = await openOn(files, OPTIONS);
  assert.ok(
    !files
      .afterPowerCut(() => 0.9)
      .paths()
      .includes(STOPPED),
  );
  await store.write(batchOf(TRACES));
  const killed = await openOn(files.afterKill(), OPTIONS);
  assert.equal(await spansOf(killed.get([traceIdOf(TRACES)])), 4);
  await checkWhole(killed);
  await store.close();
  await killed.close();
});

test("a damaged one is not believed, wherever the damage is", async () => {
  const files = await stoppedStore();
  const bits = files.sizeBytes(STOPPED)! * 8;
  for (let bit = 0; bit < bits; bit += 2003) {
    const damaged = files.afterKill();
    damaged.flipBit(STOPPED, bit);
    const store = await openOn(damaged, OPTIONS);
    await checkWhole(store);
    await store.close();
  }
});

test("files that came, went or changed since are seen as they are", async () => {
  const files = await stoppedStore();
  const name = files.paths().find((path) => path.startsWith("data/segments/"))!;
  files.cutOff(name, 100);
  const store = await openOn(files, OPTIONS);
  assert.ok(
    store.notes().some((note) => note.includes(name)),
    store.notes().join(),
  );
  await store.close();
});

test("a directory that got another name is searched there", async () => {
  const files = await stoppedStore();
  for (const path of files.paths()) files.rename(path, path.replace(/^data/, "moved/to"));
  const store = await openOn(files, { ...OPTIONS, directory: "moved/to" });
  await checkWhole(store);
  await store.close();
});

test("requests sent again after a stop are known, and unknown once deleted", async () => {
  const files = await stoppedStore();
  const store = await openOn(files, OPTIONS);
  assert.deepEqual(await store.write(batchOf(5)), { stored: 0, deduplicated: 4 });
  await store.delete(traceIdOf(5));
  await store.close();
  const next = await openOn(files, OPTIONS);
  assert.deepEqual(await next.write(batchOf(5)), { stored: 4, deduplicated: 0 });
  assert.equal(await spansOf(next.get([traceIdOf(5)])), 4);
  await next.close();
});
