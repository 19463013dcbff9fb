/** Keys of Jaeger's tags with their JSON, place in sorted order and meaning, cached by name. */

import { utf8, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { LIMITS } from "../core/limits.ts";
import { DictionaryBuilder } from "../core/dictionary.ts";
import { dictEntry } from "../core/read.ts";
import { jsonText } from "./json-writer.ts";

/** Tags Jaeger's model has where a batch has columns; indexes of `FIELD_KEYS`. */
export const FIELD = {
  SCOPE_NAME: 0,
  SCOPE_VERSION: 1,
  KIND: 2,
  STATUS: 3,
  ERROR: 4,
  STATUS_MESSAGE: 5,
  TRACE_STATE: 6,
  EVENT: 7,
} as const;

/** What the writer does with a key beyond writing it. */
export const ROLE = {
  NONE: 0,
  /** An IPv4 address that may be a number. */
  IPV4: 1,
  /** Belongs to the process, wherever the client put it. */
  LIBRARY: 2,
  /** The text that becomes the span's warnings instead of a tag. */
  WARNINGS: 3,
  /** The name of a log. */
  EVENT: 4,
  /** The service name, which is not among the process tags. */
  SERVICE: 5,
} as const;

/** Prefix of scope attributes' keys among a span's tags. */
export const SCOPE_PREFIX = "otel.scope.";

/** A key as tags have it. */
export interface JaegerKey {
  /** Name as Latin-1 text, so that comparing texts compares bytes. */
  readonly name: string;
  /** Jaeger's number of the value's type, for sorting. */
  readonly typeOrder: number;
  /** `{"key":"…","type":"…","value":`, for the first tag of a list. */
  readonly prefix: Uint8Array;
  /** The same after the end of the tag before: `},{"key":…`. */
  readonly nextPrefix: Uint8Array;
  /** The same when an IPv4 number is written as text. */
  readonly textPrefix: Uint8Array;
  readonly role: number;
  /**
   * Place among the kept keys, equal for equal keys of equal type; -1 for a key that is not kept.
   * Changes when a key comes that sorts before.
   */
  rank: number;
}

/** Longer names are not kept. */
const KEPT_NAME_BYTES = 256;
/** Room for attribute types. */
const TYPES = 16;
const TYPE_NAMES = ["string", "bool", "int64", "float64", "binary"];
const TYPE_ORDER = new Uint8Array(16);
TYPE_ORDER[ATTRIBUTE_TYPE.BOOL] = 1;
TYPE_ORDER[ATTRIBUTE_TYPE.INT] = 2;
TYPE_ORDER[ATTRIBUTE_TYPE.DOUBLE] = 3;
TYPE_ORDER[ATTRIBUTE_TYPE.BYTES] = 4;

const ROLES = new Map<string, number>([
  ["ip", ROLE.IPV4],
  ["peer.ipv4", ROLE.IPV4],
  ["telemetry.sdk.language", ROLE.LIBRARY],
  ["telemetry.sdk.name", ROLE.LIBRARY],
  ["telemetry.sdk.version", ROLE.LIBRARY],
  ["telemetry.distro.name", ROLE.LIBRARY],
  ["telemetry.distro.version", ROLE.LIBRARY],
  ["@jaeger@warnings", ROLE.WARNINGS],
  ["event", ROLE.EVENT],
  ["service.name", ROLE.SERVICE],
]);

/** Keys of the fields, in the order of FIELD. */
export const FIELD_KEYS: readonly JaegerKey[] = [
  makeKey("otel.scope.name", ATTRIBUTE_TYPE.STRING),
  makeKey("otel.scope.version", ATTRIBUTE_TYPE.STRING),
  makeKey("span.kind", ATTRIBUTE_TYPE.STRING),
  makeKey("otel.status_code", ATTRIBUTE_TYPE.STRING),
  makeKey("error", ATTRIBUTE_TYPE.BOOL),
  makeKey("otel.status_description", ATTRIBUTE_TYPE.STRING),
  makeKey("w3c.tracestate", ATTRIBUTE_TYPE.STRING),
  makeKey("event", ATTRIBUTE_TYPE.STRING),
];

/** Kept keys: by dictionary id of name and type, in sorted order, and their names. */
const NAMES = new DictionaryBuilder();
const KEPT: (JaegerKey | undefined)[] = [];
const SORTED: JaegerKey[] = [];
for (const key of FIELD_KEYS) keep(key);

/** The key of entry `k` of a batch's keys. */
export function jaegerKey(batch: SpanBatch, k: number): JaegerKey {
  const type = batch.keyType[k]!;
  const id = batch.keyNameId[k]!;
  const from = batch.dictOffsets[id]!;
  const to = batch.dictOffsets[id + 1]!;
  // Keys are few; of a client that makes them up by the thousand, or at length, none are kept.
  const keeps = SORTED.length < LIMITS.jaegerKeys && to - from <= KEPT_NAME_BYTES;
  const name = NAMES[keeps ? "intern" : "find"](batch.dictBytes, from, to);
  const known = KEPT[name * TYPES + type];
  if (known !== undefined) return known;
  const key = makeKey(latin1(batch, id), type);
  if (keeps) {
    KEPT[name * TYPES + type] = key;
    keep(key);
  }
  return key;
}

/** The key of an attribute of a scope among a span's tags. */
export function scopeKey(batch: SpanBatch, k: number): JaegerKey {
  return makeKey(SCOPE_PREFIX + latin1(batch, batch.keyNameId[k]!), batch.keyType[k]!);
}

/** Gives the key its place among those kept. */
function keep(key: JaegerKey): void {
  let at = SORTED.length;
  while (at > 0 && compareKeys(SORTED[at - 1]!, key) > 0) at--;
  SORTED.splice(at, 0, key);
  for (; at < SORTED.length; at++) {
    const before = SORTED[at - 1];
    const same = before !== undefined && compareKeys(before, SORTED[at]!) === 0;
    SORTED[at]!.rank = before === undefined ? 0 : before.rank + (same ? 0 : 1);
  }
}

/** -1, 0 or 1: which key's tags come first. */
export function compareKeys(a: JaegerKey, b: JaegerKey): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.typeOrder - b.typeOrder;
}

function makeKey(name: string, type: number): JaegerKey {
  const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0));
  const text = jsonText(utf8(bytes));
  const typeOrder = TYPE_ORDER[type]!;
  const prefix = `{"key":${text},"type":"${TYPE_NAMES[typeOrder]}","value":`;
  return {
    name,
    typeOrder,
    prefix: utf8Bytes(prefix),
    nextPrefix: utf8Bytes(`},${prefix}`),
    textPrefix: utf8Bytes(`{"key":${text},"type":"string","value":`),
    role: ROLES.get(name) ?? ROLE.NONE,
    rank: -1,
  };
}

function latin1(batch: SpanBatch, id: number): string {
  const bytes = dictEntry(batch, id);
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
