/** Tests of the tree of a trace: small shapes, circles, doubles, depth, and a naive comparison. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../base/clock.ts";
import { SpanIdIndex, treeOf } from "./tree.ts";
import type { TraceTree } from "./tree.ts";

/** A tree of spans given as [id, parent id]. */
function tree(...spans: readonly (readonly [number, number])[]): TraceTree {
  const ids = Uint32Array.from(spans.flatMap(([id]) => [id >>> 16, id & 0xffff]));
  const parents = Uint32Array.from(spans.flatMap(([, id]) => [id >>> 16, id & 0xffff]));
  return treeOf(ids, parents);
}

describe("trace tree", () => {
  it("finds parents, children in row order, roots and orphans", () => {
    const found = tree([4, 2], [2, 1], [1, 0], [3, 1], [9, 77]);
    assert.deepEqual([...found.parent], [1, 2, -1, 2, -1]);
    assert.deepEqual([...found.roots], [2, 4]);
    assert.deepEqual([...found.order], [2, 1, 0, 3, 4]);
    assert.deepEqual([...found.firstChild], [-1, 0, 1, -1, -1]);
    assert.deepEqual([...found.nextSibling], [-1, 3, -1, -1, -1]);
    assert.deepEqual([...found.orphan], [0, 0, 0, 0, 1]);
  });

  it("leaves circles and what hangs on them out of the order", () => {
    const found = tree([1, 2], [2, 1], [3, 2], [5, 5], [6, 0]);
    assert.deepEqual([...found.order], [4]);
    assert.deepEqual([...found.roots], [4]);
  });

  it("hangs children on the first of spans with one id", () => {
    const found = tree([1, 0], [1, 0], [2, 1]);
    assert.deepEqual([...found.parent], [-1, -1, 0]);
    assert.deepEqual([...found.duplicate], [0, 1, 0]);
    const ids = Uint32Array.of(0, 1, 0, 1, 0, 2);
    assert.equal(new SpanIdIndex(ids).duplicateCount, 1);
    assert.equal(new SpanIdIndex(ids).rowOf(0, 3), -1);
  });

  it("takes a chain of 300,000 spans", () => {
    const n = 300_000;
    const ids = new Uint32Array(n * 2);
    const parents = new Uint32Array(n * 2);
    for (let i = 0; i < n; i++) {
      ids[i * 2 + 1] = i + 1;
      parents[i * 2 + 1] = i;
    }
    const found = treeOf(ids, parents);
    assert.equal(found.order.length, n);
    assert.equal(found.order[n - 1], n - 1);
  });

  it("agrees with looking through all spans", () => {
    const random = seededRandom(20_261);
    for (let round = 0; round < 200; round++) {
      const n = 1 + Math.floor(random() * 30);
      const id = (): number => Math.floor(random() * n * 1.3);
      const spans = Array.from({ length: n }, () => [1 + id(), id()] as const);
      const found = tree(...spans);
      spans.forEach(([, parent], i) => {
        const row = parent === 0 ? -1 : spans.findIndex(([other]) => other === parent);
        assert.equal(found.parent[i], row, `round ${round}, span ${i}`);
      });
      const reachable = spans.filter((_, i) => reachesRoot(found.parent, i)).length;
      assert.equal(found.order.length, reachable);
      assert.equal(new Set(found.order).size, reachable);
      found.order.forEach((row, at) => {
        const parent = found.parent[row]!;
        assert.ok(parent === -1 || found.order.indexOf(parent) < at);
      });
    }
  });
});

function reachesRoot(parent: Int32Array, row: number): boolean {
  let at = row;
  for (let steps = 0; steps <= parent.length; steps++) {
    if (at === -1) return true;
    at = parent[at]!;
  }
  return false;
}
