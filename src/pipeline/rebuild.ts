/** A new batch from an old one: for stages that leave spans out or add to rows. */

import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { exactDurationNs, exactStartNs } from "../core/read.ts";

/** What to change; everything else is copied as it is. */
export interface BatchChange {
  /** False leaves span `i` out. Resources and scopes stay, even without spans. */
  keepSpan?(i: number): boolean;
  /** Called when resource `row` and its attributes are in the builder: may add attributes. */
  resource?(builder: BatchBuilder, row: number): void;
  /**
   * Called before entry `a` of a table of the old batch is copied into `to`, for its open owner.
   * True when it was added in another form.
   */
  attribute?(
    builder: BatchBuilder,
    to: AttributeTableBuilder,
    from: AttributeTable,
    a: number,
  ): boolean;
  /** Called when event `e` of the old batch is row `row` of the builder, with its attributes. */
  event?(builder: BatchBuilder, row: number, e: number): void;
  /** Called when span `i` of the old batch is row `row` of the builder: may change it. */
  span?(builder: BatchBuilder, row: number, i: number): void;
}

/** The batch with the change applied. Not for the hot path: only stages that change rows. */
export function rebuildBatch(batch: SpanBatch, change: BatchChange): SpanBatch {
  const copy = new Copy(batch, change);
  for (let r = 0; r < batch.resourceCount; r++) {
    copy.resource(r);
    change.resource?.(copy.builder, r);
  }
  for (let s = 0; s < batch.scopeCount; s++) copy.scope(s);
  for (let i = 0; i < batch.spanCount; i++) {
    if (change.keepSpan !== undefined && !change.keepSpan(i)) continue;
    const row = copy.span(i);
    change.span?.(copy.builder, row, i);
  }
  return copy.builder.finish();
}

const UNMAPPED = 0xffffffff;

/** Copies rows of a batch into a builder, dictionary entries and keys on first use. */
class Copy {
  readonly builder = new BatchBuilder();
  readonly #batch: SpanBatch;
  readonly #dict: Uint32Array;
  readonly #keys: Uint32Array;
  readonly #exactEvents: ReadonlyMap<number, bigint>;
  readonly #change: BatchChange;

  constructor(batch: SpanBatch, change: BatchChange) {
    this.#batch = batch;
    this.#change = change;
    this.#dict = new Uint32Array(batch.dictCount).fill(UNMAPPED);
    this.#keys = new Uint32Array(batch.keyCount).fill(UNMAPPED);
    const exact = new Map<number, bigint>();
    batch.exactEventRow.forEach((row, x) => exact.set(row, batch.exactEventUs[x]!));
    this.#exactEvents = exact;
  }

  resource(r: number): void {
    const batch = this.#batch;
    const { builder } = this;
    const row = builder.addResource();
    builder.resourceDropped[row] = batch.resourceDropped[r]!;
    builder.resourceSchemaUrlId[row] = this.#text(batch.resourceSchemaUrlId[r]!);
    this.#attributes(batch.resourceAttributes, r, builder.resourceAttributes);
  }

  scope(s: number): void {
    const batch = this.#batch;
    const { builder } = this;
    const row = builder.addScope();
    builder.scopeNameId[row] = this.#text(batch.scopeNameId[s]!);
    builder.scopeVersionId[row] = this.#text(batch.scopeVersionId[s]!);
    builder.scopeDropped[row] = batch.scopeDropped[s]!;
    builder.scopeSchemaUrlId[row] = this.#text(batch.scopeSchemaUrlId[s]!);
    this.#attributes(batch.scopeAttributes, s, builder.scopeAttributes);
  }

  /** Copies span `i` with its events and links; returns its new row. */
  span(i: number): number {
    const batch = this.#batch;
    const { builder } = this;
    const row = builder.addSpan(batch.resourceRow[i]!, batch.scopeRow[i]!);
    builder.startUs[row] = batch.startUs[i]!;
    builder.startNs[row] = batch.startNs[i]!;
    builder.durationNs[row] = batch.durationNs[i]!;
    builder.nameId[row] = this.#text(batch.nameId[i]!);
    builder.statusMessageId[row] = this.#text(batch.statusMessageId[i]!);
    builder.traceStateId[row] = this.#text(batch.traceStateId[i]!);
    builder.flags[row] = batch.flags[i]!;
    builder.kind[row] = batch.kind[i]!;
    builder.status[row] = batch.status[i]!;
    builder.traceId.set(batch.traceId.subarray(i * 16, i * 16 + 16), row * 16);
    builder.spanId.set(batch.spanId.subarray(i * 8, i * 8 + 8), row * 8);
    builder.parentSpanId.set(batch.parentSpanId.subarray(i * 8, i * 8 + 8), row * 8);
    if (batch.rare[i] !== 0) this.#rare(i, row);
    this.#attributes(batch.spanAttributes, i, builder.spanAttributes);
    for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) this.#event(e);
    for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) this.#link(l);
    return row;
  }

  #rare(i: number, row: number): void {
    const batch = this.#batch;
    const rare = batch.rare[i]! - 1;
    this.builder.setDropped(
      row,
      batch.rareDroppedAttributes[rare]!,
      batch.rareDroppedEvents[rare]!,
      batch.rareDroppedLinks[rare]!,
    );
    if (batch.rareExact[rare] === 0) return;
    this.builder.setExactTimes(row, exactStartNs(batch, i), exactDurationNs(batch, i));
  }

  #event(e: number): void {
    const batch = this.#batch;
    const { builder } = this;
    const name = this.#text(batch.eventNameId[e]!);
    const row = builder.addEvent(batch.eventUs[e]!, batch.eventNs[e]!, name);
    builder.eventDropped[row] = batch.eventDropped[e]!;
    const exact = this.#exactEvents.get(e);
    if (exact !== undefined) builder.setExactEventUs(row, exact);
    this.#attributes(batch.eventAttributes, e, builder.eventAttributes);
    this.#change.event?.(builder, row, e);
  }

  #link(l: number): void {
    const batch = this.#batch;
    const { builder } = this;
    const row = builder.addLink();
    builder.linkTraceId.set(batch.linkTraceId.subarray(l * 16, l * 16 + 16), row * 16);
    builder.linkSpanId.set(batch.linkSpanId.subarray(l * 8, l * 8 + 8), row * 8);
    builder.linkTraceStateId[row] = this.#text(batch.linkTraceStateId[l]!);
    builder.linkFlags[row] = batch.linkFlags[l]!;
    builder.linkDropped[row] = batch.linkDropped[l]!;
    this.#attributes(batch.linkAttributes, l, builder.linkAttributes);
  }

  #attributes(from: AttributeTable, owner: number, to: AttributeTableBuilder): void {
    for (let a = from.offsets[owner]!; a < from.offsets[owner + 1]!; a++) {
      if (this.#change.attribute?.(this.builder, to, from, a) === true) continue;
      const oldKey = from.key[a]!;
      const type = this.#batch.keyType[oldKey]!;
      const plain = type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
      const value = from.value[a]!;
      to.add(this.#key(oldKey, type), plain ? value : this.#text(value));
    }
  }

  #key(oldKey: number, type: number): number {
    let key = this.#keys[oldKey]!;
    if (key === UNMAPPED) {
      key = this.builder.key(this.#text(this.#batch.keyNameId[oldKey]!), type);
      this.#keys[oldKey] = key;
    }
    return key;
  }

  #text(oldId: number): number {
    let id = this.#dict[oldId]!;
    if (id === UNMAPPED) {
      const { dictBytes, dictOffsets } = this.#batch;
      id = this.builder.dictionary.intern(dictBytes, dictOffsets[oldId]!, dictOffsets[oldId + 1]!);
      this.#dict[oldId] = id;
    }
    return id;
  }
}
