// The sampler that asks an agent or collector, again and again, how to sample a service.
import { SAMPLED_OPERATIONS } from "./limits.ts";
import { PerOperationSampler } from "./sampler-per-operation.ts";
import { RateLimitingSampler } from "./sampler-rate-limiting.ts";
import { ProbabilisticSampler, SAMPLER_API_V2, adaptSampler } from "./samplers.ts";
import type { OperationStrategies } from "./sampler-per-operation.ts";
import type { Timers } from "./clock.ts";
import type { FetchText } from "./control.ts";
import type { Metrics } from "./metrics.ts";
import type { Span } from "./span.ts";
import type { LegacySampler, Logger, Sampler, SamplingDecision } from "./types.ts";

/** A strategy as servers send it; old ones write the type as a number. */
export interface StrategyResponse {
  strategyType?: string | number;
  probabilisticSampling?: { samplingRate: number } | null;
  rateLimitingSampling?: { maxTracesPerSecond: number } | null;
  operationSampling?: OperationStrategies | null;
}

export interface RemoteSamplerOptions {
  /** Where `?service=` is appended. */
  url: string;
  timers: Timers;
  fetchText: FetchText;
  /** Decides until the first answer: 1 trace in 1,000. */
  sampler?: Sampler | LegacySampler | undefined;
  /** Milliseconds; 0 never asks. */
  refreshInterval?: number | undefined;
  maxOperations?: number | undefined;
  metrics?: Metrics | null | undefined;
  logger?: Logger | undefined;
  onSamplerUpdate?: ((sampler: Sampler) => void) | undefined;
  random?: (() => number) | undefined;
}

const INITIAL_RATE = 0.001;
const REFRESH_INTERVAL_MS = 60_000;

export class RemoteSampler implements Sampler {
  readonly apiVersion: string = SAMPLER_API_V2;
  readonly #service: string;
  readonly #options: RemoteSamplerOptions;
  #delegate: Sampler;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(service: string, options: RemoteSamplerOptions) {
    this.#service = service;
    this.#options = options;
    this.#delegate = adaptSampler(options.sampler ?? new ProbabilisticSampler(INITIAL_RATE));
    const intervalMs = options.refreshInterval ?? REFRESH_INTERVAL_MS;
    // A random first delay keeps a fleet that was started at once from asking at once.
    if (intervalMs > 0) this.#schedule(intervalMs, (options.random ?? Math.random)() * intervalMs);
  }

  get sampler(): Sampler {
    return this.#delegate;
  }

  #schedule(intervalMs: number, delayMs: number): void {
    this.#cancel = this.#options.timers.after(delayMs, () => {
      this.refresh();
      this.#schedule(intervalMs, intervalMs);
    });
  }

  /** Asks now; calls back when the answer, or none, has been dealt with. */
  refresh(callback?: () => void): void {
    const { url, fetchText, metrics, logger } = this.#options;
    const separator = url.includes("?") ? "&" : "?";
    fetchText(`${url}${separator}service=${encodeURIComponent(this.#service)}`, (error, body) => {
      if (error !== null) {
        metrics?.samplerQueryFailure.increment(1);
        logger?.error(`Error in fetching sampling strategy: ${error.message}`);
      } else if (!this.#closed) {
        metrics?.samplerRetrieved.increment(1);
        this.#take(body);
      }
      callback?.();
    });
  }

  /** A malformed answer changes nothing. */
  #take(body: string): void {
    const { metrics, logger, onSamplerUpdate } = this.#options;
    try {
      if (this.#apply(JSON.parse(body) as StrategyResponse)) metrics?.samplerUpdated.increment(1);
      onSamplerUpdate?.(this.#delegate);
    } catch (error) {
      metrics?.samplerUpdateFailure.increment(1);
      logger?.error(`Error in updating sampler: ${String(error)}`);
    }
  }

  #apply(response: StrategyResponse): boolean {
    const { strategyType: type, operationSampling } = response;
    if (operationSampling) return this.#applyOperations(operationSampling);
    const { probabilisticSampling, rateLimitingSampling } = response;
    if ((type === "PROBABILISTIC" || type === 0) && probabilisticSampling) {
      const rate = probabilisticSampling.samplingRate;
      if (this.#delegate instanceof ProbabilisticSampler) return this.#delegate.update(rate);
      this.#delegate = new ProbabilisticSampler(rate);
      return true;
    }
    if ((type === "RATE_LIMITING" || type === 1) && rateLimitingSampling) {
      const perSecond = rateLimitingSampling.maxTracesPerSecond;
      if (this.#delegate instanceof RateLimitingSampler) return this.#delegate.update(perSecond);
      this.#delegate = new RateLimitingSampler(perSecond);
      return true;
    }
    throw new Error("Malformed response");
  }

  #applyOperations(strategies: OperationStrategies): boolean {
    if (this.#delegate instanceof PerOperationSampler) return this.#delegate.update(strategies);
    const maximum = this.#options.maxOperations ?? SAMPLED_OPERATIONS;
    this.#delegate = new PerOperationSampler(strategies, maximum);
    return true;
  }

  onCreateSpan(span: Span): SamplingDecision {
    return this.#delegate.onCreateSpan(span);
  }

  onSetOperationName(span: Span, operationName: string): SamplingDecision {
    return this.#delegate.onSetOperationName(span, operationName);
  }

  onSetTag(span: Span, key: string, value: unknown): SamplingDecision {
    return this.#delegate.onSetTag(span, key, value);
  }

  get decidesById(): boolean {
    return this.#delegate.decidesById === true;
  }

  close(callback?: () => void): void {
    this.#closed = true;
    this.#cancel();
    this.#delegate.close(callback);
  }

  name(): string {
    return "RemoteSampler";
  }

  toString(): string {
    return `RemoteSampler(serviceName=${this.#service})`;
  }
}
