// Reads the JAEGER_* environment variables into a configuration; what the caller gives wins.
import type {
  ReporterConfig,
  SamplerConfig,
  TracingConfig,
  TracingOptions,
} from "../configuration.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that Jaeger's Node client gave up, and what replaced them. */
const DEPRECATED: readonly (readonly [string, string])[] = [
  ["JAEGER_SAMPLER_HOST", "JAEGER_SAMPLER_MANAGER_HOST_PORT"],
  ["JAEGER_SAMPLER_PORT", "JAEGER_SAMPLER_MANAGER_HOST_PORT"],
  ["JAEGER_REPORTER_ENDPOINT", "JAEGER_ENDPOINT"],
  ["JAEGER_REPORTER_USER", "JAEGER_USER"],
  ["JAEGER_REPORTER_PASSWORD", "JAEGER_PASSWORD"],
  ["JAEGER_REPORTER_AGENT_HOST", "JAEGER_AGENT_HOST"],
  ["JAEGER_REPORTER_AGENT_PORT", "JAEGER_AGENT_PORT"],
  ["JAEGER_DISABLE", "JAEGER_DISABLED"],
];

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of "1000" (as on Node) or "1s" (as in Go). */
export function parseMilliseconds(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const match = DURATION.exec(text.trim());
  if (match !== null) return Number(match[1]) * UNIT_MS[match[2]!]!;
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? undefined : value;
}

function parseNumber(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** Only an unmistakable yes or no counts; anything else leaves the default. */
function parseBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(true|1|t|yes)$/i.test(text.trim())) return true;
  return /^(false|0|f|no)$/i.test(text.trim()) ? false : undefined;
}

/** `k=v, k2=${VARIABLE:default}`; pairs without an equals sign are left out. */
export function parseTags(text: string | undefined, env: Environment): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const pair of (text ?? "").split(",")) {
    const equals = pair.indexOf("=");
    if (equals <= 0) continue;
    let value: string | undefined = pair.slice(equals + 1).trim();
    const reference = /^\$\{([^:}]*)(?::(.*))?\}$/.exec(value);
    if (reference !== null) value = env[reference[1]!] || reference[2];
    if (value !== undefined) tags[pair.slice(0, equals).trim()] = value;
  }
  return tags;
}

/** Drops what is undefined, so that a spread does not overwrite with it. */
function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ""),
  ) as Partial<T>;
}

function samplerFromEnv(env: Environment): Partial<SamplerConfig> {
  return defined({
    type: env["JAEGER_SAMPLER_TYPE"],
    param: parseNumber(env["JAEGER_SAMPLER_PARAM"]),
    hostPort: env["JAEGER_SAMPLER_MANAGER_HOST_PORT"],
    host: env["JAEGER_SAMPLER_HOST"],
    port: parseNumber(env["JAEGER_SAMPLER_PORT"]),
    samplingPath: env["JAEGER_SAMPLER_SAMPLING_PATH"],
    endpoint: env["JAEGER_SAMPLING_ENDPOINT"],
    refreshIntervalMs: parseMilliseconds(env["JAEGER_SAMPLER_REFRESH_INTERVAL"]),
    maxOperations: parseNumber(env["JAEGER_SAMPLER_MAX_OPERATIONS"]),
  });
}

/** Java and Go count spans; ours are counted in bytes, at what a span usually takes. */
const BYTES_OF_A_SPAN = 1_024;
const SMALLEST_QUEUE_BYTES = 1024 * 1024;

function reconnectInterval(env: Environment): number | undefined {
  if (parseBoolean(env["JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED"]) === true) return 0;
  return parseMilliseconds(env["JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL"]);
}

function reporterFromEnv(env: Environment): Partial<ReporterConfig> {
  const spans = parseNumber(env["JAEGER_REPORTER_MAX_QUEUE_SIZE"]);
  return defined({
    logSpans: parseBoolean(env["JAEGER_REPORTER_LOG_SPANS"]),
    flushIntervalMs: parseMilliseconds(env["JAEGER_REPORTER_FLUSH_INTERVAL"]),
    collectorEndpoint: env["JAEGER_ENDPOINT"] || env["JAEGER_REPORTER_ENDPOINT"],
    username: env["JAEGER_USER"] || env["JAEGER_REPORTER_USER"],
    password: env["JAEGER_PASSWORD"] || env["JAEGER_REPORTER_PASSWORD"],
    authToken: env["JAEGER_AUTH_TOKEN"],
    agentHost: env["JAEGER_AGENT_HOST"] || env["JAEGER_REPORTER_AGENT_HOST"],
    agentPort: parseNumber(env["JAEGER_AGENT_PORT"] || env["JAEGER_REPORTER_AGENT_PORT"]),
    agentSocketType: env["JAEGER_AGENT_SOCKET_TYPE"],
    agentProtocol: env["JAEGER_AGENT_PROTOCOL"],
    agentReconnectIntervalMs: reconnectInterval(env),
    timeoutMs: parseMilliseconds(env["JAEGER_REPORTER_TIMEOUT"]),
    maxQueueBytes:
      spans === undefined ? undefined : Math.max(SMALLEST_QUEUE_BYTES, spans * BYTES_OF_A_SPAN),
  });
}

/** The configuration and options an environment asks for, under those the caller gives. */
export function readEnvironment(
  config: TracingConfig,
  options: TracingOptions,
  env: Environment,
  warn: (message: string) => void,
): { config: TracingConfig; options: TracingOptions } {
  for (const [old, current] of DEPRECATED) {
    if (env[old]) warn(`You are using deprecated env variable ${old}. Use ${current} instead.`);
  }
  const disabled = parseBoolean(env["JAEGER_DISABLED"] ?? env["JAEGER_DISABLE"]) === true;
  const wide = parseBoolean(env["JAEGER_TRACEID_128BIT"]);
  return {
    config: {
      ...config,
      disable: config.disable || disabled,
      serviceName: config.serviceName || env["JAEGER_SERVICE_NAME"],
      sampler: { ...samplerFromEnv(env), ...config.sampler },
      reporter: { ...reporterFromEnv(env), ...config.reporter },
      propagation: config.propagation ?? env["JAEGER_PROPAGATION"],
      rpcMetrics: config.rpcMetrics ?? parseBoolean(env["JAEGER_RPC_METRICS"]),
    },
    options: {
      ...options,
      tags: options.tags ?? parseTags(env["JAEGER_TAGS"], env),
      traceId128bit: options.traceId128bit ?? wide,
    },
  };
}
