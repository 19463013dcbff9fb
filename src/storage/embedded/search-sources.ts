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

/** Traces whose rows are kept, because a search is followed by reading what it found. */
const RECENT_TRACES = 64;
/** Larger traces are not kept. */
const RECENT_ROWS = 4096;
/** Beyond it span ids are compared as numbers first: a text for each is slow. */
const MANY_ROWS = 1024;

interface Recent {
  readonly version: number;
  readonly rows: readonly RowRef[];
}

/** The open sources of one kind (live, or archived) and what is deleted of them. */
export class Sources {
  readonly #segments = new Map<string, Segment>();
  readonly #heads = new Map<number, HeadView>();
  #tombstones = new Map<string, Tombstone>();
  readonly #recent = new Map<string, Recent>();
  readonly #hides: (tombstone: Tombstone, segment: Segment) => boolean;
  #changes = 0;
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
    this.#changes++;
  }

  /** Closes and forgets a segment. */
  removeSegment(key: string): Segment | undefined {
    const segment = this.#segments.get(key);
    segment?.close();
    this.#segments.delete(key);
    this.#changes++;
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
    this.#changes++;
  }

  removeHead(epoch: number): void {
    this.#heads.delete(epoch);
    this.#changes++;
    this.#removals++;
  }

  setTombstones(tombstones: readonly Tombstone[]): void {
    this.#tombstones = new Map(tombstones.map((one) => [toHex(one.traceId), one]));
    this.#changes++;
    this.#removals++;
  }

  clear(): void {
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
    this.#heads.clear();
    this.#tombstones.clear();
    this.#recent.clear();
    this.#changes++;
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
    const version = this.#version();
    const known = this.#recent.get(hex);
    if (known !== undefined && known.version === version) return known.rows;
    const rows = withoutDuplicates(this.#locate(traceId, hex, undefined));
    this.#recent.delete(hex);
    if (rows.length <= RECENT_ROWS) {
      this.#recent.set(hex, { version, rows });
      if (this.#recent.size > RECENT_TRACES) {
        this.#recent.delete(this.#recent.keys().next().value!);
      }
    }
    return rows;
  }

  /** Rows of a trace written at or after a place (segments that reach it are repeated whole). */
  traceSince(traceId: Uint8Array, epoch: number, offset: number): readonly RowRef[] {
    return withoutDuplicates(this.#locate(traceId, toHex(traceId), { epoch, offset }));
  }

  /** Changes whenever any row may have been added or taken away. */
  #version(): number {
    let version = this.#changes * 4096;
    for (const head of this.#heads.values()) version += head.durableEnd;
    return version;
  }

  #locate(
    traceId: Uint8Array,
    hex: string,
    since: { readonly epoch: number; readonly offset: number } | undefined,
  ): RowRef[] {
    const rows: RowRef[] = [];
    for (const segment of this.#segments.values()) {
      if (since !== undefined && segment.epoch < since.epoch) continue;
      if (this.isHidden(hex, segment)) continue;
      for (const batch of segmentTrace(segment, traceId)) pushAll(rows, batch);
    }
    for (const head of this.#heads.values()) {
      if (since !== undefined && head.epoch < since.epoch) continue;
      for (const { entry, row } of head.rowsOfTrace(traceId)) {
        const { batch, at } = entry;
        if (since !== undefined && head.epoch === since.epoch && at < since.offset) continue;
        if (!this.isDeleted(hex, head.epoch, at)) rows.push({ batch, row });
      }
    }
    return rows;
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
