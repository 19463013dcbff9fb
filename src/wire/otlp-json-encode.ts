/** Span batches as OTLP/JSON, the inverse of decoding it. Bench: bench/otlp-decode.ts. */

import { isZero } from "../base/bytes.ts";
import { decodeArrayOrMap } from "../core/any-value.ts";
import type { AnyValue } from "../core/any-value.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import * as read from "../core/read.ts";
import { JsonWriter } from "./json-writer.ts";
import { groupSpans } from "./otlp-groups.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, EMPTY } = ATTRIBUTE_TYPE;

/**
 * JSON of an ExportTraceServiceRequest (or TracesData) with the batch's spans, grouped by
 * resource and scope: hex ids, 64-bit numbers as texts, enums as numbers, bytes as base64. JSON
 * is Unicode: bytes of texts that are not UTF-8 become U+FFFD, NaN forgets its bits. Times
 * before 1970 or beyond 2^64 ns wrap.
 */
export function encodeOtlpJson(batch: SpanBatch): Uint8Array {
  const writer = new JsonWriter();
  const { groups, order } = groupSpans(batch);
  writer.text('{"resourceSpans":[');
  for (let g = 0; g < groups.length;) {
    const resource = groups[g]!.resourceRow;
    writer.text(g === 0 ? '{"resource":{' : ',{"resource":{');
    writeAttributes(writer, batch, batch.resourceAttributes, resource);
    writeNumber(writer, ',"droppedAttributesCount":', batch.resourceDropped[resource]!);
    writer.text('},"scopeSpans":[');
    for (let first = true; g < groups.length; g++, first = false) {
      const { resourceRow, scopeRow, start, end } = groups[g]!;
      if (resourceRow !== resource) break;
      if (!first) writer.text(",");
      writeScope(writer, batch, scopeRow);
      for (let o = start; o < end; o++) {
        if (o > start) writer.text(",");
        writeSpan(writer, batch, order[o]!);
      }
      writer.text("]");
      writeText(writer, ',"schemaUrl":', batch, batch.scopeSchemaUrlId[scopeRow]!);
      writer.text("}");
    }
    writer.text("]");
    writeText(writer, ',"schemaUrl":', batch, batch.resourceSchemaUrlId[resource]!);
    writer.text("}");
  }
  writer.text("]}");
  return joined(writer.take());
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function writeScope(writer: JsonWriter, batch: SpanBatch, row: number): void {
  writer.text('{"scope":{');
  writeAttributes(writer, batch, batch.scopeAttributes, row);
  writeText(writer, ',"name":', batch, batch.scopeNameId[row]!);
  writeText(writer, ',"version":', batch, batch.scopeVersionId[row]!);
  writeNumber(writer, ',"droppedAttributesCount":', batch.scopeDropped[row]!);
  writer.text('},"spans":[');
}

function writeSpan(writer: JsonWriter, batch: SpanBatch, i: number): void {
  writer.text('{"traceId":');
  writer.hex(batch.traceId, i * 16, 16);
  writer.text(',"spanId":');
  writer.hex(batch.spanId, i * 8, 8);
  if (!isZero(batch.parentSpanId, i * 8, 8)) {
    writer.text(',"parentSpanId":');
    writer.hex(batch.parentSpanId, i * 8, 8);
  }
  writeText(writer, ',"traceState":', batch, batch.traceStateId[i]!);
  writeNumber(writer, ',"flags":', batch.flags[i]!);
  writeText(writer, ',"name":', batch, batch.nameId[i]!);
  writeNumber(writer, ',"kind":', batch.kind[i]!);
  const start = read.exactStartNs(batch, i);
  writeTime(writer, ',"startTimeUnixNano":"', start);
  writeTime(writer, ',"endTimeUnixNano":"', start + read.exactDurationNs(batch, i));
  writer.text(",");
  writeAttributes(writer, batch, batch.spanAttributes, i);
  writeEvents(writer, batch, i);
  writeLinks(writer, batch, i);
  const rare = batch.rare[i]!;
  if (rare !== 0) {
    writeNumber(writer, ',"droppedAttributesCount":', batch.rareDroppedAttributes[rare - 1]!);
    writeNumber(writer, ',"droppedEventsCount":', batch.rareDroppedEvents[rare - 1]!);
    writeNumber(writer, ',"droppedLinksCount":', batch.rareDroppedLinks[rare - 1]!);
  }
  writer.text(',"status":{"code":');
  writer.integer(batch.status[i]!);
  writeText(writer, ',"message":', batch, batch.statusMessageId[i]!);
  writer.text("}}");
}

function writeEvents(writer: JsonWriter, batch: SpanBatch, span: number): void {
  const first = batch.eventOffsets[span]!;
  const end = batch.eventOffsets[span + 1]!;
  if (first === end) return;
  writer.text(',"events":[');
  for (let e = first; e < end; e++) {
    writer.text(e === first ? "{" : ",{");
    writeAttributes(writer, batch, batch.eventAttributes, e);
    writeTime(writer, ',"timeUnixNano":"', read.exactEventNs(batch, e));
    writeText(writer, ',"name":', batch, batch.eventNameId[e]!);
    writeNumber(writer, ',"droppedAttributesCount":', batch.eventDropped[e]!);
    writer.text("}");
  }
  writer.text("]");
}

function writeLinks(writer: JsonWriter, batch: SpanBatch, span: number): void {
  const first = batch.linkOffsets[span]!;
  const end = batch.linkOffsets[span + 1]!;
  if (first === end) return;
  writer.text(',"links":[');
  for (let l = first; l < end; l++) {
    writer.text(l === first ? '{"traceId":' : ',{"traceId":');
    writer.hex(batch.linkTraceId, l * 16, 16);
    writer.text(',"spanId":');
    writer.hex(batch.linkSpanId, l * 8, 8);
    writeText(writer, ',"traceState":', batch, batch.linkTraceStateId[l]!);
    writer.text(",");
    writeAttributes(writer, batch, batch.linkAttributes, l);
    writeNumber(writer, ',"droppedAttributesCount":', batch.linkDropped[l]!);
    writeNumber(writer, ',"flags":', batch.linkFlags[l]!);
    writer.text("}");
  }
  writer.text("]");
}

function writeAttributes(
  writer: JsonWriter,
  batch: SpanBatch,
  table: AttributeTable,
  owner: number,
): void {
  const first = table.offsets[owner]!;
  const end = table.offsets[owner + 1]!;
  writer.text('"attributes":[');
  for (let a = first; a < end; a++) {
    const key = table.key[a]!;
    writer.text(a === first ? '{"key":' : ',{"key":');
    writeEntry(writer, batch, batch.keyNameId[key]!);
    writer.text(',"value":{');
    writeValue(writer, batch, batch.keyType[key]!, table.value[a]!);
    writer.text("}}");
  }
  writer.text("]");
}

function writeValue(writer: JsonWriter, batch: SpanBatch, type: number, value: number): void {
  switch (type) {
    case STRING:
      writer.text('"stringValue":');
      writeEntry(writer, batch, value);
      return;
    case BOOL:
      writer.text(value === 0 ? '"boolValue":false' : '"boolValue":true');
      return;
    case INT:
      writer.text(`"intValue":"${read.dictInt(batch, value)}"`);
      return;
    case DOUBLE:
      writer.text(`"doubleValue":${doubleText(read.dictDouble(batch, value))}`);
      return;
    case BYTES:
      writer.text('"bytesValue":');
      writer.base64(batch.dictBytes, batch.dictOffsets[value]!, batch.dictOffsets[value + 1]!);
      return;
    case EMPTY:
      return;
    default:
      writeAny(writer, decodeArrayOrMap(type, read.dictEntry(batch, value)));
  }
}

/** Writes the inside of an AnyValue object. */
function writeAny(writer: JsonWriter, any: AnyValue): void {
  switch (any.type) {
    case "string":
      writer.text(`"stringValue":${JSON.stringify(any.value)}`);
      return;
    case "bool":
      writer.text(`"boolValue":${any.value}`);
      return;
    case "int":
      writer.text(`"intValue":"${any.value}"`);
      return;
    case "double":
      writer.text(`"doubleValue":${doubleText(any.value)}`);
      return;
    case "bytes":
      writer.text('"bytesValue":');
      writer.base64(any.value, 0, any.value.length);
      return;
    case "array":
      writer.text('"arrayValue":{"values":[');
      any.value.forEach((element, n) => {
        writer.text(n === 0 ? "{" : ",{");
        writeAny(writer, element);
        writer.text("}");
      });
      writer.text("]}");
      return;
    case "map":
      writer.text('"kvlistValue":{"values":[');
      any.value.forEach(([key, value], n) => {
        writer.text(`${n === 0 ? "" : ","}{"key":${JSON.stringify(key)},"value":{`);
        writeAny(writer, value);
        writer.text("}}");
      });
      writer.text("]}");
      return;
    case "empty":
  }
}

/** A double as JSON; what JSON has no number for is a text. */
function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return `"${value}"`;
}

function writeText(writer: JsonWriter, label: string, batch: SpanBatch, id: number): void {
  if (id === 0) return;
  writer.text(label);
  writeEntry(writer, batch, id);
}

function writeEntry(writer: JsonWriter, batch: SpanBatch, id: number): void {
  writer.string(batch.dictBytes, batch.dictOffsets[id]!, batch.dictOffsets[id + 1]!);
}

function writeNumber(writer: JsonWriter, label: string, value: number): void {
  if (value === 0) return;
  writer.text(label);
  writer.integer(value);
}

function writeTime(writer: JsonWriter, label: string, ns: bigint): void {
  writer.text(`${label}${BigInt.asUintN(64, ns)}"`);
}
