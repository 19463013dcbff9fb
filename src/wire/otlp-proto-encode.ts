/** Span batches as OTLP protobuf requests, the inverse of decoding. Bench: bench/otlp-decode.ts. */

import { isZero } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import { exactDurationNs, exactEventNs, exactStartNs } from "../core/read.ts";
import { wordAt, writeEntry, writeSlice } from "./batch-fields.ts";
import { groupSpans } from "./otlp-groups.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, MAP } = ATTRIBUTE_TYPE;
const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const MOST_BYTES = 2 ** 31;
const BYTES_A_SPAN = 512;
/** Lengths of spans mostly take two bytes, those of their containers three. */
const SPAN_ROOM = 2;
const GROUP_ROOM = 3;

/** Tags of AnyValue's members that are bytes, by attribute type. */
const BYTES_TAG = new Uint8Array(9);
BYTES_TAG[STRING] = 0x0a;
BYTES_TAG[BYTES] = 0x3a;
BYTES_TAG[ARRAY] = 0x2a;
BYTES_TAG[MAP] = 0x32;

/**
 * Bytes of an ExportTraceServiceRequest (or TracesData, the same bytes) with the batch's spans,
 * grouped by resource and scope. Times before 1970 or beyond 2^64 ns wrap, as in Go; all else
 * survives decoding again.
 */
export function encodeOtlpProto(batch: SpanBatch): Uint8Array {
  const guess = 1024 + batch.spanCount * BYTES_A_SPAN;
  const writer = new ProtobufWriter(new Uint8Array(guess), MOST_BYTES);
  const { groups, order } = groupSpans(batch);
  for (let g = 0; g < groups.length;) {
    const resource = groups[g]!.resourceRow;
    const resourceSpans = writer.begin(0x0a, GROUP_ROOM);
    writeResource(writer, batch, resource);
    for (; g < groups.length && groups[g]!.resourceRow === resource; g++) {
      const { scopeRow, start, end } = groups[g]!;
      const scopeSpans = writer.begin(0x12, GROUP_ROOM);
      writeScope(writer, batch, scopeRow);
      for (let o = start; o < end; o++) writeSpan(writer, batch, order[o]!);
      writeEntry(writer, 0x1a, batch, batch.scopeSchemaUrlId[scopeRow]!);
      writer.end(scopeSpans, GROUP_ROOM);
    }
    writeEntry(writer, 0x1a, batch, batch.resourceSchemaUrlId[resource]!);
    writer.end(resourceSpans, GROUP_ROOM);
  }
  return writer.bytes.subarray(0, writer.position);
}

function writeResource(writer: ProtobufWriter, batch: SpanBatch, row: number): void {
  const start = writer.begin(0x0a, SPAN_ROOM);
  writeAttributes(writer, 0x0a, batch, batch.resourceAttributes, row);
  writeNumber(writer, 0x10, batch.resourceDropped[row]!);
  writer.end(start, SPAN_ROOM);
}

function writeScope(writer: ProtobufWriter, batch: SpanBatch, row: number): void {
  const start = writer.begin(0x0a);
  writeEntry(writer, 0x0a, batch, batch.scopeNameId[row]!);
  writeEntry(writer, 0x12, batch, batch.scopeVersionId[row]!);
  writeAttributes(writer, 0x1a, batch, batch.scopeAttributes, row);
  writeNumber(writer, 0x20, batch.scopeDropped[row]!);
  writer.end(start);
}

function writeSpan(writer: ProtobufWriter, batch: SpanBatch, i: number): void {
  const start = writer.begin(0x12, SPAN_ROOM);
  writeSlice(writer, 0x0a, batch.traceId, i * 16, i * 16 + 16);
  writeSlice(writer, 0x12, batch.spanId, i * 8, i * 8 + 8);
  writeEntry(writer, 0x1a, batch, batch.traceStateId[i]!);
  if (!isZero(batch.parentSpanId, i * 8, 8)) {
    writeSlice(writer, 0x22, batch.parentSpanId, i * 8, i * 8 + 8);
  }
  writeEntry(writer, 0x2a, batch, batch.nameId[i]!);
  writeNumber(writer, 0x30, batch.kind[i]!);
  writeTimes(writer, batch, i);
  writeAttributes(writer, 0x4a, batch, batch.spanAttributes, i);
  const rare = batch.rare[i]!;
  if (rare !== 0) writeNumber(writer, 0x50, batch.rareDroppedAttributes[rare - 1]!);
  for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) {
    writeEvent(writer, batch, e);
  }
  if (rare !== 0) writeNumber(writer, 0x60, batch.rareDroppedEvents[rare - 1]!);
  for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
    writeLink(writer, batch, l);
  }
  if (rare !== 0) writeNumber(writer, 0x70, batch.rareDroppedLinks[rare - 1]!);
  if (batch.status[i] !== 0 || batch.statusMessageId[i] !== 0) {
    const status = writer.begin(0x7a);
    writeEntry(writer, 0x12, batch, batch.statusMessageId[i]!);
    writeNumber(writer, 0x18, batch.status[i]!);
    writer.end(status);
  }
  if (batch.flags[i] !== 0) {
    // Field 16 has a tag of two bytes: the first here, the second as fieldFixed32's own.
    writer.reserve(1);
    writer.bytes[writer.position++] = 0x85;
    writer.fieldFixed32(0x01, batch.flags[i]!);
  }
  writer.end(start, SPAN_ROOM);
}

function writeTimes(writer: ProtobufWriter, batch: SpanBatch, i: number): void {
  const rare = batch.rare[i]!;
  const startUs = batch.startUs[i]!;
  const durationNs = batch.durationNs[i]!;
  let durationUs = Math.floor(durationNs / 1000);
  let restNs = durationNs - durationUs * 1000;
  if (restNs < 0) {
    durationUs--;
    restNs += 1000;
  }
  const exact = rare !== 0 && batch.rareExact[rare - 1] === 1;
  if (exact || Math.abs(startUs + durationUs) >= TWO_TO_53) {
    const start = exactStartNs(batch, i);
    writeBigTime(writer, 0x39, start);
    writeBigTime(writer, 0x41, start + exactDurationNs(batch, i));
    return;
  }
  writeTime(writer, 0x39, startUs, batch.startNs[i]!);
  writeTime(writer, 0x41, startUs + durationUs, batch.startNs[i]! + restNs);
}

/** Writes `us`·1000 + `ns` as a fixed64, unless zero. */
function writeTime(writer: ProtobufWriter, tag: number, us: number, ns: number): void {
  if (us === 0 && ns === 0) return;
  const usHigh = Math.floor(us / TWO_TO_32);
  const low = (us - usHigh * TWO_TO_32) * 1000 + ns;
  const carry = Math.floor(low / TWO_TO_32);
  writer.fieldFixed64(tag, (usHigh * 1000 + carry) | 0, (low - carry * TWO_TO_32) | 0);
}

function writeBigTime(writer: ProtobufWriter, tag: number, ns: bigint): void {
  if (ns === 0n) return;
  const low = Number(BigInt.asIntN(32, ns));
  writer.fieldFixed64(tag, Number(BigInt.asIntN(32, ns >> 32n)), low);
}

function writeEvent(writer: ProtobufWriter, batch: SpanBatch, e: number): void {
  const start = writer.begin(0x5a);
  if (Math.abs(batch.eventUs[e]!) >= TWO_TO_53) writeBigTime(writer, 0x09, exactEventNs(batch, e));
  else writeTime(writer, 0x09, batch.eventUs[e]!, batch.eventNs[e]!);
  writeEntry(writer, 0x12, batch, batch.eventNameId[e]!);
  writeAttributes(writer, 0x1a, batch, batch.eventAttributes, e);
  writeNumber(writer, 0x20, batch.eventDropped[e]!);
  writer.end(start);
}

function writeLink(writer: ProtobufWriter, batch: SpanBatch, l: number): void {
  const start = writer.begin(0x6a);
  if (!isZero(batch.linkTraceId, l * 16, 16)) {
    writeSlice(writer, 0x0a, batch.linkTraceId, l * 16, l * 16 + 16);
  }
  if (!isZero(batch.linkSpanId, l * 8, 8)) {
    writeSlice(writer, 0x12, batch.linkSpanId, l * 8, l * 8 + 8);
  }
  writeEntry(writer, 0x1a, batch, batch.linkTraceStateId[l]!);
  writeAttributes(writer, 0x22, batch, batch.linkAttributes, l);
  writeNumber(writer, 0x28, batch.linkDropped[l]!);
  if (batch.linkFlags[l] !== 0) writer.fieldFixed32(0x35, batch.linkFlags[l]!);
  writer.end(start);
}

function writeAttributes(
  writer: ProtobufWriter,
  tag: number,
  batch: SpanBatch,
  table: AttributeTable,
  owner: number,
): void {
  const end = table.offsets[owner + 1]!;
  for (let a = table.offsets[owner]!; a < end; a++) {
    const key = table.key[a]!;
    const start = writer.begin(tag);
    writeEntry(writer, 0x0a, batch, batch.keyNameId[key]!);
    const value = writer.begin(0x12);
    writeValue(writer, batch, batch.keyType[key]!, table.value[a]!);
    writer.end(value);
    writer.end(start);
  }
}

function writeValue(writer: ProtobufWriter, batch: SpanBatch, type: number, value: number): void {
  const tag = BYTES_TAG[type]!;
  if (tag !== 0) {
    const offsets = batch.dictOffsets;
    writeSlice(writer, tag, batch.dictBytes, offsets[value]!, offsets[value + 1]!);
  } else if (type === BOOL) writer.fieldVarint(0x10, value);
  else if (type === INT || type === DOUBLE) {
    const bytes = batch.dictBytes;
    const at = batch.dictOffsets[value]!;
    const low = wordAt(bytes, at);
    if (type === INT) writer.fieldVarint64(0x18, wordAt(bytes, at + 4), low);
    else writer.fieldFixed64(0x21, wordAt(bytes, at + 4), low);
  }
}

function writeNumber(writer: ProtobufWriter, tag: number, value: number): void {
  if (value !== 0) writer.fieldVarint(tag, value);
}
