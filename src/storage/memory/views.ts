/** Views in memory: gone when the process ends. */

import type { Clock } from "../../base/clock.ts";
import type { ViewStore } from "../../core/views.ts";
import { ViewTable } from "../../core/views.ts";

/** Keeps copies of the bytes. */
export class MemoryViews implements ViewStore {
  readonly #clock: Clock;
  readonly #table = new ViewTable();
  readonly #bytes = new Map<string, Uint8Array>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async keep(id: string, bytes: Uint8Array): Promise<void> {
    for (const gone of this.#table.add(id, this.#clock.nowMs())) this.#bytes.delete(gone);
    this.#bytes.set(id, bytes.slice());
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    const known = this.#table.keptMs(id, this.#clock.nowMs()) !== undefined;
    return known ? this.#bytes.get(id) : undefined;
  }
}
