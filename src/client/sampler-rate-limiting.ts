// The sampler of so many traces a second.
import { RateLimiter } from "./rate-limiter.ts";
import { NOT_SAMPLED, OneDecision, sampledBy } from "./samplers.ts";
import type { SamplingDecision } from "./types.ts";

/** Samples up to a number of traces a second. */
export class RateLimitingSampler extends OneDecision {
  #perSecond: number;
  #limiter: RateLimiter;
  #decision: SamplingDecision;

  constructor(maxTracesPerSecond: number, initial?: number, clockMs?: () => number) {
    super();
    if (!(maxTracesPerSecond >= 0)) {
      throw new Error(`maxTracesPerSecond must be >= 0. Received ${maxTracesPerSecond}`);
    }
    this.#perSecond = maxTracesPerSecond;
    const maximum = Math.max(1, maxTracesPerSecond);
    this.#limiter = new RateLimiter(maxTracesPerSecond, maximum, initial, clockMs);
    this.#decision = sampledBy("ratelimiting", maxTracesPerSecond);
  }

  get maxTracesPerSecond(): number {
    return this.#perSecond;
  }

  update(maxTracesPerSecond: number): boolean {
    if (!(maxTracesPerSecond >= 0)) {
      throw new Error(`maxTracesPerSecond must be >= 0. Received ${maxTracesPerSecond}`);
    }
    if (maxTracesPerSecond === this.#perSecond) return false;
    this.#perSecond = maxTracesPerSecond;
    this.#limiter.update(maxTracesPerSecond, Math.max(1, maxTracesPerSecond));
    this.#decision = sampledBy("ratelimiting", maxTracesPerSecond);
    return true;
  }

  decide(): SamplingDecision {
    return this.#limiter.checkCredit(1) ? this.#decision : NOT_SAMPLED;
  }

  name(): string {
    return "RateLimitingSampler";
  }

  override toString(): string {
    return `RateLimitingSampler(maxTracesPerSecond=${this.#perSecond})`;
  }
}
