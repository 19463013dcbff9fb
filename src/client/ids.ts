// Random 64-bit ids as pairs of int32, and their hexadecimal text.

/** Fills an array with random bits: `crypto.getRandomValues` or a seeded stand-in. */
export type RandomFill = (into: Int32Array) => void;

/** Words drawn at a time: a call for each would cost more than the rest of a span. */
const POOL_WORDS = 1_024;

/**
 * Random words from the platform's secure source, in a few nanoseconds each. Every process and
 * worker thread has a pool of its own, so forks never repeat each other's ids.
 */
export class IdSource {
  readonly #pool = new Int32Array(POOL_WORDS);
  readonly #fill: RandomFill;
  #used: number = POOL_WORDS;

  constructor(fill: RandomFill) {
    this.#fill = fill;
  }

  /** 32 random bits as int32. */
  next(): number {
    if (this.#used === POOL_WORDS) {
      this.#fill(this.#pool);
      this.#used = 0;
    }
    return this.#pool[this.#used++]!;
  }
}

/** The character code of the lowest four bits as a hex digit. */
function digit(value: number): number {
  const four = value & 15;
  return four + (four < 10 ? 48 : 87);
}

/** Eight lower-case hex digits of an int32, computed: no table stays in a busy server's cache. */
export function hex32(value: number): string {
  return String.fromCharCode(
    digit(value >>> 28),
    digit(value >>> 24),
    digit(value >>> 20),
    digit(value >>> 16),
    digit(value >>> 12),
    digit(value >>> 8),
    digit(value >>> 4),
    digit(value),
  );
}

/** Hex without leading zeros, as Jaeger's Node client writes ids; `first` is its first word. */
export function shortHex(first: number, text: string): string {
  if (first >>> 28 !== 0) return text;
  let start = 0;
  while (start < text.length - 1 && text.charCodeAt(start) === 48) start++;
  return start === 0 ? text : text.slice(start);
}

/** The value of a hex digit by its character code; -1 for any other character. */
export function hexValue(code: number): number {
  const value = code < 58 ? code - 48 : (code | 32) - 87;
  return value > 15 || (code > 57 && value < 10) ? -1 : value;
}

/**
 * Reads 1 to `into.length * 8` hex digits at [start, end) into big-endian words, right-aligned.
 * False when the text is empty, too long or not hexadecimal; `into` is then undefined.
 */
export function parseHex(text: string, start: number, end: number, into: Int32Array): boolean {
  if (end <= start || end - start > into.length * 8) return false;
  let last = end;
  for (let word = into.length - 1; word >= 0; word--) {
    let value = 0;
    for (let i = Math.max(start, last - 8); i < last; i++) {
      const digit = hexValue(text.charCodeAt(i));
      if (digit < 0) return false;
      value = (value << 4) | digit;
    }
    into[word] = value;
    last -= 8;
  }
  return true;
}
