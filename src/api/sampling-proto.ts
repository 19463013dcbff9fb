/** The .proto file of Jaeger's SamplingManager, for reflection. */

import type { ProtoFile } from "../net/proto-descriptor.ts";

/** The file of SamplingManager. */
export const SAMPLING_PROTO: ProtoFile = {
  name: "sampling.proto",
  package: "jaeger.api_v2",
  imports: [],
  source: `
    enum SamplingStrategyType { PROBABILISTIC = 0; RATE_LIMITING = 1; }
    message ProbabilisticSamplingStrategy { double samplingRate = 1; }
    message RateLimitingSamplingStrategy { int32 maxTracesPerSecond = 1; }
    message OperationSamplingStrategy {
      string operation = 1; ProbabilisticSamplingStrategy probabilisticSampling = 2;
    }
    message PerOperationSamplingStrategies {
      double defaultSamplingProbability = 1; double defaultLowerBoundTracesPerSecond = 2;
      repeated OperationSamplingStrategy perOperationStrategies = 3;
      double defaultUpperBoundTracesPerSecond = 4;
    }
    message SamplingStrategyResponse {
      SamplingStrategyType strategyType = 1;
      ProbabilisticSamplingStrategy probabilisticSampling = 2;
      RateLimitingSamplingStrategy rateLimitingSampling = 3;
      PerOperationSamplingStrategies operationSampling = 4;
    }
    message SamplingStrategyParameters { string serviceName = 1; }
    service SamplingManager {
      rpc GetSamplingStrategy(SamplingStrategyParameters) returns (SamplingStrategyResponse);
    }
  `,
};
