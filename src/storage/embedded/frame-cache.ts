/** A byte-bounded cache of decoded blocks, least recently used out first. */

/** Share of the limit that dictionaries and tables may take before they push out each other. */
const INDEX_SHARE = 0.6;

/** What a value is part of. */
export type CacheKind = "index" | "group";

interface Entry {
  readonly value: unknown;
  readonly sizeBytes: number;
}

/**
 * Keys are numbers handed out by `space`; values are whatever the key's owner put there. There
 * are two kinds: what every search of a segment needs (dictionaries, tables), and groups of
 * rows. A search that goes through many groups pushes out groups only, until the others alone
 * take more than their share.
 */
export class FrameCache {
  readonly #limitBytes: number;
  readonly #groups = new Pool();
  readonly #indexes = new Pool();
  #nextSpace = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** First of `count` keys that nobody else uses. */
  space(count: number): number {
    const first = this.#nextSpace;
    this.#nextSpace += count;
    return first;
  }

  /** The value of `key`, made by `make` when it is not there; `size` tells its bytes. */
  get<T>(kind: CacheKind, key: number, make: () => T, size: (value: T) => number): T {
    const pool = kind === "group" ? this.#groups : this.#indexes;
    const known = pool.get(key);
    if (known !== undefined) return known.value as T;
    const value = make();
    pool.set(key, { value, sizeBytes: size(value) });
    this.#shrink();
    return value;
  }

  /** Forgets the keys from `first`, `count` of them. */
  forget(first: number, count: number): void {
    for (let key = first; key < first + count; key++) {
      this.#groups.delete(key);
      this.#indexes.delete(key);
    }
  }

  get sizeBytes(): number {
    return this.#groups.sizeBytes + this.#indexes.sizeBytes;
  }

  #shrink(): void {
    const share = this.#limitBytes * INDEX_SHARE;
    while (this.sizeBytes > this.#limitBytes && this.#groups.size + this.#indexes.size > 1) {
      const groupsFirst = this.#groups.size > 1 && this.#indexes.sizeBytes <= share;
      if (groupsFirst || this.#indexes.size <= 1) this.#groups.deleteOldest();
      else this.#indexes.deleteOldest();
    }
  }
}

/** What is kept of one kind, least recently used first. */
class Pool {
  readonly #entries = new Map<number, Entry>();
  sizeBytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: number): Entry | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
    }
    return known;
  }

  set(key: number, entry: Entry): void {
    this.#entries.set(key, entry);
    this.sizeBytes += entry.sizeBytes;
  }

  delete(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.sizeBytes -= entry.sizeBytes;
    this.#entries.delete(key);
  }

  deleteOldest(): void {
    for (const key of this.#entries.keys()) {
      this.delete(key);
      return;
    }
  }
}
