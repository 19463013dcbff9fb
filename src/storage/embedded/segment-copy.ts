/** Puts rows of segments back together as a batch. Bench: read. */

import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../core/batch.ts";
import type { AttributeTableBuilder } from "../../core/attribute-table.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { LIMITS } from "../../core/limits.ts";
import type { CoreData } from "./group-core.ts";
import type { CodesData, DictionaryData, RawData, ValueBytes } from "./segment-columns.ts";
import { copyAttributes, copyRest, copyValue, eventBase } from "./segment-rest.ts";
import { isLiteral } from "./segment-plan.ts";
import { SPILLED_COLUMN } from "./segment-reader.ts";
import type { IdsData, RestData, Segment, ShapeData } from "./segment-reader.ts";

/** What is read once for all rows of one group. */
interface GroupData {
  readonly core: CoreData;
  readonly ids: IdsData;
  readonly codes: CodesData;
  readonly raw: RawData;
  readonly rest: RestData | undefined;
  readonly shapes: ShapeData;
}

/** A column as its values are copied. */
class CopiedColumn {
  /** The builder's. */
  readonly key: number;
  /** Undefined for raw values. */
  readonly dictionary: DictionaryData | undefined;
  readonly #isLiteral: boolean;
  /** The builder's value of each code, + 1. */
  #made: Uint32Array | undefined;
  #uses = 0;

  constructor(key: number, type: number, dictionary: DictionaryData | undefined) {
    this.key = key;
    this.dictionary = dictionary;
    this.#isLiteral = isLiteral(type);
  }

  /** The builder's value of a code, looked up by its bytes until a table of all would pay. */
  value(builder: BatchBuilder, values: DictionaryData, code: number): number {
    if (this.#isLiteral) return values.literals[code]!;
    const made = this.#made;
    if (made === undefined) {
      if (++this.#uses > values.count) this.#made = new Uint32Array(values.count);
      return internValue(builder, values, code);
    }
    const known = made[code]!;
    if (known !== 0) return known - 1;
    const value = internValue(builder, values, code);
    made[code] = value + 1;
    return value;
  }
}

/** Appends rows of one segment to a builder that holds rows of nothing else. */
export class SegmentCopier {
  readonly builder: BatchBuilder;
  readonly #segment: Segment;
  readonly #tables: SpanBatch;
  /** The builder's row of each resource and scope, + 1. */
  readonly #resources: Uint32Array;
  readonly #scopes: Uint32Array;
  /** By operation: the builder's id of its name, + 1. */
  readonly #names: Uint32Array;
  readonly #columns: (CopiedColumn | undefined)[] = [];
  readonly #next: Uint32Array;
  readonly #rowsOfShape: Uint32Array;

  constructor(segment: Segment, builder: BatchBuilder = new BatchBuilder()) {
    this.builder = builder;
    this.#segment = segment;
    this.#tables = segment.tables();
    this.#resources = new Uint32Array(this.#tables.resourceCount);
    this.#scopes = new Uint32Array(this.#tables.scopeCount);
    this.#names = new Uint32Array(this.#tables.spanCount);
    this.#next = new Uint32Array(segment.footer.columns.length);
    this.#rowsOfShape = new Uint32Array(segment.shapes().count);
  }

  /** Appends rows `from ..< to` (one run or part of one) of a group. */
  copy(group: number, run: number, from: number, to: number): void {
    const segment = this.#segment;
    const data: GroupData = {
      core: segment.core(group),
      ids: segment.ids(group),
      codes: segment.codes(group),
      raw: segment.raw(group),
      rest: segment.rest(group),
      shapes: segment.shapes(),
    };
    this.#skipTo(data, from);
    const { startUs } = data.core;
    const rest = data.rest?.rows;
    let restAt = 0;
    while (rest !== undefined && restAt < rest.length && rest[restAt]! < from) restAt++;
    const first = this.builder.spanCount;
    for (let row = from; row < to; row++) {
      const i = this.#span(data.core, row);
      const hasRest = rest !== undefined && rest[restAt] === row;
      this.#attributes(data, row, hasRest ? restAt : -1);
      if (!hasRest) continue;
      copyRest(this.builder, i, data.rest!.batch, restAt++, -eventBase(startUs[row]!));
    }
    this.#timesAndIds(data, run, from, to, first);
    this.#parents(data, run, from, to, first);
  }

  /** Opens the span and gives it what its operation says. */
  #span(core: CoreData, row: number): number {
    const tables = this.#tables;
    const operation = core.operation[row]!;
    const resource = this.#resource(core.resource[row]!);
    const out = this.builder;
    const i = out.addSpan(resource, this.#scope(tables.scopeRow[operation]!));
    out.kind[i] = tables.kind[operation]!;
    out.flags[i] = tables.flags[operation]!;
    out.nameId[i] = this.#name(operation);
    return i;
  }

  #name(operation: number): number {
    const known = this.#names[operation]!;
    if (known !== 0) return known - 1;
    const name = this.#text(this.#tables.nameId[operation]!);
    this.#names[operation] = name + 1;
    return name;
  }

  /** What lies in columns here and there is copied by column, to the rows from `first` on. */
  #timesAndIds(data: GroupData, run: number, from: number, to: number, first: number): void {
    const { core, ids } = data;
    const out = this.builder;
    copyPart(core.startUs, from, to, out.startUs, first);
    copyPart(core.startNs, from, to, out.startNs, first);
    copyPart(core.durationNs, from, to, out.durationNs, first);
    copyPart(core.status, from, to, out.status, first);
    copyPart(ids.spanId, from * 8, to * 8, out.spanId, first * 8);
    copyBytes(ids.traceId, run * 16, out.traceId, first * 16, 16);
    const words = out.traceIdWords;
    for (let at = first * 4 + 4; at < out.spanCount * 4; at++) words[at] = words[at - 4]!;
  }

  #parents(data: GroupData, run: number, from: number, to: number, first: number): void {
    const { parent, explicitParents, runStart } = data.core;
    const { spanId, parents } = data.ids;
    const { parentSpanId } = this.builder;
    let explicit = 0;
    if (explicitParents > 0) for (let row = 0; row < from; row++) if (parent[row] === 1) explicit++;
    for (let row = from; row < to; row++) {
      const code = parent[row]!;
      const at = (first + row - from) * 8;
      if (code > 1) copyBytes(spanId, (runStart[run]! + code - 2) * 8, parentSpanId, at, 8);
      else if (code === 1) copyBytes(parents, explicit++ * 8, parentSpanId, at, 8);
    }
  }

  /** Counts how many values of each column lie before row `from`. */
  #skipTo(data: GroupData, from: number): void {
    const next = this.#next.fill(0);
    const { shapes } = data;
    const { shape } = data.codes;
    const rowsOf = this.#rowsOfShape;
    for (let row = 0; row < from; row++) rowsOf[shape[row]!]!++;
    for (let row = 0; row < from; row++) {
      const s = shape[row]!;
      const rows = rowsOf[s]!;
      if (rows === 0) continue;
      rowsOf[s] = 0;
      for (let k = shapes.offsets[s]!; k < shapes.offsets[s + 1]!; k++) {
        const column = shapes.columns[k]!;
        if (column !== SPILLED_COLUMN) next[column] = next[column]! + rows;
      }
    }
  }

  #attributes(data: GroupData, row: number, restRow: number): void {
    const { shapes, codes, raw } = data;
    const { builder } = this;
    const table = builder.spanAttributes;
    const next = this.#next;
    const shape = codes.shape[row]!;
    let spilled = restRow < 0 ? 0 : data.rest!.batch.spanAttributes.offsets[restRow]!;
    const end = shapes.offsets[shape + 1]!;
    for (let k = shapes.offsets[shape]!; k < end; k++) {
      const column = shapes.columns[k]!;
      if (column === SPILLED_COLUMN) {
        this.#spilled(data.rest!.batch, spilled++);
        continue;
      }
      const at = next[column]!;
      next[column] = at + 1;
      const copied = (this.#columns[column] ??= this.#column(column));
      const { dictionary } = copied;
      const value =
        dictionary === undefined
          ? internValue(builder, raw.column(column)!, at)
          : copied.value(builder, dictionary, codes.code(column, at));
      table.add(copied.key, value);
    }
  }

  #column(column: number): CopiedColumn {
    const segment = this.#segment;
    const { type, kind } = segment.footer.columns[column]!;
    const name = this.builder.bytes(segment.columnName(column));
    const dictionary = kind === "dict" ? segment.dictionary(column) : undefined;
    return new CopiedColumn(this.builder.key(name, type), type, dictionary);
  }

  #spilled(batch: SpanBatch, a: number): void {
    const table = batch.spanAttributes;
    const type = batch.keyType[table.key[a]!]!;
    const builder = this.builder;
    const name = copyValue(builder, batch, ATTRIBUTE_TYPE.STRING, batch.keyNameId[table.key[a]!]!);
    const value = copyValue(builder, batch, type, table.value[a]!);
    builder.spanAttributes.add(builder.key(name, type), value);
  }

  #resource(row: number): number {
    const known = this.#resources[row]!;
    if (known !== 0) return known - 1;
    const builder = this.builder;
    const tables = this.#tables;
    const made = builder.addResource();
    this.#owner(builder.resourceAttributes, tables.resourceAttributes, row);
    builder.resourceDropped[made] = tables.resourceDropped[row]!;
    builder.resourceSchemaUrlId[made] = this.#text(tables.resourceSchemaUrlId[row]!);
    this.#resources[row] = made + 1;
    return made;
  }

  #scope(row: number): number {
    const known = this.#scopes[row]!;
    if (known !== 0) return known - 1;
    const builder = this.builder;
    const tables = this.#tables;
    const made = builder.addScope();
    this.#owner(builder.scopeAttributes, tables.scopeAttributes, row);
    builder.scopeNameId[made] = this.#text(tables.scopeNameId[row]!);
    builder.scopeVersionId[made] = this.#text(tables.scopeVersionId[row]!);
    builder.scopeDropped[made] = tables.scopeDropped[row]!;
    builder.scopeSchemaUrlId[made] = this.#text(tables.scopeSchemaUrlId[row]!);
    this.#scopes[row] = made + 1;
    return made;
  }

  #owner(to: AttributeTableBuilder, from: AttributeTable, owner: number): void {
    copyAttributes(this.builder, to, this.#tables, from, owner);
  }

  #text(id: number): number {
    return copyValue(this.builder, this.#tables, ATTRIBUTE_TYPE.STRING, id);
  }
}

/** Dictionary id in the builder of value `i`. */
function internValue(builder: BatchBuilder, values: ValueBytes, i: number): number {
  const from = values.offsets[i]!;
  const length = values.offsets[i + 1]! - from;
  return length === 0 ? 0 : builder.dictionary.internView(values.view, from, length);
}

function copyBytes(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  toAt: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[at + i]!;
}

/** Parts up to this length are copied by a loop: a view of each would be most of the work. */
const SHORT_PART = 24;

/** Copies entries `start ..< end` of a column to those from `at` on of another. */
function copyPart<T extends Uint8Array | Uint16Array | Float64Array>(
  from: T,
  start: number,
  end: number,
  to: T,
  at: number,
): void {
  const length = end - start;
  if (length > SHORT_PART) to.set(from.subarray(start, end), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** Most rows of one batch that `segmentBatches` yields. */
const BATCH_ROWS = 8192;

/** All rows of a segment as batches, in order: for merging. */
export function* segmentBatches(segment: Segment): Generator<SpanBatch> {
  let copier = new SegmentCopier(segment);
  for (let group = 0; group < segment.footer.groups.length; group++) {
    const { runStart } = segment.core(group);
    for (let run = 0; run + 1 < runStart.length; run++) {
      copier.copy(group, run, runStart[run]!, runStart[run + 1]!);
    }
    if (copier.builder.spanCount < BATCH_ROWS) continue;
    yield copier.builder.finish();
    copier = new SegmentCopier(segment);
  }
  if (copier.builder.spanCount > 0) yield copier.builder.finish();
}

/**
 * The trace's rows of a segment, in batches of at most `LIMITS.getSpansPerBatch` but one run. The
 * builder must be empty, and is afterwards.
 */
export function segmentTrace(
  segment: Segment,
  traceId: Uint8Array,
  builder: BatchBuilder = new BatchBuilder(),
): SpanBatch[] {
  const batches: SpanBatch[] = [];
  let copier: SegmentCopier | undefined;
  const finish = (): void => {
    batches.push(builder.finish());
    builder.reset();
    copier = undefined;
  };
  for (const group of segment.groupsOfTrace(traceId)) {
    const { traceId: ids } = segment.ids(group);
    const { runStart } = segment.core(group);
    for (let run = 0; run + 1 < runStart.length; run++) {
      if (!sameId(ids, run * 16, traceId)) continue;
      const from = runStart[run]!;
      const to = runStart[run + 1]!;
      const full = builder.spanCount + to - from > LIMITS.getSpansPerBatch;
      if (copier !== undefined && full) finish();
      copier ??= new SegmentCopier(segment, builder);
      copier.copy(group, run, from, to);
    }
  }
  if (copier !== undefined) finish();
  return batches;
}

function sameId(ids: Uint8Array, at: number, traceId: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (ids[at + i] !== traceId[i]) return false;
  return true;
}
