/** Orders by time: whatever the numbers and however they come, as a plain stable sort has it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../../test/support/run-seed.ts";
import { seededRandom } from "../../base/clock.ts";
import { orderByNumber, orderByStart } from "./start-order.ts";

const seed = runSeed();

/** Numbers that ascend in so many runs, few of them different, whole or not. */
function numbersInRuns(random: () => number, n: number, runs: number): Float64Array {
  const most = random() < 0.5 ? 10 : 2 ** (10 + Math.floor(random() * 44));
  const isWhole = random() < 0.7;
  const numbers = new Float64Array(n);
  for (let run = 0; run < runs; run++) {
    const [from, to] = [run, run + 1].map((bound) => Math.floor((n * bound) / runs));
    const part = numbers.subarray(from, to);
    for (let i = 0; i < part.length; i++) {
      part[i] = isWhole ? Math.floor(random() * most) : random() * most;
    }
    part.sort();
  }
  return numbers;
}

test(`by number is a stable sort, by few runs and by many (SPOOR_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  for (const runs of [1, 2, 3, 8, 31, 32, 33, 34, 500]) {
    for (const n of [0, 1, 700, 5000]) {
      const numbers = numbersInRuns(random, n, runs);
      const wanted = Array.from(numbers.keys()).sort((a, b) => numbers[a]! - numbers[b]!);
      assert.deepEqual([...orderByNumber(numbers, n)], wanted, `${runs} runs of ${n}`);
      const backwards = Uint32Array.from(numbers.keys()).reverse();
      const again = [...backwards].sort((a, b) => numbers[a]! - numbers[b]!);
      assert.deepEqual([...orderByNumber(numbers, n, backwards)], again, `${runs} runs of ${n}`);
    }
  }
});

test(`by start goes on by the bytes of ids, then by number (SPOOR_SEED=${seed})`, () => {
  const random = seededRandom(seed + 1);
  for (const [n, runs] of [
    [50, 3],
    [4000, 8],
    [4000, 900],
  ] as const) {
    const offsets = numbersInRuns(random, n, runs).map((offset) => Math.floor(offset) % 20);
    const ids = new Uint8Array(n * 8).map(() => Math.floor(random() * 3) * 100);
    const id = (v: number): string => Buffer.from(ids.subarray(v * 8, v * 8 + 8)).toString("hex");
    const wanted = Array.from(offsets.keys()).sort((a, b) => {
      return offsets[a]! - offsets[b]! || (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : a - b);
    });
    const found = orderByStart(offsets, new Uint32Array(ids.buffer), n);
    assert.deepEqual([...found], wanted, `${runs} runs of ${n}`);
  }
});
