/**
 * Byte-keyed interning: equal texts get equal ids, equal numbers too, in order of first sight.
 * Bench: decode.
 */

import { hash32, hashView32 } from "../base/hash.ts";

const INITIAL_ENTRIES = 1024;
const INITIAL_BYTES = 32 * 1024;
/** Sources shorter than this are copied rather than given a view of their own. */
const COPIED_BYTES = 2048;
const COPY = new Uint8Array(COPIED_BYTES);
const COPY_VIEW = new DataView(COPY.buffer);

/** Numbers have other hashes than texts of the same bytes, and so entries of their own. */
const NUMBER_HASH = 0x5bd1e995;

/** Builds a dictionary; entry 0 is always the empty text. Reused from batch to batch. */
export class DictionaryBuilder {
  /** Bytes of all entries, one after the other; valid up to `offsets[count]`. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  /** Entry `d` is `bytes[offsets[d] ..< offsets[d + 1]]`. */
  offsets: Uint32Array = new Uint32Array(INITIAL_ENTRIES + 1);
  count = 0;
  /** Bits of all bytes added since the last `reset`, but those of numbers. */
  #met = 0;
  #view = new DataView(this.bytes.buffer);
  /** The long source seen last and its view: bytes are hashed and compared by words. */
  #source: Uint8Array = COPY;
  #sourceView: DataView = COPY_VIEW;
  #hashes: Int32Array = new Int32Array(INITIAL_ENTRIES);
  /** Two words a slot, an entry's id and its hash: a miss touches one cache line. */
  #slots: Int32Array = new Int32Array(INITIAL_ENTRIES * 8);
  #mask = INITIAL_ENTRIES * 4 - 1;

  constructor() {
    this.reset();
  }

  /** Empties it but for entry 0, keeping its memory. */
  reset(): void {
    this.#slots.fill(0);
    this.#source = COPY;
    this.#sourceView = COPY_VIEW;
    this.count = 1;
    this.#met = 0;
    this.offsets[0] = 0;
    this.offsets[1] = 0;
    this.#hashes[0] = hash32(this.bytes, 0, 0);
  }

  /** Id of `source[start, end)`, adding it when new. */
  intern(source: Uint8Array, start: number, end: number): number {
    if (start === end) return 0;
    const length = end - start;
    if (source === this.#source) return this.internView(this.#sourceView, start, length);
    if (source.length < COPIED_BYTES) {
      for (let i = 0; i < length; i++) COPY[i] = source[start + i]!;
      return this.internView(COPY_VIEW, 0, length);
    }
    this.#source = source;
    this.#sourceView = new DataView(source.buffer, source.byteOffset, source.byteLength);
    return this.internView(this.#sourceView, start, length);
  }

  /** Id of `source[start, end)`, -1 when it has none. */
  find(source: Uint8Array, start: number, end: number): number {
    if (start === end) return 0;
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const hash = hashView32(view, start, end - start);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = this.#slots[slot * 2]!;
      if (id === 0) return -1;
      const met = this.#slots[slot * 2 + 1] === hash;
      if (met && this.#same(id, view, start, end - start)) return id;
    }
  }

  /** Id of the 8 bytes of a number given as two words, adding it when new: never a text's. */
  internWords(low: number, high: number): number {
    COPY_VIEW.setInt32(0, low, true);
    COPY_VIEW.setInt32(4, high, true);
    const met = this.#met;
    const id = this.#intern(COPY_VIEW, 0, 8, NUMBER_HASH);
    this.#met = met;
    return id;
  }

  /** Id of a view's bytes from `start`, at least one, adding them when new. */
  internView(view: DataView, start: number, length: number): number {
    return this.#intern(view, start, length, 0);
  }

  /** Whether entry `id` exists and is these bytes: checks a guess, any number will do. */
  is(id: number, view: DataView, start: number, length: number): boolean {
    return id < this.count && this.#same(id, view, start, length);
  }

  /** The hash32 of an entry's bytes as an int32, of one that `intern` or `internView` made. */
  hashOf(id: number): number {
    return this.#hashes[id]!;
  }

  /** Whether all entries added since the last `reset`, but those of `internWords`, are ASCII. */
  get isAscii(): boolean {
    return (this.#met & 0x80808080) === 0;
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

  #intern(view: DataView, start: number, length: number, apart: number): number {
    const hash = hashView32(view, start, length) ^ apart;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (;;) {
      const id = slots[slot * 2]!;
      if (id === 0) return this.#add(view, start, length, hash, slot);
      if (slots[slot * 2 + 1] === hash && this.#same(id, view, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  #same(id: number, view: DataView, start: number, length: number): boolean {
    const at = this.offsets[id]!;
    if (this.offsets[id + 1]! - at !== length) return false;
    const own = this.#view;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      if (own.getInt32(at + i, true) !== view.getInt32(start + i, true)) return false;
    }
    for (; i < length; i++) if (own.getUint8(at + i) !== view.getUint8(start + i)) return false;
    return true;
  }

  #add(view: DataView, start: number, length: number, hash: number, slot: number): number {
    const id = this.count;
    const at = this.offsets[id]!;
    if (at + length > this.bytes.length) this.#growBytes(at + length);
    if (id + 1 >= this.#hashes.length) this.#growEntries();
    const own = this.#view;
    let met = this.#met;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const word = view.getInt32(start + i, true);
      own.setInt32(at + i, word, true);
      met |= word;
    }
    for (; i < length; i++) {
      const byte = view.getUint8(start + i);
      own.setUint8(at + i, byte);
      met |= byte;
    }
    this.#met = met;
    this.offsets[id + 1] = at + length;
    this.#hashes[id] = hash;
    this.#slots[slot * 2] = id;
    this.#slots[slot * 2 + 1] = hash;
    this.count = id + 1;
    if (this.count * 4 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    return id;
  }

  #growBytes(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #growEntries(): void {
    const offsets = new Uint32Array(this.offsets.length * 2);
    offsets.set(this.offsets);
    this.offsets = offsets;
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  #rehash(size: number): void {
    if (size === this.#slots.length) this.#slots.fill(0);
    else this.#slots = new Int32Array(size);
    this.#mask = size / 2 - 1;
    for (let id = 1; id < this.count; id++) {
      const hash = this.#hashes[id]!;
      let slot = hash & this.#mask;
      while (this.#slots[slot * 2] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot * 2] = id;
      this.#slots[slot * 2 + 1] = hash;
    }
  }
}
