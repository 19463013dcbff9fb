// Timers for tests: time passes only when told to.
import type { Timers } from "./clock.ts";

export class FakeTimers implements Timers {
  nowMs = 0;
  #pending: { atMs: number; action: () => void }[] = [];

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, action };
    this.#pending.push(timer);
    return () => {
      this.#pending = this.#pending.filter((each) => each !== timer);
    };
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Lets time pass, running what falls due in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = this.#pending.filter((each) => each.atMs <= endMs);
      due.sort((a, b) => a.atMs - b.atMs);
      const next = due[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((each) => each !== next);
      this.nowMs = next.atMs;
      next.action();
    }
    this.nowMs = endMs;
  }
}
