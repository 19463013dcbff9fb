/** Reads Thrift's binary and compact protocols, field by field. Bench: bench/jaeger-decode.ts. */

import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { RowScanner } from "./row-scanner.ts";

/** The encodings of one and the same message. */
export type ThriftProtocol = "binary" | "compact";

/** Thrift's types, numbered as the binary protocol does. */
export const THRIFT = {
  STOP: 0,
  BOOL: 2,
  BYTE: 3,
  DOUBLE: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  MAP: 13,
  SET: 14,
  LIST: 15,
} as const;

const { STOP, BOOL, BYTE, DOUBLE, I16, I32, I64, STRING, STRUCT, MAP, SET, LIST } = THRIFT;
const BINARY_VERSION = 0x8001;
const COMPACT_ID = 0x82;
const COMPACT_VERSION = 1;
const COMPACT_TRUE = 1;
/** Types of the compact protocol as the binary one numbers them; 0xff is none. */
const OF_COMPACT = new Uint8Array(16).fill(0xff);
OF_COMPACT.set([STOP, BOOL, BOOL, BYTE, I16, I32, I64, DOUBLE, STRING, LIST, SET, MAP, STRUCT]);
const IS_TYPE = new Uint8Array(256);
for (const type of Object.values(THRIFT)) if (type !== STOP) IS_TYPE[type] = 1;

/** A message of a method, its arguments not read yet. */
export interface ThriftMessage {
  readonly name: string;
  readonly kind: number;
}

/**
 * A cursor over one message: every method reads at `at` and leaves it behind what it read. What
 * was read stays in the fields until the next of its kind. No length is believed: an element
 * takes a byte at least, so a container larger than what is left is `malformed` at once.
 */
export class ThriftScanner extends RowScanner {
  readonly compact: boolean;
  #end: number;
  /** Number and type of the field read last. */
  field = 0;
  type = 0;
  /** Value of the bool read last; compact fields have it in their header. */
  #bool = false;
  /** The i64 or double read last, as signed words. */
  low = 0;
  high = 0;
  /** Where the string read last lies. */
  start = 0;
  stop = 0;
  /** Type and number of elements of the list read last. */
  elementType = 0;
  size = 0;

  constructor(
    bytes: Uint8Array,
    protocol: ThriftProtocol,
    builder: BatchBuilder,
    limits: DecodeLimits,
  ) {
    super(bytes, builder, limits);
    this.compact = protocol === "compact";
    this.#end = bytes.length;
  }

  override scan(bytes: Uint8Array): void {
    super.scan(bytes);
    this.#end = bytes.length;
  }

  /** The error for bytes that are no such message. */
  malformed(what: string): SpoorError {
    return new SpoorError("malformed", `Thrift ${this.compact ? "compact" : "binary"}: ${what}`);
  }

  /** Reads the envelope of a message; binary ones may be of the old, unversioned form. */
  message(): ThriftMessage {
    let kind: number;
    if (this.compact) {
      if (this.#byte() !== COMPACT_ID) throw this.malformed("no message");
      const byte = this.#byte();
      if ((byte & 31) !== COMPACT_VERSION) throw this.malformed(`version ${byte & 31}`);
      kind = byte >> 5;
      this.#varint();
      this.string();
    } else {
      const word = this.i32();
      if (word < 0) {
        if (word >>> 16 !== BINARY_VERSION) throw this.malformed("not version 1");
        kind = word & 0xff;
        this.string();
      } else {
        this.at -= 4;
        this.string();
        kind = this.#byte();
      }
      this.#need(4);
      this.at += 4;
    }
    // Names of methods are short; a longer text is not worth decoding.
    const name = this.bytes.subarray(this.start, Math.min(this.stop, this.start + 64));
    return { name: String.fromCharCode(...name), kind };
  }

  /** Reads a field's header into `field` and `type`; false at the end of the struct. */
  next(previous: number): boolean {
    if (this.compact) return this.#nextCompact(previous);
    const type = this.#byte();
    if (type === STOP) return false;
    if (IS_TYPE[type] === 0) throw this.malformed(`type ${type}`);
    this.#need(2);
    this.type = type;
    this.field = this.view.getInt16(this.at);
    this.at += 2;
    return true;
  }

  #nextCompact(previous: number): boolean {
    const byte = this.#byte();
    if (byte === STOP) return false;
    const compactType = byte & 15;
    const type = OF_COMPACT[compactType]!;
    if (type === 0xff || type === STOP) throw this.malformed(`type ${compactType}`);
    if (type === BOOL) this.#bool = compactType === COMPACT_TRUE;
    this.type = type;
    const delta = byte >> 4;
    this.field = delta === 0 ? this.#zigzag() : previous + delta;
    return true;
  }

  /** Whether the field read last is of this type; one of another type is unknown to us. */
  is(type: number): boolean {
    return this.type === type;
  }

  /** The value of a field of type bool. */
  bool(): boolean {
    return this.compact ? this.#bool : this.#byte() !== 0;
  }

  i32(): number {
    if (this.compact) return this.#zigzag();
    this.#need(4);
    const value = this.view.getInt32(this.at);
    this.at += 4;
    return value;
  }

  i16(): number {
    if (this.compact) return (this.#zigzag() << 16) >> 16;
    this.#need(2);
    const value = this.view.getInt16(this.at);
    this.at += 2;
    return value;
  }

  i64(): void {
    if (this.compact) {
      this.#varint();
      const sign = -(this.low & 1);
      this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
      this.high = (this.high >>> 1) ^ sign;
      return;
    }
    this.#need(8);
    this.high = this.view.getInt32(this.at);
    this.low = this.view.getInt32(this.at + 4);
    this.at += 8;
  }

  double(): void {
    this.#need(8);
    const little = this.compact;
    this.low = this.view.getInt32(little ? this.at : this.at + 4, little);
    this.high = this.view.getInt32(little ? this.at + 4 : this.at, little);
    this.at += 8;
  }

  /** Reads the place of a string or of binary into `start` and `stop`. */
  string(): void {
    const length = this.compact ? this.#length() : this.i32();
    if (length < 0 || length > this.#end - this.at) throw this.malformed("a text beyond the end");
    this.start = this.at;
    this.at += length;
    this.stop = this.at;
  }

  /** Reads the header of a list or set into `elementType` and `size`. */
  list(): void {
    const byte = this.#byte();
    if (this.compact) {
      this.elementType = OF_COMPACT[byte & 15]!;
      this.size = byte >> 4 === 15 ? this.#length() : byte >> 4;
    } else {
      this.elementType = byte;
      this.size = this.i32();
    }
    if (this.size < 0 || this.size > this.#end - this.at) {
      throw this.malformed("a list larger than the message");
    }
    if (this.size > 0 && IS_TYPE[this.elementType] === 0) {
      throw this.malformed(`elements of type ${this.elementType}`);
    }
  }

  /** The size of a list of structs whose header is next; one of anything else is malformed. */
  structs(): number {
    this.list();
    if (this.size > 0 && this.elementType !== STRUCT) throw this.malformed("a list of no structs");
    return this.size;
  }

  /** Steps over the value of the field read last. */
  skip(): void {
    if (this.type === BOOL && this.compact) return;
    this.#skip(this.type, 0);
  }

  #skip(type: number, depth: number): void {
    switch (type) {
      case BOOL:
      case BYTE:
        this.#byte();
        break;
      case I16:
      case I32:
      case I64:
        if (this.compact) this.#varint();
        else {
          const size = type === I16 ? 2 : type === I32 ? 4 : 8;
          this.#need(size);
          this.at += size;
        }
        break;
      case DOUBLE:
        this.#need(8);
        this.at += 8;
        break;
      case STRING:
        this.string();
        break;
      default:
        this.#skipContainer(type, depth + 1);
    }
  }

  #skipContainer(type: number, depth: number): void {
    if (depth > this.limits.valueDepth) throw this.malformed("nested too deep");
    if (type === STRUCT) {
      while (this.next(0)) if (!this.compact || this.type !== BOOL) this.#skip(this.type, depth);
      return;
    }
    if (type === MAP) {
      this.#skipMap(depth);
      return;
    }
    this.list();
    const { elementType, size } = this;
    for (let i = 0; i < size; i++) this.#skip(elementType, depth);
  }

  #skipMap(depth: number): void {
    let keyType = 0;
    let valueType = 0;
    let size: number;
    if (this.compact) {
      size = this.#length();
      if (size === 0) return;
      const types = this.#byte();
      keyType = OF_COMPACT[types >> 4]!;
      valueType = OF_COMPACT[types & 15]!;
    } else {
      keyType = this.#byte();
      valueType = this.#byte();
      size = this.i32();
    }
    if (size < 0 || size * 2 > this.#end - this.at) {
      throw this.malformed("a map larger than the message");
    }
    if (size === 0) return;
    if (IS_TYPE[keyType] === 0 || IS_TYPE[valueType] === 0) {
      throw this.malformed(`a map of types ${keyType} and ${valueType}`);
    }
    for (let i = 0; i < size; i++) {
      this.#skip(keyType, depth);
      this.#skip(valueType, depth);
    }
  }

  #need(count: number): void {
    if (this.at + count > this.#end) throw this.malformed("it ends too early");
  }

  #byte(): number {
    const at = this.at;
    if (at >= this.#end) throw this.malformed("it ends too early");
    this.at = at + 1;
    return this.bytes[at]!;
  }

  /** A signed 32-bit number of the compact protocol. */
  #zigzag(): number {
    this.#varint();
    return (this.low >>> 1) ^ -(this.low & 1);
  }

  /** An unsigned length of the compact protocol; -1 when it is beyond 31 bits. */
  #length(): number {
    this.#varint();
    return this.high !== 0 || this.low < 0 ? -1 : this.low;
  }

  /** Reads a varint of 64 bits into `low` and `high`. */
  #varint(): void {
    const bytes = this.bytes;
    const end = this.#end;
    let at = this.at;
    if (at < end && bytes[at]! < 128) {
      this.low = bytes[at]!;
      this.high = 0;
      this.at = at + 1;
      return;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw this.malformed("it ends inside a number");
      const byte = bytes[at++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.low = low;
        this.high = high;
        this.at = at;
        return;
      }
    }
    throw this.malformed("an overlong number");
  }
}
