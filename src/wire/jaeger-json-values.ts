/** Single values of Jaeger's JSON: exact integers, typed tags, lists and objects, checked. */

import { utf8 } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";

/** A JSON object, its members unknown. */
export type JsonObject = { readonly [name: string]: unknown };

/** A tag as Jaeger has it, its value as its type says; undefined when it is none of that type. */
export interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: string | boolean | bigint | number | Uint8Array | undefined;
}

const INTEGER = /^-?\d{1,40}$/;
/**
 * A number that a double may not hold. Times in µs have 16 digits and do not begin with 9: asking
 * about every value of a file because of them took 5 s of 100,000 spans instead of 1 s.
 */
const LARGE = /[:,[]\s*-?(?:\d{17}|9\d{15})/;
const DOUBLES: { readonly [name: string]: number } = { NaN, "+Inf": Infinity, "-Inf": -Infinity };

/** The error for what is not Jaeger's JSON. */
export function malformed(what: string): SpoorError {
  return new SpoorError("malformed", `Jaeger JSON: ${what}`);
}

/** Parses JSON; integers that a double cannot hold come as their digits. */
export function parse(bytes: Uint8Array, format = "Jaeger JSON"): unknown {
  const text = utf8(bytes);
  try {
    if (!LARGE.test(text)) return JSON.parse(text);
    return JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("malformed", `${format}: ${why}`, { cause });
  }
}

function exactInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context.source ?? "";
  return INTEGER.test(source) ? source : value;
}

/** An object, or `malformed`. */
export function object(value: unknown, what: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw malformed(`${what} is no object`);
}

/** A list, or `malformed`; null is an empty one. */
export function list(value: unknown, what: string): readonly unknown[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw malformed(`${what} is no list`);
}

/** A text; anything else is the empty one. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A whole number, or its digits in a text. */
export function integer(value: unknown, what: string): bigint {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "string" && INTEGER.test(value)) return BigInt(value);
  throw malformed(`${what} is no whole number`);
}

/** Typed tags; absent or null is none. */
export function tags(value: unknown): Tag[] {
  return list(value ?? [], "tags").map((item) => {
    const tag = object(item, "a tag");
    const type = text(tag["type"]);
    return { key: text(tag["key"]), type, value: tagValue(type, tag["value"]) };
  });
}

function tagValue(type: string, value: unknown): Tag["value"] {
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "int64":
      return integer(value, "an int64 tag");
    case "float64":
      return typeof value === "string" && Object.hasOwn(DOUBLES, value)
        ? DOUBLES[value]
        : doubleOf(value);
    case "binary":
      return typeof value === "string" ? base64(value) : undefined;
    default:
      return typeof value === "string" || typeof value === "boolean" ? value : doubleOf(value);
  }
}

function doubleOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function base64(value: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
