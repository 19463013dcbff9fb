/** Waits double within their jitter, stop growing at the most, and begin anew after a success. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

function waits(random: () => number, count: number): number[] {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random });
  return Array.from({ length: count }, () => backoff.next());
}

test("waits double up to the most, whatever the jitter", () => {
  assert.deepEqual(
    waits(() => 0, 6),
    [50, 100, 200, 400, 500, 500],
  );
  const longest = waits(() => 0.999_999, 6).map(Math.round);
  assert.deepEqual(longest, [100, 200, 400, 800, 1000, 1000]);
});

test("ten thousand failures do not overflow the wait", () => {
  assert.equal(waits(() => 0, 10_000).at(-1), 500);
});

test("a success begins anew", () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 0 });
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 50);
});
