/** Tests of durations, ticks and hues. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { durationText, tickText } from "./duration-text.ts";
import { HUES, huesOf } from "./service-hues.ts";
import { tickStep, ticksOf } from "./ticks.ts";

test("durations read in the largest unit they reach", () => {
  const cases: [number, string][] = [
    [0, "0ns"],
    [1, "1ns"],
    [532, "532ns"],
    [1000, "1µs"],
    [12_345, "12.35µs"],
    [999_999, "1ms"],
    [1_200_000_000, "1.2s"],
    [59_999_999_999, "60s"],
    [60e9, "1m"],
    [119.99e9, "2m"],
    [123.5e9, "2m 3.5s"],
    [3600e9, "1h"],
    [3840e9, "1h 4m"],
    [93_600e9, "1d 2h"],
    [-1500, "-1.5µs"],
  ];
  for (const [ns, text] of cases) assert.equal(durationText(ns), text);
});

test("ticks are round, apart and inside the window", () => {
  for (const [from, to] of [
    [0, 5e9],
    [123_456_789, 123_456_999],
    [7, 8],
    [0, 1],
    [3.6e12, 3.7e12],
    [0, 65e9],
    [0, 3.7e12],
    [1e14, 3e14],
    [0, 365 * 86_400e9],
  ] as const) {
    const ticks = ticksOf(from, to, 900, 110);
    assert.ok(ticks.length >= 1 && ticks.length <= 10, `${ticks.length} ticks`);
    for (const [i, ns] of ticks.entries()) {
      assert.ok(ns >= from && ns <= to);
      if (i > 0) assert.ok(((ns - ticks[i - 1]!) * 900) / (to - from) >= 109.9);
    }
    const step = tickStep(((to - from) * 110) / 900);
    const texts = ticks.map((ns) => tickText(ns, step, to));
    assert.equal(new Set(texts).size, texts.length, texts.join(" "));
  }
  assert.deepEqual(ticksOf(0, 0, 900, 110), []);
});

test("ticks of long times are what clocks and calendars count in", () => {
  const texts = (toNs: number): string[] => {
    const step = tickStep((toNs * 110) / 900);
    return ticksOf(0, toNs, 900, 110).map((ns) => tickText(ns, step, toNs));
  };
  assert.deepEqual(texts(40e9), ["0s", "5s", "10s", "15s", "20s", "25s", "30s", "35s", "40s"]);
  assert.deepEqual(texts(100e9), ["0s", "15s", "30s", "45s", "1m", "1m 15s", "1m 30s"]);
  assert.deepEqual(texts(3 * 3600e9), ["0s", "30m", "1h", "1h 30m", "2h", "2h 30m", "3h"]);
  assert.deepEqual(texts(365 * 86_400e9).slice(0, 3), ["0s", "50d", "100d"]);
});

test("hues are the same for everybody and differ while there are enough", () => {
  const names = Array.from({ length: HUES }, (_, i) => `svc-${i}`).toSorted();
  assert.equal(new Set(huesOf(names)).size, HUES);
  assert.deepEqual(huesOf(names), huesOf([...names]));
  assert.equal(huesOf(names.concat("zz")).length, HUES + 1);
});
