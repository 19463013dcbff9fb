// What Go reads as a time: its Timestamps are of years 1 to 9999, its durations are 64 bits of ns.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  FIRST_TIMESTAMP_NS,
  isDuration,
  isTimestamp,
  LAST_TIMESTAMP_NS,
  LEAST_DURATION_NS,
  MOST_DURATION_NS,
  totalNs,
} from "./go-time.ts";

const SECOND = 1_000_000_000n;

describe("times that Go holds", () => {
  it("end with the longest durations of either sign", () => {
    for (const ns of [LEAST_DURATION_NS, -SECOND, -1n, 0n, 1n, SECOND, MOST_DURATION_NS]) {
      const [seconds, nanos] = [Number(ns / SECOND), Number(ns % SECOND)];
      assert.ok(isDuration(seconds, nanos), String(ns));
      assert.equal(totalNs(seconds, nanos), ns);
    }
    for (const ns of [LEAST_DURATION_NS - 1n, MOST_DURATION_NS + 1n, 2n ** 64n, -(2n ** 64n)]) {
      assert.ok(!isDuration(Number(ns / SECOND), Number(ns % SECOND)), String(ns));
    }
  });

  it("have seconds and nanoseconds of one sign when they are durations", () => {
    assert.ok(!isDuration(1, -1));
    assert.ok(!isDuration(-1, 1));
    assert.ok(!isDuration(0, 1_000_000_000));
    assert.ok(!isDuration(0, -1_000_000_000));
    assert.ok(isDuration(0, -999_999_999));
  });

  it("are of the years 1 to 9999 when they are timestamps", () => {
    const seconds = (ns: bigint): number =>
      Number((ns - (((ns % SECOND) + SECOND) % SECOND)) / SECOND);
    assert.ok(isTimestamp(seconds(FIRST_TIMESTAMP_NS), 0));
    assert.ok(!isTimestamp(seconds(FIRST_TIMESTAMP_NS) - 1, 999_999_999));
    assert.ok(isTimestamp(seconds(LAST_TIMESTAMP_NS), 999_999_999));
    assert.ok(!isTimestamp(seconds(LAST_TIMESTAMP_NS) + 1, 0));
    assert.ok(!isTimestamp(0, -1));
    assert.ok(!isTimestamp(0, 1_000_000_000));
  });
});
