/** The words filter: which groups may hold a text with a given beginning of a word in it. */

import { hash32, hashView32 } from "../../base/hash.ts";
import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import { RawData } from "./segment-columns.ts";
import type { ValueBytes } from "./segment-columns.ts";
import { FilterBuilder } from "./segment-values.ts";

/**
 * A piece is nine bytes: four without a digit, one that is in no word, four that begin a word. It
 * is told by its own bytes, so a text that contains a literal has all the pieces of the literal.
 * The bytes before tell `carts/4711` from `prices/4711`: with two of them a pattern over URLs that
 * ten groups matched took 70 of 1,466 for ones that may. After digits nearly every piece would be
 * a new one (`4711?page`), and the filter twice as large.
 */
const BEFORE = 4;
const LETTERS = 4;
const PIECE_BYTES = BEFORE + 1 + LETTERS;

/** Bytes of words are ASCII letters and digits, and all of other scripts. */
const NO_WORD = 0;
const DIGIT = 2;
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT;
  return byte >= 0x80 || /[A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : NO_WORD;
});

/** Pieces of a group seen lately, by hash: most are in every text of a column. */
const SEEN_SLOTS = 8192;

/** Hashes of the pieces of a text. */
export function wordHashes(text: Uint8Array): number[] {
  const hashes: number[] = [];
  for (let at = BEFORE; at + LETTERS < text.length; at++) {
    if (!isPiece(text, at)) continue;
    hashes.push(hash32(text, at - BEFORE, at - BEFORE + PIECE_BYTES));
  }
  return hashes;
}

/** Whether the bytes around `at`, which is in no word, are a piece. */
function isPiece(text: Uint8Array, at: number): boolean {
  if (CLASS[text[at]!] !== NO_WORD) return false;
  // The farthest first: most words that are no piece are too short.
  for (let i = at + LETTERS; i > at; i--) if (CLASS[text[i]!] === NO_WORD) return false;
  for (let i = at - BEFORE; i < at; i++) if (CLASS[text[i]!] === DIGIT) return false;
  return true;
}

/** Collects the pieces of the raw texts of a segment's groups. Bench: seal. */
export class WordCollector {
  #hashes = new Uint32Array(16_384);
  #count = 0;
  /** How many hashes there were after each group. */
  readonly #ends: number[] = [];
  readonly #seen = new Uint32Array(SEEN_SLOTS);

  /** Takes the RAW family of the next group. */
  add(raw: Uint8Array, columns: readonly { readonly type: number }[]): void {
    this.#seen.fill(0);
    const data = new RawData(raw, columns);
    for (const column of data.columns) {
      if (columns[column]!.type !== ATTRIBUTE_TYPE.STRING) continue;
      this.#texts(data.column(column)!);
    }
    this.#ends.push(this.#count);
  }

  #texts({ bytes, view, offsets, count }: ValueBytes): void {
    const seen = this.#seen;
    for (let i = 0; i < count; i++) {
      const end = offsets[i + 1]! - LETTERS;
      for (let at = offsets[i]! + BEFORE; at < end; at++) {
        if (CLASS[bytes[at]!] !== NO_WORD || !isPiece(bytes, at)) continue;
        const hash = hashView32(view, at - BEFORE, PIECE_BYTES);
        const slot = hash & (SEEN_SLOTS - 1);
        // An empty slot is 0, which is a hash too: that one is taken each time.
        if (seen[slot] === hash && hash !== 0) continue;
        seen[slot] = hash;
        if (this.#count === this.#hashes.length) this.#grow();
        this.#hashes[this.#count++] = hash;
      }
    }
  }

  #grow(): void {
    const bigger = new Uint32Array(this.#hashes.length * 2);
    bigger.set(this.#hashes);
    this.#hashes = bigger;
  }

  /** The filter of all groups. */
  filter(): FilterBuilder {
    const filter = new FilterBuilder(this.#count, this.#ends.length);
    let at = 0;
    this.#ends.forEach((end, group) => {
      for (; at < end; at++) filter.add(this.#hashes[at]!, group);
    });
    return filter;
  }
}
