/** Keys of requests stored in the last minutes, so that a retried one is not stored twice. */

import { mix32 } from "../../base/hash.ts";
import type { SpanBatch } from "../../core/batch.ts";

/** Bounds of the table. */
export const REQUEST_KEYS = {
  /** How long a key is known: exporters give a request up after five minutes. */
  keptMs: 10 * 60 * 1000,
  /** Most keys in memory (32 bytes each and 8 of index): ten minutes of 400 requests a second. */
  entries: 262_144,
  /** Newest keys that a segment's footer carries: what a restart must know again. */
  perSegment: 4096,
} as const;

/** Words of one key: image crc, image bytes, spans, first and last span id, arrival second. */
const KEY_WORDS = 8;
const INITIAL_ENTRIES = 4096;

/** A request's key, to be filled by `requestKeyInto`. */
export type RequestKey = Uint32Array;

export function newRequestKey(): RequestKey {
  return new Uint32Array(KEY_WORDS);
}

/** Fills `key` for a batch whose image has this crc32. */
export function requestKeyInto(
  key: RequestKey,
  batch: SpanBatch,
  imageCrc: number,
  arrivalMs: number,
): void {
  const ids = batch.spanId;
  const last = Math.max(0, ids.length - 8);
  key[0] = imageCrc;
  key[1] = batch.image.length;
  key[2] = batch.spanCount;
  key[3] = wordOf(ids, 0);
  key[4] = wordOf(ids, 4);
  key[5] = wordOf(ids, last);
  key[6] = wordOf(ids, last + 4);
  key[7] = arrivalMs / 1000;
}

function wordOf(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return 0;
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * A ring of keys with a hash index. An added key may still be in flight: then it carries the
 * promise of its request's outcome, which the caller takes away with `settle` or `remove`.
 */
export class RequestKeys {
  /** Ring of `KEY_WORDS` words an entry; entry numbers count up for ever, modulo its size. */
  #keys = new Uint32Array(INITIAL_ENTRIES * KEY_WORDS);
  #capacity = INITIAL_ENTRIES;
  /** Entry + 1 modulo capacity, by hash; 0 is free. */
  #slots = new Uint32Array(INITIAL_ENTRIES * 2);
  #oldest = 0;
  #next = 0;
  readonly #inFlight = new Map<number, Promise<void>>();

  /** Keys in the table. */
  get count(): number {
    return this.#next - this.#oldest;
  }

  /** The entry with this key, or -1. Expired entries are not found. */
  find(key: RequestKey, nowMs: number): number {
    const slot = this.#slotOf(key);
    if (slot === -1) return -1;
    const index = this.#slots[slot]! - 1;
    const arrivalMs = this.#keys[index * KEY_WORDS + 7]! * 1000;
    return nowMs - arrivalMs > REQUEST_KEYS.keptMs ? -1 : this.#entryAt(index);
  }

  /** The outcome of a found entry that is in flight; undefined when it is durable. */
  outcome(entry: number): Promise<void> | undefined {
    return this.#inFlight.get(entry);
  }

  /** Adds a key (not in the table, or expired); returns its entry. */
  add(key: RequestKey, outcome?: Promise<void>): number {
    const stale = this.#slotOf(key);
    if (stale !== -1) this.#removeSlot(stale);
    if (this.count === this.#capacity) this.#makeRoom(key[7]!);
    const entry = this.#next++;
    const index = entry % this.#capacity;
    this.#keys.set(key, index * KEY_WORDS);
    this.#insert(index);
    if (outcome !== undefined) this.#inFlight.set(entry, outcome);
    return entry;
  }

  /** The entry's request is durable. */
  settle(entry: number): void {
    this.#inFlight.delete(entry);
  }

  /** The entry's request failed: it may be sent again. */
  remove(entry: number): void {
    this.#inFlight.delete(entry);
    if (entry < this.#oldest) return;
    const slot = this.#slotOfIndex(entry % this.#capacity);
    if (slot !== -1) this.#removeSlot(slot);
  }

  /** Forgets every key that is durable. */
  clear(): void {
    for (let entry = this.#oldest; entry < this.#next; entry++) {
      if (!this.#inFlight.has(entry)) this.remove(entry);
    }
  }

  /** Adds the keys of a footer, or of `pack`, that have not expired. */
  addPacked(packed: Uint8Array, nowMs: number): void {
    // A copy, whole words from its start: a Buffer's own slice is a view of a shared pool.
    const words = new Uint32Array(new Uint8Array(packed).buffer, 0, packed.length >> 2);
    this.#reserve(words.length / KEY_WORDS);
    for (let at = 0; at + KEY_WORDS <= words.length; at += KEY_WORDS) {
      if (nowMs - words[at + 7]! * 1000 > REQUEST_KEYS.keptMs) continue;
      const key = words.subarray(at, at + KEY_WORDS);
      if (this.#slotOf(key) === -1) this.add(key);
    }
  }

  /** The keys of durable requests, oldest first, 32 bytes each. */
  pack(): Uint8Array {
    const words = new Uint32Array(this.count * KEY_WORDS);
    let end = 0;
    for (let entry = this.#oldest; entry < this.#next; entry++) {
      const index = entry % this.#capacity;
      if (this.#inFlight.has(entry) || this.#slotOfIndex(index) === -1) continue;
      words.set(this.#keys.subarray(index * KEY_WORDS, (index + 1) * KEY_WORDS), end);
      end += KEY_WORDS;
    }
    return new Uint8Array(words.buffer, 0, end * 4);
  }

  /** Makes room at once for so many keys: growing by doubling moves them all each time. */
  #reserve(more: number): void {
    let capacity = this.#capacity;
    while (capacity < this.count + more && capacity < REQUEST_KEYS.entries) capacity *= 2;
    if (capacity > this.#capacity) this.#grow(capacity);
  }

  #entryAt(index: number): number {
    const base = this.#oldest - (this.#oldest % this.#capacity) + index;
    return base >= this.#oldest ? base : base + this.#capacity;
  }

  #hash(words: Uint32Array, at: number): number {
    return mix32(words[at]! ^ Math.imul(words[at + 3]!, 0x9e3779b1)) & (this.#slots.length - 1);
  }

  #slotOf(key: RequestKey): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(key, 0); ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot]!;
      if (held === 0) return -1;
      const at = (held - 1) * KEY_WORDS;
      let word = 0;
      while (word < KEY_WORDS - 1 && this.#keys[at + word] === key[word]) word++;
      if (word === KEY_WORDS - 1) return slot;
    }
  }

  #slotOfIndex(index: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(this.#keys, index * KEY_WORDS); ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot]!;
      if (held === 0) return -1;
      if (held === index + 1) return slot;
    }
  }

  #insert(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#keys, index * KEY_WORDS);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }

  /** Empties a slot and moves back what had been pushed past it. */
  #removeSlot(slot: number): void {
    const mask = this.#slots.length - 1;
    let hole = slot;
    this.#slots[hole] = 0;
    for (let at = (hole + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hash(this.#keys, (this.#slots[at]! - 1) * KEY_WORDS);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[at]!;
      this.#slots[at] = 0;
      hole = at;
    }
  }

  /** Forgets expired entries; failing that grows; failing that forgets the oldest. */
  #makeRoom(nowSeconds: number): void {
    const oldestSecond = this.#keys[(this.#oldest % this.#capacity) * KEY_WORDS + 7]!;
    const expired = (nowSeconds - oldestSecond) * 1000 > REQUEST_KEYS.keptMs;
    if (!expired && this.#capacity < REQUEST_KEYS.entries) return this.#grow(this.#capacity * 2);
    const slot = this.#slotOfIndex(this.#oldest % this.#capacity);
    if (slot !== -1) this.#removeSlot(slot);
    this.#inFlight.delete(this.#oldest);
    this.#oldest++;
  }

  #grow(capacity: number): void {
    const old = this.#keys;
    const oldCapacity = this.#capacity;
    const live: number[] = [];
    for (let entry = this.#oldest; entry < this.#next; entry++) {
      if (this.#slotOfIndex(entry % oldCapacity) !== -1) live.push(entry);
    }
    this.#capacity = capacity;
    this.#keys = new Uint32Array(this.#capacity * KEY_WORDS);
    this.#slots = new Uint32Array(this.#capacity * 2);
    for (const entry of live) {
      const from = (entry % oldCapacity) * KEY_WORDS;
      const index = entry % this.#capacity;
      this.#keys.set(old.subarray(from, from + KEY_WORDS), index * KEY_WORDS);
      this.#insert(index);
    }
  }
}

/** Collects the keys of one head for its segment's footer. */
export class KeyList {
  #keys: RequestKey[] = [];

  /** Notes a copy of the key. */
  add(key: RequestKey): void {
    this.#keys.push(key.slice());
    if (this.#keys.length >= REQUEST_KEYS.perSegment * 2) this.#trim();
  }

  clear(): void {
    this.#keys = [];
  }

  /** The newest keys as bytes, 32 each. */
  pack(): Uint8Array {
    this.#trim();
    const words = new Uint32Array(this.#keys.length * KEY_WORDS);
    this.#keys.forEach((key, i) => words.set(key, i * KEY_WORDS));
    return new Uint8Array(words.buffer);
  }

  #trim(): void {
    this.#keys = this.#keys.slice(-REQUEST_KEYS.perSegment);
  }
}
