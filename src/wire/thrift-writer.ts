// Writes Thrift's binary protocol into a growing byte buffer, without intermediate objects.
import { writeUtf8Into } from "./utf8-into.ts";

/** Thrift field types by their binary protocol numbers; the compact writer translates. */
export const ThriftType = {
  bool: 2,
  double: 4,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  list: 15,
} as const;

/** Thrown when a message would outgrow the limit its writer was given. */
export class ThriftOverflow extends Error {}

/**
 * What both protocols can write. i64 values travel as two int32 halves, because JavaScript numbers
 * end at 2^53 and BigInt is slow. `position` may be moved back to forget what was written last.
 */
export interface ThriftWriter {
  bytes: Uint8Array;
  position: number;
  replaceBuffer(bytes: Uint8Array): void;
  structBegin(): void;
  structEnd(): void;
  fieldBool(id: number, value: boolean): void;
  fieldI32(id: number, value: number): void;
  fieldI64(id: number, high: number, low: number): void;
  fieldDouble(id: number, value: number): void;
  fieldString(id: number, value: string): void;
  fieldBytes(id: number, value: Uint8Array): void;
  fieldStruct(id: number): void;
  /** Begins a struct of jaeger.thrift's Tag with its fields 1, the key, and 2, the type. */
  tagBegin(key: string, type: number): void;
  fieldList(id: number, type: number, size: number): void;
  messageBegin(name: string, kind: number, sequence: number): void;
  raw(value: Uint8Array): void;
}

/** A bigger buffer with the same bytes; throws when the limit does not allow one. */
export function grown(bytes: Uint8Array, needed: number, limit: number): Uint8Array {
  if (needed > limit) throw new ThriftOverflow(`more than ${limit} bytes`);
  const next = new Uint8Array(Math.min(limit, Math.max(needed, bytes.length * 2)));
  next.set(bytes);
  return next;
}

/** TBinaryProtocol, strict. `limit` bounds the buffer; beyond it a write throws ThriftOverflow. */
export class BinaryThriftWriter implements ThriftWriter {
  bytes: Uint8Array;
  position = 0;
  #view: DataView;
  readonly #limit: number;

  constructor(bytes: Uint8Array, limit: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limit = limit;
  }

  replaceBuffer(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.replaceBuffer(grown(this.bytes, needed, this.#limit));
  }

  #head(type: number, id: number): void {
    const { bytes, position } = this;
    bytes[position] = type;
    bytes[position + 1] = id >>> 8;
    bytes[position + 2] = id;
    this.position = position + 3;
  }

  #word(value: number): void {
    this.#view.setInt32(this.position, value);
    this.position += 4;
  }

  structBegin(): void {}

  structEnd(): void {
    this.#reserve(1);
    this.bytes[this.position++] = 0;
  }

  fieldBool(id: number, value: boolean): void {
    this.#reserve(4);
    this.#head(ThriftType.bool, id);
    this.bytes[this.position++] = value ? 1 : 0;
  }

  fieldI32(id: number, value: number): void {
    this.#reserve(7);
    this.#head(ThriftType.i32, id);
    this.#word(value);
  }

  fieldI64(id: number, high: number, low: number): void {
    this.#reserve(11);
    this.#head(ThriftType.i64, id);
    this.#word(high);
    this.#word(low);
  }

  fieldDouble(id: number, value: number): void {
    this.#reserve(11);
    this.#head(ThriftType.double, id);
    this.#view.setFloat64(this.position, value);
    this.position += 8;
  }

  fieldString(id: number, value: string): void {
    this.#reserve(7 + value.length * 3);
    this.#head(ThriftType.string, id);
    this.#text(value);
  }

  #text(value: string): void {
    const start = this.position + 4;
    const end = writeUtf8Into(this.bytes, start, value);
    this.#view.setInt32(this.position, end - start);
    this.position = end;
  }

  fieldBytes(id: number, value: Uint8Array): void {
    this.#reserve(7 + value.length);
    this.#head(ThriftType.string, id);
    this.#word(value.length);
    this.raw(value);
  }

  fieldStruct(id: number): void {
    this.#reserve(3);
    this.#head(ThriftType.struct, id);
  }

  /** By hand, for a span is mostly tags. */
  tagBegin(key: string, type: number): void {
    this.#reserve(14 + key.length * 3);
    const { bytes, position } = this;
    bytes[position] = ThriftType.string;
    bytes[position + 1] = 0;
    bytes[position + 2] = 1;
    const end = writeUtf8Into(bytes, position + 7, key);
    this.#view.setInt32(position + 3, end - position - 7);
    bytes[end] = ThriftType.i32;
    bytes[end + 1] = 0;
    bytes[end + 2] = 2;
    bytes[end + 3] = 0;
    bytes[end + 4] = 0;
    bytes[end + 5] = 0;
    bytes[end + 6] = type;
    this.position = end + 7;
  }

  fieldList(id: number, type: number, size: number): void {
    this.#reserve(8);
    this.#head(ThriftType.list, id);
    this.bytes[this.position++] = type;
    this.#word(size);
  }

  messageBegin(name: string, kind: number, sequence: number): void {
    this.#reserve(12 + name.length * 3);
    this.#word(0x80010000 | kind);
    this.#text(name);
    this.#word(sequence);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }
}
