/** Stored views: what a page shows, kept by id where an address is too short for it. */

import { LIMITS } from "./limits.ts";

/**
 * Keeps views beside archived traces. At most LIMITS.views, none older than LIMITS.viewAgeMs:
 * beyond either the oldest go. A view kept again is as new.
 */
export interface ViewStore {
  /** Keeps bytes under an id (22 letters of base64url); durable when it resolves. Idempotent. */
  keep(id: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  get(id: string): Promise<Uint8Array | undefined>;
}

/** Ids as they are given out: 132 bits of a hash of what they name. */
export const VIEW_ID = /^[\w-]{22}$/;

/** Which views there are, oldest first; says which have to go. */
export class ViewTable {
  readonly #keptMs = new Map<string, number>();

  /** Notes a view as new; the ids that go for it, those that are too old among them. */
  add(id: string, nowMs: number): string[] {
    this.#keptMs.delete(id);
    this.#keptMs.set(id, nowMs);
    const gone: string[] = [];
    for (const [oldest, keptMs] of this.#keptMs) {
      const fits = this.#keptMs.size <= LIMITS.views && keptMs > nowMs - LIMITS.viewAgeMs;
      if (fits || oldest === id) break;
      this.#keptMs.delete(oldest);
      gone.push(oldest);
    }
    return gone;
  }

  /** When it was kept, or undefined: never, or too long ago. */
  keptMs(id: string, nowMs: number): number | undefined {
    const keptMs = this.#keptMs.get(id);
    return keptMs === undefined || keptMs <= nowMs - LIMITS.viewAgeMs ? undefined : keptMs;
  }

  drop(id: string): void {
    this.#keptMs.delete(id);
  }
}
