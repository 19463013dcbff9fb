/** Span batches as Jaeger's gRPC requests PostSpans. Bench: bench/jaeger-decode.ts. */

import { equalBytes, isZero, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS, STATUS_CODE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import { NO_SERVICE_NAME } from "../core/builder.ts";
import { dictEntry, exactDurationNs, exactEventNs, exactStartNs } from "../core/read.ts";
import { referencesOf } from "../core/trace/references.ts";
import { wordAt, writeEntry, writeRaw, writeSlice } from "./batch-fields.ts";
import {
  FIRST_TIMESTAMP_NS,
  LAST_TIMESTAMP_NS,
  LEAST_DURATION_NS,
  MOST_DURATION_NS,
} from "./go-time.ts";
import { SCOPE_PREFIX } from "./jaeger-json-keys.ts";
import { nestedText } from "./jaeger-json-tags.ts";
import { REFERENCE } from "./jaeger-rows.ts";
import { storedWarnings, WARNINGS_KEY } from "./otlp-warnings.ts";
import { lengthOfVarint, ProtobufWriter } from "./protobuf-writer.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, MAP } = ATTRIBUTE_TYPE;
const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const MOST_BYTES = 2 ** 31;
const BYTES_A_SPAN = 512;
/** Lengths of spans mostly take two bytes, those of batches three. */
const SPAN_ROOM = 2;
const BATCH_ROOM = 3;
const NS_A_SECOND = 1_000_000_000n;

/** Tag of a span's duration. */
const DURATION = 0x3a;

/** ValueType by attribute type; arrays, maps and empty values are texts. */
const VALUE_TYPES = new Uint8Array(9);
VALUE_TYPES[BOOL] = 1;
VALUE_TYPES[INT] = 2;
VALUE_TYPES[DOUBLE] = 3;
VALUE_TYPES[BYTES] = 4;

/** Whole tags that stand for columns. */
const KIND_TAGS = ["", "internal", "server", "client", "producer", "consumer"].map((kind) =>
  kind === "" ? new Uint8Array(0) : textTag("span.kind", kind),
);
const OK_TAG = textTag("otel.status_code", "OK");
const ERROR_CODE_TAG = textTag("otel.status_code", "ERROR");
const ERROR_TAG = wholeTag("error", (writer) => {
  writer.fieldVarint(0x10, VALUE_TYPES[BOOL]!);
  writer.fieldVarint(0x20, 1);
});
const SCOPE_NAME = utf8Bytes("otel.scope.name");
const SCOPE_VERSION = utf8Bytes("otel.scope.version");
const STATUS_MESSAGE = utf8Bytes("otel.status_description");
const TRACE_STATE = utf8Bytes("w3c.tracestate");
const EVENT = utf8Bytes("event");

/**
 * Messages PostSpansRequest that hold the batch's spans, each of one process and, unless a single
 * span is larger, of at most `maxBytes`. What decoding them shows as Jaeger's JSON is what the
 * batch shows; what Jaeger's model has no place for is left out (schema URLs, dropped counts,
 * W3C flags, attributes of links). Times beyond what Go can hold become the last it can.
 */
export function encodeJaegerPostSpans(batch: SpanBatch, maxBytes: number): Uint8Array[] {
  return new PostSpansEncoder(batch, maxBytes).encode();
}

/** Meanings of a batch's keys that matter to the encoder. */
const ROLE = { PLAIN: 0, SERVICE: 1, WARNINGS: 2, EVENT: 3 } as const;

/** Used by one encoding after the other: every request is copied out of it. */
const SCRATCH = new Uint8Array(256 * 1024);

const SERVICE_NAME = utf8Bytes("service.name");
const WARNINGS_NAME = utf8Bytes(WARNINGS_KEY);

function roleOf(batch: SpanBatch, key: number): number {
  const type = batch.keyType[key]!;
  if (isNamed(batch, key, EVENT)) return ROLE.EVENT;
  if (type === ARRAY && isNamed(batch, key, WARNINGS_NAME)) return ROLE.WARNINGS;
  return type === STRING && isNamed(batch, key, SERVICE_NAME) ? ROLE.SERVICE : ROLE.PLAIN;
}

function isNamed(batch: SpanBatch, key: number, name: Uint8Array): boolean {
  const { dictBytes, dictOffsets } = batch;
  const id = batch.keyNameId[key]!;
  const start = dictOffsets[id]!;
  if (dictOffsets[id + 1]! - start !== name.length) return false;
  return equalBytes(dictBytes, start, name, 0, name.length);
}

class PostSpansEncoder {
  readonly #batch: SpanBatch;
  readonly #maxBytes: number;
  readonly #writer: ProtobufWriter;
  readonly #roles: Uint8Array;
  readonly #requests: Uint8Array[] = [];
  /** `otel.scope.<key>` by key. */
  readonly #scopeKeys = new Map<number, Uint8Array>();

  constructor(batch: SpanBatch, maxBytes: number) {
    this.#batch = batch;
    this.#maxBytes = maxBytes;
    const guess = Math.min(1024 + batch.spanCount * BYTES_A_SPAN, 2 * maxBytes);
    this.#writer = new ProtobufWriter(
      guess <= SCRATCH.length ? SCRATCH : new Uint8Array(guess),
      MOST_BYTES,
    );
    this.#roles = new Uint8Array(batch.keyCount);
    for (let key = 0; key < batch.keyCount; key++) this.#roles[key] = roleOf(batch, key);
  }

  encode(): Uint8Array[] {
    const { resourceRow, resourceCount, spanCount } = this.#batch;
    const first = new Uint32Array(resourceCount + 1);
    for (let i = 0; i < spanCount; i++) first[resourceRow[i]! + 1]!++;
    for (let r = 0; r < resourceCount; r++) first[r + 1]! += first[r]!;
    const order = new Uint32Array(spanCount);
    const next = first.slice();
    for (let i = 0; i < spanCount; i++) order[next[resourceRow[i]!]!++] = i;
    for (let r = 0; r < resourceCount; r++) {
      if (first[r] !== first[r + 1]) this.#resource(r, order.subarray(first[r], first[r + 1]));
    }
    return this.#requests;
  }

  /** Requests with the spans of one resource. */
  #resource(resource: number, spans: Uint32Array): void {
    const writer = this.#writer;
    const process = this.#process(resource);
    writer.position = 0;
    let start = writer.begin(0x0a, BATCH_ROOM);
    for (const i of spans) {
      const before = writer.position;
      this.#span(i);
      const size = writer.position - start + process.length;
      if (before === start || 1 + lengthOfVarint(size) + size <= this.#maxBytes) continue;
      const span = writer.bytes.slice(before, writer.position);
      writer.position = before;
      this.#close(start, process);
      start = writer.begin(0x0a, BATCH_ROOM);
      writeRaw(writer, span, 0, span.length);
    }
    this.#close(start, process);
  }

  #close(start: number, process: Uint8Array): void {
    const writer = this.#writer;
    writeRaw(writer, process, 0, process.length);
    writer.end(start, BATCH_ROOM);
    this.#requests.push(writer.bytes.slice(0, writer.position));
    writer.position = 0;
  }

  /** The field with the process of a resource. */
  #process(resource: number): Uint8Array {
    const batch = this.#batch;
    const writer = this.#writer;
    const table = batch.resourceAttributes;
    const end = table.offsets[resource + 1]!;
    writer.position = 0;
    const start = writer.begin(0x12, SPAN_ROOM);
    let service = -1;
    for (let a = table.offsets[resource]!; a < end; a++) {
      if (this.#roles[table.key[a]!] === ROLE.SERVICE) service = table.value[a]!;
    }
    if (service === -1) writer.fieldString(0x0a, NO_SERVICE_NAME);
    else writeEntry(writer, 0x0a, batch, service);
    for (let a = table.offsets[resource]!; a < end; a++) {
      if (this.#roles[table.key[a]!] !== ROLE.SERVICE) this.#attribute(0x12, table, a);
    }
    writer.end(start, SPAN_ROOM);
    return writer.bytes.slice(0, writer.position);
  }

  #span(i: number): void {
    const batch = this.#batch;
    const writer = this.#writer;
    const start = writer.begin(0x0a, SPAN_ROOM);
    writeSlice(writer, 0x0a, batch.traceId, i * 16, i * 16 + 16);
    writeSlice(writer, 0x12, batch.spanId, i * 8, i * 8 + 8);
    writeEntry(writer, 0x1a, batch, batch.nameId[i]!);
    this.#references(i);
    const flags = (batch.flags[i]! >>> JAEGER_FLAGS.SHIFT) & JAEGER_FLAGS.MASK;
    if (flags !== 0) writer.fieldVarint(0x28, flags);
    this.#times(i);
    const warnings = this.#tags(i);
    for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) this.#log(e);
    if (warnings !== -1) {
      for (const text of storedWarnings(dictEntry(batch, warnings))) writer.fieldString(0x62, text);
    }
    writer.end(start, SPAN_ROOM);
  }

  #references(i: number): void {
    const batch = this.#batch;
    if (batch.linkOffsets[i] === batch.linkOffsets[i + 1]) {
      if (!isZero(batch.parentSpanId, i * 8, 8)) this.#reference(i, -1, true);
      return;
    }
    for (const { link, childOf } of referencesOf(batch, i)) this.#reference(i, link, childOf);
  }

  /** A reference to a link, or to the parent of span `i`. */
  #reference(i: number, link: number, childOf: boolean): void {
    const batch = this.#batch;
    const writer = this.#writer;
    const start = writer.begin(0x22);
    if (link < 0) {
      writeSlice(writer, 0x0a, batch.traceId, i * 16, i * 16 + 16);
      writeSlice(writer, 0x12, batch.parentSpanId, i * 8, i * 8 + 8);
    } else {
      writeSlice(writer, 0x0a, batch.linkTraceId, link * 16, link * 16 + 16);
      writeSlice(writer, 0x12, batch.linkSpanId, link * 8, link * 8 + 8);
    }
    if (!childOf) writer.fieldVarint(0x18, REFERENCE.FOLLOWS_FROM);
    writer.end(start);
  }

  #times(i: number): void {
    const batch = this.#batch;
    const rare = batch.rare[i]!;
    if (rare !== 0 && batch.rareExact[rare - 1] === 1) {
      this.#bigTime(0x32, clamp(exactStartNs(batch, i), FIRST_TIMESTAMP_NS, LAST_TIMESTAMP_NS));
      const durationNs = exactDurationNs(batch, i);
      this.#bigTime(DURATION, clamp(durationNs, LEAST_DURATION_NS, MOST_DURATION_NS));
      return;
    }
    this.#time(0x32, batch.startUs[i]!, batch.startNs[i]!);
    const durationNs = batch.durationNs[i]!;
    const seconds = Math.trunc(durationNs / 1e9);
    this.#secondsAndNanos(DURATION, seconds, durationNs - seconds * 1e9);
  }

  #time(tag: number, us: number, ns: number): void {
    const seconds = Math.floor(us / 1e6);
    this.#secondsAndNanos(tag, seconds, (us - seconds * 1e6) * 1000 + ns);
  }

  #bigTime(tag: number, ns: bigint): void {
    // A Timestamp's nanoseconds count forward, a Duration's have the sign of its seconds.
    const rest =
      tag === DURATION ? ns % NS_A_SECOND : ((ns % NS_A_SECOND) + NS_A_SECOND) % NS_A_SECOND;
    this.#secondsAndNanos(tag, Number((ns - rest) / NS_A_SECOND), Number(rest));
  }

  #secondsAndNanos(tag: number, seconds: number, nanos: number): void {
    const writer = this.#writer;
    const start = writer.begin(tag);
    if (seconds !== 0) {
      const high = Math.floor(seconds / TWO_TO_32);
      writer.fieldVarint64(0x08, high | 0, (seconds - high * TWO_TO_32) | 0);
    }
    if (nanos !== 0) writer.fieldVarint64(0x10, nanos < 0 ? -1 : 0, nanos);
    writer.end(start);
  }

  /** Writes the span's tags; the value that holds its warnings is returned, else -1. */
  #tags(i: number): number {
    const batch = this.#batch;
    const writer = this.#writer;
    const scope = batch.scopeRow[i]!;
    this.#textTag(SCOPE_NAME, batch.scopeNameId[scope]!);
    this.#textTag(SCOPE_VERSION, batch.scopeVersionId[scope]!);
    const scopeTable = batch.scopeAttributes;
    for (let a = scopeTable.offsets[scope]!; a < scopeTable.offsets[scope + 1]!; a++) {
      this.#attribute(0x42, scopeTable, a, this.#scopeKey(scopeTable.key[a]!));
    }
    let warnings = -1;
    const table = batch.spanAttributes;
    for (let a = table.offsets[i]!; a < table.offsets[i + 1]!; a++) {
      if (this.#roles[table.key[a]!] === ROLE.WARNINGS) warnings = table.value[a]!;
      else this.#attribute(0x42, table, a);
    }
    const kind = batch.kind[i]!;
    if (kind !== 0 && kind < KIND_TAGS.length) {
      writeRaw(writer, KIND_TAGS[kind]!, 0, KIND_TAGS[kind]!.length);
    }
    const status = batch.status[i]!;
    if (status === STATUS_CODE.OK) writeRaw(writer, OK_TAG, 0, OK_TAG.length);
    else if (status === STATUS_CODE.ERROR) {
      if ((batch.flags[i]! & JAEGER_FLAGS.ERROR_TAG) === 0) {
        writeRaw(writer, ERROR_CODE_TAG, 0, ERROR_CODE_TAG.length);
      }
      writeRaw(writer, ERROR_TAG, 0, ERROR_TAG.length);
    }
    this.#textTag(STATUS_MESSAGE, batch.statusMessageId[i]!);
    this.#textTag(TRACE_STATE, batch.traceStateId[i]!);
    return warnings;
  }

  /** A tag of text under a key that no batch has, unless the text is empty. */
  #textTag(key: Uint8Array, value: number, tag = 0x42): void {
    if (value === 0) return;
    const writer = this.#writer;
    const start = writer.begin(tag);
    writeSlice(writer, 0x0a, key, 0, key.length);
    writeEntry(writer, 0x1a, this.#batch, value);
    writer.end(start);
  }

  #scopeKey(key: number): Uint8Array {
    let name = this.#scopeKeys.get(key);
    if (name === undefined) {
      const own = dictEntry(this.#batch, this.#batch.keyNameId[key]!);
      name = new Uint8Array(SCOPE_PREFIX.length + own.length);
      name.set(utf8Bytes(SCOPE_PREFIX));
      name.set(own, SCOPE_PREFIX.length);
      this.#scopeKeys.set(key, name);
    }
    return name;
  }

  #log(e: number): void {
    const batch = this.#batch;
    const writer = this.#writer;
    const start = writer.begin(0x4a);
    if (Math.abs(batch.eventUs[e]!) < TWO_TO_53) {
      this.#time(0x0a, batch.eventUs[e]!, batch.eventNs[e]!);
    } else
      this.#bigTime(0x0a, clamp(exactEventNs(batch, e), FIRST_TIMESTAMP_NS, LAST_TIMESTAMP_NS));
    const table = batch.eventAttributes;
    const end = table.offsets[e + 1]!;
    let named = false;
    for (let a = table.offsets[e]!; a < end; a++) {
      if (this.#roles[table.key[a]!] === ROLE.EVENT) named = true;
    }
    if (!named) this.#textTag(EVENT, batch.eventNameId[e]!, 0x12);
    for (let a = table.offsets[e]!; a < end; a++) this.#attribute(0x12, table, a);
    writer.end(start);
  }

  /** An attribute as a KeyValue, under its own key unless another is given. */
  #attribute(tag: number, table: AttributeTable, a: number, name?: Uint8Array): void {
    const batch = this.#batch;
    const writer = this.#writer;
    const key = table.key[a]!;
    const value = table.value[a]!;
    const type = batch.keyType[key]!;
    const start = writer.begin(tag);
    if (name !== undefined) writeSlice(writer, 0x0a, name, 0, name.length);
    else writeEntry(writer, 0x0a, batch, batch.keyNameId[key]!);
    if (type === STRING) writeEntry(writer, 0x1a, batch, value);
    else {
      if (VALUE_TYPES[type] !== 0) writer.fieldVarint(0x10, VALUE_TYPES[type]!);
      this.#value(type, value);
    }
    writer.end(start);
  }

  #value(type: number, value: number): void {
    const batch = this.#batch;
    const writer = this.#writer;
    if (type === BYTES) writeEntry(writer, 0x3a, batch, value);
    else if (type === BOOL) {
      if (value !== 0) writer.fieldVarint(0x20, value);
    } else if (type === INT || type === DOUBLE) {
      const at = batch.dictOffsets[value]!;
      const low = wordAt(batch.dictBytes, at);
      const high = wordAt(batch.dictBytes, at + 4);
      if ((low | high) === 0) return;
      if (type === INT) writer.fieldVarint64(0x28, high, low);
      else writer.fieldFixed64(0x31, high, low);
    } else if (type === ARRAY || type === MAP) {
      writer.fieldString(0x1a, nestedText(type, dictEntry(batch, value)));
    }
  }
}

function clamp(value: bigint, least: bigint, most: bigint): bigint {
  return value < least ? least : value > most ? most : value;
}

function textTag(key: string, value: string): Uint8Array {
  return wholeTag(key, (writer) => writer.fieldString(0x1a, value));
}

function wholeTag(key: string, write: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(128), 1024);
  const start = writer.begin(0x42);
  writer.fieldString(0x0a, key);
  write(writer);
  writer.end(start);
  return writer.bytes.slice(0, writer.position);
}
