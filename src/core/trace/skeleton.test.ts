/** Tests of skeletons: every span once, in order, whatever its parents, ids and times are. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  deepShape,
  flatShape,
  randomShape,
  shapeBatches,
} from "../../../test/support/trace-shapes.ts";
import { randomBatch } from "../../../test/support/random-batch.ts";
import { compareBytes, toHex } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { BatchBuilder } from "../builder.ts";
import { dictText, serviceOf } from "../read.ts";
import { adjustTrace } from "./adjust.ts";
import { skeletonOf, SKELETON_FLAG } from "./skeleton.ts";
import type { Skeleton } from "./skeleton.ts";
import { viewTrace } from "./view.ts";
import type { TraceView } from "./view.ts";

/** What must hold of any skeleton, checked the slow way. */
function checkTree(s: Skeleton): void {
  assert.deepEqual(
    [...s.order].sort((a, b) => a - b),
    [...s.order.keys()],
    "every span once",
  );
  for (let r = 0; r < s.spanCount; r++) {
    let size = 1;
    while (r + size < s.spanCount && s.depth[r + size]! > s.depth[r]!) size++;
    assert.equal(s.end[r], r + size, `end of row ${r}`);
    let above = r - 1;
    while (above >= 0 && s.depth[above]! >= s.depth[r]!) above--;
    assert.equal(s.parent[r], above, `parent of row ${r}`);
    assert.equal(s.depth[r], above === -1 ? 0 : s.depth[above]! + 1);
    let before = r - 1;
    while (before > above && s.depth[before]! > s.depth[r]!) before--;
    if (before > above && before >= 0) checkSiblings(s, before, r);
  }
}

function checkSiblings(s: Skeleton, a: number, b: number): void {
  const id = (r: number): Uint8Array => s.spanId.subarray(r * 8, r * 8 + 8);
  const byTime = s.startOffsetNs[a]! - s.startOffsetNs[b]!;
  const order = byTime || compareBytes(id(a), id(b)) || s.order[a]! - s.order[b]!;
  assert.ok(order < 0, `rows ${a} and ${b} in order`);
}

/** Parents as the ids say, but where a circle had to be cut. */
function checkParents(view: TraceView, s: Skeleton): void {
  const rowOfId = new Map<string, number>();
  const hex = (words: Uint32Array, v: number): string => `${words[v * 2]} ${words[v * 2 + 1]}`;
  for (let v = view.spanCount - 1; v >= 0; v--) rowOfId.set(hex(view.spanIds, v), v);
  for (let r = 0; r < s.spanCount; r++) {
    const v = s.order[r]!;
    const named = hex(view.parentIds, v);
    const found = named === "0 0" ? undefined : rowOfId.get(named);
    const orphan = named !== "0 0" && found === undefined;
    assert.equal((s.flags[r]! & SKELETON_FLAG.ORPHAN) !== 0, orphan);
    const duplicate = rowOfId.get(hex(view.spanIds, v)) !== v;
    assert.equal((s.flags[r]! & SKELETON_FLAG.DUPLICATE_ID) !== 0, duplicate);
    if (s.parent[r] !== -1) assert.equal(s.order[s.parent[r]!], found);
    else if (found !== undefined) {
      const cut = view.warnings.get(v)?.some((text) => text.includes("circle")) === true;
      assert.ok(cut, "only a circle makes a root of a span with a parent");
    }
  }
}

describe("skeleton", () => {
  it("holds for random trees with circles, lost parents and equal ids", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const view = viewTrace(shapeBatches(randomShape(seed, 1 + (seed % 60))));
      if (seed % 2 === 0) adjustTrace(view);
      const skeleton = skeletonOf(view);
      checkTree(skeleton);
      checkParents(view, skeleton);
    }
  });

  it("shows what the spans hold, in arbitrary batches with absurd times", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const batch = randomBatch(seed, { spans: 1 + (seed % 30), times: "any" });
      const s = skeletonOf(viewTrace([batch]));
      checkTree(s);
      let events = 0;
      for (let r = 0; r < s.spanCount; r++) {
        const i = s.order[r]!;
        assert.equal(s.services[s.service[r]!], serviceOf(batch, i));
        assert.equal(s.names[s.name[r]!], dictText(batch, batch.nameId[i]!));
        assert.equal(s.kind[r], batch.kind[i]);
        assert.equal(toHex(s.spanId, r * 8, 8), toHex(batch.spanId, i * 8, 8));
        const own = batch.eventOffsets[i + 1]! - batch.eventOffsets[i]!;
        assert.equal(s.eventOffsets[r], events);
        events += own;
        assert.equal((s.flags[r]! & SKELETON_FLAG.EVENTS) !== 0, own > 0);
        assert.ok(s.startOffsetNs[r]! >= 0 && s.spanDurationNs[r]! >= 0);
        assert.ok(s.startOffsetNs[r]! + s.spanDurationNs[r]! <= s.durationNs);
      }
      assert.equal(s.eventNs.length, events);
    }
  });

  it("keeps nanoseconds", () => {
    const view = viewTrace(shapeBatches(deepShape(3)));
    const s = skeletonOf(view);
    assert.deepEqual([...s.startOffsetNs], [0, 1000, 2000]);
    assert.equal(s.startNs, 17);
    assert.equal(s.startUs, 1_700_000_000_000_000);
    assert.equal(s.durationNs, 6000);
  });

  it("puts spans without a start where their nearest ancestor with one is", () => {
    const builder = new BatchBuilder();
    const resource = builder.addResource();
    const scope = builder.addScope();
    // Parents by number, then starts: 3 hangs on 2 on 1; 5 is a root; 6 and 7 form a circle.
    const parents = [0, 0, 1, 2, 1, 0, 7, 6];
    const starts = [0, 1000, 0, 0, 1500, 0, 0, 0];
    for (let n = 1; n < parents.length; n++) {
      const i = builder.addSpan(resource, scope);
      builder.spanId[i * 8] = n;
      builder.parentSpanId[i * 8] = parents[n]!;
      builder.startUs[i] = starts[n]!;
    }
    const shown = (batch: SpanBatch): Map<number, number> => {
      const view = viewTrace([batch]);
      const s = skeletonOf(view);
      for (const v of view.warnings.keys()) assert.ok(v === 1 || v === 2 || v >= 5, `${v}`);
      assert.match(view.warnings.get(1)!.join(), /without a start/);
      return new Map(
        Array.from(s.order, (v, r) => [v + 1, s.startUs + s.startOffsetNs[r]! / 1000]),
      );
    };
    const at = shown(builder.finish());
    assert.deepEqual([at.get(1), at.get(2), at.get(3), at.get(4)], [1000, 1000, 1000, 1500]);
    assert.deepEqual([at.get(5), at.get(6), at.get(7)], [0, 0, 0]);
  });

  it("takes a chain of 200,000 and a million siblings", () => {
    const deep = skeletonOf(viewTrace(shapeBatches(deepShape(200_000))));
    assert.equal(deep.depth[199_999], 199_999);
    assert.equal(deep.end[0], 200_000);
    const flat = skeletonOf(viewTrace(shapeBatches(flatShape(1_000_000))));
    assert.equal(flat.end[0], 1_000_000);
    assert.equal(flat.parent[999_999], 0);
  });

  it("marks errors by status and by Jaeger's tag, of either type; what went well", () => {
    const builder = new BatchBuilder();
    const resource = builder.addResource();
    const scope = builder.addScope();
    const text = builder.key(builder.text("error"), ATTRIBUTE_TYPE.STRING);
    const bool = builder.key(builder.text("error"), ATTRIBUTE_TYPE.BOOL);
    const marks: (readonly [number, number])[] = [
      [bool, 1],
      [bool, 0],
      [text, builder.text("true")],
      [text, builder.text("no")],
    ];
    for (const [n, [key, value]] of marks.entries()) {
      const i = builder.addSpan(resource, scope);
      builder.spanId[i * 8] = n + 1;
      builder.startUs[i] = n;
      builder.spanAttributes.add(key, value);
    }
    const last = builder.addSpan(resource, scope);
    builder.startUs[last] = 9;
    builder.status[last] = 2;
    const good = builder.addSpan(resource, scope);
    builder.startUs[good] = 10;
    builder.status[good] = 1;
    const { flags } = skeletonOf(viewTrace([builder.finish()]));
    assert.deepEqual(
      [...flags].map((bits) => bits & (SKELETON_FLAG.ERROR | SKELETON_FLAG.OK)),
      [1, 0, 1, 0, 1, 64],
    );
  });

  it("has another token when a span, a time or a parent differs, else the same", () => {
    const token = (spans: number, duration: number, parent: number): string => {
      const shape = { ...flatShape(spans), durationOf: () => duration, parentOf: () => parent };
      return skeletonOf(viewTrace(shapeBatches(shape))).token;
    };
    const tokens = [token(5, 100, -1), token(6, 100, -1), token(5, 101, -1), token(5, 100, 0)];
    assert.equal(new Set(tokens).size, 4);
    assert.equal(token(5, 100, -1), tokens[0]);
    assert.match(tokens[0]!, /^5\.[0-9a-z]+$/);
  });
});
