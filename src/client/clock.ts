// The client's clock: microseconds since the epoch that never run backwards within a process.

/** Milliseconds since the epoch, with fractions. */
export interface Clock {
  now(): number;
}

/** In milliseconds: nanoseconds since the epoch beyond it (the year 2540) no format can carry. */
const LATEST_MS = 1.8e13;

/** A time an application gave, or the clock's where it gave none or nonsense. */
export function timeOr(given: unknown, clock: Clock): number {
  if (given === undefined) return clock.now();
  const timeMs = given instanceof Date ? given.getTime() : given;
  const usable = typeof timeMs === "number" && timeMs > 0 && timeMs < LATEST_MS;
  return usable ? timeMs : clock.now();
}

/** Timers that never keep a process alive. */
export interface Timers {
  /** Runs `action` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

/** Beyond this difference to the wall clock the monotonic one is anchored anew. */
const DRIFT_MS = 5;

/**
 * The monotonic clock placed on the wall clock. A span's duration is thus exact to a microsecond;
 * `align`, called now and then, follows steps of the wall clock (NTP, a laptop that slept).
 */
export class AnchoredClock implements Clock {
  /** The global is a getter on Node, which costs as much as the clock. */
  readonly #performance: { now(): number } = performance;
  #offsetMs: number;

  constructor() {
    this.#offsetMs = Date.now() - this.#performance.now();
  }

  now(): number {
    return this.#offsetMs + this.#performance.now();
  }

  align(): void {
    const offset = Date.now() - this.#performance.now();
    if (Math.abs(offset - this.#offsetMs) > DRIFT_MS) this.#offsetMs = offset;
  }
}

/** The platform's timers, unreferenced where the platform knows that. */
export const systemTimers: Timers = {
  after(delayMs, action) {
    const handle: unknown = setTimeout(action, delayMs);
    (handle as { unref?: () => void }).unref?.();
    return () => clearTimeout(handle as ReturnType<typeof setTimeout>);
  },
};
