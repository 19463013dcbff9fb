/** Tests of cursors: text round trip, memory of what was returned, refusal of what is foreign. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  admit,
  compareKeys,
  cursorOf,
  decodeCursor,
  encodeCursor,
  nextCursor,
  returnedTraces,
} from "./cursor.ts";
import type { Cursor, MatchKey } from "./cursor.ts";
import { isSpoorError } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { FindQuery } from "./store.ts";

const QUERY: FindQuery = { startMinUs: 0, startMaxUs: 1, order: "start", limit: 10 };

function key(rank: bigint | number, trace = 1, span = 1): MatchKey {
  const traceId = new Uint8Array(16);
  new DataView(traceId.buffer).setUint32(12, trace);
  const spanId = new Uint8Array(8);
  spanId[7] = span;
  return { rank: BigInt(rank), traceId, spanId };
}

test("keys are ordered by rank in the search's direction, then by ids ascending", () => {
  const keys = [key(2, 1), key(2, 2), key(3, 9), key(3, 9, 2), key(-5, 0)];
  const order = (descending: boolean): number[] =>
    keys.toSorted((a, b) => compareKeys(descending, a, b)).map((one) => keys.indexOf(one));
  assert.deepEqual(order(true), [2, 3, 0, 1, 4]);
  assert.deepEqual(order(false), [4, 0, 1, 2, 3]);
  assert.equal(compareKeys(true, key(1), key(1)), 0);
});

test("a cursor survives as text that needs no escaping in a URL", () => {
  let cursor: Cursor | undefined;
  for (let page = 0; page < 40; page++) {
    const keys = Array.from({ length: 17 }, (_, n) => key(10_000 - page * 17 - n, page * 17 + n));
    cursor = nextCursor(QUERY, cursor, keys);
    const text = encodeCursor(cursor);
    assert.match(text, /^[\w-]+$/);
    assert.ok(text.length < 12_000, "fits a request line");
    assert.deepEqual(decodeCursor(text), cursor);
    assert.deepEqual(cursorOf({ ...QUERY, cursor: text }), cursor);
  }
  assert.notEqual(cursor?.forgotten, undefined);
});

test("ranks beyond 64 bits are kept", () => {
  for (const rank of [0n, -1n, 2n ** 63n, -(2n ** 73n), 2n ** 73n + 1n]) {
    const cursor = nextCursor(QUERY, undefined, [key(rank)]);
    assert.equal(decodeCursor(encodeCursor(cursor)).last.rank, rank);
  }
});

test("the newest returned traces are remembered, the others told by their latest key", () => {
  const most = LIMITS.cursorTraces;
  for (const size of [1, 7, most, most * 3]) {
    let cursor: Cursor | undefined;
    const returned: MatchKey[] = [];
    for (let page = 0; page * size < most * 3; page++) {
      const keys = Array.from({ length: size }, (_, n) => key(-page * size - n, page * size + n));
      returned.push(...keys);
      cursor = nextCursor(QUERY, cursor, keys);
      if (size < 50 && page % 101 !== 0) continue;
      const remembered = returnedTraces(cursor);
      assert.ok(remembered.size <= most);
      assert.ok(remembered.size >= Math.min(returned.length, most - 64));
      for (const [n, one] of returned.entries()) {
        const known = n >= returned.length - remembered.size;
        assert.equal(remembered.has(Buffer.from(one.traceId).toString("hex")), known);
        // What is forgotten is not admitted again, whatever it matches further on.
        if (!known) assert.equal(admit(cursor, true, [key(-1e9, n), one]), undefined);
      }
    }
  }
});

test("a trace not returned is ranked by its first match after the cursor", () => {
  const cursor = nextCursor(QUERY, undefined, [key(90, 1), key(80, 2)]);
  const waiting = [key(70, 3), key(95, 3, 2), key(60, 3, 3)];
  assert.deepEqual(admit(cursor, true, waiting), key(70, 3));
  assert.equal(admit(cursor, true, [key(95, 3)]), undefined);
  assert.deepEqual(admit(undefined, true, waiting), key(95, 3, 2));
  assert.deepEqual(admit(undefined, false, waiting), key(60, 3, 3));
  assert.deepEqual(admit(cursor, true, [key(80, 3)]), key(80, 3), "a tie goes on by trace id");
  assert.equal(admit(cursor, true, []), undefined);
});

test("by span count a trace that grew past the cursor is returned where it lies now", () => {
  const query: FindQuery = { ...QUERY, order: "spanCount" };
  const cursor = nextCursor(query, undefined, [key(9, 1), key(8, 2)]);
  assert.deepEqual(admit(cursor, true, [key(20, 3)]), key(20, 3));
  const after = nextCursor(query, cursor, [key(20, 3)]);
  assert.deepEqual(after.last, key(8, 2), "the cursor never moves back");
});

test("what is no cursor, or another order's, is a bad query", () => {
  const good = encodeCursor(nextCursor(QUERY, undefined, [key(1)]));
  const bad = ["", "A", "????", good.slice(0, -4), `${good}AAAA`, `B${good.slice(1)}`];
  for (const text of bad) {
    assert.throws(
      () => decodeCursor(text),
      (error) => isSpoorError(error, "bad-query"),
      text,
    );
  }
  for (const part of [{ order: "duration" }, { descending: false }] as const) {
    const asked = { ...QUERY, ...part, cursor: good };
    assert.throws(
      () => cursorOf(asked),
      (error) => isSpoorError(error, "bad-query"),
    );
  }
  assert.equal(cursorOf(QUERY), undefined);
});
