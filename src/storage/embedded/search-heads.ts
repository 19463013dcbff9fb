/** Heads as the search sees them: batches over shared memory, up to what is durable. */

import { equalBytes } from "../../base/bytes.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { dictText } from "../../core/read.ts";
import { CONTROL } from "./arena.ts";
import type { HeadSource } from "./search-change.ts";
import { traceHash } from "./segment-format.ts";
import { WAL, WalView, walkRecords } from "./wal-format.ts";

/** Buckets of a head's index of traces: 131,072 rows make chains of eight. */
const TRACE_BUCKETS = 16_384;

/** An operation and the service that has it. */
export interface NamedOperation {
  readonly service: string;
  readonly name: string;
  readonly kind: number;
}

/** A durable batch of a head, with bounds over its rows (µs, ns). */
export interface HeadBatch {
  readonly batch: SpanBatch;
  /** The bytes of its dictionary, to be searched. */
  readonly texts: Buffer;
  /** Offset of its record. */
  readonly at: number;
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
}

/** A row of a head's batch. */
export interface HeadRow {
  readonly entry: HeadBatch;
  readonly row: number;
}

/** One head; `batches` grows as records become durable. */
export class HeadView {
  readonly epoch: number;
  readonly #view: WalView;
  readonly #control: Int32Array;
  readonly #batches: HeadBatch[] = [];
  /** First row of each batch. */
  readonly #base: number[] = [];
  #rows = 0;
  #seen: number = WAL.fileHeaderBytes;
  /** Rows by hash of their trace id: last row of each bucket + 1, and the row before it + 1. */
  readonly #buckets = new Int32Array(TRACE_BUCKETS);
  #before = new Int32Array(4096);
  #indexed = 0;
  readonly #operations = new Map<string, NamedOperation>();
  #named = 0;

  constructor(source: HeadSource) {
    this.epoch = source.epoch;
    this.#view = new WalView(new Uint8Array(source.memory));
    this.#control = new Int32Array(source.control);
  }

  /** Bytes that readers may look at. */
  get durableEnd(): number {
    return Atomics.load(this.#control, CONTROL.durableEnd);
  }

  /** All durable batches, oldest first. */
  batches(): readonly HeadBatch[] {
    const end = this.durableEnd;
    if (end > this.#seen) {
      walkRecords(this.#view, this.#seen, end, (record) => {
        if (record.magic !== WAL.batchMagic || record.spans === 0) return;
        const entry = bounded(viewBatch(record.payload), record.at);
        this.#base.push(this.#rows);
        this.#batches.push(entry);
        this.#rows += entry.batch.spanCount;
      });
      this.#seen = end;
    }
    return this.#batches;
  }

  /** Durable rows of a trace, oldest first. */
  rowsOfTrace(traceId: Uint8Array): HeadRow[] {
    this.#index();
    const found: HeadRow[] = [];
    let at = this.#buckets[traceHash(traceId, 0) & (TRACE_BUCKETS - 1)]!;
    let b = this.#batches.length - 1;
    for (; at !== 0; at = this.#before[at - 1]!) {
      while (this.#base[b]! > at - 1) b--;
      const entry = this.#batches[b]!;
      const row = at - 1 - this.#base[b]!;
      if (equalBytes(entry.batch.traceId, row * 16, traceId, 0, 16)) found.push({ entry, row });
    }
    return found.reverse();
  }

  /** Distinct service, name, kind of the durable rows. */
  operations(): Iterable<NamedOperation> {
    const batches = this.batches();
    for (; this.#named < batches.length; this.#named++) {
      const { batch } = batches[this.#named]!;
      const seen = new Set<number>();
      for (let row = 0; row < batch.spanCount; row++) {
        const service = batch.resourceServiceId[batch.resourceRow[row]!]!;
        const cell = (service * batch.dictCount + batch.nameId[row]!) * 256 + batch.kind[row]!;
        if (seen.has(cell)) continue;
        seen.add(cell);
        this.#name(batch, service, row);
      }
    }
    return this.#operations.values();
  }

  #name(batch: SpanBatch, serviceId: number, row: number): void {
    const service = dictText(batch, serviceId);
    const name = dictText(batch, batch.nameId[row]!);
    const kind = batch.kind[row]!;
    const key = `${kind} ${service.length} ${service}${name}`;
    if (!this.#operations.has(key)) this.#operations.set(key, { service, name, kind });
  }

  #index(): void {
    const batches = this.batches();
    if (this.#before.length < this.#rows) {
      const bigger = new Int32Array(Math.max(this.#rows, this.#before.length * 2));
      bigger.set(this.#before);
      this.#before = bigger;
    }
    for (; this.#indexed < batches.length; this.#indexed++) {
      const { traceId, spanCount } = batches[this.#indexed]!.batch;
      const base = this.#base[this.#indexed]!;
      for (let row = 0; row < spanCount; row++) {
        const bucket = traceHash(traceId, row * 16) & (TRACE_BUCKETS - 1);
        this.#before[base + row] = this.#buckets[bucket]!;
        this.#buckets[bucket] = base + row + 1;
      }
    }
  }
}

function bounded(batch: SpanBatch, at: number): HeadBatch {
  let minStartUs = Infinity;
  let maxStartUs = -Infinity;
  let minDurationNs = Infinity;
  let maxDurationNs = -Infinity;
  const { startUs, durationNs } = batch;
  for (let i = 0; i < batch.spanCount; i++) {
    const start = startUs[i]!;
    const duration = durationNs[i]!;
    if (start < minStartUs) minStartUs = start;
    if (start > maxStartUs) maxStartUs = start;
    if (duration < minDurationNs) minDurationNs = duration;
    if (duration > maxDurationNs) maxDurationNs = duration;
  }
  const { buffer, byteOffset, length } = batch.dictBytes;
  const texts = Buffer.from(buffer, byteOffset, length);
  return { batch, texts, at, minStartUs, maxStartUs, minDurationNs, maxDurationNs };
}
