/** The store battery's random paging: searches whose pages are asked while spans arrive. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import type { FindQuery, FindResult } from "../../src/core/store.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { bruteFind, plainSummary } from "../support/brute-force.ts";
import { Dice, NastySpans, randomQuery } from "../support/nasty-spans.ts";
import { batchOf } from "../support/plain-spans.ts";
import { runSeed } from "../support/run-seed.ts";
import { queryText } from "./store-battery-random.ts";
import type { OpenStore } from "./store-battery-random.ts";

const MOST_PAGES = 200;

/**
 * Pages through random searches, writing between the pages: each page equals the memory store's
 * for the same writes; what matched at page one comes exactly once, nothing comes twice.
 */
export function runPagingWhileWriting(name: string, open: OpenStore, searches: number): void {
  const seed = runSeed();
  test(`${name}: pages hold while spans arrive (SPOOR_SEED=${seed})`, async (t) => {
    const spans = new NastySpans(seededRandom(seed), 60);
    const dice = new Dice(seededRandom(seed + 1));
    const store = await open(t);
    const memory = openMemoryStore({ maxTraces: 0 });
    const write = async (): Promise<void> => {
      const batch = batchOf(spans.batch());
      await store.write(batch);
      await memory.write(batch);
    };
    for (let n = 0; n < 12; n++) await write();
    for (let n = 0; n < searches; n++) {
      await store.settle();
      const { totals: _, ...asked } = { ...randomQuery(dice), limit: 1 + dice.below(9) };
      const about = `SPOOR_SEED=${seed} search ${n}: ${queryText(asked)}`;
      const first = bruteFind(spans.made, asked).traces.map((trace) => trace.traceHex);
      const seen: string[] = [];
      let [page, expected] = await Promise.all([store.find(asked), memory.find(asked)]);
      for (let pages = 1; ; pages++) {
        assert.deepEqual(shown(page), shown(expected), `${about}, page ${pages}`);
        seen.push(...page.traces.map((trace) => plainSummary(trace).traceHex));
        const { cursor } = page;
        assert.equal(cursor === undefined, expected.cursor === undefined, about);
        if (cursor === undefined || pages === MOST_PAGES) break;
        if (pages % 2 === 0) await write();
        await store.settle();
        const next = (at: string): FindQuery => ({ ...asked, cursor: at });
        page = await store.find(next(cursor));
        expected = await memory.find(next(expected.cursor!));
      }
      assert.equal(new Set(seen).size, seen.length, `${about}: a trace came twice`);
      const missing = first.filter((traceHex) => !seen.includes(traceHex));
      assert.deepEqual(missing, [], `${about}: traces of page one's time are missing`);
    }
  });
}

function shown(page: FindResult): object {
  return page.traces.map(plainSummary);
}
