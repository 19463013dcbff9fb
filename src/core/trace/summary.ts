/** What a search says of one trace, computed from all its rows; every store's answer is this. */

import { compareBytes, compareTexts, isZero, toHex } from "../../base/bytes.ts";
import { mix32 } from "../../base/hash.ts";
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
  const spanIds = new IdSet(rows.length);
  for (const { batch, row } of rows) spanIds.add(batch.spanId, row);
  const services = new ServiceCounts();
  let first: RowRef | undefined;
  let root: RowRef | undefined;
  let endUs = -Infinity;
  let errorCount = 0;
  let orphanCount = 0;
  for (const at of rows) {
    const { batch, row } = at;
    const service = services.of(batch, batch.resourceRow[row]!);
    service.spanCount++;
    if (batch.status[row] === STATUS_CODE.ERROR) {
      service.errorCount++;
      errorCount++;
    }
    const isRoot = isZero(batch.parentSpanId, row * 8, 8);
    if (!isRoot && !spanIds.has(batch.parentSpanId, row)) orphanCount++;
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
    services: services.inOrder(),
    matchSpanId: match.batch.spanId.slice(match.row * 8, match.row * 8 + 8),
    matchStartUs: match.batch.startUs[match.row]!,
    matchStartNs: match.batch.startNs[match.row]!,
    matchDurationNs: match.batch.durationNs[match.row]!,
  };
}

interface ServiceCount {
  readonly name: string;
  spanCount: number;
  errorCount: number;
}

/** Counts by service; a text is decoded once a resource, not once a span. */
class ServiceCounts {
  readonly #byName = new Map<string, ServiceCount>();
  readonly #ofBatch = new Map<SpanBatch, (ServiceCount | undefined)[]>();
  #batch: SpanBatch | undefined;
  #byResource: (ServiceCount | undefined)[] = [];

  of(batch: SpanBatch, resource: number): ServiceCount {
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#byResource = this.#ofBatch.get(batch) ?? [];
      this.#ofBatch.set(batch, this.#byResource);
    }
    return (this.#byResource[resource] ??= this.#named(
      dictText(batch, batch.resourceServiceId[resource]!),
    ));
  }

  inOrder(): ServiceCount[] {
    return [...this.#byName.values()].sort((a, b) => compareTexts(a.name, b.name));
  }

  #named(name: string): ServiceCount {
    let count = this.#byName.get(name);
    if (count === undefined) {
      count = { name, spanCount: 0, errorCount: 0 };
      this.#byName.set(name, count);
    }
    return count;
  }
}

/** Probes beyond which ids were chosen to collide: then a set of texts, at 1 µs a span. */
const MOST_PROBES = 128;

/** Span ids in an open-addressing table, two words each. */
class IdSet {
  readonly #mask: number;
  readonly #used: Uint8Array;
  readonly #words: Int32Array;
  readonly #crowded = new Set<string>();

  constructor(most: number) {
    let size = 16;
    while (size < most * 2) size *= 2;
    this.#mask = size - 1;
    this.#used = new Uint8Array(size);
    this.#words = new Int32Array(size * 2);
  }

  add(ids: Uint8Array, row: number): void {
    const slot = this.#slot(ids, row);
    if (slot === -1) {
      this.#crowded.add(toHex(ids, row * 8, 8));
      return;
    }
    this.#used[slot] = 1;
    this.#words[slot * 2] = wordAt(ids, row * 8);
    this.#words[slot * 2 + 1] = wordAt(ids, row * 8 + 4);
  }

  has(ids: Uint8Array, row: number): boolean {
    const slot = this.#slot(ids, row);
    return slot === -1 ? this.#crowded.has(toHex(ids, row * 8, 8)) : this.#used[slot] === 1;
  }

  /** Where the id is, or the free slot where it would be; -1 when neither is near. */
  #slot(ids: Uint8Array, row: number): number {
    const high = wordAt(ids, row * 8);
    const low = wordAt(ids, row * 8 + 4);
    let slot = mix32(high ^ mix32(low)) & this.#mask;
    for (let probes = 0; probes < MOST_PROBES; probes++) {
      if (this.#used[slot] === 0) return slot;
      if (this.#words[slot * 2] === high && this.#words[slot * 2 + 1] === low) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
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
