/** Copies rows of batches into one new batch, without decoding a text. Bench: select. */

import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import type { AttributeTableBuilder } from "../attribute-table.ts";
import { BatchBuilder } from "../builder.ts";
import { exactDurationNs, exactEventNs, exactStartNs } from "../read.ts";
import type { RowRef } from "./span-content.ts";

/** Making a builder costs as much as 30 spans, so one is kept, unless a giant has grown it. */
let kept: BatchBuilder | undefined;
const KEPT_SPANS = 4096;

/** The rows as one batch, in their order; equal resources and scopes become one. */
export function selectRows(rows: readonly RowRef[]): SpanBatch {
  const builder = kept ?? new BatchBuilder();
  // Taken while in use: an error half-way leaves none behind in a bad state.
  kept = undefined;
  const copier = new RowCopier(builder);
  if (rows.length > KEPT_SPANS) builder.reserve(rows.length, attributesOf(rows));
  for (const { batch, row } of rows) copier.copy(batch, row);
  const selected = builder.finish();
  if (rows.length <= KEPT_SPANS) {
    builder.reset();
    kept = builder;
  }
  return selected;
}

function attributesOf(rows: readonly RowRef[]): number {
  let count = 0;
  for (const { batch, row } of rows) {
    const { offsets } = batch.spanAttributes;
    count += offsets[row + 1]! - offsets[row]!;
  }
  return count;
}

/** Where the ids of one source batch went in the builder, + 1; 0 is not known yet. */
class SourceMaps {
  readonly dict: Uint32Array;
  readonly keys: Uint32Array;
  readonly resources: Uint32Array;
  readonly scopes: Uint32Array;

  constructor(batch: SpanBatch) {
    this.dict = new Uint32Array(batch.dictCount);
    this.keys = new Uint32Array(batch.keyCount);
    this.resources = new Uint32Array(batch.resourceCount);
    this.scopes = new Uint32Array(batch.scopeCount);
  }
}

/** Appends rows to a builder; rows of one batch are cheapest one after the other. */
export class RowCopier {
  readonly builder: BatchBuilder;
  readonly #sources = new Map<SpanBatch, SourceMaps>();
  readonly #resourceOf = new Map<string, number>();
  readonly #scopeOf = new Map<string, number>();
  #source: SpanBatch | undefined;
  #maps: SourceMaps | undefined;

  /** The builder must be empty; after its reset make a new copier. */
  constructor(builder: BatchBuilder) {
    this.builder = builder;
  }

  /** Appends row `row` of `batch`; returns its row in the builder. */
  copy(batch: SpanBatch, row: number): number {
    const maps = this.#mapsOf(batch);
    const resource = this.#resource(batch, maps, batch.resourceRow[row]!);
    const scope = this.#scope(batch, maps, batch.scopeRow[row]!);
    const out = this.builder;
    const i = out.addSpan(resource, scope);
    out.startUs[i] = batch.startUs[row]!;
    out.startNs[i] = batch.startNs[row]!;
    out.durationNs[i] = batch.durationNs[row]!;
    out.nameId[i] = this.#text(batch, maps, batch.nameId[row]!);
    out.statusMessageId[i] = this.#text(batch, maps, batch.statusMessageId[row]!);
    out.traceStateId[i] = this.#text(batch, maps, batch.traceStateId[row]!);
    out.flags[i] = batch.flags[row]!;
    out.kind[i] = batch.kind[row]!;
    out.status[i] = batch.status[row]!;
    copyBytes(batch.traceId, row * 16, out.traceId, i * 16, 16);
    copyBytes(batch.spanId, row * 8, out.spanId, i * 8, 8);
    copyBytes(batch.parentSpanId, row * 8, out.parentSpanId, i * 8, 8);
    this.#attributes(batch, maps, batch.spanAttributes, row, out.spanAttributes);
    const firstEvent = batch.eventOffsets[row]!;
    const endEvent = batch.eventOffsets[row + 1]!;
    for (let e = firstEvent; e < endEvent; e++) this.#event(batch, maps, e);
    const endLink = batch.linkOffsets[row + 1]!;
    for (let l = batch.linkOffsets[row]!; l < endLink; l++) this.#link(batch, maps, l);
    if (batch.rare[row] !== 0) this.#rare(batch, row, i);
    return i;
  }

  #mapsOf(batch: SpanBatch): SourceMaps {
    if (batch === this.#source) return this.#maps!;
    let maps = this.#sources.get(batch);
    if (maps === undefined) {
      maps = new SourceMaps(batch);
      this.#sources.set(batch, maps);
    }
    this.#source = batch;
    this.#maps = maps;
    return maps;
  }

  #text(batch: SpanBatch, maps: SourceMaps, id: number): number {
    if (id === 0) return 0;
    const known = maps.dict[id]!;
    if (known !== 0) return known;
    const start = batch.dictOffsets[id]!;
    const made = this.builder.dictionary.intern(batch.dictBytes, start, batch.dictOffsets[id + 1]!);
    maps.dict[id] = made;
    return made;
  }

  #key(batch: SpanBatch, maps: SourceMaps, key: number): number {
    const known = maps.keys[key]!;
    if (known !== 0) return known - 1;
    const nameId = this.#text(batch, maps, batch.keyNameId[key]!);
    const made = this.builder.key(nameId, batch.keyType[key]!);
    maps.keys[key] = made + 1;
    return made;
  }

  #attributes(
    batch: SpanBatch,
    maps: SourceMaps,
    from: AttributeTable,
    owner: number,
    into: AttributeTableBuilder,
  ): void {
    const end = from.offsets[owner + 1]!;
    for (let a = from.offsets[owner]!; a < end; a++) {
      const key = from.key[a]!;
      const value = from.value[a]!;
      const type = batch.keyType[key]!;
      const direct = type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
      into.add(this.#key(batch, maps, key), direct ? value : this.#text(batch, maps, value));
    }
  }

  #event(batch: SpanBatch, maps: SourceMaps, e: number): void {
    const out = this.builder;
    const name = this.#text(batch, maps, batch.eventNameId[e]!);
    const made = out.addEvent(batch.eventUs[e]!, batch.eventNs[e]!, name);
    out.eventDropped[made] = batch.eventDropped[e]!;
    if (batch.exactEventRow.length > 0 && batch.exactEventRow.includes(e)) {
      out.setExactEventUs(made, (exactEventNs(batch, e) - BigInt(batch.eventNs[e]!)) / 1000n);
    }
    this.#attributes(batch, maps, batch.eventAttributes, e, out.eventAttributes);
  }

  #link(batch: SpanBatch, maps: SourceMaps, l: number): void {
    const out = this.builder;
    const made = out.addLink();
    copyBytes(batch.linkTraceId, l * 16, out.linkTraceId, made * 16, 16);
    copyBytes(batch.linkSpanId, l * 8, out.linkSpanId, made * 8, 8);
    out.linkTraceStateId[made] = this.#text(batch, maps, batch.linkTraceStateId[l]!);
    out.linkFlags[made] = batch.linkFlags[l]!;
    out.linkDropped[made] = batch.linkDropped[l]!;
    this.#attributes(batch, maps, batch.linkAttributes, l, out.linkAttributes);
  }

  #rare(batch: SpanBatch, row: number, i: number): void {
    const rare = batch.rare[row]! - 1;
    if (batch.rareExact[rare] === 1) {
      this.builder.setExactTimes(i, exactStartNs(batch, row), exactDurationNs(batch, row));
    }
    const attributes = batch.rareDroppedAttributes[rare]!;
    const events = batch.rareDroppedEvents[rare]!;
    this.builder.setDropped(i, attributes, events, batch.rareDroppedLinks[rare]!);
  }

  #resource(batch: SpanBatch, maps: SourceMaps, row: number): number {
    const known = maps.resources[row]!;
    if (known !== 0) return known - 1;
    const schemaUrl = this.#text(batch, maps, batch.resourceSchemaUrlId[row]!);
    const dropped = batch.resourceDropped[row]!;
    const table = batch.resourceAttributes;
    const content = `${schemaUrl} ${dropped}${this.#attributeText(batch, maps, table, row)}`;
    let made = this.#resourceOf.get(content);
    if (made === undefined) {
      made = this.builder.addResource();
      this.builder.resourceSchemaUrlId[made] = schemaUrl;
      this.builder.resourceDropped[made] = dropped;
      this.#attributes(batch, maps, table, row, this.builder.resourceAttributes);
      this.#resourceOf.set(content, made);
    }
    maps.resources[row] = made + 1;
    return made;
  }

  #scope(batch: SpanBatch, maps: SourceMaps, row: number): number {
    const known = maps.scopes[row]!;
    if (known !== 0) return known - 1;
    const name = this.#text(batch, maps, batch.scopeNameId[row]!);
    const version = this.#text(batch, maps, batch.scopeVersionId[row]!);
    const schemaUrl = this.#text(batch, maps, batch.scopeSchemaUrlId[row]!);
    const dropped = batch.scopeDropped[row]!;
    const attributes = this.#attributeText(batch, maps, batch.scopeAttributes, row);
    const content = `${name} ${version} ${schemaUrl} ${dropped}${attributes}`;
    let made = this.#scopeOf.get(content);
    if (made === undefined) {
      made = this.builder.addScope();
      this.builder.scopeNameId[made] = name;
      this.builder.scopeVersionId[made] = version;
      this.builder.scopeSchemaUrlId[made] = schemaUrl;
      this.builder.scopeDropped[made] = dropped;
      this.#attributes(batch, maps, batch.scopeAttributes, row, this.builder.scopeAttributes);
      this.#scopeOf.set(content, made);
    }
    maps.scopes[row] = made + 1;
    return made;
  }

  /** Attributes of an owner in the builder's ids: equal texts are equal content. */
  #attributeText(batch: SpanBatch, maps: SourceMaps, from: AttributeTable, owner: number): string {
    let content = "";
    for (let a = from.offsets[owner]!; a < from.offsets[owner + 1]!; a++) {
      const key = from.key[a]!;
      const value = from.value[a]!;
      const type = batch.keyType[key]!;
      const direct = type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
      const id = direct ? value : this.#text(batch, maps, value);
      content += `,${this.#key(batch, maps, key)}:${id}`;
    }
    return content;
  }
}

function copyBytes(
  from: Uint8Array,
  start: number,
  into: Uint8Array,
  at: number,
  length: number,
): void {
  for (let n = 0; n < length; n++) into[at + n] = from[start + n]!;
}
