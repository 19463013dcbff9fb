/** Single values of OTLP/JSON: numbers that may be texts, hex ids, base64, nested attributes. */

import { utf8Bytes } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/** A JSON object, its fields unknown. */
export type JsonObject = { readonly [name: string]: unknown };

const TWO_TO_32 = 2 ** 32;
const MAX_U32 = 0xffff_ffff;
const MAX_I64 = 2n ** 63n - 1n;
const MAX_U64 = 2n ** 64n - 1n;
const INTEGER = /^-?\d{1,400}$/;
const DOUBLE = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;
const LONG_INTEGER = /[:,[]\s*-?\d{16,}/;
const NAMED_DOUBLES: { readonly [name: string]: number } = {
  NaN,
  Infinity,
  "-Infinity": -Infinity,
  "+Infinity": Infinity,
};
const BASE64 = new Int8Array(128).fill(-1);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
for (let i = 0; i < 62; i++) BASE64[ALPHABET.charCodeAt(i)] = i;
for (const [text, digit] of [
  ["+", 62],
  ["-", 62],
  ["/", 63],
  ["_", 63],
] as const) {
  BASE64[text.charCodeAt(0)] = digit;
}

/** The error for what is not OTLP/JSON. */
export function malformedJson(what: string): SpoorError {
  return new SpoorError("malformed", `OTLP JSON: ${what}`);
}

/**
 * Parses JSON; integers that a double cannot hold come as their digits. JSON.parse alone would
 * round them, and its reviver costs several times the parse, hence only where it may matter.
 */
export function parseJson(text: string): unknown {
  try {
    if (!LONG_INTEGER.test(text)) return JSON.parse(text);
    return JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("malformed", `OTLP JSON: ${why}`, { cause });
  }
}

function exactInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context.source ?? "";
  return INTEGER.test(source) ? source : value;
}

/** An object; absent and null are empty ones. */
export function objectOf(value: unknown, what: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw malformedJson(`${what} is no object`);
  }
  return value as JsonObject;
}

/** A list; absent and null are empty ones. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformedJson(`${what} is no array`);
  return value as readonly unknown[];
}

/** A text; absent and null are empty ones. */
export function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw malformedJson(`${what} is no text`);
  return value;
}

/** An unsigned 32-bit number, as number or text. */
export function uint32Of(value: unknown, what: string): number {
  if (value === undefined || value === null) return 0;
  const number = typeof value === "string" && INTEGER.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > MAX_U32) {
    throw malformedJson(`${what} is no unsigned 32-bit number`);
  }
  return number;
}

/** An enum's number, also given by its name; what is unknown is 0. */
export function enumOf(value: unknown, prefix: string, names: readonly string[]): number {
  if (typeof value === "number") return value >= 0 && value < names.length ? value >>> 0 : 0;
  if (typeof value !== "string") return 0;
  if (INTEGER.test(value)) return enumOf(Number(value), prefix, names);
  return Math.max(0, names.indexOf(value.startsWith(prefix) ? value.slice(prefix.length) : value));
}

/** An int64, as number or text. The lower word is returned, the upper one is `highWord`. */
export function int64Words(value: unknown, what: string): number {
  let number = value;
  if (typeof value === "string" && value.length < 16 && INTEGER.test(value)) {
    number = Number(value);
  }
  if (Number.isSafeInteger(number)) {
    const high = Math.floor((number as number) / TWO_TO_32);
    highWord = high | 0;
    return ((number as number) - high * TWO_TO_32) | 0;
  }
  const big = bigOf(value, what);
  if (big > MAX_I64 || big < -MAX_I64 - 1n) throw malformedJson(`${what} is beyond 64 bits`);
  highWord = Number(BigInt.asIntN(32, big >> 32n));
  return Number(BigInt.asIntN(32, big));
}

/** The upper word of what `int64Words` returned last. */
export let highWord = 0;

function bigOf(value: unknown, what: string): bigint {
  if (typeof value === "string" && INTEGER.test(value)) return BigInt(value);
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw malformedJson(`${what} is no integer`);
}

/** Nanoseconds since 1970, as number or text: the exact value, for those beyond 2^53 µs. */
export function timeOf(value: unknown, what: string): bigint {
  if (value === undefined || value === null || value === "") return 0n;
  const big = bigOf(value, what);
  if (big < 0n || big > MAX_U64) throw malformedJson(`${what} is no time`);
  return big;
}

/**
 * Whole microseconds of a time whose µs are below 2^53, without BigInt; the nanoseconds within
 * are `restNs`. -1: read it with `timeOf`.
 */
export function microsecondsOf(value: unknown): number {
  if (value === undefined || value === null) {
    restNs = 0;
    return 0;
  }
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    restNs = value % 1000;
    return (value - restNs) / 1000;
  }
  if (typeof value !== "string" || value.length > 19) return -1;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 48 || code > 57) return -1;
  }
  const us = Number(value.slice(0, -3));
  restNs = Number(value.slice(-3));
  return Number.isSafeInteger(us) ? us : -1;
}

/** Nanoseconds within the microsecond that `microsecondsOf` returned last. */
export let restNs = 0;

/** A double, as number or text; "NaN" and "Infinity" have no other form in JSON. */
export function doubleOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    const named = Object.hasOwn(NAMED_DOUBLES, value) ? NAMED_DOUBLES[value] : undefined;
    if (named !== undefined) return named;
    if (DOUBLE.test(value)) return Number(value);
  }
  throw malformedJson("doubleValue is no number");
}

/** Bytes of base64 in either alphabet, with or without padding. */
export function base64Of(value: unknown): Uint8Array {
  const text = textOf(value, "bytesValue");
  let length = text.length;
  while (length > 0 && text.length - length < 2 && text.charCodeAt(length - 1) === 61) length--;
  if (length % 4 === 1) throw malformedJson("bytesValue is no base64");
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let at = 0;
  let group = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? BASE64[code]! : -1;
    if (digit < 0) throw malformedJson("bytesValue is no base64");
    group = (group << 6) | digit;
    if ((i & 3) === 1) bytes[at++] = group >>> 4;
    else if ((i & 3) === 2) bytes[at++] = group >>> 2;
    else if ((i & 3) === 3) bytes[at++] = group;
  }
  return bytes;
}

/** The field of an AnyValue that is set (the last one, were there several), or "". */
export function memberOf(value: JsonObject): string {
  let member = "";
  for (const name in value) {
    if (MEMBERS.has(name) && value[name] !== undefined && value[name] !== null) member = name;
  }
  return member;
}

const MEMBERS: ReadonlySet<string> = new Set(
  ["string", "bool", "int", "double", "array", "kvlist", "bytes"].flatMap((type) => [
    `${type}Value`,
    `${type}_value`,
  ]),
);

/** Writes the content of an AnyValue message. */
function writeAnyValue(
  writer: ProtobufWriter,
  given: unknown,
  depth: number,
  mostDepth: number,
): void {
  const any = objectOf(given, "an attribute's value");
  const member = memberOf(any);
  const value = any[member];
  switch (member.slice(0, -5).replace("_", "")) {
    case "":
      return;
    case "string":
      writer.fieldBytes(0x0a, utf8Bytes(textOf(value, "stringValue")));
      return;
    case "bool":
      writer.fieldVarint(0x10, boolOf(value) ? 1 : 0);
      return;
    case "int": {
      const low = int64Words(value, "intValue");
      writer.fieldVarint64(0x18, highWord, low);
      return;
    }
    case "double":
      writer.fieldDouble(0x21, doubleOf(value));
      return;
    case "bytes":
      writer.fieldBytes(0x3a, base64Of(value));
      return;
    case "array": {
      const start = writer.begin(0x2a);
      writeElements(writer, value, false, depth, mostDepth, Infinity);
      writer.end(start);
      return;
    }
    default: {
      const start = writer.begin(0x32);
      writeElements(writer, value, true, depth, mostDepth, Infinity);
      writer.end(start);
    }
  }
}

/**
 * Writes the content of an ArrayValue, or of a KeyValueList when `keyed`; elements that would
 * take it beyond `most` bytes are left out. Returns whether all fitted.
 */
export function writeElements(
  writer: ProtobufWriter,
  given: unknown,
  keyed: boolean,
  depth: number,
  mostDepth: number,
  most: number,
): boolean {
  if (depth >= mostDepth) throw malformedJson("attribute value nested too deep");
  const begin = writer.position;
  for (const element of listOf(objectOf(given, "an array value")["values"], "values")) {
    const before = writer.position;
    const start = writer.begin(0x0a);
    if (keyed) {
      const entry = objectOf(element, "a key-value pair");
      const key = textOf(entry["key"], "key");
      if (key !== "") writer.fieldBytes(0x0a, utf8Bytes(key));
      const value = writer.begin(0x12);
      writeAnyValue(writer, entry["value"], depth + 1, mostDepth);
      writer.end(value);
    } else writeAnyValue(writer, element, depth + 1, mostDepth);
    writer.end(start);
    if (writer.position - begin > most) {
      writer.position = before;
      return false;
    }
  }
  return true;
}

/** A boolean. */
export function boolOf(value: unknown): boolean {
  if (typeof value !== "boolean") throw malformedJson("boolValue is no boolean");
  return value;
}
