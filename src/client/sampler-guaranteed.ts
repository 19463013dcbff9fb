// The sampler of a share of traces with a lower bound a second.
import { RateLimitingSampler } from "./sampler-rate-limiting.ts";
import { NOT_SAMPLED, OneDecision, ProbabilisticSampler, sampledBy } from "./samplers.ts";
import type { Candidate } from "./samplers.ts";
import type { SamplingDecision } from "./types.ts";

/** A share of traces, and at least so many a second: rare operations are seen, too. */
export class GuaranteedThroughputSampler extends OneDecision {
  readonly #share: ProbabilisticSampler;
  readonly #floor: RateLimitingSampler;
  #floorDecision: SamplingDecision;

  constructor(lowerBound: number, rate: number, initial?: number, clockMs?: () => number) {
    super();
    this.#share = new ProbabilisticSampler(rate);
    this.#floor = new RateLimitingSampler(lowerBound, initial, clockMs);
    this.#floorDecision = sampledBy("lowerbound", rate);
  }

  decide(span: Candidate): SamplingDecision {
    const decision = this.#share.decide(span);
    // The lower bound's credit is spent either way: it is a bound, not an addition.
    const floor = this.#floor.decide();
    if (decision.sample) return decision;
    return floor.sample ? this.#floorDecision : NOT_SAMPLED;
  }

  update(lowerBound: number, rate: number): boolean {
    const changed = this.#share.update(rate);
    if (changed) this.#floorDecision = sampledBy("lowerbound", rate);
    return this.#floor.update(lowerBound) || changed;
  }

  name(): string {
    return "GuaranteedThroughputSampler";
  }

  override toString(): string {
    const { maxTracesPerSecond } = this.#floor;
    const rate = this.#share.samplingRate;
    return `GuaranteedThroughputSampler(samplingRate=${rate}, lowerBound=${maxTracesPerSecond})`;
  }
}
