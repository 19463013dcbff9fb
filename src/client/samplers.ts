// Samplers that decide by themselves: constant and probabilistic.
import type { Span } from "./span.ts";
import type { LegacySampler, Sampler, SamplingDecision } from "./types.ts";

export const SAMPLER_API_V2 = "SAMPLER_API_V2";
export const NOT_SAMPLED: SamplingDecision = Object.freeze({
  sample: false,
  retryable: false,
  tags: null,
});
/** No opinion: what a sampler says of tags that do not concern it. */
export const UNDECIDED_YET: SamplingDecision = Object.freeze({
  sample: false,
  retryable: true,
  tags: null,
});

/** The decision to sample for good, with the tags that say which sampler took it. */
export function sampledBy(type: string, param: unknown): SamplingDecision {
  const tags = Object.freeze({ "sampler.type": type, "sampler.param": param });
  return Object.freeze({ sample: true, retryable: false, tags });
}

/** What decisions are taken from. */
export type Candidate = Pick<Span, "operationName" | "traceLow0" | "traceLow1">;

/**
 * Decides once, when a span is made or renamed; subclasses say how. A base class, for Jaeger's
 * samplers are public classes and would else repeat the same four methods five times.
 */
export abstract class OneDecision implements Sampler {
  readonly apiVersion: string = SAMPLER_API_V2;
  readonly decidesById: boolean = true;

  abstract decide(span: Candidate): SamplingDecision;
  abstract name(): string;

  onCreateSpan(span: Span): SamplingDecision {
    return this.decide(span);
  }

  onSetOperationName(span: Span): SamplingDecision {
    return this.decide(span);
  }

  onSetTag(): SamplingDecision {
    return UNDECIDED_YET;
  }

  close(callback?: () => void): void {
    callback?.();
  }
}

/** All or nothing. */
export class ConstSampler extends OneDecision {
  readonly #decision: SamplingDecision;

  constructor(sample: boolean) {
    super();
    this.#decision = sample ? sampledBy("const", true) : NOT_SAMPLED;
  }

  decide(): SamplingDecision {
    return this.#decision;
  }

  get decision(): boolean {
    return this.#decision.sample;
  }

  name(): string {
    return "ConstSampler";
  }

  override toString(): string {
    return `ConstSampler(${this.decision ? "always" : "never"})`;
  }
}

/**
 * Samples a share of traces, decided from the lower 63 bits of the trace id, so that every process
 * with the same rate decides alike.
 */
export class ProbabilisticSampler extends OneDecision {
  #rate = 0;
  #boundaryHigh = 0;
  #boundaryLow = 0;
  #decision: SamplingDecision = NOT_SAMPLED;

  constructor(rate: number) {
    super();
    this.update(rate);
  }

  get samplingRate(): number {
    return this.#rate;
  }

  /** True when the rate changed. Throws on a rate outside [0, 1]. */
  update(rate: number): boolean {
    if (!(rate >= 0 && rate <= 1)) {
      throw new Error(`The sampling rate must be between 0.0 and 1.0. Received ${rate}`);
    }
    if (rate === this.#rate && this.#decision !== NOT_SAMPLED) return false;
    this.#rate = rate;
    this.#boundaryHigh = Math.floor(rate * 0x80000000);
    this.#boundaryLow = Math.floor((rate * 0x80000000 - this.#boundaryHigh) * 0x100000000);
    this.#decision = sampledBy("probabilistic", rate);
    return true;
  }

  decide(span: Candidate): SamplingDecision {
    return this.takes(span.traceLow0, span.traceLow1) ? this.#decision : NOT_SAMPLED;
  }

  /** Whether a trace with these lower id words is within the rate. */
  takes(high: number, low: number): boolean {
    const masked = high & 0x7fffffff;
    if (masked !== this.#boundaryHigh) return masked < this.#boundaryHigh;
    return low >>> 0 < this.#boundaryLow;
  }

  name(): string {
    return "ProbabilisticSampler";
  }

  override toString(): string {
    return `ProbabilisticSampler(samplingRate=${this.#rate})`;
  }
}

/** Lets a sampler of the older interface decide once, at creation or renaming. */
class LegacyAdapter extends OneDecision {
  readonly #legacy: LegacySampler;

  constructor(legacy: LegacySampler) {
    super();
    this.#legacy = legacy;
  }

  decide(span: Candidate): SamplingDecision {
    const tags: Record<string, unknown> = {};
    const sample = this.#legacy.isSampled(span.operationName, tags);
    return { sample, retryable: false, tags };
  }

  override close(callback?: () => void): void {
    this.#legacy.close(callback);
  }

  name(): string {
    return this.#legacy.name();
  }

  override toString(): string {
    return this.#legacy.toString();
  }
}

/** A sampler of either interface as one of the newer; throws on anything else. */
export function adaptSampler(sampler: Sampler | LegacySampler): Sampler {
  if (sampler?.apiVersion === SAMPLER_API_V2) return sampler as Sampler;
  const legacy = sampler as LegacySampler;
  if (typeof legacy?.isSampled !== "function") throw new Error(`Unrecognized sampler: ${sampler}`);
  return new LegacyAdapter(legacy);
}
