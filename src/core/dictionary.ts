/** Byte-keyed interning: equal bytes get equal ids, in order of first sight. Bench: decode. */

import { hash32 } from "../base/hash.ts";

const INITIAL_ENTRIES = 1024;
const INITIAL_BYTES = 32 * 1024;
const WORDS = new Uint8Array(8);
const WORDS_VIEW = new DataView(WORDS.buffer);

/** Builds a dictionary; entry 0 is always the empty text. Reused from batch to batch. */
export class DictionaryBuilder {
  /** Bytes of all entries, one after the other; valid up to `offsets[count]`. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  /** Entry `d` is `bytes[offsets[d] ..< offsets[d + 1]]`. */
  offsets: Uint32Array = new Uint32Array(INITIAL_ENTRIES + 1);
  count = 0;
  #hashes: Uint32Array = new Uint32Array(INITIAL_ENTRIES);
  #slots: Uint32Array = new Uint32Array(INITIAL_ENTRIES * 4);
  #mask = INITIAL_ENTRIES * 4 - 1;

  constructor() {
    this.reset();
  }

  /** Empties it but for entry 0, keeping its memory. */
  reset(): void {
    this.#slots.fill(0);
    this.count = 1;
    this.offsets[0] = 0;
    this.offsets[1] = 0;
    this.#hashes[0] = hash32(this.bytes, 0, 0);
  }

  /** Id of `source[start, end)`, adding it when new. */
  intern(source: Uint8Array, start: number, end: number): number {
    if (start === end) return 0;
    const hash = hash32(source, start, end);
    const length = end - start;
    let slot = hash & this.#mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === 0) return this.#add(source, start, length, hash, slot);
      if (this.#hashes[id] === hash && this.#same(id, source, start, length)) return id;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Id of the 8 bytes of a number given as two words, adding it when new. */
  internWords(low: number, high: number): number {
    WORDS_VIEW.setInt32(0, low, true);
    WORDS_VIEW.setInt32(4, high, true);
    return this.intern(WORDS, 0, 8);
  }

  /** Whether entry `id` exists and is `source[start, end)`: checks a guess, any number will do. */
  is(id: number, source: Uint8Array, start: number, end: number): boolean {
    return id < this.count && this.#same(id, source, start, end - start);
  }

  /** The hash32 of an entry's bytes. */
  hashOf(id: number): number {
    return this.#hashes[id]!;
  }

  /** Number of bytes of all entries. */
  get sizeBytes(): number {
    return this.offsets[this.count]!;
  }

  /** Forgets the entries from `count` on (only those added last may go). */
  truncate(count: number): void {
    if (count === this.count) return;
    this.count = count;
    this.#rehash(this.#slots.length);
  }

  #same(id: number, source: Uint8Array, start: number, length: number): boolean {
    const at = this.offsets[id]!;
    if (this.offsets[id + 1]! - at !== length) return false;
    const bytes = this.bytes;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== source[start + i]) return false;
    return true;
  }

  #add(source: Uint8Array, start: number, length: number, hash: number, slot: number): number {
    const id = this.count;
    const at = this.offsets[id]!;
    if (at + length > this.bytes.length) this.#growBytes(at + length);
    if (id + 1 >= this.#hashes.length) this.#growEntries();
    const bytes = this.bytes;
    if (length > 48) bytes.set(source.subarray(start, start + length), at);
    else for (let i = 0; i < length; i++) bytes[at + i] = source[start + i]!;
    this.offsets[id + 1] = at + length;
    this.#hashes[id] = hash;
    this.#slots[slot] = id;
    this.count = id + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash(this.#slots.length * 4);
    return id;
  }

  #growBytes(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  #growEntries(): void {
    const offsets = new Uint32Array(this.offsets.length * 2);
    offsets.set(this.offsets);
    this.offsets = offsets;
    const hashes = new Uint32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  #rehash(size: number): void {
    if (size === this.#slots.length) this.#slots.fill(0);
    else this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    for (let id = 1; id < this.count; id++) {
      let slot = this.#hashes[id]! & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = id;
    }
  }
}
