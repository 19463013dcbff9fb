// Builds a tracer from jaeger-client's configuration object, with the parts a platform provides.
import { FORMAT_BINARY, FORMAT_HTTP_HEADERS, FORMAT_TEXT_MAP } from "./opentracing-names.ts";
import { CompositeCodec } from "./codec-composite.ts";
import { AnchoredClock } from "./clock.ts";
import { NULL_LOGGER } from "./logger.ts";
import { RemoteReporter } from "./remote-reporter.ts";
import { ConstSampler, ProbabilisticSampler } from "./samplers.ts";
import { Tracer } from "./tracer.ts";
import type { BaggageRestrictions } from "./baggage.ts";
import type { Timers } from "./clock.ts";
import type { TextCodecOptions } from "./codec-text-map.ts";
import type { RandomFill } from "./ids.ts";
import type { Metrics } from "./metrics.ts";
import type { Span } from "./span.ts";
import type { Sender } from "./remote-reporter.ts";
import type {
  Extractor,
  Injector,
  LegacySampler,
  Logger,
  MetricsFactory,
  Reporter,
  Sampler,
  ScopeManager,
  Throttler,
} from "./types.ts";

export interface SamplerConfig {
  type?: string | undefined;
  param?: number | undefined;
  hostPort?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  samplingPath?: string | undefined;
  /** A whole URL in place of host, port and path. */
  endpoint?: string | undefined;
  refreshIntervalMs?: number | undefined;
  maxOperations?: number | undefined;
}

export interface ReporterConfig {
  logSpans?: boolean | undefined;
  agentHost?: string | undefined;
  agentPort?: number | undefined;
  agentSocketType?: string | undefined;
  /** `binary` (port 6832) or `compact` (port 6831). */
  agentProtocol?: string | undefined;
  /** How often the agent's name is resolved again: 30,000; 0 never. */
  agentReconnectIntervalMs?: number | undefined;
  /** Thrift over HTTP; a path that ends in `/v1/traces` means OTLP over HTTP. */
  collectorEndpoint?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  authToken?: string | undefined;
  headers?: Record<string, string> | undefined;
  flushIntervalMs?: number | undefined;
  timeoutMs?: number | undefined;
  maxQueueBytes?: number | undefined;
  maxTagValueLength?: number | undefined;
  /** Whole numbers as DOUBLE, as jaeger-client sends them. */
  numbersAsDouble?: boolean | undefined;
}

export interface ThrottlerConfig {
  host?: string | undefined;
  port?: number | undefined;
  refreshIntervalMs?: number | undefined;
}

export interface BaggageRestrictionsConfig {
  hostPort?: string | undefined;
  refreshIntervalMs?: number | undefined;
  /** Refuse every key until the first answer, instead of allowing every key. */
  denyBaggageOnInitializationFailure?: boolean | undefined;
}

export interface TracingConfig {
  serviceName?: string | undefined;
  disable?: boolean | undefined;
  sampler?: SamplerConfig | undefined;
  reporter?: ReporterConfig | undefined;
  throttler?: ThrottlerConfig | undefined;
  /** Asks the agent which baggage the service may carry; without it every key is allowed. */
  baggageRestrictions?: BaggageRestrictionsConfig | undefined;
  /** Formats of `inject`, in order of preference of `extract`: jaeger, w3c, b3, b3-single. */
  propagation?: string | readonly string[] | undefined;
  /** Counts requests, errors and durations by operation; needs `options.metrics`. */
  rpcMetrics?: boolean | undefined;
}

export interface TracingOptions {
  reporter?: Reporter | undefined;
  sampler?: Sampler | LegacySampler | undefined;
  throttler?: Throttler | undefined;
  metrics?: MetricsFactory | undefined;
  logger?: Logger | undefined;
  tags?: Record<string, unknown> | undefined;
  traceId128bit?: boolean | undefined;
  shareRpcSpan?: boolean | undefined;
  contextKey?: string | undefined;
  baggagePrefix?: string | undefined;
  baggageRestrictionManager?: BaggageRestrictions | undefined;
  scopeManager?: ScopeManager | undefined;
}

export type Codec = Injector & Extractor;

/** What the parts of a tracer are built from. */
export interface Parts {
  service: string;
  metrics: Metrics | null;
  logger: Logger;
  platform: Platform;
}

/** What differs between Node and browsers. */
export interface Platform {
  /** A tracer that does nothing. */
  readonly disabled: () => Tracer;
  readonly timers: Timers;
  readonly random?: RandomFill;
  readonly codecs: Readonly<Record<string, (options: TextCodecOptions) => Codec>>;
  /** Samplers besides the constant and the probabilistic one; null for an unknown type. */
  readonly sampler?: (type: string, config: SamplerConfig, parts: Parts) => Sampler | null;
  /** A reporter that also writes every span to the logger. */
  readonly logged?: (reporter: Reporter, logger: Logger) => Reporter;
  readonly throttler?: (config: ThrottlerConfig, parts: Parts) => Throttler;
  readonly restrictions?: (config: BaggageRestrictionsConfig, parts: Parts) => BaggageRestrictions;
  /** The codec of the binary carrier. */
  readonly binary?: (metrics: Metrics | null) => Codec;
  readonly metrics?: (factory: MetricsFactory | undefined) => Metrics | null;
  /** The server spans of `rpcMetrics`. */
  readonly measured?: (factory: MetricsFactory) => typeof Span;
  readonly processTags: () => Record<string, unknown>;
  readonly scopeManager: () => ScopeManager;
  /** Makes the sender a configuration asks for and keeps it flushed until the process ends. */
  readonly sender: (config: ReporterConfig, metrics: Metrics | null, logger: Logger) => Sender;
}

function codecFor(
  names: readonly string[],
  known: Platform["codecs"],
  options: TextCodecOptions,
): Codec {
  const codecs = names.map((name) => {
    const make = known[name.trim().toLowerCase()];
    if (make === undefined) {
      throw new Error(`Unknown propagation format ${name}: ${Object.keys(known).join(", ")}`);
    }
    return make(options);
  });
  return codecs.length === 1 ? codecs[0]! : new CompositeCodec(codecs);
}

/** Until a server says otherwise: 1 trace in 1,000. */
const INITIAL_RATE = 0.001;

function samplerFor(config: SamplerConfig, parts: Parts): Sampler {
  const type = config.type ?? "remote";
  const param = config.param ?? (type === "remote" ? INITIAL_RATE : undefined);
  if (typeof param !== "number" || Number.isNaN(param)) {
    throw new Error(`Expecting sampler.param to be a number. Received ${param}`);
  }
  if (type === "const") return new ConstSampler(param !== 0);
  if (type === "probabilistic") return new ProbabilisticSampler(param);
  const sampler = parts.platform.sampler?.(type, { ...config, param }, parts);
  if (sampler) return sampler;
  throw new Error(`Unknown sampler type ${type}`);
}

function reporterFor(config: ReporterConfig, parts: Parts, clock: AnchoredClock): Reporter {
  const remote = new RemoteReporter(parts.platform.sender(config, parts.metrics, parts.logger), {
    timers: parts.platform.timers,
    bufferFlushInterval: config.flushIntervalMs,
    clock,
  });
  const { logged } = parts.platform;
  return config.logSpans && logged ? logged(remote, parts.logger) : remote;
}

function registerPropagation(
  tracer: Tracer,
  config: TracingConfig,
  options: TracingOptions,
  platform: Platform,
): void {
  if (!config.propagation || config.propagation.length === 0) return;
  const { propagation } = config;
  const names = typeof propagation === "string" ? propagation.split(",") : propagation;
  const { contextKey, baggagePrefix } = options;
  const shared = { contextKey, baggagePrefix, metrics: tracer.metrics };
  const text = codecFor(names, platform.codecs, { ...shared, urlEncoding: false });
  const http = codecFor(names, platform.codecs, { ...shared, urlEncoding: true });
  tracer.registerCodec(FORMAT_TEXT_MAP, text);
  tracer.registerCodec(FORMAT_HTTP_HEADERS, http);
}

/**
 * A tracer as `config` says, or one that does nothing when tracing is disabled.
 * Throws on a configuration that cannot be meant: at start-up, never later.
 */
export function buildTracer(
  config: TracingConfig,
  options: TracingOptions,
  platform: Platform,
): Tracer {
  if (config.disable) return platform.disabled();
  if (!config.serviceName) throw new Error("config.serviceName must be provided");
  const logger = options.logger ?? NULL_LOGGER;
  const given = options.metrics;
  const metrics = platform.metrics?.(given) ?? null;
  const parts: Parts = { service: config.serviceName, metrics, logger, platform };
  const clock = new AnchoredClock();
  const sampler = options.sampler ?? samplerFor(config.sampler ?? {}, parts);
  const reporter = options.reporter ?? reporterFor(config.reporter ?? {}, parts, clock);
  const throttler =
    options.throttler ?? (config.throttler && platform.throttler?.(config.throttler, parts));
  const restrictions =
    options.baggageRestrictionManager ??
    (config.baggageRestrictions && platform.restrictions?.(config.baggageRestrictions, parts));
  logger.info(`Initializing Spoor tracer with ${reporter} and ${sampler}`);
  const tracer = new Tracer(config.serviceName, reporter, sampler, {
    ...options,
    metrics: metrics ?? undefined,
    logger,
    debugThrottler: throttler,
    baggageRestrictionManager: restrictions,
    clock,
    random: platform.random,
    scopeManager: options.scopeManager ?? platform.scopeManager(),
    processTags: platform.processTags(),
    serverSpan: config.rpcMetrics && given ? platform.measured?.(given) : undefined,
  });
  if (platform.binary) tracer.registerCodec(FORMAT_BINARY, platform.binary(metrics));
  registerPropagation(tracer, config, options, platform);
  return tracer;
}
