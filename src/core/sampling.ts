/** Sampling strategies: what clients are told about how many of their traces to keep. */

/** What one operation of a service samples. */
export interface OperationStrategy {
  readonly operation: string;
  /** From 0 to 1. */
  readonly samplingRate: number;
}

/** Strategies by operation; an operation that is not listed samples at the default. */
export interface OperationStrategies {
  readonly defaultSamplingProbability: number;
  readonly defaultLowerBoundTracesPerSecond: number;
  readonly defaultUpperBoundTracesPerSecond: number;
  readonly perOperation: readonly OperationStrategy[];
}

/** The strategy of one service. */
export interface SamplingStrategy {
  readonly type: "probabilistic" | "rate-limiting";
  /** From 0 to 1; of type "probabilistic" only. */
  readonly samplingRate?: number;
  /** Whole number; of type "rate-limiting" only. */
  readonly maxTracesPerSecond?: number;
  /** Goes before the strategy above when a client knows of it. */
  readonly operations?: OperationStrategies;
}

/** Answers clients that ask how to sample. */
export interface SamplingSource {
  /** The strategy of a service; rejects with SpoorError when it cannot be told. */
  strategyOf(service: string, signal?: AbortSignal): Promise<SamplingStrategy>;
}
