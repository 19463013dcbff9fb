/** Memory of request bodies: how much may be held at once, and buffers used again. */

import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/** Free buffers come in powers of two from this to the largest kept. */
const SMALLEST_BYTES = 16 * 1024;
const LARGEST_BYTES = 1024 * 1024;

/**
 * Counts bodies against a budget and lends buffers. A new buffer for each body costs a third of
 * what receiving does: the garbage collector runs for memory outside its heap.
 */
export class BodyMemory {
  readonly #budgetBytes: number;
  #heldBytes = 0;
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  constructor(budgetBytes: number = LIMITS.bodyBudgetBytes) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of bodies held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Counts `bytes` as held, or throws `overloaded`. One body alone always fits. */
  hold(bytes: number): void {
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > this.#budgetBytes) {
      throw new SpoorError("overloaded", "too many request bodies at once", {
        retryAfterMs: LIMITS.retryAfterMs,
      });
    }
    this.#heldBytes += bytes;
  }

  /** Takes back what `hold` counted. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  /** A buffer of at least `bytes`, its content undefined. */
  lend(bytes: number): Buffer {
    const size = sizeClass(bytes);
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return free;
  }

  /** Gives a lent buffer back; nobody may look at it or write to it from now on. */
  giveBack(buffer: Buffer): void {
    const size = buffer.length;
    if (size > LARGEST_BYTES || this.#freeBytes + size > LIMITS.freeBodyBytes) return;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
    this.#freeBytes += size;
  }
}

function sizeClass(bytes: number): number {
  if (bytes > LARGEST_BYTES) return bytes;
  let size = SMALLEST_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
