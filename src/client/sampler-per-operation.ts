// One guaranteed-throughput sampler for each operation, up to a number of them.
import { SAMPLED_OPERATIONS } from "./limits.ts";
import { GuaranteedThroughputSampler } from "./sampler-guaranteed.ts";
import { ProbabilisticSampler, SAMPLER_API_V2, UNDECIDED_YET } from "./samplers.ts";
import type { Span } from "./span.ts";
import type { Sampler, SamplingDecision } from "./types.ts";

/** The per-operation part of a sampling server's answer. */
export interface OperationStrategies {
  defaultSamplingProbability: number;
  defaultLowerBoundTracesPerSecond: number;
  perOperationStrategies: {
    operation: string;
    probabilisticSampling: { samplingRate: number };
  }[];
}

/**
 * Decisions at creation stay open for `setOperationName`: frameworks learn a route's name late.
 * Operations beyond the maximum share the default probability.
 */
export class PerOperationSampler implements Sampler {
  readonly apiVersion: string = SAMPLER_API_V2;
  readonly decidesById: boolean = true;
  readonly #maxOperations: number;
  readonly #byOperation = new Map<string, GuaranteedThroughputSampler>();
  #default: ProbabilisticSampler = new ProbabilisticSampler(0);
  #lowerBound = 0;

  constructor(strategies: OperationStrategies, maxOperations: number = SAMPLED_OPERATIONS) {
    this.#maxOperations = maxOperations;
    this.update(strategies);
  }

  /** Samplers that are known already keep their balances. True when something changed. */
  update(strategies: OperationStrategies): boolean {
    const lowerBound = strategies.defaultLowerBoundTracesPerSecond ?? 0;
    const boundChanged = lowerBound !== this.#lowerBound;
    this.#lowerBound = lowerBound;
    let changed = this.#default.update(strategies.defaultSamplingProbability ?? 0);
    const named = new Set<string>();
    for (const { operation, probabilisticSampling } of strategies.perOperationStrategies ?? []) {
      named.add(operation);
      const rate = probabilisticSampling.samplingRate;
      const known = this.#byOperation.get(operation);
      if (known !== undefined) {
        changed = known.update(lowerBound, rate) || changed;
      } else if (this.#byOperation.size < this.#maxOperations) {
        this.#byOperation.set(operation, new GuaranteedThroughputSampler(lowerBound, rate));
        changed = true;
      }
    }
    for (const [operation, sampler] of this.#byOperation) {
      if (!named.has(operation)) sampler.update(lowerBound, this.#default.samplingRate);
    }
    return changed || boundChanged;
  }

  #decide(span: Span, operation: string): SamplingDecision {
    let sampler = this.#byOperation.get(operation);
    if (sampler === undefined) {
      if (this.#byOperation.size >= this.#maxOperations) return this.#default.onCreateSpan(span);
      sampler = new GuaranteedThroughputSampler(this.#lowerBound, this.#default.samplingRate);
      this.#byOperation.set(operation, sampler);
    }
    return sampler.onCreateSpan(span);
  }

  onCreateSpan(span: Span): SamplingDecision {
    const { sample, tags } = this.#decide(span, span.operationName);
    return { sample, tags, retryable: true };
  }

  onSetOperationName(span: Span, operation: string): SamplingDecision {
    return this.#decide(span, operation);
  }

  onSetTag(): SamplingDecision {
    return UNDECIDED_YET;
  }

  close(callback?: () => void): void {
    callback?.();
  }

  name(): string {
    return "PerOperationSampler";
  }

  toString(): string {
    return `PerOperationSampler(maxOperations=${this.#maxOperations})`;
  }
}
