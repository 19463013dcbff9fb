// A leaky bucket of credits.

/** `clockMs` gives milliseconds; `initial` is the balance to begin with. */
export class RateLimiter {
  #creditsPerSecond: number;
  #maxBalance: number;
  #balance: number;
  #lastMs: number;
  readonly #clockMs: () => number;

  constructor(
    creditsPerSecond: number,
    maxBalance: number,
    initial: number = Math.random() * maxBalance,
    clockMs: () => number = Date.now,
  ) {
    this.#creditsPerSecond = creditsPerSecond;
    this.#maxBalance = maxBalance;
    this.#balance = initial;
    this.#clockMs = clockMs;
    this.#lastMs = clockMs();
  }

  /** New rates; the balance stays in proportion to its maximum. */
  update(creditsPerSecond: number, maxBalance: number): void {
    this.#accrue();
    this.#creditsPerSecond = creditsPerSecond;
    if (this.#maxBalance > 0) this.#balance *= maxBalance / this.#maxBalance;
    this.#maxBalance = maxBalance;
  }

  checkCredit(cost: number): boolean {
    this.#accrue();
    if (this.#balance < cost) return false;
    this.#balance -= cost;
    return true;
  }

  #accrue(): void {
    const nowMs = this.#clockMs();
    const elapsedMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const credits = this.#balance + (elapsedMs / 1_000) * this.#creditsPerSecond;
    this.#balance = Math.min(this.#maxBalance, credits);
  }
}
