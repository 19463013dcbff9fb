/** Row order of a segment: traces by their first start, a trace's rows together. Bench: seal. */

import { mix32 } from "../../base/hash.ts";
import type { SpanBatch } from "../../core/batch.ts";

/** Rows of several batches in segment order. `n` rows, `traces` traces. */
export interface RowOrder {
  readonly rows: number;
  readonly traces: number;
  /** Source of row `p`: index of its batch, and row within that. */
  readonly batchOf: Uint32Array;
  readonly rowOf: Uint32Array;
  /** Start of each row. */
  readonly startUs: Float64Array;
  /** Trace `t` (in order) has the rows `traceStart[t] ..< traceStart[t + 1]`. */
  readonly traceStart: Uint32Array;
}

interface Grouped {
  readonly traces: number;
  /** Trace of each source row, in order of sight. */
  readonly traceOf: Uint32Array;
  readonly counts: Uint32Array;
  readonly firstStartUs: Float64Array;
  /** Four words of id a trace. */
  readonly words: Uint32Array;
}

/** The id words of a batch's traces: 4 a span, in machine order (only compared, never shown). */
export function traceWords(batch: SpanBatch): Uint32Array {
  return new Uint32Array(batch.traceId.buffer, batch.traceId.byteOffset, batch.spanCount * 4);
}

/** Two words a span of its id (or parent id). */
export function idWords(ids: Uint8Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, ids.length >> 2);
}

/** Orders the rows of `batches`: by (first start of the trace, sight), then start, then span id. */
export function orderRows(batches: readonly SpanBatch[]): RowOrder {
  let rows = 0;
  for (const batch of batches) rows += batch.spanCount;
  const grouped = groupByTrace(batches, rows);
  const { traces, counts, firstStartUs } = grouped;
  const byStart = new Uint32Array(traces);
  for (let t = 0; t < traces; t++) byStart[t] = t;
  byStart.sort((a, b) => firstStartUs[a]! - firstStartUs[b]! || a - b);
  const traceStart = new Uint32Array(traces + 1);
  const next = new Uint32Array(traces);
  let at = 0;
  for (let rank = 0; rank < traces; rank++) {
    const trace = byStart[rank]!;
    traceStart[rank] = at;
    next[trace] = at;
    at += counts[trace]!;
  }
  traceStart[traces] = at;
  const batchOf = new Uint32Array(rows);
  const rowOf = new Uint32Array(rows);
  const startUs = new Float64Array(rows);
  let g = 0;
  for (let b = 0; b < batches.length; b++) {
    const batch = batches[b]!;
    g = place(batch, b, g, grouped.traceOf, next, batchOf, rowOf, startUs);
  }
  for (let t = 0; t < traces; t++) {
    sortTrace(batches, batchOf, rowOf, startUs, traceStart[t]!, traceStart[t + 1]!);
  }
  return { rows, traces, batchOf, rowOf, startUs, traceStart };
}

function place(
  batch: SpanBatch,
  b: number,
  g: number,
  traceOf: Uint32Array,
  next: Uint32Array,
  batchOf: Uint32Array,
  rowOf: Uint32Array,
  startUs: Float64Array,
): number {
  const n = batch.spanCount;
  const starts = batch.startUs;
  for (let r = 0; r < n; r++) {
    const p = next[traceOf[g + r]!]!++;
    batchOf[p] = b;
    rowOf[p] = r;
    startUs[p] = starts[r]!;
  }
  return g + n;
}

function groupByTrace(batches: readonly SpanBatch[], rows: number): Grouped {
  let slots = 1024;
  while (slots < rows * 2) slots *= 2;
  const table = new Int32Array(slots);
  const mask = slots - 1;
  const traceOf = new Uint32Array(rows);
  const words = new Uint32Array(rows * 4);
  const counts = new Uint32Array(rows);
  const firstStartUs = new Float64Array(rows);
  let traces = 0;
  let g = 0;
  for (const batch of batches) {
    traces = groupBatch(batch, g, traces, table, mask, traceOf, words, counts, firstStartUs);
    g += batch.spanCount;
  }
  return { traces, traceOf, counts, firstStartUs, words };
}

function groupBatch(
  batch: SpanBatch,
  g: number,
  known: number,
  table: Int32Array,
  mask: number,
  traceOf: Uint32Array,
  words: Uint32Array,
  counts: Uint32Array,
  firstStartUs: Float64Array,
): number {
  const ids = traceWords(batch);
  const n = batch.spanCount;
  const starts = batch.startUs;
  let traces = known;
  for (let r = 0; r < n; r++) {
    const a = ids[r * 4]!;
    const b = ids[r * 4 + 1]!;
    const c = ids[r * 4 + 2]!;
    const d = ids[r * 4 + 3]!;
    let slot = mix32(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca77) ^ (d * 3)) & mask;
    let trace = -1;
    for (;;) {
      trace = table[slot]! - 1;
      if (trace < 0) break;
      const w = trace * 4;
      const same = words[w] === a && words[w + 1] === b && words[w + 2] === c;
      if (same && words[w + 3] === d) break;
      slot = (slot + 1) & mask;
    }
    const start = starts[r]!;
    if (trace < 0) {
      trace = traces++;
      table[slot] = trace + 1;
      words[trace * 4] = a;
      words[trace * 4 + 1] = b;
      words[trace * 4 + 2] = c;
      words[trace * 4 + 3] = d;
      firstStartUs[trace] = start;
    } else if (start < firstStartUs[trace]!) firstStartUs[trace] = start;
    counts[trace]!++;
    traceOf[g + r] = trace;
  }
  return traces;
}

const INSERTION_ROWS = 64;

function sortTrace(
  batches: readonly SpanBatch[],
  batchOf: Uint32Array,
  rowOf: Uint32Array,
  startUs: Float64Array,
  from: number,
  to: number,
): void {
  if (to - from > INSERTION_ROWS) {
    sortLargeTrace(batches, batchOf, rowOf, startUs, from, to);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const start = startUs[i]!;
    const b = batchOf[i]!;
    const r = rowOf[i]!;
    let j = i - 1;
    while (j >= from) {
      const other = startUs[j]!;
      if (other < start) break;
      if (other === start && compareTies(batches, batchOf[j]!, rowOf[j]!, b, r) <= 0) break;
      startUs[j + 1] = other;
      batchOf[j + 1] = batchOf[j]!;
      rowOf[j + 1] = rowOf[j]!;
      j--;
    }
    startUs[j + 1] = start;
    batchOf[j + 1] = b;
    rowOf[j + 1] = r;
  }
}

function sortLargeTrace(
  batches: readonly SpanBatch[],
  batchOf: Uint32Array,
  rowOf: Uint32Array,
  startUs: Float64Array,
  from: number,
  to: number,
): void {
  const order = new Uint32Array(to - from);
  for (let i = 0; i < order.length; i++) order[i] = from + i;
  order.sort((x, y) => {
    const difference = startUs[x]! - startUs[y]!;
    if (difference !== 0) return difference;
    return compareTies(batches, batchOf[x]!, rowOf[x]!, batchOf[y]!, rowOf[y]!) || x - y;
  });
  const b = Uint32Array.from(order, (p) => batchOf[p]!);
  const r = Uint32Array.from(order, (p) => rowOf[p]!);
  const s = Float64Array.from(order, (p) => startUs[p]!);
  batchOf.set(b, from);
  rowOf.set(r, from);
  startUs.set(s, from);
}

/** Order of two rows with the same start µs: by ns, then span id as bytes. */
function compareTies(
  batches: readonly SpanBatch[],
  b1: number,
  r1: number,
  b2: number,
  r2: number,
): number {
  const one = batches[b1]!;
  const two = batches[b2]!;
  const ns = one.startNs[r1]! - two.startNs[r2]!;
  if (ns !== 0) return ns;
  for (let i = 0; i < 8; i++) {
    const difference = one.spanId[r1 * 8 + i]! - two.spanId[r2 * 8 + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
