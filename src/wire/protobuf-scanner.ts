/** Reads protobuf primitives from bytes that may be none. Bench: bench/otlp-decode.ts. */

import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { RowScanner } from "./row-scanner.ts";

/** Scans one message; `format` begins the texts of its errors. */
export class ProtobufScanner extends RowScanner {
  readonly #format: string;
  /** Upper word of the last `varint64`. */
  #high = 0;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits, format: string) {
    super(bytes, builder, limits);
    this.#format = format;
  }

  /** The error for bytes that are not a message. */
  malformed(what: string): SpoorError {
    return new SpoorError("malformed", `${this.#format}: ${what}`);
  }

  /** Reads a length at `at` and returns where its content stops; `this.at` is where it starts. */
  stop(at: number, end: number): number {
    const length = this.varint(at);
    const stop = this.at + length;
    if (stop > end) throw this.malformed("a field runs past its end");
    return stop;
  }

  /** Steps over a field whose tag has been read. */
  skip(tag: number, at: number, end: number): number {
    let next: number;
    if (tag >>> 3 === 0) throw this.malformed("a field numbered 0");
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
        throw this.malformed(`wire type ${tag & 7}`);
    }
    if (next > end) throw this.malformed("a field runs past its end");
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
      else if (open.pop() !== tag >>> 3) throw this.malformed("a group ends that is not open");
      else if (open.length === 0) return at;
    }
    throw this.malformed("a group without an end");
  }

  /** The low 32 bits, unsigned, of the varint at `at`; a length or tag beyond them is malformed. */
  varint(at: number): number {
    const low = this.varint64(at);
    if (this.#high !== 0) throw this.malformed("a length or tag beyond 32 bits");
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
      if (at >= bytes.length) throw this.malformed("ends inside a number");
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
    throw this.malformed("an overlong number");
  }

  /** Upper word, signed, of the number that `varint64` read last. */
  get high(): number {
    return this.#high;
  }

  /** Where the varint just read stopped, if that is within its message. */
  within(end: number): number {
    if (this.at > end) throw this.malformed("a field runs past its end");
    return this.at;
  }

  /** Checks that a field of fixed size ends within its message. */
  fixedEnd(stop: number, end: number): number {
    if (stop > end) throw this.malformed("a field runs past its end");
    return stop;
  }
}
