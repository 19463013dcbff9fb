/** Turns batches into the bytes of one sealed segment. Bench: seal. */

import { equalBytes } from "../../base/bytes.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { ByteSink } from "./byte-sink.ts";
import { servicesOf, SlowestBuilder } from "./group-slowest.ts";
import { CoreEncoder } from "./segment-core.ts";
import type { GroupRange } from "./segment-core.ts";
import {
  checksum,
  compress,
  GROUP_ROWS,
  MAX_GROUPS,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  traceHash,
} from "./segment-format.ts";
import type { BlockPlace, ColumnFacts, GroupFacts, SegmentFooter } from "./segment-format.ts";
import { gatherRows } from "./segment-gather.ts";
import type { Gathered } from "./segment-gather.ts";
import { orderRows } from "./segment-order.ts";
import type { RowOrder } from "./segment-order.ts";
import { encodeShapes, isNumeric, planColumns } from "./segment-plan.ts";
import type { ColumnPlan } from "./segment-plan.ts";
import { RestEncoder } from "./segment-rest-group.ts";
import { plainRows } from "./segment-rows.ts";
import { makeTables } from "./segment-tables.ts";
import type { TableCodes } from "./segment-tables.ts";
import { encodeDictionary, ValueEncoder } from "./segment-values.ts";
import { WordCollector } from "./segment-words.ts";

/** Dictionary records are packed into frames of about this size. */
const DICTIONARY_FRAME_BYTES = 64 * 1024;

/** A batch as it arrived. */
export interface SealInput {
  readonly batch: SpanBatch;
  readonly arrivalMs: number;
}

export interface SealOptions {
  /** WAL files whose rows these are. */
  readonly epochs: readonly number[];
  /** Names of segment files that the new one replaces. */
  readonly replaces?: readonly string[];
  /** Opaque bytes kept in the footer. */
  readonly requestKeys?: Uint8Array;
  /** Says which rows to leave out (deleted traces). */
  readonly skip?: (input: number, row: number) => boolean;
  /** Whether two rows with the same trace, span id and start have the same content. */
  readonly sameContent: (a: SpanBatch, rowA: number, b: SpanBatch, rowB: number) => boolean;
}

/** The new segment: write the chunks one after the other. */
export interface SealedSegment {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly footer: SegmentFooter;
}

/** Encodes the rows of `inputs` (at least one row) into a segment. */
export function encodeSegment(inputs: readonly SealInput[], options: SealOptions): SealedSegment {
  const batches = inputs.map((input) => input.batch);
  const ordered = orderRows(batches);
  const order = withoutRows(ordered, batches, options);
  const gathered = gatherRows(batches);
  const plan = planColumns(gathered);
  const plain = plainRows(batches, gathered.base);
  const codes = makeTables(batches, gathered.base);
  const sourceOf = new Uint32Array(order.rows);
  for (let p = 0; p < order.rows; p++) {
    sourceOf[p] = gathered.base[order.batchOf[p]!]! + order.rowOf[p]!;
  }
  const groups = cutGroups(order);
  const file = new SegmentFile();
  const core = new CoreEncoder({ batches, order, sourceOf, plain, codes });
  const values = new ValueEncoder({ batches, order, sourceOf, gathered, plan }, groups.length);
  const rest = new RestEncoder({ batches, order, sourceOf, plain, gathered, plan });
  const words = new WordCollector();
  const facts: GroupFacts[] = [];
  const slowest = new SlowestRows(codes, groups.length);
  groups.forEach((range, group) => {
    core.encode(range);
    slowest.add(group, range, sourceOf, plain.durationNs);
    values.encode(range, group);
    words.add(values.raw.written(), plan.columns);
    const ids = core.ids.written().slice();
    const families: BlockPlace[] = [
      file.add(ids, ids.length),
      file.frame(core.core.written()),
      file.frame(values.codes.written()),
      file.frame(values.raw.written()),
      file.frame(rest.encode(range)),
    ];
    facts.push({
      rows: range.to - range.from,
      runs: range.runs.length - 1,
      minStartUs: core.minStartUs,
      maxStartUs: core.maxStartUs,
      minDurationNs: core.minDurationNs,
      maxDurationNs: core.maxDurationNs,
      errors: core.errors,
      families,
      idsCrc: checksum(ids),
    });
  });
  const traceIndex = file.frame(indexTraces(batches, order, groups));
  const footer = makeFooter(file, inputs, options, {
    order,
    deduplicated: ordered.rows - order.rows,
    gathered,
    plan,
    codes,
    values,
    words,
    rest,
    facts,
    slowest,
    traceIndex,
  });
  return file.finish(footer);
}

/** The slowest rows of each group, by service and by operation. */
class SlowestRows {
  readonly services: SlowestBuilder;
  readonly operations: SlowestBuilder;
  readonly #serviceOf: Uint32Array;
  readonly #operationOf: Uint32Array;

  constructor({ tables, resourceOf, operationOf }: TableCodes, groups: number) {
    const { of, count } = servicesOf(tables);
    this.services = new SlowestBuilder(count, groups);
    this.operations = new SlowestBuilder(tables.spanCount, groups);
    this.#serviceOf = resourceOf.map((resource) => of[resource]!);
    this.#operationOf = operationOf;
  }

  add(group: number, range: GroupRange, sourceOf: Uint32Array, durationNs: Float64Array): void {
    const { from, to } = range;
    this.services.add(group, from, to, sourceOf, this.#serviceOf, durationNs);
    this.operations.add(group, from, to, sourceOf, this.#operationOf, durationNs);
  }
}

interface Parts {
  readonly order: RowOrder;
  readonly deduplicated: number;
  readonly gathered: Gathered;
  readonly plan: ColumnPlan;
  readonly codes: TableCodes;
  readonly values: ValueEncoder;
  readonly words: WordCollector;
  readonly rest: RestEncoder;
  readonly facts: readonly GroupFacts[];
  readonly slowest: SlowestRows;
  readonly traceIndex: BlockPlace;
}

function makeFooter(
  file: SegmentFile,
  inputs: readonly SealInput[],
  options: SealOptions,
  parts: Parts,
): SegmentFooter {
  const { facts, order, values } = parts;
  const { columns, dictionaries } = encodeColumns(file, parts);
  const arrivals = inputs.map((input) => input.arrivalMs);
  const filterBytes = values.filter.sealed();
  const words = parts.words.filter();
  const wordBytes = words.sealed();
  return {
    version: SEGMENT_VERSION,
    rows: order.rows,
    traces: order.traces,
    deduplicated: parts.deduplicated,
    minStartUs: facts.reduce((least, g) => Math.min(least, g.minStartUs), Infinity),
    maxStartUs: facts.reduce((most, g) => Math.max(most, g.maxStartUs), -Infinity),
    minArrivalMs: arrivals.reduce((a, b) => Math.min(a, b), Infinity),
    maxArrivalMs: arrivals.reduce((a, b) => Math.max(a, b), -Infinity),
    epochs: options.epochs,
    replaces: options.replaces ?? [],
    requestKeys: Buffer.from(options.requestKeys ?? []).toString("base64"),
    columns,
    restKeys: parts.rest.keys(),
    operations: parts.codes.operations,
    groups: facts,
    tables: file.frame(parts.codes.tables.image),
    shapes: file.frame(encodeShapes(parts.plan.shapes)),
    dictionaries,
    traceIndex: parts.traceIndex,
    filter: file.add(filterBytes, filterBytes.length),
    filterBlocks: values.filter.blocks,
    words: file.add(wordBytes, wordBytes.length),
    wordBlocks: words.blocks,
    slowestByService: parts.slowest.services.written(),
    slowestByOperation: parts.slowest.operations.written(),
  };
}

function encodeColumns(
  file: SegmentFile,
  parts: Parts,
): { columns: ColumnFacts[]; dictionaries: BlockPlace[] } {
  const { plan, gathered, values } = parts;
  const dictionaries: BlockPlace[] = [];
  const sink = new ByteSink(DICTIONARY_FRAME_BYTES);
  const columns = plan.columns.map((column, c): ColumnFacts => {
    const bounds = isNumeric(column.type) && column.kind !== "spilled";
    const from = gathered.dictionary.offsets[column.nameId]!;
    const key = gathered.dictionary.bytes.subarray(
      from,
      gathered.dictionary.offsets[column.nameId + 1]!,
    );
    const facts = {
      key: Buffer.from(key).toString("base64"),
      type: column.type,
      kind: column.kind,
      uses: column.uses,
      distinct: column.distinct,
      ...(bounds ? { bounds: finiteBounds(values.bounds[c]!) } : {}),
    };
    if (column.kind !== "dict") return facts;
    const start = sink.length;
    encodeDictionary(sink, column, gathered);
    const place = [dictionaries.length, start, sink.length - start] as const;
    if (sink.length >= DICTIONARY_FRAME_BYTES) {
      dictionaries.push(file.frame(sink.written()));
      sink.reset();
    }
    return { ...facts, dictionary: place };
  });
  if (sink.length > 0) dictionaries.push(file.frame(sink.written()));
  return { columns, dictionaries };
}

/** JSON has no infinities: bounds become the greatest finite doubles, which still contain. */
function finiteBounds(bounds: ([number, number] | null)[]): ([number, number] | null)[] {
  const clamp = (value: number): number =>
    Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
  return bounds.map((pair) => (pair === null ? null : [clamp(pair[0]), clamp(pair[1])]));
}

/** Cuts the rows into at most 64 groups, between traces where a trace is not larger than two. */
function cutGroups(order: RowOrder): GroupRange[] {
  const target = Math.max(GROUP_ROWS, Math.ceil(order.rows / MAX_GROUPS));
  const groups: GroupRange[] = [];
  let from = 0;
  let runs: number[] = [];
  const close = (to: number): void => {
    groups.push({ from, to, runs: [...runs, to] });
    from = to;
    runs = [];
  };
  for (let t = 0; t < order.traces; t++) {
    let at = order.traceStart[t]!;
    const end = order.traceStart[t + 1]!;
    runs.push(at);
    while (end - from > target * 2) {
      at = from + target;
      if (at <= runs.at(-1)!) {
        const started = runs.pop()!;
        close(started);
        runs.push(started);
        continue;
      }
      close(at);
      runs.push(at);
    }
    if (end - from >= target) close(end);
  }
  if (from < order.rows) close(order.rows);
  return groups;
}

/** Hashes of the groups' traces ascending, then the group of each. */
function indexTraces(
  batches: readonly SpanBatch[],
  order: RowOrder,
  groups: readonly GroupRange[],
): Uint8Array {
  // Group in the low 6 bits of a double sorts by hash, then group, without a comparator.
  const entries: number[] = [];
  groups.forEach((range, group) => {
    for (let i = 0; i + 1 < range.runs.length; i++) {
      const p = range.runs[i]!;
      const ids = batches[order.batchOf[p]!]!.traceId;
      entries.push(traceHash(ids, order.rowOf[p]! * 16) * MAX_GROUPS + group);
    }
  });
  const sorted = Float64Array.from(entries).sort();
  const sink = new ByteSink(sorted.length * 5 + 8);
  sink.u32(sorted.length);
  for (const entry of sorted) sink.u32(Math.floor(entry / MAX_GROUPS));
  for (const entry of sorted) sink.u8(entry % MAX_GROUPS);
  return sink.written();
}

/** Leaves out skipped rows and exact duplicates; returns the order itself when there are none. */
function withoutRows(
  order: RowOrder,
  batches: readonly SpanBatch[],
  options: SealOptions,
): RowOrder {
  const drop = new Uint8Array(order.rows);
  let dropped = options.skip === undefined ? 0 : dropSkipped(order, drop, options.skip);
  for (let t = 0; t < order.traces; t++) {
    const from = order.traceStart[t]!;
    let p = nextTwin(order.startUs, from, order.traceStart[t + 1]!);
    for (; p !== -1; p = nextTwin(order.startUs, p, order.traceStart[t + 1]!)) {
      if (drop[p] === 1 || !isRepeated(order, batches, drop, from, p, options.sameContent))
        continue;
      drop[p] = 1;
      dropped++;
    }
  }
  return dropped === 0 ? order : compacted(order, drop, dropped);
}

function dropSkipped(
  order: RowOrder,
  drop: Uint8Array,
  skip: NonNullable<SealOptions["skip"]>,
): number {
  let dropped = 0;
  for (let p = 0; p < order.rows; p++) {
    if (!skip(order.batchOf[p]!, order.rowOf[p]!)) continue;
    drop[p] = 1;
    dropped++;
  }
  return dropped;
}

/** The next row after `p` that starts in the microsecond of the row before it, or -1. */
function nextTwin(startUs: Float64Array, p: number, end: number): number {
  for (let q = p + 1; q < end; q++) if (startUs[q] === startUs[q - 1]) return q;
  return -1;
}

function isRepeated(
  order: RowOrder,
  batches: readonly SpanBatch[],
  drop: Uint8Array,
  from: number,
  p: number,
  same: SealOptions["sameContent"],
): boolean {
  const batch = batches[order.batchOf[p]!]!;
  const row = order.rowOf[p]!;
  for (let q = p - 1; q >= from; q--) {
    const other = batches[order.batchOf[q]!]!;
    const otherRow = order.rowOf[q]!;
    if (other.startUs[otherRow] !== batch.startUs[row]) return false;
    if (other.startNs[otherRow] !== batch.startNs[row]) return false;
    if (!equalBytes(other.spanId, otherRow * 8, batch.spanId, row * 8, 8)) return false;
    if (drop[q] === 0 && same(other, otherRow, batch, row)) return true;
  }
  return false;
}

function compacted(order: RowOrder, drop: Uint8Array, dropped: number): RowOrder {
  const rows = order.rows - dropped;
  const batchOf = new Uint32Array(rows);
  const rowOf = new Uint32Array(rows);
  const startUs = new Float64Array(rows);
  const starts: number[] = [0];
  let at = 0;
  for (let t = 0; t < order.traces; t++) {
    for (let p = order.traceStart[t]!; p < order.traceStart[t + 1]!; p++) {
      if (drop[p] === 1) continue;
      batchOf[at] = order.batchOf[p]!;
      rowOf[at] = order.rowOf[p]!;
      startUs[at++] = order.startUs[p]!;
    }
    if (at > starts.at(-1)!) starts.push(at);
  }
  const traceStart = Uint32Array.from(starts);
  return { rows, traces: starts.length - 1, batchOf, rowOf, startUs, traceStart };
}

/** Collects the blocks of the file and knows where each one is. */
class SegmentFile {
  readonly #chunks: Uint8Array[] = [];
  #at = 0;

  constructor() {
    this.#push(Buffer.from(SEGMENT_MAGIC, "latin1"));
  }

  /** Appends bytes as they are. */
  add(bytes: Uint8Array, rawBytes: number): BlockPlace {
    const offset = this.#at;
    this.#push(bytes);
    return [offset, bytes.length, rawBytes];
  }

  /** Appends bytes as a zstd frame; nothing for no bytes. */
  frame(raw: Uint8Array): BlockPlace {
    return raw.length === 0 ? [this.#at, 0, 0] : this.add(compress(raw), raw.length);
  }

  finish(footer: SegmentFooter): SealedSegment {
    const text = Buffer.from(JSON.stringify(footer));
    const [offset, length] = this.frame(text);
    const trailer = new ByteSink(24);
    trailer.f64(offset);
    trailer.u32(length);
    trailer.u32(text.length);
    trailer.raw(Buffer.from(SEGMENT_MAGIC, "latin1"));
    this.#push(trailer.written());
    return { chunks: this.#chunks, sizeBytes: this.#at, footer };
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#at += bytes.length;
  }
}
