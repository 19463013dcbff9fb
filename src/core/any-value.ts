/** Array and map attribute values: OTLP's ArrayValue and KeyValueList bytes as values and JSON. */

import { toHex, utf8 } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "./batch.ts";
import { SpoorError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** A decoded OTLP AnyValue. Maps keep their order and doubles of keys, hence entries. */
export type AnyValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly type: "array"; readonly value: readonly AnyValue[] }
  | { readonly type: "map"; readonly value: readonly (readonly [string, AnyValue])[] }
  | { readonly type: "empty" };

const EMPTY: AnyValue = { type: "empty" };

/** Decodes the bytes of an ARRAY (ArrayValue) or MAP (KeyValueList) attribute. */
export function decodeArrayOrMap(type: number, bytes: Uint8Array): AnyValue {
  const reader = new Reader(bytes);
  return type === ATTRIBUTE_TYPE.ARRAY
    ? { type: "array", value: reader.array(bytes.length, 0) }
    : { type: "map", value: reader.map(bytes.length, 0) };
}

/** JSON text of an ARRAY or MAP attribute, as Jaeger shows it. */
export function arrayOrMapText(type: number, bytes: Uint8Array): string {
  return anyValueJson(decodeArrayOrMap(type, bytes));
}

/** JSON text of a value: bytes as hex text, integers in full, non-finite doubles as strings. */
export function anyValueJson(value: AnyValue): string {
  switch (value.type) {
    case "string":
      return JSON.stringify(value.value);
    case "bool":
    case "int":
      return String(value.value);
    case "double":
      return Number.isFinite(value.value) ? String(value.value) : JSON.stringify(`${value.value}`);
    case "bytes":
      return JSON.stringify(toHex(value.value));
    case "array":
      return `[${value.value.map(anyValueJson).join(",")}]`;
    case "map":
      return `{${value.value.map(memberJson).join(",")}}`;
    case "empty":
      return "null";
  }
}

function memberJson([key, value]: readonly [string, AnyValue]): string {
  return `${JSON.stringify(key)}:${anyValueJson(value)}`;
}

/** Reads protobuf: small, checked, only for values that are not on the hot path. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  array(end: number, depth: number): AnyValue[] {
    const values: AnyValue[] = [];
    this.#fields(end, depth, (field, wire) => {
      if (field !== 1 || wire !== 2) return false;
      values.push(this.#anyValue(this.#end(end), depth + 1));
      return true;
    });
    return values;
  }

  map(end: number, depth: number): (readonly [string, AnyValue])[] {
    const entries: (readonly [string, AnyValue])[] = [];
    this.#fields(end, depth, (field, wire) => {
      if (field !== 1 || wire !== 2) return false;
      entries.push(this.#keyValue(this.#end(end), depth + 1));
      return true;
    });
    return entries;
  }

  #keyValue(end: number, depth: number): readonly [string, AnyValue] {
    let key = "";
    let value: AnyValue = EMPTY;
    this.#fields(end, depth, (field, wire) => {
      if (wire !== 2 || field > 2) return false;
      const inner = this.#end(end);
      if (field === 1) key = this.#text(inner);
      else value = this.#anyValue(inner, depth);
      return true;
    });
    return [key, value];
  }

  #anyValue(end: number, depth: number): AnyValue {
    let value: AnyValue = EMPTY;
    this.#fields(end, depth, (field, wire) => {
      if (field === 1 && wire === 2) value = { type: "string", value: this.#text(this.#end(end)) };
      else if (field === 2 && wire === 0) value = { type: "bool", value: this.#varint() !== 0n };
      else if (field === 3 && wire === 0) {
        value = { type: "int", value: BigInt.asIntN(64, this.#varint()) };
      } else if (field === 4 && wire === 1) value = { type: "double", value: this.#double(end) };
      else if (field === 5 && wire === 2) {
        value = { type: "array", value: this.array(this.#end(end), depth) };
      } else if (field === 6 && wire === 2) {
        value = { type: "map", value: this.map(this.#end(end), depth) };
      } else if (field === 7 && wire === 2) {
        const inner = this.#end(end);
        value = { type: "bytes", value: this.#bytes.slice(this.#at, inner) };
        this.#at = inner;
      } else return false;
      return true;
    });
    return value;
  }

  #fields(end: number, depth: number, take: (field: number, wire: number) => boolean): void {
    if (depth > LIMITS.valueDepth) throw malformed("attribute value nested too deep");
    while (this.#at < end) {
      const tag = Number(this.#varint() & 0xffffffffn);
      if (!take(tag >>> 3, tag & 7)) this.#skip(tag & 7, end);
      if (this.#at > end) throw malformed("attribute value runs past its end");
    }
  }

  #skip(wire: number, end: number): void {
    if (wire === 0) this.#varint();
    else if (wire === 1) this.#at += 8;
    else if (wire === 2) this.#at = this.#end(end);
    else if (wire === 5) this.#at += 4;
    else throw malformed("attribute value has an unknown wire type");
  }

  #end(limit: number): number {
    const length = Number(this.#varint());
    if (length > limit - this.#at) throw malformed("attribute value runs past its end");
    return this.#at + length;
  }

  #text(end: number): string {
    const text = utf8(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }

  #double(end: number): number {
    if (end - this.#at < 8) throw malformed("attribute value runs past its end");
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8);
    this.#at += 8;
    return view.getFloat64(0, true);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed("attribute value ends inside a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw malformed("attribute value has an overlong number");
  }
}

function malformed(message: string): SpoorError {
  return new SpoorError("malformed", message);
}
