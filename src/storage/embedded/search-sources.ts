/** What a search reads: segments, heads and tombstones, and whole traces put together of them. */

import { toHex } from "../../base/bytes.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import type { HeadView } from "./search-heads.ts";
import { countRows, withoutDuplicates } from "./search-pieces.ts";
import type { FoundTrace, TracePiece } from "./search-pieces.ts";
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
/** Making a builder costs more than copying a small trace: one is kept, unless a giant grew it. */
const KEPT_SPANS = 4096;

/** A trace as it was, and is while no source came or went and heads have as many rows of it. */
interface Recent {
  readonly trace: FoundTrace;
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
  /** For the copies of the next trace. */
  #builder: BatchBuilder | undefined;

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

  /** A trace; without rows when it does not exist. */
  trace(traceId: Uint8Array): FoundTrace {
    const hex = toHex(traceId);
    const headRows = this.#headRows(traceId);
    const known = this.#recent.get(hex);
    if (known !== undefined) {
      this.#drop(hex, known);
      if (known.headRows === headRows) return this.#keep(hex, known);
    }
    const pieces = this.#locate(traceId, hex, undefined);
    const spanCount = countRows(pieces);
    const trace = { pieces, spanCount, isKept: spanCount <= RECENT_ROWS };
    return trace.isKept ? this.#keep(hex, { trace, headRows, sizeBytes: sizeOf(trace) }) : trace;
  }

  /** Remembers a trace as the one asked last. */
  #keep(hex: string, recent: Recent): FoundTrace {
    this.#recent.set(hex, recent);
    this.#recentBytes += recent.sizeBytes;
    for (const [oldest, known] of this.#recent) {
      if (this.#recentBytes <= RECENT_BYTES) break;
      this.#drop(oldest, known);
    }
    return recent.trace;
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
  traceSince(traceId: Uint8Array, epoch: number, offset: number): readonly TracePiece[] {
    return this.#locate(traceId, toHex(traceId), { epoch, offset });
  }

  /** Rows of the trace in all heads. */
  #headRows(traceId: Uint8Array): number {
    let rows = 0;
    for (const head of this.#heads.values()) rows += head.rowsOfTrace(traceId).length;
    return rows;
  }

  /** The trace without exact duplicates. */
  #locate(
    traceId: Uint8Array,
    hex: string,
    since: { readonly epoch: number; readonly offset: number } | undefined,
  ): readonly TracePiece[] {
    const builder = this.#builder ?? new BatchBuilder();
    // Taken while in use: an error half-way leaves none behind in a bad state.
    this.#builder = undefined;
    const pieces: TracePiece[] = [];
    let segments = 0;
    for (const segment of this.#segments.values()) {
      if (since !== undefined && segment.epoch < since.epoch) continue;
      if (this.isHidden(hex, segment)) continue;
      const before = pieces.length;
      for (const batch of segmentTrace(segment, traceId, builder)) {
        pieces.push({ batch, rows: undefined, isOwn: true });
      }
      if (pieces.length > before) segments++;
    }
    if (builder.capacity <= KEPT_SPANS) this.#builder = builder;
    const sealed = pieces.length;
    for (const head of this.#heads.values()) {
      if (since !== undefined && head.epoch < since.epoch) continue;
      this.#locateInHead(
        head,
        traceId,
        hex,
        since?.epoch === head.epoch ? since.offset : 0,
        pieces,
      );
    }
    // Rows of one segment alone were made distinct when it was sealed.
    return segments <= 1 && pieces.length === sealed ? pieces : withoutDuplicates(pieces);
  }

  /** Adds the trace's rows of a head's records from an offset on, a batch a piece. */
  #locateInHead(
    head: HeadView,
    traceId: Uint8Array,
    hex: string,
    offset: number,
    pieces: TracePiece[],
  ): void {
    let batch: SpanBatch | undefined;
    let rows: number[] = [];
    const end = (): void => {
      if (batch === undefined) return;
      const all = rows.length === batch.spanCount;
      pieces.push({ batch, rows: all ? undefined : rows, isOwn: false });
    };
    for (const { entry, row } of head.rowsOfTrace(traceId)) {
      if (entry.at < offset || this.isDeleted(hex, head.epoch, entry.at)) continue;
      if (entry.batch !== batch) {
        end();
        batch = entry.batch;
        rows = [];
      }
      rows.push(row);
    }
    end();
  }
}

/** Bytes of memory that a kept trace takes; rows of heads lie where they are. */
function sizeOf({ pieces, spanCount }: FoundTrace): number {
  let sizeBytes = spanCount * ROW_BYTES;
  for (const { batch, isOwn } of pieces) if (isOwn) sizeBytes += batch.image.length + VIEWS_BYTES;
  return sizeBytes;
}
