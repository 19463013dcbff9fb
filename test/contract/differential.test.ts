/** The reference itself against brute force, and every other store against the reference. */

import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { openEmbedded } from "./embedded-open.ts";
import { runPagingWhileWriting } from "./store-battery-paging.ts";
import { runAgainstBruteForce, runAgainstMemory } from "./store-battery-random.ts";
import type { OpenStore } from "./store-battery-random.ts";

/** Stores filled from scratch for each comparison; more of them for a longer search. */
const WORLDS = Number(process.env["SPOOR_WORLDS"] ?? 2);

const openMemory: OpenStore = async () => openMemoryStore({ maxTraces: 0 });
const openHeads: OpenStore = (t) => openEmbedded(t, { inline: true });
// Heads of 50 rows: nearly all rows are in segments, and traces span several of them.
const headSizes = { arenaBytes: 1 << 20, rows: 50, arenas: 3 };
const upkeepSizes = { rows: 50, bundleBeyond: 1000, filesAtOnce: 16, smallFiles: 1000 };
const openSegments: OpenStore = (t) => openEmbedded(t, { inline: true, headSizes, upkeepSizes });

const some = { worlds: WORLDS, batches: 25, traces: 30, queries: 120 };
runAgainstBruteForce("memory", openMemory, some);
runAgainstBruteForce("embedded, segments", openSegments, { ...some, queries: 40 });
const more = { worlds: WORLDS, batches: 60, traces: 40, queries: 60 };
runAgainstMemory("embedded, heads", openHeads, more);
runAgainstMemory("embedded, segments", openSegments, more);

runPagingWhileWriting("memory", openMemory, 15);
runPagingWhileWriting("embedded, heads", openHeads, 15);
runPagingWhileWriting("embedded, segments", openSegments, 15);
