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
interface CopiedColumn {
  /** The builder's key. */
  readonly key: number;
  readonly type: number;
  /** Undefined for raw values. */
  readonly dictionary: DictionaryData | undefined;
}

/** Appends rows of one segment to a builder that holds rows of nothing else. */
export class SegmentCopier {
  readonly builder: BatchBuilder;
  readonly #segment: Segment;
  readonly #tables: SpanBatch;
  readonly #resources = new Map<number, number>();
  readonly #scopes = new Map<number, number>();
  /** By operation: the builder's id of its name, + 1. */
  readonly #names = new Map<number, number>();
  readonly #columns: (CopiedColumn | undefined)[] = [];
  readonly #next: Uint32Array;
  readonly #rowsOfShape: Uint32Array;

  constructor(segment: Segment, builder: BatchBuilder = new BatchBuilder()) {
    this.builder = builder;
    this.#segment = segment;
    this.#tables = segment.tables();
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
    const { parent, explicitParents, startUs } = data.core;
    let explicit = 0;
    if (explicitParents > 0) for (let row = 0; row < from; row++) if (parent[row] === 1) explicit++;
    const rest = data.rest?.rows;
    let restAt = 0;
    while (rest !== undefined && restAt < rest.length && rest[restAt]! < from) restAt++;
    for (let row = from; row < to; row++) {
      const i = this.#span(data, run, row);
      if (parent[row] === 1) this.#explicitParent(data, explicit++, i);
      const hasRest = rest !== undefined && rest[restAt] === row;
      this.#attributes(data, row, hasRest ? restAt : -1);
      if (!hasRest) continue;
      copyRest(this.builder, i, data.rest!.batch, restAt++, -eventBase(startUs[row]!));
    }
  }

  #span(data: GroupData, run: number, row: number): number {
    const { core, ids } = data;
    const tables = this.#tables;
    const operation = core.operation[row]!;
    const resource = this.#resource(core.resource[row]!);
    const out = this.builder;
    const i = out.addSpan(resource, this.#scope(tables.scopeRow[operation]!));
    out.startUs[i] = core.startUs[row]!;
    out.startNs[i] = core.startNs[row]!;
    out.durationNs[i] = core.durationNs[row]!;
    out.status[i] = core.status[row]!;
    out.kind[i] = tables.kind[operation]!;
    out.flags[i] = tables.flags[operation]!;
    out.nameId[i] = this.#name(operation);
    copyBytes(ids.traceId, run * 16, out.traceId, i * 16, 16);
    copyBytes(ids.spanId, row * 8, out.spanId, i * 8, 8);
    const parent = core.parent[row]!;
    if (parent > 1) {
      const at = core.runStart[run]! + parent - 2;
      copyBytes(ids.spanId, at * 8, out.parentSpanId, i * 8, 8);
    }
    return i;
  }

  #name(operation: number): number {
    let name = this.#names.get(operation);
    if (name === undefined) {
      name = this.#text(this.#tables.nameId[operation]!);
      this.#names.set(operation, name);
    }
    return name;
  }

  #explicitParent(data: GroupData, explicit: number, i: number): void {
    copyBytes(data.ids.parents, explicit * 8, this.builder.parentSpanId, i * 8, 8);
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
      const { key, type, dictionary } = (this.#columns[column] ??= this.#column(column));
      if (dictionary === undefined) table.add(key, internValue(builder, raw.column(column)!, at));
      else {
        const code = codes.code(column, at);
        const value = isLiteral(type)
          ? dictionary.literals[code]!
          : internValue(builder, dictionary, code);
        table.add(key, value);
      }
    }
  }

  #column(column: number): CopiedColumn {
    const segment = this.#segment;
    const { type, kind } = segment.footer.columns[column]!;
    const name = this.builder.bytes(segment.columnName(column));
    const dictionary = kind === "dict" ? segment.dictionary(column) : undefined;
    return { key: this.builder.key(name, type), type, dictionary };
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
    let made = this.#resources.get(row);
    if (made !== undefined) return made;
    const builder = this.builder;
    const tables = this.#tables;
    made = builder.addResource();
    this.#owner(builder.resourceAttributes, tables.resourceAttributes, row);
    builder.resourceDropped[made] = tables.resourceDropped[row]!;
    builder.resourceSchemaUrlId[made] = this.#text(tables.resourceSchemaUrlId[row]!);
    this.#resources.set(row, made);
    return made;
  }

  #scope(row: number): number {
    let made = this.#scopes.get(row);
    if (made !== undefined) return made;
    const builder = this.builder;
    const tables = this.#tables;
    made = builder.addScope();
    this.#owner(builder.scopeAttributes, tables.scopeAttributes, row);
    builder.scopeNameId[made] = this.#text(tables.scopeNameId[row]!);
    builder.scopeVersionId[made] = this.#text(tables.scopeVersionId[row]!);
    builder.scopeDropped[made] = tables.scopeDropped[row]!;
    builder.scopeSchemaUrlId[made] = this.#text(tables.scopeSchemaUrlId[row]!);
    this.#scopes.set(row, made);
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

/** Making a builder costs more than copying a small trace, so one is kept for the next. */
let kept: BatchBuilder | undefined;
const KEPT_SPANS = 4096;

/** The trace's rows of a segment, in batches of at most `LIMITS.getSpansPerBatch` but one run. */
export function segmentTrace(segment: Segment, traceId: Uint8Array): SpanBatch[] {
  const batches: SpanBatch[] = [];
  let copier: SegmentCopier | undefined;
  for (const group of segment.groupsOfTrace(traceId)) {
    const { traceId: ids } = segment.ids(group);
    const { runStart } = segment.core(group);
    for (let run = 0; run + 1 < runStart.length; run++) {
      if (!sameId(ids, run * 16, traceId)) continue;
      const from = runStart[run]!;
      const to = runStart[run + 1]!;
      if (copier === undefined) {
        copier = new SegmentCopier(segment, kept);
        // Taken while in use: an error half-way leaves none behind in a bad state.
        kept = undefined;
      } else if (copier.builder.spanCount + to - from > LIMITS.getSpansPerBatch) {
        batches.push(copier.builder.finish());
        copier = new SegmentCopier(segment);
      }
      copier.copy(group, run, from, to);
    }
  }
  if (copier === undefined) return batches;
  const { builder } = copier;
  const batch = builder.finish();
  if (batch.spanCount <= KEPT_SPANS) {
    builder.reset();
    kept = builder;
  }
  batches.push(batch);
  return batches;
}

function sameId(ids: Uint8Array, at: number, traceId: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (ids[at + i] !== traceId[i]) return false;
  return true;
}
