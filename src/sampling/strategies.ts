/** Sampling strategies from the text of a file: reading, defaults and merging, as Jaeger's. */

import { SpoorError } from "../core/errors.ts";
import type { OperationStrategies, OperationStrategy, SamplingStrategy } from "../core/sampling.ts";

/** The strategies of all services. */
export interface Strategies {
  readonly byService: ReadonlyMap<string, SamplingStrategy>;
  /** Of services that are not listed. */
  readonly standard: SamplingStrategy;
  /** What in the file was not as meant, for the operator; each a sentence. */
  readonly warnings: readonly string[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_INT32 = 2 ** 31 - 1;

/** What is served without a file: every service samples with this probability. */
export function defaultStrategies(probability: number): Strategies {
  return { byService: new Map(), standard: probabilistic(probability), warnings: [] };
}

/**
 * Reads the JSON text of a strategies file; `null` is the same as no file. Services without
 * rules for operations get those of the default strategy, others are completed by them. Throws
 * SpoorError `config` when it is no such text.
 */
export function parseStrategies(text: string, defaultProbability: number): Strategies {
  const file = objectOf(jsonOf(text), "strategies");
  if (file === undefined) return defaultStrategies(defaultProbability);
  const reader = new StrategyReader(defaultProbability);
  const given = objectOf(file["default_strategy"], "default_strategy");
  const standard =
    given === undefined ? probabilistic(defaultProbability) : reader.service(given, "the default");
  const byService = new Map<string, SamplingStrategy>();
  for (const entry of objectsOf(file["service_strategies"], "service_strategies")) {
    const service = textOf(entry["service"], "service");
    const own = reader.service(entry, `service "${service}"`);
    byService.set(service, completed(own, standard.operations));
  }
  return { byService, standard, warnings: reader.warnings };
}

/** The strategy with the operations of the default one where it has none of its own. */
function completed(
  own: SamplingStrategy,
  standard: OperationStrategies | undefined,
): SamplingStrategy {
  if (standard === undefined) return own;
  if (own.operations === undefined) {
    const rate = own.samplingRate ?? standard.defaultSamplingProbability;
    return { ...own, operations: { ...standard, defaultSamplingProbability: rate } };
  }
  const named = new Set(own.operations.perOperation.map(({ operation }) => operation));
  const others = standard.perOperation.filter(({ operation }) => !named.has(operation));
  const perOperation = [...own.operations.perOperation, ...others];
  return { ...own, operations: { ...own.operations, perOperation } };
}

/** Reads entries, and remembers what was not as meant. */
class StrategyReader {
  readonly warnings: string[] = [];
  readonly #defaultProbability: number;

  constructor(defaultProbability: number) {
    this.#defaultProbability = defaultProbability;
  }

  service(entry: JsonObject, name: string): SamplingStrategy {
    const strategy = this.#strategy(entry, name);
    const rules = objectsOf(entry["operation_strategies"], "operation_strategies");
    if (rules.length === 0) return strategy;
    const perOperation = rules.flatMap((rule) => this.#operation(rule, name));
    const operations: OperationStrategies = {
      defaultSamplingProbability: strategy.samplingRate ?? this.#defaultProbability,
      defaultLowerBoundTracesPerSecond: 0,
      defaultUpperBoundTracesPerSecond: 0,
      perOperation,
    };
    return { ...strategy, operations };
  }

  #operation(rule: JsonObject, owner: string): OperationStrategy[] {
    const operation = textOf(rule["operation"], "operation");
    const { samplingRate } = this.#strategy(rule, `operation "${operation}" of ${owner}`);
    if (samplingRate !== undefined) return [{ operation, samplingRate }];
    const text = "operations can only be sampled probabilistically; the default applies";
    this.warnings.push(`operation "${operation}" of ${owner}: ${text}`);
    return [];
  }

  #strategy(entry: JsonObject, name: string): SamplingStrategy {
    const type = textOf(entry["type"], "type");
    const param = numberOf(entry["param"], "param");
    if (type === "probabilistic") return probabilistic(param);
    if (type === "ratelimiting") {
      const whole = Math.min(MAX_INT32, Math.max(-MAX_INT32 - 1, Math.trunc(param)));
      return { type: "rate-limiting", maxTracesPerSecond: whole };
    }
    const known = "probabilistic and ratelimiting are known; the default applies";
    this.warnings.push(`${name} has the type "${type}": ${known}`);
    return probabilistic(this.#defaultProbability);
  }
}

function probabilistic(samplingRate: number): SamplingStrategy {
  return { type: "probabilistic", samplingRate };
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw failed(reason, cause);
  }
}

/** An object; undefined for null and for nothing. */
function objectOf(value: unknown, key: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw failed(`${key} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function objectsOf(value: unknown, key: string): JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw failed(`${key} is no list`);
  const entries: readonly unknown[] = value;
  return entries
    .map((entry) => objectOf(entry, `an entry of ${key}`))
    .filter((entry) => entry !== undefined);
}

function textOf(value: unknown, key: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw failed(`${key} is no text`);
  return value;
}

function numberOf(value: unknown, key: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== "number") throw failed(`${key} is no number`);
  return value;
}

function failed(reason: string, cause?: unknown): SpoorError {
  return new SpoorError("config", `failed to unmarshal strategies: ${reason}`, { cause });
}
