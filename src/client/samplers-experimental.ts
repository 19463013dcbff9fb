// Samplers that decide late: by a tag's value, and several in order of priority.
import { SAMPLER_API_V2, UNDECIDED_YET, adaptSampler } from "./samplers.ts";
import type { Span } from "./span.ts";
import type { LegacySampler, Sampler, SamplingDecision } from "./types.ts";

/** What matching one tag value leads to. `firehose` traces are not indexed. */
export interface TagMatcher {
  readonly tagValue: unknown;
  readonly firehose: boolean;
}

/** Samples a trace once one of its local spans has a tag of one of the given values. */
export class TagEqualsSampler implements Sampler {
  readonly apiVersion: string = SAMPLER_API_V2;
  readonly #tagKey: string;
  readonly #decisions = new Map<unknown, { firehose: boolean; decision: SamplingDecision }>();

  constructor(tagKey: string, matchers: readonly TagMatcher[]) {
    this.#tagKey = tagKey;
    for (const { tagValue, firehose } of matchers) {
      const tags = { "sampler.type": "TagEqualsSampler", "sampler.param": tagKey };
      this.#decisions.set(tagValue, {
        firehose,
        decision: { sample: true, retryable: false, tags },
      });
    }
  }

  /** From `{ key, values: { value: { firehose } } }`, the shape configurations have. */
  static fromStrategy(strategy: {
    key: string;
    values: Record<string, { firehose?: boolean }>;
  }): TagEqualsSampler {
    const matchers = Object.entries(strategy.values).map(([tagValue, { firehose }]) => ({
      tagValue,
      firehose: firehose === true,
    }));
    return new TagEqualsSampler(strategy.key, matchers);
  }

  #match(span: Span, value: unknown): SamplingDecision {
    const match = this.#decisions.get(value);
    if (match === undefined) return UNDECIDED_YET;
    if (match.firehose) span.context().setBit(8, true);
    return match.decision;
  }

  onCreateSpan(span: Span): SamplingDecision {
    const tags = span.recording?.allTags() ?? [];
    for (let i = 0; i < tags.length; i += 2) {
      if (tags[i] === this.#tagKey) return this.#match(span, tags[i + 1]);
    }
    return UNDECIDED_YET;
  }

  onSetOperationName(): SamplingDecision {
    return UNDECIDED_YET;
  }

  onSetTag(span: Span, key: string, value: unknown): SamplingDecision {
    return key === this.#tagKey ? this.#match(span, value) : UNDECIDED_YET;
  }

  close(callback?: () => void): void {
    callback?.();
  }

  name(): string {
    return "TagEqualsSampler";
  }

  toString(): string {
    return `TagEqualsSampler(tagKey=${this.#tagKey})`;
  }
}

/** Asks several samplers in order; the first that samples wins, and each decides only once. */
export class PrioritySampler implements Sampler {
  readonly apiVersion: string = SAMPLER_API_V2;
  readonly #samplers: readonly Sampler[];
  /** Which samplers have spoken for good, by the trace's local root: a bit each. */
  readonly #spoken = new WeakMap<object, number>();

  constructor(samplers: readonly (Sampler | LegacySampler)[]) {
    this.#samplers = samplers.map(adaptSampler);
  }

  #ask(span: Span, question: (sampler: Sampler) => SamplingDecision): SamplingDecision {
    const { root } = span.context();
    let spoken = this.#spoken.get(root) ?? 0;
    let retryable = false;
    for (const [index, sampler] of this.#samplers.entries()) {
      if ((spoken & (1 << index)) !== 0) continue;
      const decision = question(sampler);
      if (decision.sample) return decision;
      if (decision.retryable) retryable = true;
      else spoken |= 1 << index;
    }
    this.#spoken.set(root, spoken);
    return { sample: false, retryable, tags: null };
  }

  onCreateSpan(span: Span): SamplingDecision {
    return this.#ask(span, (sampler) => sampler.onCreateSpan(span));
  }

  onSetOperationName(span: Span, name: string): SamplingDecision {
    return this.#ask(span, (sampler) => sampler.onSetOperationName(span, name));
  }

  onSetTag(span: Span, key: string, value: unknown): SamplingDecision {
    return this.#ask(span, (sampler) => sampler.onSetTag(span, key, value));
  }

  close(callback?: () => void): void {
    let open = this.#samplers.length;
    if (open === 0) callback?.();
    for (const sampler of this.#samplers) {
      sampler.close(() => {
        if (--open === 0) callback?.();
      });
    }
  }

  name(): string {
    return "PrioritySampler";
  }

  toString(): string {
    return `PrioritySampler(${this.#samplers.map(String).join(",")})`;
  }
}
