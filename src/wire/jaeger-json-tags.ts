/** Writes attributes as Jaeger's typed tags, sorted when asked. Bench: jaeger-json. */

import { arrayOrMapText } from "../core/any-value.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS, SPAN_KIND, STATUS_CODE } from "../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../core/batch.ts";
import { isSpoorError } from "../core/errors.ts";
import { dictDouble, dictEntry, dictInt } from "../core/read.ts";
import { ipv4Text } from "../core/trace/host-key.ts";
import { compareBytes, toHex, utf8, utf8Bytes } from "../base/bytes.ts";
import { compareKeys, FIELD, FIELD_KEYS, jaegerKey, ROLE, scopeKey } from "./jaeger-json-keys.ts";
import type { JaegerKey } from "./jaeger-json-keys.ts";
import { jsonText } from "./json-writer.ts";
import type { JsonWriter } from "./json-writer.ts";

const NEXT_OBJECT = utf8Bytes("},");
const CLOSE_OBJECT = 0x7d;
const TRUE = utf8Bytes("true");
const FALSE = utf8Bytes("false");
const EMPTY_STRING = utf8Bytes('""');
const DOUBLE_BYTES = new Uint8Array(8);
const DOUBLE_VIEW = new DataView(DOUBLE_BYTES.buffer);
/** Value type of fields whose text is one of these constants. */
const CONSTANT = 16;
const KIND_TEXTS = [""];
KIND_TEXTS[SPAN_KIND.INTERNAL] = '"internal"';
KIND_TEXTS[SPAN_KIND.SERVER] = '"server"';
KIND_TEXTS[SPAN_KIND.CLIENT] = '"client"';
KIND_TEXTS[SPAN_KIND.PRODUCER] = '"producer"';
KIND_TEXTS[SPAN_KIND.CONSUMER] = '"consumer"';
const FIRST_STATUS = KIND_TEXTS.length;
const CONSTANTS = [...KIND_TEXTS, "", '"OK"', '"ERROR"'].map(utf8Bytes);

/** Value types of the fields, in the order of FIELD. */
const FIELD_TYPES = new Uint8Array(8).fill(ATTRIBUTE_TYPE.STRING);
FIELD_TYPES[FIELD.KIND] = CONSTANT;
FIELD_TYPES[FIELD.STATUS] = CONSTANT;
FIELD_TYPES[FIELD.ERROR] = ATTRIBUTE_TYPE.BOOL;

/**
 * The tags a batch can have: one for each of its keys, one for each field of FIELD, one for each
 * key again as an attribute of a scope.
 */
export interface TagTable {
  readonly batch: SpanBatch;
  readonly keys: readonly JaegerKey[];
  /** How a tag's value is written: ATTRIBUTE_TYPE or CONSTANT. */
  readonly types: Uint8Array;
  /** Place in sorted order; equal for equal keys of equal type. */
  readonly ranks: Uint32Array;
}

/** The tag table of a batch. */
export function tagTable(batch: SpanBatch): TagTable {
  const keys: JaegerKey[] = [];
  for (let k = 0; k < batch.keyCount; k++) keys.push(jaegerKey(batch, k));
  keys.push(...FIELD_KEYS);
  if (batch.scopeAttributes.key.length > 0) {
    for (let k = 0; k < batch.keyCount; k++) keys.push(scopeKey(batch, k));
  }
  const types = new Uint8Array(keys.length);
  types.set(batch.keyType);
  types.set(FIELD_TYPES, batch.keyCount);
  if (keys.length > batch.keyCount + 8) types.set(batch.keyType, batch.keyCount + 8);
  const ranks = new Uint32Array(keys.length);
  if (keys.every(({ rank }) => rank >= 0)) {
    for (let t = 0; t < ranks.length; t++) ranks[t] = keys[t]!.rank;
  } else sortedRanksInto(ranks, keys);
  return { batch, keys, types, ranks };
}

/** Ranks of keys some of which are not kept. */
function sortedRanksInto(ranks: Uint32Array, keys: readonly JaegerKey[]): void {
  const order = keys.map((_, t) => t).sort((x, y) => compareKeys(keys[x]!, keys[y]!));
  for (let o = 1; o < order.length; o++) {
    const before = order[o - 1]!;
    const same = compareKeys(keys[before]!, keys[order[o]!]!) === 0;
    ranks[order[o]!] = ranks[before]! + (same ? 0 : 1);
  }
}

/** Tags of one span, process or log while they are collected and sorted. */
export class TagList {
  count = 0;
  /** Index into the tag table, and value (dictionary id, bit or constant). */
  tag = new Uint32Array(64);
  value = new Uint32Array(64);

  add(tag: number, value: number): void {
    if (this.count === this.tag.length) {
      const [tags, values] = [this.tag, this.value];
      this.tag = new Uint32Array(tags.length * 2);
      this.value = new Uint32Array(tags.length * 2);
      this.tag.set(tags);
      this.value.set(values);
    }
    this.tag[this.count] = tag;
    this.value[this.count++] = value;
  }

  /** Adds all attributes of an owner; `shift` is added to their tags. */
  addAttributes(attributes: AttributeTable, owner: number, shift = 0): void {
    const end = attributes.offsets[owner + 1]!;
    for (let a = attributes.offsets[owner]!; a < end; a++) {
      this.add(attributes.key[a]! + shift, attributes.value[a]!);
    }
  }

  /** Moves entry `from` to the front. */
  moveFirst(from: number): void {
    const tag = this.tag[from]!;
    const value = this.value[from]!;
    this.tag.copyWithin(1, 0, from);
    this.value.copyWithin(1, 0, from);
    this.tag[0] = tag;
    this.value[0] = value;
  }

  /** Sorts the entries from `first` on by key, type and value. */
  sort(table: TagTable, first = 0): void {
    if (this.count - first > 64) {
      this.#sortMany(table, first);
      return;
    }
    const { tag, value, count } = this;
    const ranks = table.ranks;
    for (let i = first + 1; i < count; i++) {
      const t = tag[i]!;
      const v = value[i]!;
      const rank = ranks[t]!;
      let at = i;
      while (at > first) {
        const before = ranks[tag[at - 1]!]!;
        if (before < rank) break;
        if (before === rank && compareValues(table, tag[at - 1]!, value[at - 1]!, t, v) <= 0) break;
        tag[at] = tag[at - 1]!;
        value[at] = value[at - 1]!;
        at--;
      }
      tag[at] = t;
      value[at] = v;
    }
  }

  #sortMany(table: TagTable, first: number): void {
    const tags = this.tag.slice(0, this.count);
    const values = this.value.slice(0, this.count);
    const order = Array.from({ length: this.count - first }, (_, i) => i + first);
    order.sort(
      (a, b) =>
        table.ranks[tags[a]!]! - table.ranks[tags[b]!]! ||
        compareValues(table, tags[a]!, values[a]!, tags[b]!, values[b]!),
    );
    for (let i = 0; i < order.length; i++) {
      this.tag[first + i] = tags[order[i]!]!;
      this.value[first + i] = values[order[i]!]!;
    }
  }
}

/** Orders two values of the same key and Jaeger type, as Jaeger does. */
function compareValues(table: TagTable, t: number, v: number, u: number, w: number): number {
  if (v === w && t === u) return 0;
  const { batch, types } = table;
  const type = types[t]!;
  if (type === ATTRIBUTE_TYPE.INT) {
    const difference = dictInt(batch, v) - dictInt(batch, w);
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }
  if (type === ATTRIBUTE_TYPE.DOUBLE) return dictDouble(batch, v) - dictDouble(batch, w) || 0;
  if (type === ATTRIBUTE_TYPE.BOOL) return v - w;
  if (type === types[u] && (type === ATTRIBUTE_TYPE.STRING || type === ATTRIBUTE_TYPE.BYTES)) {
    return compareBytes(dictEntry(batch, v), dictEntry(batch, w));
  }
  const [a, b] = [tagText(table, t, v), tagText(table, u, w)];
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Text of a tag whose Jaeger type is string or binary; bytes as hex, which sorts as they do. */
function tagText(table: TagTable, tag: number, value: number): string {
  const bytes = dictEntry(table.batch, value);
  switch (table.types[tag]) {
    case CONSTANT:
      return utf8(CONSTANTS[value]!);
    case ATTRIBUTE_TYPE.EMPTY:
      return "";
    case ATTRIBUTE_TYPE.BYTES:
      return toHex(bytes);
    case ATTRIBUTE_TYPE.ARRAY:
    case ATTRIBUTE_TYPE.MAP:
      return nestedText(table.types[tag]!, bytes);
    default:
      return utf8(bytes);
  }
}

/** Text of an ARRAY or MAP; the hex of bytes that are none. */
export function nestedText(type: number, bytes: Uint8Array): string {
  try {
    return arrayOrMapText(type, bytes);
  } catch (error) {
    if (isSpoorError(error, "malformed")) return toHex(bytes);
    throw error;
  }
}

/** Adds what Jaeger's model holds in tags and a batch in columns, and the span's attributes. */
export function addSpanTags(list: TagList, table: TagTable, i: number): void {
  const batch = table.batch;
  const fields = batch.keyCount;
  const scope = batch.scopeRow[i]!;
  const scopeName = batch.scopeNameId[scope]!;
  const scopeVersion = batch.scopeVersionId[scope]!;
  if (scopeName !== 0) list.add(fields + FIELD.SCOPE_NAME, scopeName);
  if (scopeVersion !== 0) list.add(fields + FIELD.SCOPE_VERSION, scopeVersion);
  list.addAttributes(batch.scopeAttributes, scope, fields + 8);
  list.addAttributes(batch.spanAttributes, i);
  const kind = batch.kind[i]!;
  if (kind !== 0 && kind < FIRST_STATUS) list.add(fields + FIELD.KIND, kind);
  const status = batch.status[i]!;
  if (status === STATUS_CODE.OK || status === STATUS_CODE.ERROR) {
    const isError = status === STATUS_CODE.ERROR;
    if (!isError || (batch.flags[i]! & JAEGER_FLAGS.ERROR_TAG) === 0) {
      list.add(fields + FIELD.STATUS, FIRST_STATUS + status);
    }
    if (isError) list.add(fields + FIELD.ERROR, 1);
  }
  const message = batch.statusMessageId[i]!;
  if (message !== 0) list.add(fields + FIELD.STATUS_MESSAGE, message);
  const traceState = batch.traceStateId[i]!;
  if (traceState !== 0) list.add(fields + FIELD.TRACE_STATE, traceState);
}

/** Writes the list as the inside of a JSON array; `ipv4` writes addresses in numbers as texts. */
export function writeTags(writer: JsonWriter, table: TagTable, list: TagList, ipv4: boolean): void {
  for (let n = 0; n < list.count; n++) {
    const tag = list.tag[n]!;
    const key = table.keys[tag]!;
    const type = table.types[tag]!;
    if (ipv4 && key.role === ROLE.IPV4 && isNumber(type)) {
      if (n > 0) writer.raw(NEXT_OBJECT);
      writer.raw(key.textPrefix);
      writer.text(jsonText(addressText(table.batch, type, list.value[n]!)));
    } else {
      writer.raw(n === 0 ? key.prefix : key.nextPrefix);
      writeValue(writer, table.batch, type, list.value[n]!);
    }
  }
  if (list.count > 0) writer.byte(CLOSE_OBJECT);
}

function isNumber(type: number): boolean {
  return type === ATTRIBUTE_TYPE.INT || type === ATTRIBUTE_TYPE.DOUBLE;
}

function addressText(batch: SpanBatch, type: number, value: number): string {
  if (type === ATTRIBUTE_TYPE.INT)
    return ipv4Text(Number(BigInt.asUintN(32, dictInt(batch, value))));
  const number = dictDouble(batch, value);
  return ipv4Text(
    Number.isFinite(number) ? Number(BigInt.asUintN(32, BigInt(Math.trunc(number)))) : 0,
  );
}

function writeValue(writer: JsonWriter, batch: SpanBatch, type: number, value: number): void {
  const offsets = batch.dictOffsets;
  switch (type) {
    case ATTRIBUTE_TYPE.STRING:
      writer.string(batch.dictBytes, offsets[value]!, offsets[value + 1]!);
      break;
    case ATTRIBUTE_TYPE.INT:
      writeInt(writer, batch, value);
      break;
    case CONSTANT:
      writer.raw(CONSTANTS[value]!);
      break;
    case ATTRIBUTE_TYPE.BOOL:
      writer.raw(value === 0 ? FALSE : TRUE);
      break;
    case ATTRIBUTE_TYPE.DOUBLE:
      writer.text(doubleJson(readDouble(batch, value)));
      break;
    case ATTRIBUTE_TYPE.BYTES:
      writer.base64(batch.dictBytes, offsets[value]!, offsets[value + 1]!);
      break;
    case ATTRIBUTE_TYPE.EMPTY:
      writer.raw(EMPTY_STRING);
      break;
    default:
      writer.text(jsonText(nestedText(type, dictEntry(batch, value))));
  }
}

/** As `dictDouble`, without making a view for each. */
function readDouble(batch: SpanBatch, id: number): number {
  const at = batch.dictOffsets[id]!;
  for (let i = 0; i < 8; i++) DOUBLE_BYTES[i] = batch.dictBytes[at + i]!;
  return DOUBLE_VIEW.getFloat64(0, true);
}

/** Integers beyond ±(2^53 - 1) are texts: JavaScript's numbers would change them. */
function writeInt(writer: JsonWriter, batch: SpanBatch, id: number): void {
  const bytes = batch.dictBytes;
  const at = batch.dictOffsets[id]!;
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const high =
    bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  const value = high * 4294967296 + (low >>> 0);
  if (Number.isSafeInteger(value)) writer.integer(value);
  else writer.text(`"${dictInt(batch, id)}"`);
}

/** A double as Go's encoding/json writes it; what JSON has no number for is a text. */
export function doubleJson(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"+Inf"' : '"-Inf"';
}
