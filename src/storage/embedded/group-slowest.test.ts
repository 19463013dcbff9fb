/** Levels of durations order as durations do, or a search would leave out a group it must not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/clock.ts";
import { isIn } from "./group-set.ts";
import { durationLevel, groupsOfCodes, SLOWEST_CODES, SlowestBuilder } from "./group-slowest.ts";

test("a longer duration never has a lower level", () => {
  const random = seededRandom(11);
  const durations = [-Infinity, -1, -0, 0, 0.5, 1, 1.25, 2, 2 ** 53, 2 ** 64, Infinity];
  for (let n = 0; n < 5000; n++) durations.push(random() * 2 ** Math.floor(random() * 66));
  durations.sort((a, b) => a - b);
  for (let i = 1; i < durations.length; i++) {
    const [shorter, longer] = [durations[i - 1]!, durations[i]!];
    assert.ok(durationLevel(shorter) <= durationLevel(longer), `${shorter} and ${longer}`);
  }
  assert.equal(durationLevel(0), 1);
  assert.equal(durationLevel(1), 2);
  assert.equal(durationLevel(Infinity), 255);
});

test("groups are left out that have no matching code slow enough, and no others", () => {
  const builder = new SlowestBuilder(3, 2);
  const rows = Uint32Array.of(0, 1, 2, 3);
  const codes = Uint32Array.of(0, 1, 1, 2);
  const durations = Float64Array.of(1000, -5, 40, 2 ** 60);
  builder.add(0, 0, 2, rows, codes, durations);
  builder.add(1, 2, 4, rows, codes, durations);
  const slowest = { count: 3, levels: Buffer.from(builder.written(), "base64") };
  const found = (matches: number[], durationNs: number): boolean[] => {
    const set = groupsOfCodes(slowest, Uint8Array.from(matches), durationLevel(durationNs), 2);
    return [isIn(set, 0), isIn(set, 1)];
  };
  assert.deepEqual(found([1, 0, 0], 0), [true, false]);
  assert.deepEqual(found([0, 1, 0], 0), [true, true]);
  assert.deepEqual(found([0, 1, 0], 40), [false, true]);
  assert.deepEqual(found([1, 1, 1], 1001), [true, true]);
  assert.deepEqual(found([1, 1, 1], 1300), [false, true]);
  assert.deepEqual(found([1, 1, 0], 2 ** 50), [false, false]);
});

test("with too many codes every group stays", () => {
  const builder = new SlowestBuilder(SLOWEST_CODES + 1, 1);
  builder.add(0, 0, 1, Uint32Array.of(0), Uint32Array.of(0), Float64Array.of(1));
  assert.equal(builder.written(), "");
  const none = { count: SLOWEST_CODES + 1, levels: new Uint8Array(0) };
  assert.ok(isIn(groupsOfCodes(none, new Uint8Array(SLOWEST_CODES + 1), 9, 1), 0));
});
