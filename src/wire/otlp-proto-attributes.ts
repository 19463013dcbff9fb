/** Scans OTLP's KeyValue messages into attribute tables. Bench: bench/otlp-decode.ts. */

import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import { grown } from "../core/attribute-table.ts";
import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { WARNING } from "./otlp-warnings.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, MAP, EMPTY } = ATTRIBUTE_TYPE;

const FOLLOWERS = 512;
/** A request with more keys than this must not leave its memory behind. */
const MOST_FOLLOWERS = 65_536;

/** The error for bytes that are not a message. */
export function malformed(what: string): SpoorError {
  return new SpoorError("malformed", `OTLP protobuf: ${what}`);
}

/**
 * Which key followed which. Guesses survive from request to request (they are compared with the
 * bytes before they count), decoding being synchronous. Guessing values too did not pay.
 */
let followers = new Uint32Array(FOLLOWERS);

/** Reads protobuf's primitives from one request and attributes into a builder. */
export class OtlpAttributeScanner {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly builder: BatchBuilder;
  readonly limits: DecodeLimits;
  /** Where `varint` and its kin stopped. */
  at = 0;
  /** WARNING bits of what was being read. */
  warnings = 0;
  /** Upper word of the last `varint64`. */
  #high = 0;
  /** 1 + the key of the attribute read last, 0 at the start of an owner. */
  #previous = 0;
  #valueType = 0;
  #valueSource: Uint8Array;
  #valueStart = 0;
  #valueEnd = 0;
  #valueLow = 0;
  #valueHigh = 0;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.builder = builder;
    this.limits = limits;
    this.#valueSource = bytes;
    if (followers.length > MOST_FOLLOWERS) followers = new Uint32Array(FOLLOWERS);
  }

  /** Tells that the next attribute is the first of its owner. */
  startOwner(): void {
    this.#previous = 0;
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
      const id = this.builder.dictionary.internWords(low, this.#high);
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
    const key = this.#key(keyStart, keyEnd, STRING);
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
    table.add(this.#key(keyStart, keyEnd, type), value);
  }

  /** Key of the name at `[start, end)` with a type, guessed from the key before it. */
  #key(start: number, end: number, type: number): number {
    const builder = this.builder;
    const previous = this.#previous;
    const guess = followers[previous]!;
    let nameId = -1;
    if (guess < builder.keyCount) {
      const guessedName = builder.keyNameId[guess]!;
      if (builder.dictionary.is(guessedName, this.view, start, end - start)) {
        if (builder.keyType[guess] === type) {
          this.#previous = guess + 1;
          return guess;
        }
        nameId = guessedName;
      }
    }
    if (nameId === -1) nameId = this.name(start, end);
    const key = builder.key(nameId, type);
    while (key + 2 > followers.length) followers = grown(followers);
    followers[previous] = key;
    this.#previous = key + 1;
    return key;
  }

  /** Dictionary id of a name or key, cut when too long. */
  name(start: number, end: number): number {
    let stop = end;
    if (end - start > this.limits.nameBytes) {
      stop = utf8Boundary(this.bytes, start, start + this.limits.nameBytes);
      this.warnings |= WARNING.NAME_CUT;
    }
    return this.builder.dictionary.intern(this.bytes, start, stop);
  }

  /** Dictionary id of a text that may be as long as a value. */
  text(start: number, end: number): number {
    let stop = end;
    if (end - start > this.limits.attributeValueBytes) {
      stop = utf8Boundary(this.bytes, start, start + this.limits.attributeValueBytes);
      this.warnings |= WARNING.VALUE_CUT;
    }
    return this.builder.dictionary.intern(this.bytes, start, stop);
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
    table.add(this.#key(keyStart, keyEnd, type), this.#internValue(type));
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
        this.#valueHigh = this.#high;
        this.#valueType = tag === 0x10 ? BOOL : INT;
        at = this.at;
        if (at > end) throw malformed("attribute value runs past its end");
      } else if (tag === 0x21) {
        if (end - at < 8) throw malformed("attribute value runs past its end");
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
    if (depth >= this.limits.valueDepth) throw malformed("attribute value nested too deep");
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
    if (depth >= this.limits.valueDepth) throw malformed("attribute value nested too deep");
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
    if ((tag & 7) === 3) throw malformed("a group inside an attribute value");
    return this.skip(tag, at, end);
  }

  /** Reads a length at `at` and returns where its content stops; `this.at` is where it starts. */
  stop(at: number, end: number): number {
    const length = this.varint(at);
    const stop = this.at + length;
    if (stop > end) throw malformed("a field runs past its end");
    return stop;
  }

  /** Steps over a field whose tag has been read. */
  skip(tag: number, at: number, end: number): number {
    let next: number;
    if (tag >>> 3 === 0) throw malformed("a field numbered 0");
    switch (tag & 7) {
      case 0:
        this.varint64(at);
        next = this.at;
        break;
      case 1:
        next = at + 8;
        break;
      case 2:
        return this.stop(at, end);
      case 3:
        return this.#skipGroup(tag >>> 3, at, end);
      case 5:
        next = at + 4;
        break;
      default:
        throw malformed(`wire type ${tag & 7}`);
    }
    if (next > end) throw malformed("a field runs past its end");
    return next;
  }

  #skipGroup(field: number, from: number, end: number): number {
    const open = [field];
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if ((tag & 7) === 3) open.push(tag >>> 3);
      else if ((tag & 7) !== 4) at = this.skip(tag, at, end);
      else if (open.pop() !== tag >>> 3) throw malformed("a group ends that is not open");
      else if (open.length === 0) return at;
    }
    throw malformed("a group without an end");
  }

  /** The low 32 bits, unsigned, of the varint at `at`; a length or tag beyond them is malformed. */
  varint(at: number): number {
    const low = this.varint64(at);
    if (this.#high !== 0) throw malformed("a length or tag beyond 32 bits");
    return low >>> 0;
  }

  /** Reads a varint of 64 bits: the lower word, signed; the upper one is in `#high`. */
  varint64(from: number): number {
    const bytes = this.bytes;
    const first = bytes[from]!;
    if (first < 128) {
      this.#high = 0;
      this.at = from + 1;
      return first;
    }
    let at = from;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= bytes.length) throw malformed("ends inside a number");
      const byte = bytes[at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.#high = high;
        this.at = at;
        return low;
      }
    }
    throw malformed("an overlong number");
  }

  /** Upper word, signed, of the number that `varint64` read last. */
  get high(): number {
    return this.#high;
  }
}

/** The last place at or before `end` where a UTF-8 character may begin. */
export function utf8Boundary(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  for (let i = 0; i < 3 && at > start && (bytes[at]! & 0xc0) === 0x80; i++) at--;
  return at;
}
