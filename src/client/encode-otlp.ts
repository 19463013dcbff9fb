// Encodes spans directly as OTLP protobuf, without objects in between.
import { REFERENCE_CHILD_OF } from "./opentracing-names.ts";
import { isContext } from "./span-context.ts";
import type { SpanContext } from "./span-context.ts";
import { bytesOfValue, cutText, nameText, textOfValue } from "./tag-text.ts";
import type { ProtobufWriter } from "../wire/protobuf-writer.ts";
import type { LogRecord, Span } from "./span.ts";
import type { TagOptions } from "./tag-options.ts";

const TWO_32 = 4_294_967_296;
const INT64_MAX = 2n ** 63n;
const STATUS_ERROR = 2;

// Tag bytes of opentelemetry.proto.trace.v1.Span: field number and wire type.
const TRACE_ID = 0x0a;
const SPAN_ID = 0x12;
const TRACE_STATE = 0x1a;
const PARENT_ID = 0x22;
const NAME = 0x2a;
const KIND = 0x30;
const START = 0x39;
const END = 0x41;
const ATTRIBUTE = 0x4a;
const EVENT = 0x5a;
const LINK = 0x6a;
const STATUS = 0x7a;

const KINDS: Readonly<Record<string, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};

function writeNumber(writer: ProtobufWriter, value: number, asDouble: boolean): void {
  if (asDouble || !Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.fieldDouble(0x21, value);
  } else {
    writer.fieldVarint64(0x18, Math.floor(value / TWO_32) | 0, value | 0);
  }
}

function writeRareValue(writer: ProtobufWriter, value: unknown, limit: number): void {
  const bytes = bytesOfValue(value);
  if (bytes !== null) {
    writer.fieldBytes(0x3a, bytes.length > limit ? bytes.subarray(0, limit) : bytes);
  } else if (typeof value === "bigint" && value >= -INT64_MAX && value < INT64_MAX) {
    writer.fieldVarint64(0x18, Number(value >> 32n) | 0, Number(value & 0xffffffffn) | 0);
  } else {
    writer.fieldString(0x0a, cutText(textOfValue(value), limit));
  }
}

/** Writes one KeyValue as field `tag` of the open message. */
export function writeAttribute(
  writer: ProtobufWriter,
  tag: number,
  key: string,
  value: unknown,
  options: TagOptions,
): void {
  const pair = writer.begin(tag);
  writer.fieldString(0x0a, key);
  const any = writer.begin(0x12);
  if (typeof value === "string") {
    writer.fieldString(0x0a, cutText(value, options.maxTagValueLength));
  } else if (typeof value === "number") {
    writeNumber(writer, value, options.numbersAsDouble);
  } else if (typeof value === "boolean") {
    writer.fieldVarint(0x10, value ? 1 : 0);
  } else {
    writeRareValue(writer, value, options.maxTagValueLength);
  }
  writer.end(any);
  writer.end(pair);
}

function writeTime(writer: ProtobufWriter, tag: number, us: number): void {
  const high = Math.floor(us / TWO_32);
  const low = (us - high * TWO_32) * 1_000;
  const carry = Math.floor(low / TWO_32);
  writer.fieldFixed64(tag, (high * 1_000 + carry) | 0, low | 0);
}

function writeContext(writer: ProtobufWriter, context: SpanContext): void {
  const { trace0, trace1, trace2, trace3, span0, span1 } = context;
  writer.fieldId16(TRACE_ID, trace0, trace1, trace2, trace3);
  writer.fieldId8(SPAN_ID, span0, span1);
}

/** A log's `event` field names the OTLP event; the other fields are its attributes. */
function writeEvent(writer: ProtobufWriter, log: LogRecord, options: TagOptions): void {
  const { fields } = log;
  const event = writer.begin(EVENT);
  writeTime(writer, 0x09, Math.round(log.timestampMs * 1_000));
  let named = false;
  for (let i = 0; i < fields.length; i += 2) {
    const key = fields[i] as string;
    const value = fields[i + 1];
    if (key === "event" && !named && typeof value === "string") {
      writer.fieldString(0x12, cutText(value, options.maxTagValueLength));
      named = true;
    } else writeAttribute(writer, 0x1a, key, value, options);
  }
  writer.end(event);
}

/** References but the parent become links. */
function writeLinks(writer: ProtobufWriter, span: Span, options: TagOptions): void {
  const { parent0, parent1 } = span.spanContext;
  for (const reference of span.recording!.references ?? []) {
    const to = reference.referencedContext();
    if (!isContext(to)) continue;
    const child = reference.type() === REFERENCE_CHILD_OF;
    if (child && to.span0 === parent0 && to.span1 === parent1) continue;
    const link = writer.begin(LINK);
    writeContext(writer, to);
    const type = child ? "child_of" : "follows_from";
    writeAttribute(writer, 0x22, "opentracing.ref_type", type, options);
    writer.end(link);
  }
}

function writeStatus(writer: ProtobufWriter): void {
  const status = writer.begin(STATUS);
  writer.fieldVarint(0x18, STATUS_ERROR);
  writer.end(status);
}

/** `span.kind` and `error` have fields of their own in OTLP; every other tag is an attribute. */
function writeTags(writer: ProtobufWriter, tags: readonly unknown[], options: TagOptions): void {
  let kind = 0;
  let failed = false;
  for (let i = 0; i < tags.length; i += 2) {
    const key = tags[i] as string;
    const value = tags[i + 1];
    if (key === "span.kind" && typeof value === "string" && KINDS[value] !== undefined) {
      kind = KINDS[value];
    } else if (key === "error" && typeof value === "boolean") {
      failed = value;
    } else {
      writeAttribute(writer, ATTRIBUTE, key, value, options);
    }
  }
  if (kind !== 0) writer.fieldVarint(KIND, kind);
  if (failed) writeStatus(writer);
}

/** Appends one finished span as field 2 of ScopeSpans. Bench: bench/client-span.ts. */
export function writeOtlpSpan(writer: ProtobufWriter, span: Span, options: TagOptions): void {
  const context = span.spanContext;
  const recording = span.recording!;
  // Spans of 128 to 16,383 bytes are what there is: two bytes of length, nothing moves.
  const start = writer.begin(0x12, 2);
  writeContext(writer, context);
  if (context.extra !== null && context.traceState !== "") {
    writer.fieldString(TRACE_STATE, context.traceState);
  }
  if ((context.parent0 | context.parent1) !== 0) {
    writer.fieldId8(PARENT_ID, context.parent0, context.parent1);
  }
  writer.fieldString(NAME, nameText(span.operationName));
  const startUs = Math.round(span.startMs * 1_000);
  writeTime(writer, START, startUs);
  writeTime(writer, END, startUs + Math.round(recording.durationMs * 1_000));
  writeTags(writer, recording.allTags(), options);
  if (recording.logs !== null) {
    for (const log of recording.orderedLogs()) writeEvent(writer, log, options);
  }
  if (recording.references !== null) writeLinks(writer, span, options);
  writer.end(start, 2);
}
