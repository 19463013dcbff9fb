// Encodes spans directly as Jaeger's Thrift, without objects in between.
import { REFERENCE_CHILD_OF, REFERENCE_FOLLOWS_FROM } from "./opentracing-names.ts";
import { ThriftType } from "../wire/thrift-writer.ts";
import { SpanContext, isContext } from "./span-context.ts";
import { bytesOfValue, cutText, nameText, textOfValue } from "./tag-text.ts";
import type { Reference } from "opentracing";
import type { ThriftWriter } from "../wire/thrift-writer.ts";
import type { FixedTags, LogRecord, Recording, Span } from "./span.ts";
import type { TagOptions } from "./tag-options.ts";

const TWO_32 = 4_294_967_296;
const TAG_STRING = 0;
const TAG_DOUBLE = 1;
const TAG_BOOL = 2;
const TAG_LONG = 3;
const TAG_BINARY = 4;
const INT64_MAX = 2n ** 63n;

function writeNumber(writer: ThriftWriter, key: string, value: number, asDouble: boolean): void {
  if (asDouble || !Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.tagBegin(key, TAG_DOUBLE);
    writer.fieldDouble(4, value);
    return;
  }
  writer.tagBegin(key, TAG_LONG);
  writer.fieldI64(6, Math.floor(value / TWO_32) | 0, value | 0);
}

function writeText(writer: ThriftWriter, key: string, value: string, limit: number): void {
  writer.tagBegin(key, TAG_STRING);
  writer.fieldString(3, value.length > limit ? cutText(value, limit) : value);
}

function writeRareValue(writer: ThriftWriter, key: string, value: unknown, limit: number): void {
  const bytes = bytesOfValue(value);
  if (bytes !== null) {
    writer.tagBegin(key, TAG_BINARY);
    writer.fieldBytes(7, bytes.length > limit ? bytes.subarray(0, limit) : bytes);
  } else if (typeof value === "bigint" && value >= -INT64_MAX && value < INT64_MAX) {
    writer.tagBegin(key, TAG_LONG);
    writer.fieldI64(6, Number(value >> 32n) | 0, Number(value & 0xffffffffn) | 0);
  } else {
    writeText(writer, key, textOfValue(value), limit);
  }
}

function writeTag(writer: ThriftWriter, key: string, value: unknown, options: TagOptions): void {
  if (typeof value === "string") {
    writeText(writer, key, value, options.maxTagValueLength);
  } else if (typeof value === "number") {
    writeNumber(writer, key, value, options.numbersAsDouble);
  } else if (typeof value === "boolean") {
    writer.tagBegin(key, TAG_BOOL);
    writer.fieldBool(5, value);
  } else {
    writeRareValue(writer, key, value, options.maxTagValueLength);
  }
  writer.structEnd();
}

function writeEach(writer: ThriftWriter, flat: readonly unknown[], options: TagOptions): void {
  for (let i = 0; i < flat.length; i += 2) {
    writeTag(writer, flat[i] as string, flat[i + 1], options);
  }
}

/** Writes alternating keys and values as a list of tags. */
export function writeThriftTags(
  writer: ThriftWriter,
  field: number,
  flat: readonly unknown[],
  options: TagOptions,
): void {
  writer.fieldList(field, ThriftType.struct, flat.length >>> 1);
  writeEach(writer, flat, options);
}

/** Copies what was written before, where the last who wrote them was the same. */
function writeFixed(writer: ThriftWriter, fixed: FixedTags, options: TagOptions): void {
  if (fixed.encodedBy === writer) {
    writer.raw(fixed.encoded);
    return;
  }
  const start = writer.position;
  writeEach(writer, fixed.flat, options);
  fixed.encoded = writer.bytes.slice(start, writer.position);
  fixed.encodedBy = writer;
}

function writeSpanTags(writer: ThriftWriter, recording: Recording, options: TagOptions): void {
  const { fixed, tags } = recording;
  const fixedLength = fixed === null ? 0 : fixed.flat.length;
  writer.fieldList(10, ThriftType.struct, (fixedLength + tags.length) >>> 1);
  if (fixed !== null) writeFixed(writer, fixed, options);
  writeEach(writer, tags, options);
}

function writeTime(writer: ThriftWriter, field: number, milliseconds: number): void {
  const us = Math.round(milliseconds * 1_000);
  writer.fieldI64(field, Math.floor(us / TWO_32) | 0, us | 0);
}

function writeReferences(writer: ThriftWriter, references: readonly Reference[]): void {
  const known = references.filter(
    (each) => each.type() === REFERENCE_CHILD_OF || each.type() === REFERENCE_FOLLOWS_FROM,
  );
  writer.fieldList(6, ThriftType.struct, known.length);
  for (const reference of known) {
    const context = reference.referencedContext();
    const to = isContext(context) ? context : new SpanContext();
    writer.structBegin();
    writer.fieldI32(1, reference.type() === REFERENCE_CHILD_OF ? 0 : 1);
    writer.fieldI64(2, to.trace2, to.trace3);
    writer.fieldI64(3, to.trace0, to.trace1);
    writer.fieldI64(4, to.span0, to.span1);
    writer.structEnd();
  }
}

function writeLogs(writer: ThriftWriter, logs: readonly LogRecord[], options: TagOptions): void {
  writer.fieldList(11, ThriftType.struct, logs.length);
  for (const log of logs) {
    writer.structBegin();
    writeTime(writer, 1, log.timestampMs);
    writeThriftTags(writer, 2, log.fields, options);
    writer.structEnd();
  }
}

/** Appends one finished span as jaeger.thrift's Span. Bench: bench/client-span.ts. */
export function writeThriftSpan(writer: ThriftWriter, span: Span, options: TagOptions): void {
  const context = span.spanContext;
  const recording = span.recording!;
  writer.structBegin();
  writer.fieldI64(1, context.trace2, context.trace3);
  writer.fieldI64(2, context.trace0, context.trace1);
  writer.fieldI64(3, context.span0, context.span1);
  writer.fieldI64(4, context.parent0, context.parent1);
  writer.fieldString(5, nameText(span.operationName));
  if (recording.references !== null) writeReferences(writer, recording.references);
  writer.fieldI32(7, recording.flags);
  writeTime(writer, 8, span.startMs);
  writeTime(writer, 9, recording.durationMs);
  writeSpanTags(writer, recording, options);
  if (recording.logs !== null) writeLogs(writer, recording.orderedLogs(), options);
  writer.structEnd();
}
