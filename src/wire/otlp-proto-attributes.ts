/** Scans OTLP's KeyValue messages into attribute tables. Bench: bench/otlp-decode.ts. */

import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import type { BatchBuilder } from "../core/builder.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { WARNING } from "./otlp-warnings.ts";
import { ProtobufScanner } from "./protobuf-scanner.ts";
import { utf8Boundary } from "./row-scanner.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, MAP, EMPTY } = ATTRIBUTE_TYPE;

/** Reads attributes of one request into a builder. */
export class OtlpAttributeScanner extends ProtobufScanner {
  #valueType = 0;
  #valueSource: Uint8Array;
  #valueStart = 0;
  #valueEnd = 0;
  #valueLow = 0;
  #valueHigh = 0;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits) {
    super(bytes, builder, limits, "OTLP protobuf");
    this.#valueSource = bytes;
  }

  /**
   * Adds the KeyValue at `[at, end)` to the table's open owner. False: the owner is full.
   * What encoders write (key, then value, each once, nothing else) is read here; the rest of
   * what protobuf allows in `#anyOrder`.
   */
  attribute(at: number, end: number, table: AttributeTableBuilder): boolean {
    if (table.openCount >= this.limits.attributesPerOwner) return false;
    const bytes = this.bytes;
    if (end - at < 4 || bytes[at] !== 0x0a || bytes[at + 1]! > 127) {
      return this.#anyOrder(at, end, table);
    }
    const keyStart = at + 2;
    const keyEnd = keyStart + bytes[at + 1]!;
    let value = keyEnd + 2;
    if (value > end || bytes[keyEnd] !== 0x12) return this.#anyOrder(at, end, table);
    let length = bytes[keyEnd + 1]!;
    if (length > 127) {
      length = this.varint(keyEnd + 1);
      value = this.at;
    }
    if (value + length !== end) return this.#anyOrder(at, end, table);
    if (length === 0) {
      this.#add(table, keyStart, keyEnd, EMPTY, 0);
      return true;
    }
    const tag = bytes[value++]!;
    if (tag === 0x0a) return this.#string(at, end, table, keyStart, keyEnd, value);
    if (tag === 0x10 && end - value === 1 && bytes[value]! < 128) {
      this.#add(table, keyStart, keyEnd, BOOL, bytes[value] === 0 ? 0 : 1);
      return true;
    }
    if (tag === 0x18) {
      const low = this.varint64(value);
      if (this.at !== end) return this.#anyOrder(at, end, table);
      const id = this.builder.dictionary.internWords(low, this.high);
      this.#add(table, keyStart, keyEnd, INT, id);
      return true;
    }
    if (tag === 0x21 && end - value === 8) {
      const low = this.view.getInt32(value, true);
      const id = this.builder.dictionary.internWords(low, this.view.getInt32(value + 4, true));
      this.#add(table, keyStart, keyEnd, DOUBLE, id);
      return true;
    }
    return this.#anyOrder(at, end, table);
  }

  #string(
    at: number,
    end: number,
    table: AttributeTableBuilder,
    keyStart: number,
    keyEnd: number,
    lengthAt: number,
  ): boolean {
    const length =
      lengthAt < end && this.bytes[lengthAt]! < 128 ? this.#short(lengthAt) : this.varint(lengthAt);
    const start = this.at;
    if (start + length !== end || length > this.limits.attributeValueBytes) {
      return this.#anyOrder(at, end, table);
    }
    const key = this.key(keyStart, keyEnd, STRING);
    const dictionary = this.builder.dictionary;
    const value = length === 0 ? 0 : dictionary.internView(this.view, start, length);
    table.add(key, value);
    return true;
  }

  #short(at: number): number {
    this.at = at + 1;
    return this.bytes[at]!;
  }

  #add(
    table: AttributeTableBuilder,
    keyStart: number,
    keyEnd: number,
    type: number,
    value: number,
  ): void {
    table.add(this.key(keyStart, keyEnd, type), value);
  }

  /** A KeyValue with its fields in any order and number: the last key wins, values merge. */
  #anyOrder(from: number, end: number, table: AttributeTableBuilder): boolean {
    let at = from;
    let keyStart = 0;
    let keyEnd = 0;
    this.#valueType = EMPTY;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        keyEnd = this.stop(at, end);
        keyStart = this.at;
        at = keyEnd;
      } else if (tag === 0x12) {
        const stop = this.stop(at, end);
        this.#anyValue(this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
    const type = this.#valueType;
    table.add(this.key(keyStart, keyEnd, type), this.#internValue(type));
    return true;
  }

  /** Reads an AnyValue into the `#value…` fields: the last member wins, the same one merges. */
  #anyValue(from: number, end: number): void {
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x10 || tag === 0x18) {
        this.#valueLow = this.varint64(at);
        this.#valueHigh = this.high;
        this.#valueType = tag === 0x10 ? BOOL : INT;
        at = this.at;
        if (at > end) throw this.malformed("attribute value runs past its end");
      } else if (tag === 0x21) {
        if (end - at < 8) throw this.malformed("attribute value runs past its end");
        this.#valueLow = this.view.getInt32(at, true);
        this.#valueHigh = this.view.getInt32(at + 4, true);
        this.#valueType = DOUBLE;
        at += 8;
      } else if (tag === 0x0a || tag === 0x2a || tag === 0x32 || tag === 0x3a) {
        const stop = this.stop(at, end);
        this.#lengthDelimited(tag, this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
  }

  #lengthDelimited(tag: number, start: number, end: number): void {
    const type = tag === 0x0a ? STRING : tag === 0x3a ? BYTES : tag === 0x2a ? ARRAY : MAP;
    if (type === ARRAY) this.#checkArray(start, end, 0);
    else if (type === MAP) this.#checkMap(start, end, 0);
    if ((type === ARRAY || type === MAP) && this.#valueType === type) {
      const before = this.#valueSource.subarray(this.#valueStart, this.#valueEnd);
      const merged = new Uint8Array(before.length + end - start);
      merged.set(before);
      merged.set(this.bytes.subarray(start, end), before.length);
      this.#valueSource = merged;
      this.#valueStart = 0;
      this.#valueEnd = merged.length;
      return;
    }
    this.#valueType = type;
    this.#valueSource = this.bytes;
    this.#valueStart = start;
    this.#valueEnd = end;
  }

  #internValue(type: number): number {
    const dictionary = this.builder.dictionary;
    if (type === EMPTY) return 0;
    if (type === BOOL) return (this.#valueLow | this.#valueHigh) === 0 ? 0 : 1;
    if (type === INT || type === DOUBLE) {
      return dictionary.internWords(this.#valueLow, this.#valueHigh);
    }
    const source = this.#valueSource;
    const start = this.#valueStart;
    let end = this.#valueEnd;
    const most = this.limits.attributeValueBytes;
    if (end - start > most) {
      this.warnings |= WARNING.VALUE_CUT;
      if (type === STRING) end = utf8Boundary(source, start, start + most);
      else if (type === BYTES) end = start + most;
      else {
        const whole = new OtlpAttributeScanner(source, this.builder, this.limits);
        end = whole.#fieldBoundary(start, start + most, end);
      }
    }
    return dictionary.intern(source, start, end);
  }

  /** The end of the last field that fits before `most`, of a checked message. */
  #fieldBoundary(start: number, most: number, end: number): number {
    let fits = start;
    for (let at = start; at <= most; at = this.skip(this.varint(at), this.at, end)) fits = at;
    return fits;
  }

  /** Checks an ArrayValue, so that whoever reads it later need not fear it. */
  #checkArray(from: number, end: number, depth: number): void {
    if (depth >= this.limits.valueDepth) throw this.malformed("attribute value nested too deep");
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        this.#checkAnyValue(this.at, stop, depth + 1);
        at = stop;
      } else at = this.#skipPlain(tag, at, end);
    }
  }

  #checkMap(from: number, end: number, depth: number): void {
    if (depth >= this.limits.valueDepth) throw this.malformed("attribute value nested too deep");
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        this.#checkKeyValue(this.at, stop, depth + 1);
        at = stop;
      } else at = this.#skipPlain(tag, at, end);
    }
  }

  #checkKeyValue(from: number, end: number, depth: number): void {
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x12) {
        const stop = this.stop(at, end);
        this.#checkAnyValue(this.at, stop, depth);
        at = stop;
      } else at = this.#skipPlain(tag, at, end);
    }
  }

  #checkAnyValue(from: number, end: number, depth: number): void {
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x2a || tag === 0x32) {
        const stop = this.stop(at, end);
        if (tag === 0x2a) this.#checkArray(this.at, stop, depth);
        else this.#checkMap(this.at, stop, depth);
        at = stop;
      } else at = this.#skipPlain(tag, at, end);
    }
  }

  /** Within values groups are refused: core/any-value.ts does not read them. */
  #skipPlain(tag: number, at: number, end: number): number {
    if ((tag & 7) === 3) throw this.malformed("a group inside an attribute value");
    return this.skip(tag, at, end);
  }
}
