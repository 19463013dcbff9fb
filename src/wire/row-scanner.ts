/** What every binary decoder has: bytes to scan, a builder to fill, keys guessed. Bench: decode. */

import { grown } from "../core/attribute-table.ts";
import type { BatchBuilder } from "../core/builder.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { WARNING } from "./otlp-warnings.ts";

const FOLLOWERS = 512;
/** A request with more keys than this must not leave its memory behind. */
const MOST_FOLLOWERS = 65_536;

/**
 * Which key followed which. Guesses survive from request to request (they are compared with the
 * bytes before they count), decoding being synchronous. Guessing values too did not pay.
 */
let followers = new Uint32Array(FOLLOWERS);

/** Reads keys and texts of a request, or of one after the other, into a builder. */
export class RowScanner {
  bytes: Uint8Array;
  view: DataView;
  readonly builder: BatchBuilder;
  readonly limits: DecodeLimits;
  /** Where the primitive read last stopped. */
  at = 0;
  /** WARNING bits of what was being read. */
  warnings = 0;
  /** 1 + the key of the attribute read last, 0 at the start of an owner. */
  #previous = 0;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.builder = builder;
    this.limits = limits;
    if (followers.length > MOST_FOLLOWERS) followers = new Uint32Array(FOLLOWERS);
  }

  /** Goes on with other bytes, at their beginning. */
  scan(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.#previous = 0;
  }

  /** Tells that the next attribute is the first of its owner. */
  startOwner(): void {
    this.#previous = 0;
  }

  /** Key of the name at `[start, end)` with a type, guessed from the key before it. */
  key(start: number, end: number, type: number): number {
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
    return this.value(start, end, true);
  }

  /** Dictionary id of a value's bytes, cut when too long: between characters if it is a text. */
  value(start: number, end: number, isText: boolean): number {
    if (start === end) return 0;
    const dictionary = this.builder.dictionary;
    const most = this.limits.attributeValueBytes;
    if (end - start <= most) return dictionary.internView(this.view, start, end - start);
    this.warnings |= WARNING.VALUE_CUT;
    const stop = isText ? utf8Boundary(this.bytes, start, start + most) : start + most;
    return dictionary.internView(this.view, start, stop - start);
  }
}

/** The last place at or before `end` where a UTF-8 character may begin. */
export function utf8Boundary(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  for (let i = 0; i < 3 && at > start && (bytes[at]! & 0xc0) === 0x80; i++) at--;
  return at;
}
