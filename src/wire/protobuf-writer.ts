// Writes protobuf fields forward into a growing byte buffer; lengths are filled in at the end.
import { writeUtf8Into } from "./utf8-into.ts";

/** Thrown when a message would outgrow the limit its writer was given. */
export class ProtobufOverflow extends Error {}

/** How many bytes an unsigned 32-bit number takes as a varint. */
export function lengthOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/**
 * Fields are named by their tag byte, (number << 3) | wire type, for numbers up to 15. `begin`
 * leaves room for the length of a message and `end` moves the message when it needs another, so
 * that lengths are always in their shortest form. `position` may be moved back to forget.
 */
export class ProtobufWriter {
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

  reserve(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    if (needed > this.#limit) throw new ProtobufOverflow(`more than ${this.#limit} bytes`);
    const next = new Uint8Array(Math.min(this.#limit, Math.max(needed, this.bytes.length * 2)));
    next.set(this.bytes);
    this.replaceBuffer(next);
  }

  /**
   * Opens a length-delimited field; hand what it returns to `end`. `room` is how many bytes its
   * length will probably take: where the guess is right nothing is moved.
   */
  begin(tag: number, room = 1): number {
    this.reserve(6);
    this.bytes[this.position] = tag;
    this.position += 1 + room;
    return this.position;
  }

  end(start: number, room = 1): void {
    const length = this.position - start;
    const needed = lengthOfVarint(length);
    const shift = needed - room;
    if (shift !== 0) {
      this.reserve(4);
      this.bytes.copyWithin(start + shift, start, this.position);
    }
    this.position = start - room;
    this.varint(length);
    this.position += length;
  }

  /** An unsigned 32-bit varint without its tag. */
  varint(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  fieldVarint(tag: number, value: number): void {
    this.reserve(6);
    this.bytes[this.position++] = tag;
    this.varint(value);
  }

  /** An int64 field given as two int32 halves. */
  fieldVarint64(tag: number, high: number, low: number): void {
    this.reserve(11);
    this.bytes[this.position++] = tag;
    let restHigh = high >>> 0;
    let restLow = low >>> 0;
    while (restHigh !== 0 || restLow > 0x7f) {
      this.bytes[this.position++] = (restLow & 0x7f) | 0x80;
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    this.bytes[this.position++] = restLow;
  }

  fieldFixed64(tag: number, high: number, low: number): void {
    this.reserve(9);
    this.bytes[this.position] = tag;
    this.#view.setInt32(this.position + 1, low, true);
    this.#view.setInt32(this.position + 5, high, true);
    this.position += 9;
  }

  fieldFixed32(tag: number, value: number): void {
    this.reserve(5);
    this.bytes[this.position] = tag;
    this.#view.setInt32(this.position + 1, value, true);
    this.position += 5;
  }

  fieldDouble(tag: number, value: number): void {
    this.reserve(9);
    this.bytes[this.position] = tag;
    this.#view.setFloat64(this.position + 1, value, true);
    this.position += 9;
  }

  /** A bytes field of 8 bytes given as two big-endian words: span ids. */
  fieldId8(tag: number, high: number, low: number): void {
    this.reserve(10);
    this.bytes[this.position] = tag;
    this.bytes[this.position + 1] = 8;
    this.#view.setInt32(this.position + 2, high);
    this.#view.setInt32(this.position + 6, low);
    this.position += 10;
  }

  /** A bytes field of 16 bytes given as four big-endian words: trace ids. */
  fieldId16(tag: number, a: number, b: number, c: number, d: number): void {
    this.reserve(18);
    this.bytes[this.position] = tag;
    this.bytes[this.position + 1] = 16;
    this.#view.setInt32(this.position + 2, a);
    this.#view.setInt32(this.position + 6, b);
    this.#view.setInt32(this.position + 10, c);
    this.#view.setInt32(this.position + 14, d);
    this.position += 18;
  }

  fieldString(tag: number, value: string): void {
    this.reserve(7 + value.length * 3);
    const start = this.begin(tag);
    this.position = writeUtf8Into(this.bytes, start, value);
    this.end(start);
  }

  fieldBytes(tag: number, value: Uint8Array): void {
    this.reserve(6 + value.length);
    this.bytes[this.position++] = tag;
    this.varint(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }
}
