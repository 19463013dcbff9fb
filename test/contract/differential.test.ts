/** The reference itself against brute force, and every other store against the reference. */

import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { openEmbedded } from "./embedded-open.ts";
import { runAgainstBruteForce, runAgainstMemory } from "./store-battery-random.ts";

const openMemory = async () => openMemoryStore({ maxTraces: 0 });

runAgainstBruteForce("memory", openMemory, { worlds: 6, batches: 25, traces: 30, queries: 120 });
runAgainstMemory("memory", openMemory, { worlds: 1, batches: 30, traces: 40, queries: 30 });

const seeds = { worlds: 2, batches: 60, traces: 40, queries: 60 };
runAgainstMemory("embedded, heads", (t) => openEmbedded(t, { inline: true }), seeds);
// Heads of 50 rows: nearly all rows are in segments, several traces span some of them.
const small = { arenaBytes: 1 << 20, rows: 50, arenas: 3 };
const upkeepSizes = { rows: 50, bundleBeyond: 1000, filesAtOnce: 16, smallFiles: 1000 };
runAgainstMemory(
  "embedded, segments",
  (t) => openEmbedded(t, { inline: true, headSizes: small, upkeepSizes }),
  { worlds: 4, batches: 60, traces: 40, queries: 100 },
);
