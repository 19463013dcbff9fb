/** Tests of the skeleton format: decode undoes encode; cut and broken streams are told. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomBatch } from "../../test/support/random-batch.ts";
import { deepShape, flatShape, mixedShape, randomShape } from "../../test/support/trace-shapes.ts";
import { shapeBatches } from "../../test/support/trace-shapes.ts";
import type { Shape } from "../../test/support/trace-shapes.ts";
import { seededRandom } from "../base/clock.ts";
import { isSpoorError } from "../core/errors.ts";
import { criticalPathOf, NO_CRITICAL_PATH } from "../core/trace/critical-path.ts";
import { skeletonOf } from "../core/trace/skeleton.ts";
import type { Skeleton } from "../core/trace/skeleton.ts";
import { viewTrace } from "../core/trace/view.ts";
import { SkeletonDecoder } from "./skeleton-decode.ts";
import { encodeSkeleton } from "./skeleton-encode.ts";

const skeletonOfShape = (shape: Shape): Skeleton => skeletonOf(viewTrace(shapeBatches(shape)));

function encoded(skeleton: Skeleton): Uint8Array {
  return Buffer.concat([...encodeSkeleton(skeleton, () => criticalPathOf(skeleton))]);
}

function checkRoundTrip(skeleton: Skeleton, pieces: Iterable<Uint8Array>): void {
  const decoder = new SkeletonDecoder();
  for (const piece of pieces) decoder.push(piece);
  assert.ok(decoder.complete);
  const { order: _, ...columns } = skeleton;
  assert.deepEqual(decoder.columns, {
    ...columns,
    loaded: skeleton.spanCount,
    criticalPath: criticalPathOf(skeleton),
  });
}

function* pieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const random = seededRandom(seed);
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() * random() * 3000);
    yield bytes.slice(at, at + length);
    at += length;
  }
}

describe("skeleton format", () => {
  it("comes back as it was, in pieces of any size", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const skeleton = skeletonOfShape(randomShape(seed, 1 + seed * 3));
      checkRoundTrip(skeleton, pieces(encoded(skeleton), seed));
    }
  });

  it("carries absurd times and texts", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const batch = randomBatch(seed, { spans: 20, times: "any", rawTexts: false });
      const skeleton = skeletonOf(viewTrace([batch]));
      checkRoundTrip(skeleton, [encoded(skeleton)]);
    }
  });

  it("carries traces of several frames", () => {
    for (const shape of [mixedShape(120_000), deepShape(60_000), flatShape(110_000)]) {
      const skeleton = skeletonOfShape(shape);
      checkRoundTrip(skeleton, pieces(encoded(skeleton), 5));
    }
  });

  it("shows the rows of the first frame before the second is there", () => {
    const skeleton = skeletonOfShape(mixedShape(60_000));
    const decoder = new SkeletonDecoder();
    const loaded: number[] = [];
    for (const frame of encodeSkeleton(skeleton, () => NO_CRITICAL_PATH)) {
      decoder.push(frame);
      const columns = decoder.columns;
      if (columns === undefined) continue;
      loaded.push(columns.loaded);
      const part = columns.parent.subarray(0, columns.loaded);
      assert.deepEqual(part, skeleton.parent.subarray(0, columns.loaded));
      const ends = columns.end.subarray(0, columns.loaded);
      assert.deepEqual(ends, skeleton.end.subarray(0, columns.loaded));
    }
    assert.deepEqual(loaded, [0, 4096, 54_096, 60_000, 60_000, 60_000]);
  });

  it("is not complete when cut anywhere, and never hangs or crashes on broken bytes", () => {
    const skeleton = skeletonOfShape(randomShape(3, 40));
    const bytes = encoded(skeleton);
    for (let at = 0; at < bytes.length; at++) {
      const decoder = new SkeletonDecoder();
      decoder.push(bytes.subarray(0, at));
      assert.equal(decoder.complete, false);
    }
    const random = seededRandom(9);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const broken = bytes.slice();
      broken[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      try {
        new SkeletonDecoder().push(broken);
      } catch (error) {
        assert.ok(isSpoorError(error, "malformed"), String(error));
        refused++;
      }
    }
    assert.ok(refused > 500);
  });
});
