/** Sampling strategies as the JSON that Jaeger's clients read, in both of its forms. */

import { SpoorError } from "../core/errors.ts";
import type { OperationStrategies, SamplingStrategy } from "../core/sampling.ts";
import { jsonText } from "./json-writer.ts";

const MAX_INT16 = 2 ** 15 - 1;

/**
 * How types are written: `names` since Jaeger 1.2x (`/sampling`), `numbers` for clients made
 * from Thrift 0.9.2 (`/` of the agent), whose rates per second are 16 bits wide.
 */
export type SamplingJsonForm = "names" | "numbers";

/** JSON text of a strategy. Throws `unsupported` for a rate that the old form cannot hold. */
export function encodeSamplingJson(strategy: SamplingStrategy, form: SamplingJsonForm): string {
  const { type, samplingRate, maxTracesPerSecond, operations } = strategy;
  const limiting = type === "rate-limiting";
  const name = limiting ? "RATE_LIMITING" : "PROBABILISTIC";
  const number = limiting ? 1 : 0;
  const parts = [`"strategyType":${form === "names" ? `"${name}"` : number}`];
  if (samplingRate !== undefined) parts.push(probabilistic(samplingRate));
  if (maxTracesPerSecond !== undefined) {
    if (form === "numbers" && maxTracesPerSecond > MAX_INT16) {
      throw new SpoorError("unsupported", "maxTracesPerSecond is higher than maxInt16");
    }
    parts.push(`"rateLimitingSampling":{"maxTracesPerSecond":${maxTracesPerSecond}}`);
  }
  if (operations !== undefined) parts.push(`"operationSampling":${operationsJson(operations)}`);
  return `{${parts.join(",")}}`;
}

function probabilistic(samplingRate: number): string {
  return `"probabilisticSampling":{"samplingRate":${samplingRate}}`;
}

/** In the order of the fields' numbers, as Jaeger writes them. */
function operationsJson(operations: OperationStrategies): string {
  const list = operations.perOperation.map(
    ({ operation, samplingRate }) =>
      `{"operation":${jsonText(operation)},${probabilistic(samplingRate)}}`,
  );
  return [
    `{"defaultSamplingProbability":${operations.defaultSamplingProbability}`,
    `"defaultLowerBoundTracesPerSecond":${operations.defaultLowerBoundTracesPerSecond}`,
    `"perOperationStrategies":[${list.join(",")}]`,
    `"defaultUpperBoundTracesPerSecond":${operations.defaultUpperBoundTracesPerSecond}}`,
  ].join(",");
}
