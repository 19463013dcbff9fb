/** Encodes a trace as Jaeger's UI JSON, as a stream of bytes. Bench: jaeger-json. */

import { toHex, isZero, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { dictEntry, exactDurationNs, exactEventNs, exactStartUs } from "../core/read.ts";
import { parentReference, referencesOf } from "../core/trace/references.ts";
import type { SpanReference } from "../core/trace/references.ts";
import type { TraceView } from "../core/trace/view.ts";
import { ProcessTable } from "./jaeger-json-processes.ts";
import { FIELD, ROLE } from "./jaeger-json-keys.ts";
import { addSpanTags, TagList, tagTable, writeTags } from "./jaeger-json-tags.ts";
import type { TagTable } from "./jaeger-json-tags.ts";
import { jsonText } from "./json-writer.ts";
import { storedWarnings } from "./otlp-warnings.ts";
import type { JsonWriter } from "./json-writer.ts";

const COMMA = 0x2c;
const OPERATION_NAME = utf8Bytes(',"operationName":');
const REFERENCES = utf8Bytes(',"references":[');
const START_TIME = utf8Bytes('],"startTime":');
const DURATION = utf8Bytes(',"duration":');
const TAGS = utf8Bytes(',"tags":[');
const LOGS = utf8Bytes('],"logs":[');
const PROCESS_ID = utf8Bytes('],"processID":"p');
const NO_WARNINGS = utf8Bytes('","warnings":null}');
const CHILD_OF = utf8Bytes('{"refType":"CHILD_OF","traceID":');
const FOLLOWS_FROM = utf8Bytes('{"refType":"FOLLOWS_FROM","traceID":');
const SPAN_ID = utf8Bytes(',"spanID":');
const CLOSE_OBJECT = 0x7d;
const TIMESTAMP = utf8Bytes('{"timestamp":');
const FIELDS = utf8Bytes(',"fields":[');
const CLOSE_LOG = utf8Bytes("]}");

/** Jaeger's text of a trace id: 16 hex digits when the high half is zero, else 32. */
export function jaegerTraceIdHex(bytes: Uint8Array, start = 0): string {
  return isZero(bytes, start, 8) ? toHex(bytes, start + 8, 8) : toHex(bytes, start, 16);
}

/**
 * Writes the trace (at least one span) as an object. Yields whenever the writer has chunks
 * ready, so that the caller can send them before more is written.
 */
export function* encodeJaegerTrace(writer: JsonWriter, view: TraceView): Generator<void> {
  const traceIdText = traceText(view);
  const encoder = new TraceEncoder(writer, view, traceIdText);
  writer.text(`{"traceID":${traceIdText},"spans":[`);
  for (let v = 0; v < view.spanCount; v++) {
    if (v > 0) writer.byte(COMMA);
    encoder.span(v);
    if (writer.ready) yield;
  }
  writer.text('],"processes":{');
  yield* encoder.processes.write(writer);
  writer.text('},"warnings":null}');
}

function traceText(view: TraceView): string {
  const batch = view.parts[view.part[0]!]!;
  return `"${jaegerTraceIdHex(batch.traceId, view.row[0]! * 16)}"`;
}

/** Writes the spans of one trace. */
class TraceEncoder {
  readonly processes: ProcessTable;
  readonly #writer: JsonWriter;
  readonly #view: TraceView;
  readonly #tables: readonly TagTable[];
  readonly #list = new TagList();
  readonly #library = new TagList();
  readonly #spanIdBytes: Uint8Array;
  readonly #parentIdBytes: Uint8Array;
  readonly #traceIdText: Uint8Array;
  readonly #open: Uint8Array;

  constructor(writer: JsonWriter, view: TraceView, traceIdText: string) {
    this.#writer = writer;
    this.#view = view;
    this.#tables = view.parts.map(tagTable);
    this.processes = new ProcessTable(this.#tables, view.adjusted);
    this.#spanIdBytes = new Uint8Array(view.spanIds.buffer, view.spanIds.byteOffset);
    this.#parentIdBytes = new Uint8Array(view.parentIds.buffer, view.parentIds.byteOffset);
    this.#traceIdText = utf8Bytes(traceIdText);
    this.#open = utf8Bytes(`{"traceID":${traceIdText},"spanID":`);
  }

  span(v: number): void {
    const writer = this.#writer;
    const part = this.#view.part[v]!;
    const table = this.#tables[part]!;
    const batch = table.batch;
    const i = this.#view.row[v]!;
    writer.raw(this.#open);
    writer.hex(this.#spanIdBytes, v * 8, 8);
    const flags = (batch.flags[i]! >>> JAEGER_FLAGS.SHIFT) & JAEGER_FLAGS.MASK;
    if (flags !== 0) writer.text(`,"flags":${flags}`);
    writer.raw(OPERATION_NAME);
    const name = batch.nameId[i]!;
    writer.string(batch.dictBytes, batch.dictOffsets[name]!, batch.dictOffsets[name + 1]!);
    writer.raw(REFERENCES);
    this.#references(batch, i, v);
    writer.raw(START_TIME);
    this.#times(batch, i, v);
    writer.raw(TAGS);
    const warningsAt = this.#tags(table, i);
    writer.raw(LOGS);
    this.#logs(table, i, v);
    writer.raw(PROCESS_ID);
    writer.integer(this.processes.numberOf(part, batch.resourceRow[i]!, this.#library));
    const warnings = this.#view.warnings.get(v);
    if (warnings === undefined && warningsAt === -1) writer.raw(NO_WARNINGS);
    else this.#warnings(batch, warningsAt, warnings ?? []);
  }

  #references(batch: SpanBatch, i: number, v: number): void {
    const ids = this.#parentIdBytes;
    const hasParent = !isZero(ids, v * 8, 8);
    if (batch.linkOffsets[i] === batch.linkOffsets[i + 1]) {
      if (hasParent) this.#reference(CHILD_OF, undefined, 0, ids, v * 8);
      return;
    }
    const adjusted = this.#view.adjusted;
    const references = this.#replaced(referencesOf(batch, i), v).filter(
      ({ link }) => !adjusted || link < 0 || !isZero(batch.linkTraceId, link * 16, 16),
    );
    const parent = parentReference(references);
    if (adjusted && parent > 0) {
      [references[0], references[parent]] = [references[parent]!, references[0]!];
    }
    references.forEach(({ link, childOf }, r) => {
      if (r > 0) this.#writer.byte(COMMA);
      const type = childOf ? CHILD_OF : FOLLOWS_FROM;
      if (link < 0) this.#reference(type, undefined, 0, ids, v * 8);
      else this.#reference(type, batch.linkTraceId, link * 16, batch.linkSpanId, link * 8);
    });
  }

  /** The references with the parent that an adjuster put in place of the stored one. */
  #replaced(references: SpanReference[], v: number): SpanReference[] {
    if (this.#view.parentReplaced[v] === 0) return references;
    const parent = parentReference(references);
    if (parent === -1) return [{ link: -1, childOf: true, sameTrace: true }, ...references];
    return references.map((reference, r) =>
      r === parent ? { ...reference, link: -1 } : reference,
    );
  }

  #reference(
    type: Uint8Array,
    traceId: Uint8Array | undefined,
    traceAt: number,
    spanId: Uint8Array,
    spanAt: number,
  ): void {
    const writer = this.#writer;
    writer.raw(type);
    if (traceId === undefined) writer.raw(this.#traceIdText);
    else if (isZero(traceId, traceAt, 8)) writer.hex(traceId, traceAt + 8, 8);
    else writer.hex(traceId, traceAt, 16);
    writer.raw(SPAN_ID);
    writer.hex(spanId, spanAt, 8);
    writer.byte(CLOSE_OBJECT);
  }

  #times(batch: SpanBatch, i: number, v: number): void {
    const writer = this.#writer;
    const shiftNs = this.#view.shiftNs === undefined ? 0 : this.#view.shiftNs[v]!;
    const shiftUs = shiftNs === 0 ? 0 : Math.floor((batch.startNs[i]! + shiftNs) / 1000);
    const rare = batch.rare[i]!;
    if (rare !== 0 && batch.rareExact[rare - 1] === 1) {
      writer.text(`${exactStartUs(batch, i) + BigInt(shiftUs)}`);
      writer.raw(DURATION);
      writer.text(`${exactDurationNs(batch, i) / 1000n}`);
      return;
    }
    writer.integer(batch.startUs[i]! + shiftUs);
    writer.raw(DURATION);
    writer.integer(Math.trunc(batch.durationNs[i]! / 1000));
  }

  /** Writes the tags; the value of the attribute that holds warnings is returned, else -1. */
  #tags(table: TagTable, i: number): number {
    const list = this.#list;
    list.count = 0;
    this.#library.count = 0;
    addSpanTags(list, table, i);
    let kept = 0;
    let warningsAt = -1;
    const fields = table.batch.keyCount;
    for (let n = 0; n < list.count; n++) {
      const tag = list.tag[n]!;
      const role = tag < fields ? table.keys[tag]!.role : ROLE.NONE;
      if (role === ROLE.WARNINGS && table.types[tag] === ATTRIBUTE_TYPE.ARRAY) {
        warningsAt = list.value[n]!;
      } else if (role === ROLE.LIBRARY && this.#view.adjusted) {
        this.#library.add(tag, list.value[n]!);
      } else {
        list.tag[kept] = tag;
        list.value[kept++] = list.value[n]!;
      }
    }
    list.count = kept;
    if (this.#view.adjusted) list.sort(table);
    writeTags(this.#writer, table, list, this.#view.adjusted);
    return warningsAt;
  }

  #logs(table: TagTable, i: number, v: number): void {
    const writer = this.#writer;
    const batch = table.batch;
    const first = batch.eventOffsets[i]!;
    const end = batch.eventOffsets[i + 1]!;
    const shiftNs = this.#view.shiftNs === undefined ? 0 : this.#view.shiftNs[v]!;
    for (let e = first; e < end; e++) {
      if (e > first) writer.byte(COMMA);
      writer.raw(TIMESTAMP);
      const us = batch.eventUs[e]!;
      if (Number.isSafeInteger(us)) {
        writer.integer(us + Math.floor((batch.eventNs[e]! + shiftNs) / 1000));
      } else {
        writer.text(`${(exactEventNs(batch, e) + BigInt(shiftNs)) / 1000n}`);
      }
      writer.raw(FIELDS);
      this.#logFields(table, e);
      writer.raw(CLOSE_LOG);
    }
  }

  #logFields(table: TagTable, e: number): void {
    const batch = table.batch;
    const list = this.#list;
    list.count = 0;
    list.addAttributes(batch.eventAttributes, e);
    let named = -1;
    let text = -1;
    for (let n = 0; n < list.count; n++) {
      const tag = list.tag[n]!;
      if (table.keys[tag]!.role !== ROLE.EVENT) continue;
      named = n;
      if (text === -1 && table.types[tag] === ATTRIBUTE_TYPE.STRING) text = n;
    }
    if (named === -1 && batch.eventNameId[e] !== 0) {
      list.add(batch.keyCount + FIELD.EVENT, batch.eventNameId[e]!);
      text = list.count - 1;
      list.moveFirst(text);
    } else if (text > 0 && this.#view.adjusted) list.moveFirst(text);
    if (this.#view.adjusted) list.sort(table, text === -1 ? 0 : 1);
    writeTags(this.#writer, table, list, false);
  }

  #warnings(batch: SpanBatch, stored: number, added: readonly string[]): void {
    const texts = stored === -1 ? added : [...storedWarnings(dictEntry(batch, stored)), ...added];
    this.#writer.text(`","warnings":[${texts.map(jsonText).join(",")}]}`);
  }
}
