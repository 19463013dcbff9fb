/** Puts rows of segments back together as a batch. Bench: read. */

import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../core/batch.ts";
import type { AttributeTableBuilder } from "../../core/attribute-table.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { keyBytes } from "./segment-format.ts";
import type { CodesData, DictionaryData, RawData } from "./segment-columns.ts";
import { copyAttributes, copyRest, copyValue, eventBase } from "./segment-rest.ts";
import { isLiteral } from "./segment-plan.ts";
import { SPILLED_COLUMN } from "./segment-reader.ts";
import type { CoreData, IdsData, RestData, Segment, ShapeData } from "./segment-reader.ts";

/** What is read once for all rows of one group. */
interface GroupData {
  readonly core: CoreData;
  readonly ids: IdsData;
  readonly codes: CodesData;
  readonly raw: RawData;
  readonly rest: RestData | undefined;
  readonly shapes: ShapeData;
}

/** Appends rows of one segment to a builder that holds rows of nothing else. */
export class SegmentCopier {
  readonly builder = new BatchBuilder();
  readonly #segment: Segment;
  readonly #tables: SpanBatch;
  readonly #resources = new Map<number, number>();
  readonly #scopes = new Map<number, number>();
  /** By column: the builder's key, and the values of its dictionary. */
  readonly #keys: (number | undefined)[] = [];
  readonly #dictionaries: (DictionaryData | undefined)[] = [];
  #next: Uint32Array;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.#tables = segment.tables();
    this.#next = new Uint32Array(segment.footer.columns.length);
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
    let explicit = 0;
    for (let row = 0; row < from; row++) if (data.core.parent[row] === 1) explicit++;
    const rest = data.rest?.rows;
    let restAt = 0;
    while (rest !== undefined && restAt < rest.length && rest[restAt]! < from) restAt++;
    for (let row = from; row < to; row++) {
      const i = this.#span(data, run, row);
      if (data.core.parent[row] === 1) this.#explicitParent(data, explicit++, i);
      const hasRest = rest !== undefined && rest[restAt] === row;
      this.#attributes(data, row, hasRest ? restAt : -1);
      if (!hasRest) continue;
      const batch = data.rest!.batch;
      copyRest(this.builder, i, batch, restAt++, -eventBase(data.core.startUs[row]!));
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
    out.nameId[i] = copyValue(out, tables, ATTRIBUTE_TYPE.STRING, tables.nameId[operation]!);
    copyBytes(ids.traceId, run * 16, out.traceId, i * 16, 16);
    copyBytes(ids.spanId, row * 8, out.spanId, i * 8, 8);
    const parent = core.parent[row]!;
    if (parent > 1) {
      const at = core.runStart[run]! + parent - 2;
      copyBytes(ids.spanId, at * 8, out.parentSpanId, i * 8, 8);
    }
    return i;
  }

  #explicitParent(data: GroupData, explicit: number, i: number): void {
    copyBytes(data.ids.parents, explicit * 8, this.builder.parentSpanId, i * 8, 8);
  }

  /** Counts how many values of each column lie before row `from`. */
  #skipTo(data: GroupData, from: number): void {
    const next = this.#next.fill(0);
    const { shapes } = data;
    for (let row = 0; row < from; row++) {
      const shape = data.codes.shape[row]!;
      for (let k = shapes.offsets[shape]!; k < shapes.offsets[shape + 1]!; k++) {
        const column = shapes.columns[k]!;
        if (column !== SPILLED_COLUMN) next[column]!++;
      }
    }
  }

  #attributes(data: GroupData, row: number, restRow: number): void {
    const { shapes, codes, raw } = data;
    const table = this.builder.spanAttributes;
    const shape = codes.shape[row]!;
    let spilled = restRow < 0 ? 0 : data.rest!.batch.spanAttributes.offsets[restRow]!;
    for (let k = shapes.offsets[shape]!; k < shapes.offsets[shape + 1]!; k++) {
      const column = shapes.columns[k]!;
      if (column === SPILLED_COLUMN) {
        this.#spilled(data.rest!.batch, spilled++);
        continue;
      }
      const at = this.#next[column]!++;
      const facts = this.#segment.footer.columns[column]!;
      const key = (this.#keys[column] ??= this.#key(column));
      if (facts.kind === "dict") {
        const dictionary = (this.#dictionaries[column] ??= this.#segment.dictionary(column));
        const code = codes.columns.get(column)![at]!;
        table.add(key, this.#dictionaryValue(dictionary, code, facts.type));
      } else {
        const values = raw.columns.get(column)!;
        const from = values.offsets[at]!;
        const id = this.builder.dictionary.intern(values.bytes, from, values.offsets[at + 1]!);
        table.add(key, id);
      }
    }
  }

  #dictionaryValue(dictionary: DictionaryData, code: number, type: number): number {
    if (isLiteral(type)) return dictionary.literals[code]!;
    const { bytes, offsets } = dictionary;
    return this.builder.dictionary.intern(bytes, offsets[code]!, offsets[code + 1]!);
  }

  #spilled(batch: SpanBatch, a: number): void {
    const table = batch.spanAttributes;
    const type = batch.keyType[table.key[a]!]!;
    const builder = this.builder;
    const name = copyValue(builder, batch, ATTRIBUTE_TYPE.STRING, batch.keyNameId[table.key[a]!]!);
    const value = copyValue(builder, batch, type, table.value[a]!);
    builder.spanAttributes.add(builder.key(name, type), value);
  }

  #key(column: number): number {
    const facts = this.#segment.footer.columns[column]!;
    return this.builder.key(this.builder.bytes(keyBytes(facts.key)), facts.type);
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

/** All rows of a trace in a segment; undefined when it has none. */
export function segmentTrace(segment: Segment, traceId: Uint8Array): SpanBatch | undefined {
  let copier: SegmentCopier | undefined;
  for (const group of segment.groupsOfTrace(traceId)) {
    const { traceId: ids } = segment.ids(group);
    const { runStart } = segment.core(group);
    for (let run = 0; run + 1 < runStart.length; run++) {
      if (!sameId(ids, run * 16, traceId)) continue;
      copier ??= new SegmentCopier(segment);
      copier.copy(group, run, runStart[run]!, runStart[run + 1]!);
    }
  }
  return copier?.builder.finish();
}

function sameId(ids: Uint8Array, at: number, traceId: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (ids[at + i] !== traceId[i]) return false;
  return true;
}
