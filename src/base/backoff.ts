/** How long to wait before the next attempt: doubling, with jitter so that crowds spread. */

import type { Random } from "./clock.ts";

export interface BackoffOptions {
  /** The first wait is at most this. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  readonly random: Random;
}

/** The waits of one thing that fails again and again. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait after one more failure: between half and all of base · 2^failures. */
  next(): number {
    const { baseMs, maxMs, random } = this.#options;
    const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return fullMs * (0.5 + random() / 2);
  }

  /** It worked: the next wait is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}
