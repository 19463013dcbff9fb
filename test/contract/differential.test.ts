/** The reference itself against brute force, and every other store against the reference. */

import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { runAgainstBruteForce, runAgainstMemory } from "./store-battery-random.ts";

const openMemory = async () => openMemoryStore({ maxTraces: 0 });

runAgainstBruteForce("memory", openMemory, { worlds: 6, batches: 25, traces: 30, queries: 120 });
runAgainstMemory("memory", openMemory, { worlds: 1, batches: 30, traces: 40, queries: 30 });
