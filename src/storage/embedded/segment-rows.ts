/** Plain columns of all rows of several batches, one after the other: what is copied as it is. */

import type { SpanBatch } from "../../core/batch.ts";
import { idWords } from "./segment-order.ts";

/** Row `g` counts over the batches in order. */
export interface PlainRows {
  readonly startUs: Float64Array;
  readonly startNs: Uint16Array;
  readonly durationNs: Float64Array;
  readonly status: Uint8Array;
  /** Two words a row, as they lie in memory. */
  readonly spanWords: Uint32Array;
  readonly parentWords: Uint32Array;
  /** 1 where the row has something that is kept with the rest. */
  readonly rest: Uint8Array;
}

/** Copies the plain columns of `batches`, whose first rows are `base`. */
export function plainRows(batches: readonly SpanBatch[], base: Uint32Array): PlainRows {
  const rows = base[batches.length]!;
  const plain: PlainRows = {
    startUs: new Float64Array(rows),
    startNs: new Uint16Array(rows),
    durationNs: new Float64Array(rows),
    status: new Uint8Array(rows),
    spanWords: new Uint32Array(rows * 2),
    parentWords: new Uint32Array(rows * 2),
    rest: new Uint8Array(rows),
  };
  batches.forEach((batch, b) => {
    const at = base[b]!;
    plain.startUs.set(batch.startUs, at);
    plain.startNs.set(batch.startNs, at);
    plain.durationNs.set(batch.durationNs, at);
    plain.status.set(batch.status, at);
    plain.spanWords.set(idWords(batch.spanId), at * 2);
    plain.parentWords.set(idWords(batch.parentSpanId), at * 2);
    markRest(batch, plain.rest, at);
  });
  return plain;
}

/** 1 for each row that has something which is kept with the rest: events, links, rare things. */
function markRest(batch: SpanBatch, rest: Uint8Array, at: number): void {
  const { eventOffsets, linkOffsets, rare, traceStateId, statusMessageId } = batch;
  for (let r = 0; r < batch.spanCount; r++) {
    const events = eventOffsets[r + 1]! - eventOffsets[r]!;
    const links = linkOffsets[r + 1]! - linkOffsets[r]!;
    const any = events | links | rare[r]! | traceStateId[r]! | statusMessageId[r]!;
    rest[at + r] = any === 0 ? 0 : 1;
  }
}
