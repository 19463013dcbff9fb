/** Pieces of a trace: copies are left out as comparing all rows would; images hold what is left. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NastySpans } from "../../../test/support/nasty-spans.ts";
import type { Dice } from "../../../test/support/nasty-spans.ts";
import { batchOf, plainSpan } from "../../../test/support/plain-spans.ts";
import { runSeed } from "../../../test/support/run-seed.ts";
import { flatShape, shapeBatches } from "../../../test/support/trace-shapes.ts";
import { seededRandom } from "../../base/clock.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { LIMITS } from "../../core/limits.ts";
import { spanContent } from "../../core/trace/span-content.ts";
import { countRows, imagesOf, rowsOfPieces, withoutDuplicates } from "./search-pieces.ts";
import type { TracePiece } from "./search-pieces.ts";

const seed = runSeed();

function whole(batch: SpanBatch, isOwn = true): TracePiece {
  return { batch, rows: undefined, isOwn };
}

function contents(pieces: readonly TracePiece[]): string[] {
  return rowsOfPieces(pieces).map(({ batch, row }) => spanContent(batch, row));
}

function contentsOfImages(images: readonly Uint8Array[]): string[] {
  return contents(images.map((image) => whole(viewBatch(image))));
}

/** All of a batch, or some of its rows. */
function randomPiece(batch: SpanBatch, dice: Dice): TracePiece {
  if (dice.chance(0.5)) return whole(batch, dice.chance(0.5));
  const rows = Array.from({ length: batch.spanCount }, (_, row) => row);
  return { batch, rows: rows.filter(() => dice.chance(0.7)), isOwn: false };
}

test(`copies are left out, the first of each stays (SPOOR_SEED=${seed})`, () => {
  for (let round = 0; round < 60; round++) {
    const world = new NastySpans(seededRandom(seed + round), 1);
    const batches = Array.from({ length: 1 + world.dice.below(6) }, () => batchOf(world.batch()));
    const pieces = batches.map((batch) => randomPiece(batch, world.dice));
    const wanted = [...new Set(contents(pieces))];
    const distinct = withoutDuplicates(pieces);
    assert.deepEqual(contents(distinct), wanted, `round ${round}`);
    assert.equal(countRows(distinct), wanted.length);
    const trace = { pieces: distinct, spanCount: wanted.length, isKept: world.dice.chance(0.5) };
    const images = imagesOf(trace);
    assert.equal(images.length, Math.min(1, wanted.length));
    assert.deepEqual(contentsOfImages(images), wanted, `round ${round}`);
  }
});

test("a large trace is some images: large pieces as they are, small ones together", () => {
  const most = LIMITS.getSpansPerBatch;
  const large = shapeBatches(flatShape(most + 9000));
  const small = [1, 2, 3].map((n) => batchOf([plainSpan({ spanHex: `${n}`.padStart(16, "0") })]));
  const [own, borrowed] = [whole(large[0]!), whole(large[1]!, false)];
  const some = { batch: large[1]!, rows: [7, 8], isOwn: false };
  const pieces = [whole(small[0]!), own, whole(small[1]!), some, whole(small[2]!), borrowed];
  const spanCount = countRows(pieces);
  const images = imagesOf({ pieces, spanCount, isKept: false });
  assert.deepEqual(
    images.map((image) => viewBatch(image).spanCount),
    [1, most, 4, 9000],
  );
  assert.deepEqual(contentsOfImages(images), contents(pieces));
  assert.equal(images[1]!.buffer, own.batch.image.buffer, "handed over");
  assert.notEqual(images[3]!.buffer, borrowed.batch.image.buffer, "copied");
  const kept = imagesOf({ pieces, spanCount, isKept: true });
  assert.notEqual(kept[1]!.buffer, own.batch.image.buffer, "others need it too");
});

test("rows of a batch beyond the limit are cut, one larger than it too", () => {
  const most = LIMITS.getSpansPerBatch;
  const batches = shapeBatches(flatShape(most + 10));
  const rows = Array.from({ length: most }, (_, row) => row);
  const pieces = [whole(batches[1]!), { batch: batches[0]!, rows, isOwn: false }];
  const images = imagesOf({ pieces, spanCount: most + 10, isKept: false });
  assert.deepEqual(
    images.map((image) => viewBatch(image).spanCount),
    [most, 10],
  );
  assert.deepEqual(contentsOfImages(images), contents(pieces));
});
