/** What a search reads: segments, heads and tombstones, and whole traces put together of them. */

import { toHex } from "../../base/bytes.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { sameSpan } from "../../core/trace/span-content.ts";
import type { RowRef } from "../../core/trace/span-content.ts";
import { idWords, SpanIdIndex } from "../../core/trace/tree.ts";
import type { HeadView } from "./search-heads.ts";
import { segmentTrace } from "./segment-copy.ts";
import type { Segment } from "./segment-reader.ts";
import type { Tombstone } from "./tombstones.ts";

/**
 * Traces put together are kept up to this, because a search is followed by reading what it found,
 * and often by the same search: 300 of 27 spans. Larger traces than the other are not kept.
 */
const RECENT_BYTES = 8 * 1024 * 1024;
const RECENT_ROWS = 4096;
/** What the views of a batch take, and a row in a list. */
const VIEWS_BYTES = 8 * 1024;
const ROW_BYTES = 64;
/** Beyond it span ids are compared as numbers first: a text for each is slow. */
const MANY_ROWS = 1024;

/** A trace as it was, and is while no source came or went and heads have as many rows of it. */
interface Recent {
  readonly rows: readonly RowRef[];
  readonly headRows: number;
  readonly sizeBytes: number;
}

/** The open sources of one kind (live, or archived) and what is deleted of them. */
export class Sources {
  readonly #segments = new Map<string, Segment>();
  readonly #heads = new Map<number, HeadView>();
  #tombstones = new Map<string, Tombstone>();
  readonly #recent = new Map<string, Recent>();
  readonly #hides: (tombstone: Tombstone, segment: Segment) => boolean;
  #recentBytes = 0;
  #removals = 0;

  /** `hides` says whether a tombstone hides its trace's rows in a segment. */
  constructor(hides: (tombstone: Tombstone, segment: Segment) => boolean) {
    this.#hides = hides;
  }

  /** How often something was taken away: a search that spans it has to begin again. */
  get removals(): number {
    return this.#removals;
  }

  segments(): Iterable<Segment> {
    return this.#segments.values();
  }

  heads(): Iterable<HeadView> {
    return this.#heads.values();
  }

  /** Adds a segment under a key of the caller's. */
  addSegment(key: string, segment: Segment): void {
    this.#segments.set(key, segment);
    this.#forget();
  }

  /** Closes and forgets a segment. */
  removeSegment(key: string): Segment | undefined {
    const segment = this.#segments.get(key);
    segment?.close();
    this.#segments.delete(key);
    this.#forget();
    this.#removals++;
    return segment;
  }

  /** Key of the segment that an error's text names, if there is one. */
  keyOfDamaged(message: string): string | undefined {
    for (const [key, segment] of this.#segments) {
      if (message.startsWith(`${segment.name}:`)) return key;
    }
    return undefined;
  }

  addHead(head: HeadView): void {
    this.#heads.set(head.epoch, head);
    this.#forget();
  }

  removeHead(epoch: number): void {
    this.#heads.delete(epoch);
    this.#forget();
    this.#removals++;
  }

  setTombstones(tombstones: readonly Tombstone[]): void {
    this.#tombstones = new Map(tombstones.map((one) => [toHex(one.traceId), one]));
    this.#forget();
    this.#removals++;
  }

  clear(): void {
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
    this.#heads.clear();
    this.#tombstones.clear();
    this.#forget();
    this.#removals++;
  }

  /** Whether anything may have been deleted. */
  get hasTombstones(): boolean {
    return this.#tombstones.size > 0;
  }

  tombstone(traceHex: string): Tombstone | undefined {
    return this.#tombstones.size === 0 ? undefined : this.#tombstones.get(traceHex);
  }

  /** Whether the trace's rows in a segment were deleted. */
  isHidden(traceHex: string, segment: Segment): boolean {
    const tombstone = this.tombstone(traceHex);
    return tombstone !== undefined && this.#hides(tombstone, segment);
  }

  /** Whether rows of the trace in a head's record at `offset` were deleted. */
  isDeleted(traceHex: string, epoch: number, offset: number): boolean {
    const tombstone = this.tombstone(traceHex);
    if (tombstone === undefined) return false;
    return epoch < tombstone.epoch || (epoch === tombstone.epoch && offset < tombstone.offset);
  }

  /** All rows of a trace without exact duplicates; none when it does not exist. */
  trace(traceId: Uint8Array): readonly RowRef[] {
    const hex = toHex(traceId);
    const headRows = this.#headRows(traceId);
    const known = this.#recent.get(hex);
    if (known !== undefined) {
      this.#drop(hex, known);
      if (known.headRows === headRows) return this.#keep(hex, known);
    }
    const found = this.#locate(traceId, hex, undefined);
    const rows = withoutDuplicates(found.rows);
    const sizeBytes = found.sizeBytes + rows.length * ROW_BYTES;
    return rows.length > RECENT_ROWS ? rows : this.#keep(hex, { rows, headRows, sizeBytes });
  }

  /** Remembers a trace as the one asked last. */
  #keep(hex: string, recent: Recent): readonly RowRef[] {
    this.#recent.set(hex, recent);
    this.#recentBytes += recent.sizeBytes;
    for (const [oldest, known] of this.#recent) {
      if (this.#recentBytes <= RECENT_BYTES) break;
      this.#drop(oldest, known);
    }
    return recent.rows;
  }

  #drop(hex: string, recent: Recent): void {
    this.#recent.delete(hex);
    this.#recentBytes -= recent.sizeBytes;
  }

  /** A source came or went: no trace need be as it was. */
  #forget(): void {
    this.#recent.clear();
    this.#recentBytes = 0;
  }

  /** Rows of a trace written at or after a place (segments that reach it are repeated whole). */
  traceSince(traceId: Uint8Array, epoch: number, offset: number): readonly RowRef[] {
    return withoutDuplicates(this.#locate(traceId, toHex(traceId), { epoch, offset }).rows);
  }

  /** Rows of the trace in all heads. */
  #headRows(traceId: Uint8Array): number {
    let rows = 0;
    for (const head of this.#heads.values()) rows += head.rowsOfTrace(traceId).length;
    return rows;
  }

  /** The rows, and the bytes of memory made for them (rows of heads lie where they are). */
  #locate(
    traceId: Uint8Array,
    hex: string,
    since: { readonly epoch: number; readonly offset: number } | undefined,
  ): { readonly rows: RowRef[]; readonly sizeBytes: number } {
    const rows: RowRef[] = [];
    let sizeBytes = 0;
    for (const segment of this.#segments.values()) {
      if (since !== undefined && segment.epoch < since.epoch) continue;
      if (this.isHidden(hex, segment)) continue;
      for (const batch of segmentTrace(segment, traceId)) {
        pushAll(rows, batch);
        sizeBytes += batch.image.length + VIEWS_BYTES;
      }
    }
    for (const head of this.#heads.values()) {
      if (since !== undefined && head.epoch < since.epoch) continue;
      for (const { entry, row } of head.rowsOfTrace(traceId)) {
        const { batch, at } = entry;
        if (since !== undefined && head.epoch === since.epoch && at < since.offset) continue;
        if (!this.isDeleted(hex, head.epoch, at)) rows.push({ batch, row });
      }
    }
    return { rows, sizeBytes };
  }
}

function pushAll(rows: RowRef[], batch: SpanBatch): void {
  for (let row = 0; row < batch.spanCount; row++) rows.push({ batch, row });
}

/** Leaves out rows that are the same span as an earlier one. */
function withoutDuplicates(rows: RowRef[]): RowRef[] {
  if (rows.length < 2) return rows;
  const first = rows[0]!.batch;
  // Rows of one segment alone were made distinct when it was sealed.
  if (first.spanCount === rows.length && rows.every((at) => at.batch === first)) return rows;
  if (rows.length > MANY_ROWS && haveOwnIds(rows)) return rows;
  const bySpan = new Map<string, RowRef[]>();
  return rows.filter((at) => {
    const hex = toHex(at.batch.spanId, at.row * 8, 8);
    const same = bySpan.get(hex);
    if (same === undefined) {
      bySpan.set(hex, [at]);
      return true;
    }
    if (same.some((other) => sameSpan(other.batch, other.row, at.batch, at.row))) return false;
    same.push(at);
    return true;
  });
}

/** Whether no two rows have the same span id: then no two are the same span. */
function haveOwnIds(rows: readonly RowRef[]): boolean {
  const ids = new Uint8Array(rows.length * 8);
  for (let r = 0; r < rows.length; r++) {
    const { batch, row } = rows[r]!;
    for (let i = 0; i < 8; i++) ids[r * 8 + i] = batch.spanId[row * 8 + i]!;
  }
  return new SpanIdIndex(idWords(ids)).duplicateCount === 0;
}
