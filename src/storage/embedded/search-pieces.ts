/** A trace as it lies in heads and segments: pieces of batches, made distinct, and their images. */

import { assert } from "../../base/assert.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { LIMITS } from "../../core/limits.ts";
import { selectRows } from "../../core/trace/select.ts";
import { sameSpan } from "../../core/trace/span-content.ts";
import type { RowRef } from "../../core/trace/span-content.ts";
import { idWords, SpanIdIndex } from "../../core/trace/tree.ts";

/** Rows of a trace that one batch has; a trace of a million spans is some sixteen pieces. */
export interface TracePiece {
  readonly batch: SpanBatch;
  /** Ascending; undefined when they are all of the batch. */
  readonly rows: readonly number[] | undefined;
  /** Made of a segment for this read: its memory is nobody else's. */
  readonly isOwn: boolean;
}

/** A trace put together, without exact duplicates. */
export interface FoundTrace {
  readonly pieces: readonly TracePiece[];
  readonly spanCount: number;
  /** Others will be given the same pieces. */
  readonly isKept: boolean;
}

/** An image with a buffer of its own. */
export type OwnImage = Uint8Array<ArrayBuffer>;

/** A part of a large trace of so many spans is handed over as it is; smaller ones are joined. */
const LARGE_BATCH = 8192;

/** How many rows the pieces have. */
export function countRows(pieces: readonly TracePiece[]): number {
  let count = 0;
  for (const piece of pieces) count += piece.rows?.length ?? piece.batch.spanCount;
  return count;
}

/** The rows one by one. */
export function rowsOfPieces(pieces: readonly TracePiece[]): RowRef[] {
  const all: RowRef[] = [];
  for (const { batch, rows } of pieces) {
    if (rows !== undefined) for (const row of rows) all.push({ batch, row });
    else for (let row = 0; row < batch.spanCount; row++) all.push({ batch, row });
  }
  return all;
}

/** Leaves out rows that are the same span as an earlier one. */
export function withoutDuplicates(pieces: readonly TracePiece[]): readonly TracePiece[] {
  const ids = idsOf(pieces);
  const index = new SpanIdIndex(ids);
  // Rows with ids of their own are no copies of others: nothing else is compared for them.
  if (index.duplicateCount === 0) return pieces;
  const all = rowsOfPieces(pieces);
  const isCopy = new Uint8Array(all.length);
  const kept = new Map<number, number[]>();
  for (let r = 0; r < all.length; r++) {
    if (index.duplicate[r] === 0) continue;
    const first = index.rowOf(ids[r * 2]!, ids[r * 2 + 1]!);
    const same = kept.get(first) ?? [first];
    kept.set(first, same);
    const { batch, row } = all[r]!;
    if (same.some((k) => sameSpan(all[k]!.batch, all[k]!.row, batch, row))) isCopy[r] = 1;
    else same.push(r);
  }
  let at = 0;
  return pieces.map((piece) => {
    const from = at;
    at += countRows([piece]);
    if (!isCopy.subarray(from, at).includes(1)) return piece;
    const left = all.slice(from, at).filter((_, r) => isCopy[from + r] === 0);
    return { ...piece, rows: left.map(({ row }) => row) };
  });
}

/** Span ids of all rows, two words each. */
function idsOf(pieces: readonly TracePiece[]): Uint32Array {
  const ids = new Uint32Array(countRows(pieces) * 2);
  let at = 0;
  for (const { batch, rows } of pieces) {
    const words = idWords(batch.spanId);
    if (rows === undefined) {
      ids.set(words, at);
      at += words.length;
      continue;
    }
    for (const row of rows) {
      ids[at++] = words[row * 2]!;
      ids[at++] = words[row * 2 + 1]!;
    }
  }
  return ids;
}

/** One image, or several of a trace too large for one. */
export function imagesOf({ pieces, spanCount, isKept }: FoundTrace): OwnImage[] {
  if (spanCount === 0) return [];
  const only = pieces.length === 1 ? pieces[0]! : undefined;
  const most = LIMITS.getSpansPerBatch;
  if (spanCount <= most) {
    const isWhole = only !== undefined && only.rows === undefined;
    return [isWhole ? wholeImage(only, isKept) : imageOfRows(pieces)];
  }
  const images: OwnImage[] = [];
  let joined: RowRef[] = [];
  const join = (): void => {
    if (joined.length > 0) images.push(ownImage(selectRows(joined)));
    joined = [];
  };
  for (const piece of pieces) {
    const { spanCount: count } = piece.batch;
    // A batch that is large and whole stands alone: at most it is copied.
    if (piece.rows === undefined && count >= LARGE_BATCH && count <= most) {
      join();
      images.push(wholeImage(piece, isKept));
      continue;
    }
    for (const row of rowsOfPieces([piece])) {
      if (joined.push(row) === most) join();
    }
  }
  join();
  return images;
}

/** One image of all rows, put together. */
export function imageOfRows(pieces: readonly TracePiece[]): OwnImage {
  return ownImage(selectRows(rowsOfPieces(pieces)));
}

/** The image of a piece that is all of its batch: as it is where nobody else has it. */
function wholeImage({ batch, isOwn }: TracePiece, isKept: boolean): OwnImage {
  if (isKept || !isOwn) return copied(batch);
  return ownImage(batch);
}

/** The image of a batch that was just built, which has its buffer alone. */
function ownImage({ image }: SpanBatch): OwnImage {
  const { buffer } = image;
  assert(buffer instanceof ArrayBuffer, "what is built here is in memory of our own");
  assert(image.length === buffer.byteLength, "an image that is handed over is all of its buffer");
  return new Uint8Array(buffer);
}

/** A copy in a buffer of its own. */
function copied({ image }: SpanBatch): OwnImage {
  const copy = new Uint8Array(image.length);
  copy.set(image);
  return copy;
}
