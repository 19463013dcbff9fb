/** JsonWriter: JSON as chunks of UTF-8 bytes, without ever holding it whole. Bench: jaeger-json. */

import { utf8, utf8Bytes } from "../base/bytes.ts";

/** Chunks are at least this large, but for the last: some TCP windows, little garbage. */
const CHUNK_BYTES = 64 * 1024;
const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array(0);
/** Up to here a loop is faster than a call into the engine (measured on Node 24). */
const COPY_LOOP_BYTES = 12;
const ASCII_LOOP_CHARACTERS = 32;

/** 1 for bytes that stand for themselves in a string: ASCII but for controls and `"\<>&`. */
const PLAIN = new Uint8Array(256).map((_, byte) =>
  byte >= 0x20 && byte < 0x80 && !'"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const ESCAPES: (Uint8Array | undefined)[] = Array.from({ length: 256 }, () => undefined);
for (const character of '"\\<>&') {
  ESCAPES[character.charCodeAt(0)] = utf8Bytes(jsonText(character).slice(1, -1));
}
const HEX = utf8Bytes("0123456789abcdef");
const BASE64 = utf8Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/**
 * JSON text of a string as Go's encoding/json writes it: `<`, `>`, `&` and the line separators
 * are escaped, so that the text may stand in HTML and scripts.
 */
export function jsonText(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Collects JSON; `take` gives what is ready to be sent. Callers write punctuation themselves. */
export class JsonWriter {
  #bytes = NOTHING;
  #at = 0;
  #full: Uint8Array[] = [];

  /** Whether `take` has something worth sending. */
  get ready(): boolean {
    return this.#at >= CHUNK_BYTES || this.#full.length > 0;
  }

  /** The chunks written since the last call. Their memory is the caller's. */
  take(): Uint8Array[] {
    if (this.#at > 0) this.#full.push(this.#bytes.subarray(0, this.#at));
    this.#bytes = NOTHING;
    this.#at = 0;
    const chunks = this.#full;
    this.#full = [];
    return chunks;
  }

  /** All that was written since the last call, as text: for small things, whose memory is kept. */
  takeText(): string {
    if (this.#full.length > 0) return this.take().map(utf8).join("");
    const text = utf8(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return text;
  }

  /** Writes bytes as they are. */
  raw(source: Uint8Array): void {
    const length = source.length;
    this.#reserve(length);
    const bytes = this.#bytes;
    const at = this.#at;
    if (length > COPY_LOOP_BYTES) bytes.set(source, at);
    else for (let i = 0; i < length; i++) bytes[at + i] = source[i]!;
    this.#at = at + length;
  }

  /** Writes one byte. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** Writes text as it is. */
  text(text: string): void {
    const length = text.length;
    this.#reserve(length * 3);
    if (length <= ASCII_LOOP_CHARACTERS && this.#ascii(text)) return;
    this.#at += ENCODER.encodeInto(text, this.#bytes.subarray(this.#at)).written;
  }

  /** Writes a text of ASCII alone; false, with nothing written, for any other. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[at + i] = code;
    }
    this.#at = at + text.length;
    return true;
  }

  /** Writes UTF-8 bytes as a JSON string; malformed bytes become U+FFFD. */
  string(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start + 2);
    const bytes = this.#bytes;
    const begin = this.#at;
    let at = begin;
    bytes[at++] = 0x22;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      if (PLAIN[byte] === 0) {
        if (!this.#escaped(source, start, end)) {
          this.text(jsonText(utf8(source.subarray(start, end))));
        }
        return;
      }
      bytes[at++] = byte;
    }
    bytes[at++] = 0x22;
    this.#at = at;
  }

  /** Writes a string of ASCII that needs no escape but a few; false, with nothing written, else. */
  #escaped(source: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) {
      if (PLAIN[source[i]!] === 0 && ESCAPES[source[i]!] === undefined) return false;
    }
    this.#reserve((end - start) * 6 + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = 0x22;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      if (PLAIN[byte] === 1) {
        bytes[at++] = byte;
        continue;
      }
      const escape = ESCAPES[byte]!;
      for (let e = 0; e < escape.length; e++) bytes[at++] = escape[e]!;
    }
    bytes[at++] = 0x22;
    this.#at = at;
    return true;
  }

  /** Writes bytes as a JSON string of lower-case hex. */
  hex(source: Uint8Array, start: number, length: number): void {
    this.#reserve(length * 2 + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = 0x22;
    for (let i = start; i < start + length; i++) {
      const byte = source[i]!;
      bytes[at++] = HEX[byte >>> 4]!;
      bytes[at++] = HEX[byte & 15]!;
    }
    bytes[at++] = 0x22;
    this.#at = at;
  }

  /** Writes bytes as a JSON string of standard base64 with padding. */
  base64(source: Uint8Array, start: number, end: number): void {
    this.#reserve(Math.ceil((end - start) / 3) * 4 + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = 0x22;
    for (let i = start; i < end; i += 3) {
      const left = end - i;
      const group =
        (source[i]! << 16) | (left > 1 ? source[i + 1]! << 8 : 0) | (left > 2 ? source[i + 2]! : 0);
      bytes[at++] = BASE64[group >>> 18]!;
      bytes[at++] = BASE64[(group >>> 12) & 63]!;
      bytes[at++] = left > 1 ? BASE64[(group >>> 6) & 63]! : 0x3d;
      bytes[at++] = left > 2 ? BASE64[group & 63]! : 0x3d;
    }
    bytes[at++] = 0x22;
    this.#at = at;
  }

  /** Writes an integer within ±2^53. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.text(String(BigInt(value)));
      return;
    }
    this.#reserve(20);
    let left = value;
    if (left < 0) {
      this.#bytes[this.#at++] = 0x2d;
      left = -left;
    }
    if (left < 1e8) {
      this.#digits(left, 1);
      return;
    }
    const high = Math.floor(left / 1e8);
    this.#digits(high >= 1e8 ? Math.floor(high / 1e8) : high, 1);
    if (high >= 1e8) this.#digits(high % 1e8, 8);
    this.#digits(left - high * 1e8, 8);
  }

  /** Decimal digits of an integer below 2^31, at least `least` of them. */
  #digits(value: number, least: number): void {
    let count = least;
    for (let limit = 10 ** count; value >= limit; limit *= 10) count++;
    const bytes = this.#bytes;
    let left = value | 0;
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      const next = (left / 10) | 0;
      bytes[at] = 48 + left - next * 10;
      left = next;
    }
    this.#at += count;
  }

  #reserve(length: number): void {
    if (this.#at + length > this.#bytes.length) this.#turn(Math.max(length, CHUNK_BYTES) + 4096);
  }

  /** Puts the current chunk aside and begins one of at least `sizeBytes`. */
  #turn(sizeBytes: number): void {
    if (this.#at > 0) this.#full.push(this.#bytes.subarray(0, this.#at));
    this.#bytes = new Uint8Array(sizeBytes);
    this.#at = 0;
  }
}
