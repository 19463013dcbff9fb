/** Planes of the skeleton format: columns of numbers as bytes, and back. Bench: ui-data. */

import { SpoorError } from "../core/errors.ts";

/** How a plane's values are written (docs/formats/skeleton.md). */
export const PLANE = { VARINT: 0, ZIGZAG: 1, F64: 2, BYTES: 3, JSON: 4, ZEROS: 5 } as const;

/** Most bytes a varint of 53 bits has. */
const VARINT_BYTES = 8;
/** Differences within this survive zigzag and addition exactly. */
const MOST_DIFFERENCE = 2 ** 52;
const INT_LIMIT = 2 ** 31;

/** Whether zigzag can carry the value. */
export function fitsZigzag(value: number): boolean {
  return Number.isInteger(value) && value <= MOST_DIFFERENCE && value >= -MOST_DIFFERENCE;
}

/** Collects the bytes of a frame. */
export class PlaneWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  bytes(bytes: Uint8Array, encoding: number = PLANE.BYTES): void {
    const start = this.#open(encoding, bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    this.#close(start);
  }

  /** Whole numbers from 0 to 2^53 as varints; nothing at all when every one is 0. */
  varints(values: ArrayLike<number>, from: number, to: number): void {
    this.#numbers(PLANE.VARINT, values, from, to);
  }

  /** Whole numbers that `fitsZigzag`. */
  zigzags(values: ArrayLike<number>, from: number, to: number): void {
    this.#numbers(PLANE.ZIGZAG, values, from, to);
  }

  doubles(values: Float64Array, from: number, to: number): void {
    const part = values.slice(from, to);
    this.bytes(new Uint8Array(part.buffer), PLANE.F64);
  }

  /** What was written so far, as a frame of this type. The writer is empty again. */
  frame(type: number): Uint8Array {
    const frame = new Uint8Array(5 + this.#at);
    frame[0] = type;
    new DataView(frame.buffer).setUint32(1, this.#at, true);
    frame.set(this.#bytes.subarray(0, this.#at), 5);
    this.#at = 0;
    return frame;
  }

  #numbers(encoding: number, values: ArrayLike<number>, from: number, to: number): void {
    const start = this.#open(encoding, (to - from) * VARINT_BYTES);
    const zigzag = encoding === PLANE.ZIGZAG;
    const bytes = this.#bytes;
    let at = this.#at;
    let any = 0;
    for (let i = from; i < to; i++) {
      let value = values[i]!;
      if (zigzag) value = value < 0 ? -2 * value - 1 : 2 * value;
      if (value !== 0) any = 1;
      while (value >= INT_LIMIT) {
        bytes[at++] = (value % 128) | 128;
        value = Math.floor(value / 128);
      }
      let word = value | 0;
      while (word > 127) {
        bytes[at++] = (word & 127) | 128;
        word >>>= 7;
      }
      bytes[at++] = word;
    }
    if (any === 0) {
      this.#bytes[start] = PLANE.ZEROS;
      at = start + 5;
    }
    this.#at = at;
    this.#close(start);
  }

  #open(encoding: number, mostBytes: number): number {
    this.#reserve(5 + mostBytes);
    const start = this.#at;
    this.#bytes[start] = encoding;
    this.#at = start + 5;
    return start;
  }

  #close(start: number): void {
    this.#view.setUint32(start + 1, this.#at - start - 5, true);
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const bigger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bigger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bigger;
    this.#view = new DataView(bigger.buffer);
  }
}

/** Reads the planes of one frame; throws `malformed` when they are not what they must be. */
export class PlaneReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  /** Encoding of the plane read last. */
  encoding = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    if (this.#at + 4 > this.#bytes.length) throw malformed("a frame is too short");
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /** The bytes of the next plane (a view). */
  plane(): Uint8Array {
    const encoding = this.#bytes[this.#at] ?? 0xff;
    this.#at++;
    const length = this.u32();
    if (this.#at + length > this.#bytes.length) throw malformed("a plane is too short");
    this.encoding = encoding;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** The bytes of the next plane, which has exactly `length`. */
  bytesInto(out: Uint8Array, at: number, length: number): void {
    const plane = this.plane();
    if (this.encoding !== PLANE.BYTES || plane.length !== length) {
      throw malformed("a plane of bytes has another length");
    }
    out.set(plane, at);
  }

  /**
   * The numbers of the next plane, `count` of them, whatever their encoding; zigzag's signs are
   * undone, differences are the caller's, who looks at `encoding`.
   */
  numbersInto(out: NumberColumn, at: number, count: number): void {
    const plane = this.plane();
    switch (this.encoding) {
      case PLANE.ZEROS:
        out.fill(0, at, at + count);
        return;
      case PLANE.VARINT:
        readVarints(plane, out, at, count);
        return;
      case PLANE.ZIGZAG:
        readVarints(plane, out, at, count);
        for (let i = at; i < at + count; i++) {
          const value = out[i]!;
          out[i] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
        }
        return;
      case PLANE.F64:
        if (plane.length !== count * 8) throw malformed("a plane of doubles has another length");
        out.set(new Float64Array(new Uint8Array(plane).buffer), at);
        return;
      default:
        throw malformed("a plane has an unknown encoding");
    }
  }
}

/** Columns that numbers are read into. */
export type NumberColumn = Float64Array | Uint32Array | Uint16Array;

function readVarints(plane: Uint8Array, out: NumberColumn, at: number, count: number): void {
  let p = 0;
  for (let i = at; i < at + count; i++) {
    let byte = plane[p++]!;
    if (byte < 128) {
      out[i] = byte;
      continue;
    }
    let value = byte & 127;
    let shift = 7;
    do {
      byte = plane[p++]!;
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127 && shift < 28);
    if (byte > 127) {
      let scale = 2 ** 28;
      do {
        byte = plane[p++]!;
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte > 127 && scale < 2 ** 56);
    }
    out[i] = value;
  }
  if (p !== plane.length) throw malformed("a plane of varints has another length");
}

function malformed(message: string): SpoorError {
  return new SpoorError("malformed", `not a skeleton: ${message}`);
}
