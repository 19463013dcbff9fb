// Random 64-bit ids as pairs of int32, and their hexadecimal text.

/** Fills an array with random bits: `crypto.getRandomValues` or a seeded stand-in. */
export type RandomFill = (into: Uint32Array) => void;

/**
 * xoshiro128** over a seed from the platform's secure source: 32 random bits in a few nanoseconds.
 * Every process and worker thread has its own seed, so forks never repeat each other's ids.
 */
export class IdSource {
  readonly #state = new Int32Array(4);

  constructor(fill: RandomFill) {
    const seed = new Uint32Array(4);
    fill(seed);
    if ((seed[0]! | seed[1]! | seed[2]! | seed[3]!) === 0) seed[0] = 1;
    this.#state.set(seed);
  }

  /** 32 random bits as int32. */
  next(): number {
    const state = this.#state;
    const s1 = state[1]!;
    let result = Math.imul(s1, 5);
    result = Math.imul((result << 7) | (result >>> 25), 9);
    const s2 = state[2]! ^ state[0]!;
    const s3 = state[3]! ^ s1;
    state[1] = s1 ^ s2;
    state[0] = state[0]! ^ s3;
    state[2] = s2 ^ (s1 << 9);
    state[3] = (s3 << 11) | (s3 >>> 21);
    return result | 0;
  }

  /** A number in [0, 1) with 32 random bits. */
  fraction(): number {
    return (this.next() >>> 0) / 4_294_967_296;
  }
}

/** Two and three hex digits by value; small tables that stay in the cache. */
const HEX8: readonly string[] = hexTable(2);
const HEX12: readonly string[] = hexTable(3);

function hexTable(digits: number): string[] {
  const table: string[] = [];
  for (let i = 0; i < 16 ** digits; i++) table.push(i.toString(16).padStart(digits, "0"));
  return table;
}

/** Eight lower-case hex digits of an int32. */
export function hex32(value: number): string {
  return HEX12[value >>> 20]! + HEX12[(value >>> 8) & 0xfff]! + HEX8[value & 0xff]!;
}

/** Hex of up to four words without leading zeros, as Jaeger's Node client writes ids. */
export function shortHex(text: string): string {
  let start = 0;
  while (start < text.length - 1 && text.charCodeAt(start) === 48) start++;
  return start === 0 ? text : text.slice(start);
}

function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Reads 1 to `into.length * 8` hex digits at [start, end) into big-endian words, right-aligned.
 * False when the text is empty, too long or not hexadecimal; `into` is then undefined.
 */
export function parseHex(text: string, start: number, end: number, into: Int32Array): boolean {
  if (end <= start || end - start > into.length * 8) return false;
  into.fill(0);
  for (let i = end - 1, place = 0; i >= start; i--, place++) {
    const value = digit(text.charCodeAt(i));
    if (value < 0) return false;
    const word = into.length - 1 - (place >>> 3);
    into[word] = into[word]! | (value << ((place & 7) * 4));
  }
  return true;
}
