/** What a search says of one trace, computed from all its rows; every store's answer is this. */

import { compareBytes, compareTexts, isZero } from "../../base/bytes.ts";
import { STATUS_CODE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { dictText, exactDurationNs, exactStartNs, serviceOf } from "../read.ts";
import type { TraceSummary } from "../store.ts";
import type { RowRef } from "./span-content.ts";

/** All rows of batches, in order. */
export function rowsOf(batches: readonly SpanBatch[]): RowRef[] {
  const rows: RowRef[] = [];
  for (const batch of batches) {
    for (let row = 0; row < batch.spanCount; row++) rows.push({ batch, row });
  }
  return rows;
}

/** Summary of the trace that has exactly these rows (one at least), found by `match`. */
export function summarize(rows: readonly RowRef[], match: RowRef): TraceSummary {
  const spanIds = new Set(rows.map(({ batch, row }) => idKey(batch.spanId, row)));
  const services = new Map<string, { name: string; spanCount: number; errorCount: number }>();
  let first: RowRef | undefined;
  let root: RowRef | undefined;
  let endUs = -Infinity;
  let errorCount = 0;
  let orphanCount = 0;
  for (const at of rows) {
    const { batch, row } = at;
    const name = serviceOf(batch, row);
    let service = services.get(name);
    if (service === undefined) services.set(name, (service = counted(name)));
    service.spanCount++;
    if (batch.status[row] === STATUS_CODE.ERROR) {
      service.errorCount++;
      errorCount++;
    }
    const isRoot = isZero(batch.parentSpanId, row * 8, 8);
    if (!isRoot && !spanIds.has(idKey(batch.parentSpanId, row))) orphanCount++;
    if (first === undefined || compareEarliest(at, first) < 0) first = at;
    if (isRoot && (root === undefined || compareEarliest(at, root) < 0)) root = at;
    endUs = Math.max(endUs, endOf(batch, row));
  }
  const shown = root ?? first!;
  return {
    traceId: match.batch.traceId.slice(match.row * 16, match.row * 16 + 16),
    rootService: serviceOf(shown.batch, shown.row),
    rootName: dictText(shown.batch, shown.batch.nameId[shown.row]!),
    startUs: first!.batch.startUs[first!.row]!,
    endUs,
    spanCount: rows.length,
    errorCount,
    orphanCount,
    services: [...services.values()].sort((a, b) => compareTexts(a.name, b.name)),
    matchSpanId: match.batch.spanId.slice(match.row * 8, match.row * 8 + 8),
    matchStartUs: match.batch.startUs[match.row]!,
    matchStartNs: match.batch.startNs[match.row]!,
    matchDurationNs: match.batch.durationNs[match.row]!,
  };
}

function counted(name: string): { name: string; spanCount: number; errorCount: number } {
  return { name, spanCount: 0, errorCount: 0 };
}

/** A span id as a key of a set: two words in one number would not be exact, hence text. */
function idKey(ids: Uint8Array, row: number): string {
  const at = row * 8;
  const high = (ids[at]! << 24) | (ids[at + 1]! << 16) | (ids[at + 2]! << 8) | ids[at + 3]!;
  const low = (ids[at + 4]! << 24) | (ids[at + 5]! << 16) | (ids[at + 6]! << 8) | ids[at + 7]!;
  return `${high},${low}`;
}

/** End of a span, whole µs rounded down. */
function endOf(batch: SpanBatch, row: number): number {
  if (batch.rare[row] === 0) {
    const ns = batch.startNs[row]! + batch.durationNs[row]!;
    return batch.startUs[row]! + Math.floor(ns / 1000);
  }
  const ns = exactStartNs(batch, row) + exactDurationNs(batch, row);
  return Number(ns % 1000n < 0n ? ns / 1000n - 1n : ns / 1000n);
}

/** Orders by exact start, then span id, service, name: which of two spans is the earlier. */
function compareEarliest(a: RowRef, b: RowRef): number {
  const x = a.batch;
  const y = b.batch;
  if (x.rare[a.row] === 0 && y.rare[b.row] === 0) {
    const order = x.startUs[a.row]! - y.startUs[b.row]! || x.startNs[a.row]! - y.startNs[b.row]!;
    if (order !== 0) return order;
  } else {
    const [start, other] = [exactStartNs(x, a.row), exactStartNs(y, b.row)];
    if (start !== other) return start < other ? -1 : 1;
  }
  return (
    compareBytes(
      x.spanId.subarray(a.row * 8, a.row * 8 + 8),
      y.spanId.subarray(b.row * 8, b.row * 8 + 8),
    ) ||
    compareTexts(serviceOf(x, a.row), serviceOf(y, b.row)) ||
    compareTexts(dictText(x, x.nameId[a.row]!), dictText(y, y.nameId[b.row]!))
  );
}
