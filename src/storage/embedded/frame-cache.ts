/** A byte-bounded cache of decoded blocks, least recently used out first. */

interface Entry {
  readonly value: unknown;
  readonly sizeBytes: number;
}

/** Keys are numbers handed out by `space`; values are whatever the key's owner put there. */
export class FrameCache {
  readonly #limitBytes: number;
  readonly #entries = new Map<number, Entry>();
  #sizeBytes = 0;
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
  get<T>(key: number, make: () => T, size: (value: T) => number): T {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value as T;
    }
    const value = make();
    const sizeBytes = size(value);
    this.#entries.set(key, { value, sizeBytes });
    this.#sizeBytes += sizeBytes;
    this.#shrink();
    return value;
  }

  /** Forgets the keys from `first`, `count` of them. */
  forget(first: number, count: number): void {
    for (let key = first; key < first + count; key++) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      this.#sizeBytes -= entry.sizeBytes;
      this.#entries.delete(key);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  #shrink(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#sizeBytes <= this.#limitBytes || this.#entries.size === 1) return;
      this.#entries.delete(key);
      this.#sizeBytes -= entry.sizeBytes;
    }
  }
}
