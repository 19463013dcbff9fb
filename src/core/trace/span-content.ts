/** What makes two spans the same span: the full content of a row, free of its dictionary. */

import { equalBytes } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { dictEntry, exactDurationNs, exactEventNs, exactStartNs } from "../read.ts";

/** A row of a batch. */
export interface RowRef {
  readonly batch: SpanBatch;
  readonly row: number;
}

/**
 * Whether two rows are the same span sent twice: equal ids and equal content. Content is all a
 * batch holds of a span, its resource and its scope; attributes, events and links count in the
 * order they were sent, keys of different type are different, doubles compare by their bits.
 */
export function sameSpan(a: SpanBatch, i: number, b: SpanBatch, j: number): boolean {
  return (
    equalBytes(a.spanId, i * 8, b.spanId, j * 8, 8) &&
    equalBytes(a.traceId, i * 16, b.traceId, j * 16, 16) &&
    equalBytes(a.parentSpanId, i * 8, b.parentSpanId, j * 8, 8) &&
    a.startNs[i] === b.startNs[j] &&
    a.startUs[i] === b.startUs[j] &&
    a.durationNs[i] === b.durationNs[j] &&
    a.kind[i] === b.kind[j] &&
    a.status[i] === b.status[j] &&
    a.flags[i] === b.flags[j] &&
    sameRare(a, i, b, j) &&
    sameEntry(a, a.nameId[i]!, b, b.nameId[j]!) &&
    sameEntry(a, a.statusMessageId[i]!, b, b.statusMessageId[j]!) &&
    sameEntry(a, a.traceStateId[i]!, b, b.traceStateId[j]!) &&
    sameAttributes(a, a.spanAttributes, i, b, b.spanAttributes, j) &&
    sameEvents(a, i, b, j) &&
    sameLinks(a, i, b, j) &&
    sameScope(a, a.scopeRow[i]!, b, b.scopeRow[j]!) &&
    sameResource(a, a.resourceRow[i]!, b, b.resourceRow[j]!)
  );
}

function sameEntry(a: SpanBatch, x: number, b: SpanBatch, y: number): boolean {
  if (a === b) return x === y;
  const start = a.dictOffsets[x]!;
  const length = a.dictOffsets[x + 1]! - start;
  const other = b.dictOffsets[y]!;
  if (b.dictOffsets[y + 1]! - other !== length) return false;
  return equalBytes(a.dictBytes, start, b.dictBytes, other, length);
}

function sameRare(a: SpanBatch, i: number, b: SpanBatch, j: number): boolean {
  if (a.rare[i] === 0 && b.rare[j] === 0) return true;
  const [x, y] = [droppedCounts(a, i), droppedCounts(b, j)];
  if (x.some((count, n) => count !== y[n])) return false;
  return (
    exactStartNs(a, i) === exactStartNs(b, j) && exactDurationNs(a, i) === exactDurationNs(b, j)
  );
}

/** Dropped attributes, events and links of a span. */
function droppedCounts(batch: SpanBatch, i: number): readonly [number, number, number] {
  const rare = batch.rare[i]! - 1;
  if (rare < 0) return [0, 0, 0];
  return [
    batch.rareDroppedAttributes[rare]!,
    batch.rareDroppedEvents[rare]!,
    batch.rareDroppedLinks[rare]!,
  ];
}

function sameAttributes(
  a: SpanBatch,
  left: AttributeTable,
  i: number,
  b: SpanBatch,
  right: AttributeTable,
  j: number,
): boolean {
  const start = left.offsets[i]!;
  const count = left.offsets[i + 1]! - start;
  const other = right.offsets[j]!;
  if (right.offsets[j + 1]! - other !== count) return false;
  for (let n = 0; n < count; n++) {
    const x = left.key[start + n]!;
    const y = right.key[other + n]!;
    const type = a.keyType[x]!;
    if (type !== b.keyType[y] || !sameEntry(a, a.keyNameId[x]!, b, b.keyNameId[y]!)) return false;
    const value = left.value[start + n]!;
    const otherValue = right.value[other + n]!;
    const direct = type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
    if (direct ? value !== otherValue : !sameEntry(a, value, b, otherValue)) return false;
  }
  return true;
}

function sameEvents(a: SpanBatch, i: number, b: SpanBatch, j: number): boolean {
  const start = a.eventOffsets[i]!;
  const count = a.eventOffsets[i + 1]! - start;
  const other = b.eventOffsets[j]!;
  if (b.eventOffsets[j + 1]! - other !== count) return false;
  for (let n = 0; n < count; n++) {
    const x = start + n;
    const y = other + n;
    const same =
      exactEventNs(a, x) === exactEventNs(b, y) &&
      a.eventDropped[x] === b.eventDropped[y] &&
      sameEntry(a, a.eventNameId[x]!, b, b.eventNameId[y]!) &&
      sameAttributes(a, a.eventAttributes, x, b, b.eventAttributes, y);
    if (!same) return false;
  }
  return true;
}

function sameLinks(a: SpanBatch, i: number, b: SpanBatch, j: number): boolean {
  const start = a.linkOffsets[i]!;
  const count = a.linkOffsets[i + 1]! - start;
  const other = b.linkOffsets[j]!;
  if (b.linkOffsets[j + 1]! - other !== count) return false;
  for (let n = 0; n < count; n++) {
    const x = start + n;
    const y = other + n;
    const same =
      equalBytes(a.linkTraceId, x * 16, b.linkTraceId, y * 16, 16) &&
      equalBytes(a.linkSpanId, x * 8, b.linkSpanId, y * 8, 8) &&
      a.linkFlags[x] === b.linkFlags[y] &&
      a.linkDropped[x] === b.linkDropped[y] &&
      sameEntry(a, a.linkTraceStateId[x]!, b, b.linkTraceStateId[y]!) &&
      sameAttributes(a, a.linkAttributes, x, b, b.linkAttributes, y);
    if (!same) return false;
  }
  return true;
}

/** Whether two scopes are equal in content. */
export function sameScope(a: SpanBatch, x: number, b: SpanBatch, y: number): boolean {
  if (a === b && x === y) return true;
  return (
    a.scopeDropped[x] === b.scopeDropped[y] &&
    sameEntry(a, a.scopeNameId[x]!, b, b.scopeNameId[y]!) &&
    sameEntry(a, a.scopeVersionId[x]!, b, b.scopeVersionId[y]!) &&
    sameEntry(a, a.scopeSchemaUrlId[x]!, b, b.scopeSchemaUrlId[y]!) &&
    sameAttributes(a, a.scopeAttributes, x, b, b.scopeAttributes, y)
  );
}

/** Whether two resources are equal in content. */
export function sameResource(a: SpanBatch, x: number, b: SpanBatch, y: number): boolean {
  if (a === b && x === y) return true;
  return (
    a.resourceDropped[x] === b.resourceDropped[y] &&
    sameEntry(a, a.resourceSchemaUrlId[x]!, b, b.resourceSchemaUrlId[y]!) &&
    sameAttributes(a, a.resourceAttributes, x, b, b.resourceAttributes, y)
  );
}

/**
 * The row's content as text, for tests, logs and hashing: equal exactly when `sameSpan` holds.
 * Readable, one fact a line, bytes escaped as Latin-1 JSON.
 */
export function spanContent(batch: SpanBatch, i: number): string {
  const resource = batch.resourceRow[i]!;
  const scope = batch.scopeRow[i]!;
  const lines = [
    `ids ${bytesText(batch.traceId, i * 16, 16)} ${bytesText(batch.spanId, i * 8, 8)}`,
    `parent ${bytesText(batch.parentSpanId, i * 8, 8)}`,
    `start ${exactStartNs(batch, i)} duration ${exactDurationNs(batch, i)}`,
    `name ${entryText(batch, batch.nameId[i]!)} kind ${batch.kind[i]} flags ${batch.flags[i]}`,
    `status ${batch.status[i]} ${entryText(batch, batch.statusMessageId[i]!)}`,
    `state ${entryText(batch, batch.traceStateId[i]!)} dropped ${droppedCounts(batch, i).join()}`,
    ...attributeLines(batch, batch.spanAttributes, i),
  ];
  for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) {
    const name = entryText(batch, batch.eventNameId[e]!);
    lines.push(`event ${exactEventNs(batch, e)} ${name} dropped ${batch.eventDropped[e]}`);
    lines.push(...attributeLines(batch, batch.eventAttributes, e));
  }
  for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
    const traceId = bytesText(batch.linkTraceId, l * 16, 16);
    const spanId = bytesText(batch.linkSpanId, l * 8, 8);
    const state = entryText(batch, batch.linkTraceStateId[l]!);
    const numbers = `flags ${batch.linkFlags[l]} dropped ${batch.linkDropped[l]}`;
    lines.push(`link ${traceId} ${spanId} ${state} ${numbers}`);
    lines.push(...attributeLines(batch, batch.linkAttributes, l));
  }
  const scopeName = entryText(batch, batch.scopeNameId[scope]!);
  const scopeVersion = entryText(batch, batch.scopeVersionId[scope]!);
  const scopeSchema = entryText(batch, batch.scopeSchemaUrlId[scope]!);
  const scopeDropped = batch.scopeDropped[scope];
  lines.push(`scope ${scopeName} ${scopeVersion} ${scopeSchema} dropped ${scopeDropped}`);
  lines.push(...attributeLines(batch, batch.scopeAttributes, scope));
  const schema = entryText(batch, batch.resourceSchemaUrlId[resource]!);
  lines.push(`resource ${schema} dropped ${batch.resourceDropped[resource]}`);
  lines.push(...attributeLines(batch, batch.resourceAttributes, resource));
  return lines.join("\n");
}

function attributeLines(batch: SpanBatch, table: AttributeTable, owner: number): string[] {
  const lines: string[] = [];
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    const key = table.key[a]!;
    const type = batch.keyType[key]!;
    const direct = type === ATTRIBUTE_TYPE.BOOL || type === ATTRIBUTE_TYPE.EMPTY;
    const value = direct ? String(table.value[a]) : entryText(batch, table.value[a]!);
    lines.push(`  ${entryText(batch, batch.keyNameId[key]!)} ${type} ${value}`);
  }
  return lines;
}

function entryText(batch: SpanBatch, id: number): string {
  return bytesText(dictEntry(batch, id), 0);
}

function bytesText(bytes: Uint8Array, start: number, length = bytes.length): string {
  let text = "";
  for (let i = start; i < start + length; i++) text += String.fromCharCode(bytes[i]!);
  return JSON.stringify(text);
}
