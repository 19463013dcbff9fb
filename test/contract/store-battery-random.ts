/** The store battery's random half: seeded spans and queries against brute force and memory. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import type { AttributeScope, AttributeValue, FindQuery, SpanStore } from "../../src/core/store.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { bruteFind, distinctTraces } from "../support/brute-force.ts";
import { Dice, NastySpans, randomQuery } from "../support/nasty-spans.ts";
import { batchOf, idBytes } from "../support/plain-spans.ts";
import { runSeed } from "../support/run-seed.ts";
import { ALWAYS, collect, contents, contentsOf, traceOf, walk } from "./store-reads.ts";

export type OpenStore = (t: TestContext) => Promise<SpanStore>;

/** How much of each a run does. */
export interface RandomAmounts {
  /** Stores filled from scratch, each with its own seed. */
  readonly worlds: number;
  readonly batches: number;
  readonly traces: number;
  readonly queries: number;
}

/** Fills stores with random batches and compares random searches with brute force. */
export function runAgainstBruteForce(name: string, open: OpenStore, amounts: RandomAmounts): void {
  const seed = runSeed();
  for (let world = 0; world < amounts.worlds; world++) {
    const worldSeed = (seed + world * 7919) >>> 0;
    test(`${name}: brute force gives the same answers (SPOOR_SEED=${worldSeed})`, async (t) => {
      const spans = new NastySpans(seededRandom(worldSeed), amounts.traces);
      const dice = new Dice(seededRandom(worldSeed + 1));
      const store = await open(t);
      for (let n = 0; n < amounts.batches; n++) await store.write(batchOf(spans.batch()));
      await store.settle();
      const traces = distinctTraces(spans.made);
      for (const [traceHex, trace] of traces) {
        assert.deepEqual(await traceOf(store, traceHex), contentsOf(trace));
      }
      for (let n = 0; n < amounts.queries; n++) {
        const asked = randomQuery(dice);
        const expected = bruteFind(spans.made, asked);
        const answer = await walk(store, asked);
        const about = `SPOOR_SEED=${worldSeed} query ${n}: ${queryText(asked)}`;
        assert.deepEqual(answer.traces, expected.traces, about);
        const { matchingSpans } = expected;
        const totals = { traces: expected.traces.length, tracesExact: true, matchingSpans };
        assert.deepEqual(answer.totals, totals, about);
      }
    });
  }
}

/** Sends the same random batches to a store and to the memory store; all answers are equal. */
export function runAgainstMemory(name: string, open: OpenStore, amounts: RandomAmounts): void {
  const seed = runSeed();
  for (let world = 0; world < amounts.worlds; world++) {
    const worldSeed = (seed + world * 104_729) >>> 0;
    test(`${name}: memory gives the same answers (SPOOR_SEED=${worldSeed})`, async (t) => {
      const spans = new NastySpans(seededRandom(worldSeed), amounts.traces);
      const dice = new Dice(seededRandom(worldSeed + 1));
      const store = await open(t);
      const memory = openMemoryStore({ maxTraces: 0 });
      const rounds = 3;
      for (let round = 0; round < rounds; round++) {
        for (let n = 0; n < amounts.batches / rounds; n++) {
          const batch = batchOf(spans.batch());
          await store.write(batch);
          await memory.write(batch);
        }
        await store.settle();
        await compareStores(store, memory, dice, spans, amounts.queries / rounds, worldSeed);
      }
    });
  }
}

async function compareStores(
  store: SpanStore,
  memory: SpanStore,
  dice: Dice,
  spans: NastySpans,
  queries: number,
  seed: number,
): Promise<void> {
  for (let n = 0; n < queries; n++) {
    const asked = randomQuery(dice);
    const about = `SPOOR_SEED=${seed} query ${n}: ${queryText(asked)}`;
    assert.deepEqual(await walk(store, asked), await walk(memory, asked), about);
  }
  const services = await memory.services();
  assert.deepEqual(await store.services(), services);
  for (const service of services) {
    const kind = dice.chance(0.5) ? dice.below(6) : undefined;
    assert.deepEqual(await store.operations(service, kind), await memory.operations(service, kind));
  }
  for (let n = 0; n < 12; n++) {
    const from = 1_700_000_000_000_000 + dice.below(30);
    const some = { startMinUs: from, startMaxUs: from + dice.below(20) };
    const range = dice.chance(0.5) ? ALWAYS : some;
    const scope = {
      ...range,
      ...(dice.chance(0.5) ? { service: dice.of(services) } : {}),
      ...(dice.chance(0.3) ? { prefix: dice.of(["s", "http", "", "2", "ключ"]) } : {}),
      limit: dice.of([1, 5, 1000]),
    };
    const about = `SPOOR_SEED=${seed} ${queryText(scope)}`;
    assert.deepEqual(await store.attributeKeys(scope), await memory.attributeKeys(scope), about);
    const key = dice.of(["status", "http.url", "tenant", "rare.a", "host", "nowhere"]);
    await compareValues(store, memory, key, { ...scope, limit: 10_000 }, `${about} ${key}`);
    const links = await store.links(range.startMinUs, range.startMaxUs);
    assert.deepEqual(links, await memory.links(range.startMinUs, range.startMaxUs), about);
  }
  const asked = spans.traceHexes.map((hex) => idBytes(hex));
  for (const traceId of asked) {
    const batches = await collect(store.get([traceId]));
    assert.deepEqual(contents(batches), contents(await collect(memory.get([traceId]))));
  }
}

/** The same values; counts may include duplicates that have not been removed yet. */
async function compareValues(
  store: SpanStore,
  memory: SpanStore,
  key: string,
  scope: AttributeScope,
  about: string,
): Promise<void> {
  const identity = (value: AttributeValue): string => `${value.type} ${value.value}`;
  const expected = new Map((await memory.attributeValues(key, scope)).map((v) => [identity(v), v]));
  const values = await store.attributeValues(key, scope);
  assert.deepEqual(values.map(identity).sort(), [...expected.keys()].sort(), about);
  values.forEach((value, i) => {
    assert.ok(value.spanCount >= expected.get(identity(value))!.spanCount, about);
    assert.ok(i === 0 || values[i - 1]!.spanCount >= value.spanCount, `${about}: not in order`);
  });
}

/** A query as one can paste it. */
export function queryText(asked: FindQuery | object): string {
  return JSON.stringify(asked, (_, value: unknown) =>
    typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))
      ? `<${value}>`
      : value,
  );
}
