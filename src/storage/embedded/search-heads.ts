/** Heads as the search sees them: batches over shared memory, up to what is durable. */

import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { CONTROL } from "./arena.ts";
import type { HeadSource } from "./search-change.ts";
import { WAL, WalView, walkRecords } from "./wal-format.ts";

/** A durable batch of a head, with bounds over its rows (µs, ns). */
export interface HeadBatch {
  readonly batch: SpanBatch;
  /** Offset of its record. */
  readonly at: number;
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
}

/** One head; `batches` grows as records become durable. */
export class HeadView {
  readonly epoch: number;
  readonly #view: WalView;
  readonly #control: Int32Array;
  readonly #batches: HeadBatch[] = [];
  #seen: number = WAL.fileHeaderBytes;

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
        this.#batches.push(bounded(viewBatch(record.payload), record.at));
      });
      this.#seen = end;
    }
    return this.#batches;
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
  return { batch, at, minStartUs, maxStartUs, minDurationNs, maxDurationNs };
}

/** Calls `visit` with the rows of a trace in a batch. */
export function rowsOfTrace(
  batch: SpanBatch,
  words: readonly [number, number, number, number],
  visit: (row: number) => void,
): void {
  const ids = new Uint32Array(batch.traceId.buffer, batch.traceId.byteOffset, batch.spanCount * 4);
  const [a, b, c, d] = words;
  for (let i = 0, row = 0; i < ids.length; i += 4, row++) {
    if (ids[i + 3] !== d || ids[i] !== a || ids[i + 1] !== b || ids[i + 2] !== c) continue;
    visit(row);
  }
}

/** The words of a trace id as `rowsOfTrace` compares them. */
export function wordsOf(traceId: Uint8Array): [number, number, number, number] {
  const copy = traceId.slice(0, 16);
  const words = new Uint32Array(copy.buffer, 0, 4);
  return [words[0]!, words[1]!, words[2]!, words[3]!];
}
