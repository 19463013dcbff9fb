/** The traces in memory: rows of copied batches by trace, oldest trace first. */

import { toHex } from "../../base/bytes.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import type { WriteResult } from "../../core/store.ts";
import { sameSpan } from "../../core/trace/span-content.ts";
import type { RowRef } from "../../core/trace/span-content.ts";

/** A stored span; `sequence` grows from span to span over the store's life. */
export interface StoredRow extends RowRef {
  readonly sequence: number;
}

/** One trace: its rows in order of arrival, and the same by span id, to find duplicates. */
export interface StoredTrace {
  readonly traceId: Uint8Array;
  readonly rows: StoredRow[];
  readonly rowsOfSpan: Map<string, StoredRow[]>;
}

/** All live traces. */
export class TraceTable {
  /** By hex id, in order of their first span's arrival. */
  readonly byHex = new Map<string, StoredTrace>();
  /** Sequence of the row written last. */
  sequence = 0;
  readonly #maxTraces: number;
  readonly #onEvicted: (spans: number) => void;

  /** `maxTraces` 0 keeps all. */
  constructor(maxTraces: number, onEvicted: (spans: number) => void) {
    this.#maxTraces = maxTraces;
    this.#onEvicted = onEvicted;
  }

  /** Adds a copy of the batch's spans but those that are there. */
  add(sent: SpanBatch): WriteResult {
    const batch = viewBatch(sent.image.slice());
    let stored = 0;
    for (let row = 0; row < batch.spanCount; row++) if (this.addRow(batch, row)) stored++;
    return { stored, deduplicated: batch.spanCount - stored };
  }

  /** Adds a row of a batch that nobody will change; false when the span is there already. */
  addRow(batch: SpanBatch, row: number): boolean {
    const trace = this.#traceOf(batch, row);
    const spanHex = toHex(batch.spanId, row * 8, 8);
    let sameId = trace.rowsOfSpan.get(spanHex);
    if (sameId === undefined) trace.rowsOfSpan.set(spanHex, (sameId = []));
    if (sameId.some((known) => sameSpan(known.batch, known.row, batch, row))) return false;
    const stored = { batch, row, sequence: ++this.sequence };
    sameId.push(stored);
    trace.rows.push(stored);
    return true;
  }

  #traceOf(batch: SpanBatch, row: number): StoredTrace {
    const traceHex = toHex(batch.traceId, row * 16, 16);
    let trace = this.byHex.get(traceHex);
    if (trace === undefined) {
      const traceId = batch.traceId.slice(row * 16, row * 16 + 16);
      trace = { traceId, rows: [], rowsOfSpan: new Map() };
      this.byHex.set(traceHex, trace);
      if (this.#maxTraces > 0 && this.byHex.size > this.#maxTraces) this.#evictOldest();
    }
    return trace;
  }

  #evictOldest(): void {
    const [oldestHex, oldest] = this.byHex.entries().next().value!;
    this.byHex.delete(oldestHex);
    this.#onEvicted(oldest.rows.length);
  }
}
