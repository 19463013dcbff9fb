/** The table of request keys: finding, expiry, growth, removal, footers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/clock.ts";
import { KeyList, REQUEST_KEYS, RequestKeys } from "./request-keys.ts";
import type { RequestKey } from "./request-keys.ts";

function key(number: number, second = 1000): RequestKey {
  return new Uint32Array([number, number * 7, 256, number, 1, number, 2, second]);
}

test("a key is found until it expires or is removed", () => {
  const keys = new RequestKeys();
  const entry = keys.add(key(1));
  assert.equal(keys.find(key(1), 1_000_000), entry);
  assert.equal(keys.find(key(2), 1_000_000), -1);
  assert.equal(keys.find(key(1), 1_000_000 + REQUEST_KEYS.keptMs + 1), -1);
  keys.remove(entry);
  assert.equal(keys.find(key(1), 1_000_000), -1);
});

test("keys that differ only in one word are different", () => {
  const keys = new RequestKeys();
  keys.add(key(1));
  for (let word = 0; word < 7; word++) {
    const other = key(1);
    other[word]! += 1;
    assert.equal(keys.find(other, 1_000_000), -1, `word ${word}`);
  }
});

test("random adds and removes agree with a Map, through growth", () => {
  const random = seededRandom(7);
  const keys = new RequestKeys();
  const model = new Map<number, number>();
  for (let step = 0; step < 60_000; step++) {
    const number = Math.floor(random() * 30_000);
    const known = model.get(number);
    assert.equal(keys.find(key(number), 1_000_000), known ?? -1);
    if (known === undefined) model.set(number, keys.add(key(number)));
    else if (random() < 0.5) {
      keys.remove(known);
      model.delete(number);
    }
  }
  for (let number = 0; number < 30_000; number++) {
    assert.equal(keys.find(key(number), 1_000_000), model.get(number) ?? -1);
  }
});

test("the table is bounded: the oldest keys go first", () => {
  const keys = new RequestKeys();
  for (let i = 0; i < REQUEST_KEYS.entries + 10; i++) keys.add(key(i));
  assert.equal(keys.count, REQUEST_KEYS.entries);
  assert.equal(keys.find(key(9), 1_000_000), -1);
  assert.notEqual(keys.find(key(10), 1_000_000), -1);
});

test("an outcome in flight is told until it settles", async () => {
  const keys = new RequestKeys();
  const outcome = Promise.resolve();
  const entry = keys.add(key(3), outcome);
  assert.equal(keys.outcome(keys.find(key(3), 1_000_000)), outcome);
  keys.clear();
  assert.equal(keys.find(key(3), 1_000_000), entry, "clear spares what is in flight");
  keys.settle(entry);
  assert.equal(keys.outcome(entry), undefined);
  keys.clear();
  assert.equal(keys.find(key(3), 1_000_000), -1);
  await outcome;
});

test("keys travel in a footer; expired ones stay behind", () => {
  const list = new KeyList();
  for (let i = 0; i < REQUEST_KEYS.perSegment + 5; i++) list.add(key(i, i < 100 ? 1000 : 2000));
  const packed = list.pack();
  assert.equal(packed.length, REQUEST_KEYS.perSegment * 32);
  const keys = new RequestKeys();
  keys.addPacked(packed, 1_000_000 + REQUEST_KEYS.keptMs + 1000);
  assert.equal(keys.find(key(50), 1_000_000), -1);
  assert.notEqual(keys.find(key(100), 2_000_000), -1);
  assert.equal(keys.count, REQUEST_KEYS.perSegment + 5 - 100);
});

test("few keys travel too, in bytes that are a view of something larger", () => {
  const list = new KeyList();
  for (let i = 1; i <= 3; i++) list.add(key(i));
  const pool = Buffer.alloc(200, 7);
  const packed = pool.subarray(33, 33 + 96);
  packed.set(list.pack());
  const keys = new RequestKeys();
  keys.addPacked(packed, 1_000_000);
  assert.equal(keys.count, 3);
  for (let i = 1; i <= 3; i++) assert.notEqual(keys.find(key(i), 1_000_000), -1);
  const again = new RequestKeys();
  keys.remove(keys.find(key(2), 1_000_000));
  again.addPacked(keys.pack(), 1_000_000);
  assert.deepEqual(
    [1, 2, 3].map((i) => again.find(key(i), 1_000_000) !== -1),
    [true, false, true],
  );
});
