/** The rare things of a group's rows (events, links, odd times, spilled keys) as a batch. */

import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../core/batch.ts";
import type { BatchBuilder } from "../../core/builder.ts";
import type { AttributeTableBuilder } from "../../core/attribute-table.ts";

/** A value's id in the builder: literal for BOOL and EMPTY, else its bytes interned. */
export function copyValue(
  builder: BatchBuilder,
  batch: SpanBatch,
  type: number,
  value: number,
): number {
  if (type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY) return value;
  return copyId(builder, batch, value);
}

/** Dictionary id in the builder of a batch's entry. */
export function copyId(builder: BatchBuilder, batch: SpanBatch, id: number): number {
  if (id === 0) return 0;
  const offsets = batch.dictOffsets;
  return builder.dictionary.intern(batch.dictBytes, offsets[id]!, offsets[id + 1]!);
}

/** Adds an owner's attributes to the open owner of `to`. */
export function copyAttributes(
  builder: BatchBuilder,
  to: AttributeTableBuilder,
  batch: SpanBatch,
  from: AttributeTable,
  owner: number,
): void {
  for (let a = from.offsets[owner]!; a < from.offsets[owner + 1]!; a++) {
    const key = from.key[a]!;
    const type = batch.keyType[key]!;
    const name = copyId(builder, batch, batch.keyNameId[key]!);
    to.add(builder.key(name, type), copyValue(builder, batch, type, from.value[a]!));
  }
}

/**
 * Copies the rare things of row `row` onto the open span `to` of the builder. Event times are kept
 * relative to `eventBaseUs`, which makes them small and compressible.
 */
export function copyRest(
  builder: BatchBuilder,
  to: number,
  batch: SpanBatch,
  row: number,
  eventBaseUs: number,
): void {
  builder.traceStateId[to] = copyId(builder, batch, batch.traceStateId[row]!);
  builder.statusMessageId[to] = copyId(builder, batch, batch.statusMessageId[row]!);
  copyRare(builder, to, batch, row);
  for (let e = batch.eventOffsets[row]!; e < batch.eventOffsets[row + 1]!; e++) {
    const name = copyId(builder, batch, batch.eventNameId[e]!);
    const made = builder.addEvent(batch.eventUs[e]! - eventBaseUs, batch.eventNs[e]!, name);
    builder.eventDropped[made] = batch.eventDropped[e]!;
    const exact = batch.exactEventRow.indexOf(e);
    if (exact >= 0) builder.setExactEventUs(made, batch.exactEventUs[exact]!);
    copyAttributes(builder, builder.eventAttributes, batch, batch.eventAttributes, e);
  }
  for (let l = batch.linkOffsets[row]!; l < batch.linkOffsets[row + 1]!; l++) {
    const made = builder.addLink();
    builder.linkTraceId.set(batch.linkTraceId.subarray(l * 16, l * 16 + 16), made * 16);
    builder.linkSpanId.set(batch.linkSpanId.subarray(l * 8, l * 8 + 8), made * 8);
    builder.linkTraceStateId[made] = copyId(builder, batch, batch.linkTraceStateId[l]!);
    builder.linkFlags[made] = batch.linkFlags[l]!;
    builder.linkDropped[made] = batch.linkDropped[l]!;
    copyAttributes(builder, builder.linkAttributes, batch, batch.linkAttributes, l);
  }
}

function copyRare(builder: BatchBuilder, to: number, batch: SpanBatch, row: number): void {
  const rare = batch.rare[row]! - 1;
  if (rare < 0) return;
  if (batch.rareExact[rare] === 1) {
    const startNs = batch.rareStartUs[rare]! * 1000n + BigInt(batch.startNs[row]!);
    const durationNs = batch.rareDurationUs[rare]! * 1000n + BigInt(batch.rareDurationNs[rare]!);
    builder.setExactTimes(to, startNs, durationNs);
  }
  const attributes = batch.rareDroppedAttributes[rare]!;
  const events = batch.rareDroppedEvents[rare]!;
  builder.setDropped(to, attributes, events, batch.rareDroppedLinks[rare]!);
}

/** The base that event times of a span are kept relative to: its start, unless absurd. */
export function eventBase(startUs: number): number {
  // Beyond 2^52 a difference of two exact times need not be exact.
  return Math.abs(startUs) < 2 ** 52 ? startUs : 0;
}
