// Builds a tracer from jaeger-client's configuration object, with the parts a platform provides.
import * as opentracing from 'opentracing';
import { B3SingleCodec, ZipkinB3TextMapCodec } from './codec-b3.ts';
import { CompositeCodec } from './codec-composite.ts';
import { TextMapCodec } from './codec-text-map.ts';
import { W3CTraceContextCodec } from './codec-w3c.ts';
import { AnchoredClock } from './clock.ts';
import { baseUrlOf } from './control.ts';
import { NULL_LOGGER } from './logger.ts';
import { Metrics } from './metrics.ts';
import { RemoteReporter } from './remote-reporter.ts';
import { CompositeReporter, LoggingReporter } from './reporters.ts';
import { RemoteSampler } from './sampler-remote.ts';
import { ConstSampler, ProbabilisticSampler, RateLimitingSampler } from './samplers.ts';
import { RemoteThrottler } from './throttler.ts';
import { Tracer } from './tracer.ts';
import type { BaggageRestrictions } from './baggage.ts';
import type { Timers } from './clock.ts';
import type { TextCodecOptions } from './codec-text-map.ts';
import type { FetchText } from './control.ts';
import type { RandomFill } from './ids.ts';
import type { Sender } from './remote-reporter.ts';
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
} from './types.ts';

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

export interface TracingConfig {
  serviceName?: string | undefined;
  disable?: boolean | undefined;
  sampler?: SamplerConfig | undefined;
  reporter?: ReporterConfig | undefined;
  throttler?: ThrottlerConfig | undefined;
  /** Formats of `inject`, in order of preference of `extract`: jaeger, w3c, b3, b3-single. */
  propagation?: string | readonly string[] | undefined;
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

/** What differs between Node and browsers. */
export interface Platform {
  readonly timers: Timers;
  readonly random: RandomFill;
  readonly fetchText: FetchText;
  readonly processTags: () => Record<string, unknown>;
  readonly scopeManager: () => ScopeManager;
  /** Makes the sender a configuration asks for and keeps it flushed until the process ends. */
  readonly sender: (config: ReporterConfig, metrics: Metrics | null, logger: Logger) => Sender;
}

const CONTROL = { host: '0.0.0.0', port: 5778 };

type Codec = Injector & Extractor;
const CODECS: Readonly<Record<string, (options: TextCodecOptions) => Codec>> = {
  jaeger: (options) => new TextMapCodec(options),
  w3c: (options) => new W3CTraceContextCodec(options),
  b3: (options) => new ZipkinB3TextMapCodec(options),
  'b3-single': (options) => new B3SingleCodec(options),
};

/** One codec for a list of format names; throws on a name it does not know. */
export function codecFor(names: readonly string[], options: TextCodecOptions): Codec {
  const codecs = names.map((name) => {
    const make = CODECS[name.trim().toLowerCase()];
    if (make === undefined) {
      throw new Error(`Unknown propagation format ${name}: ${Object.keys(CODECS).join(', ')}`);
    }
    return make(options);
  });
  return codecs.length === 1 ? codecs[0]! : new CompositeCodec(codecs);
}

interface Parts {
  service: string;
  metrics: Metrics | null;
  logger: Logger;
  platform: Platform;
}

function remoteSampler(config: SamplerConfig, parts: Parts): RemoteSampler {
  const { timers, fetchText } = parts.platform;
  const base = baseUrlOf(config.hostPort, config.host, config.port, CONTROL);
  return new RemoteSampler(parts.service, {
    url: config.endpoint ?? base + (config.samplingPath || '/sampling'),
    timers,
    fetchText,
    sampler: new ProbabilisticSampler(config.param ?? 0.001),
    refreshInterval: config.refreshIntervalMs,
    maxOperations: config.maxOperations,
    metrics: parts.metrics,
    logger: parts.logger,
  });
}

function samplerFor(config: SamplerConfig, parts: Parts): Sampler {
  const type = config.type ?? 'remote';
  const param = config.param ?? (type === 'remote' ? 0.001 : undefined);
  if (typeof param !== 'number' || Number.isNaN(param)) {
    throw new Error(`Expecting sampler.param to be a number. Received ${param}`);
  }
  switch (type) {
    case 'const':
      return new ConstSampler(param !== 0);
    case 'probabilistic':
      return new ProbabilisticSampler(param);
    case 'ratelimiting':
      return new RateLimitingSampler(param);
    case 'remote':
      return remoteSampler({ ...config, param }, parts);
    default:
      throw new Error(`Unknown sampler type ${type}: const, probabilistic, ratelimiting, remote`);
  }
}

function reporterFor(config: ReporterConfig, parts: Parts, clock: AnchoredClock): Reporter {
  const remote = new RemoteReporter(parts.platform.sender(config, parts.metrics, parts.logger), {
    timers: parts.platform.timers,
    bufferFlushInterval: config.flushIntervalMs,
    clock,
  });
  return config.logSpans
    ? new CompositeReporter([new LoggingReporter(parts.logger), remote])
    : remote;
}

function throttlerFor(config: ThrottlerConfig, parts: Parts): Throttler {
  const { timers, fetchText } = parts.platform;
  const { metrics, logger } = parts;
  const baseUrl = baseUrlOf(undefined, config.host, config.port, CONTROL);
  const { refreshIntervalMs } = config;
  return new RemoteThrottler(parts.service, {
    baseUrl,
    refreshIntervalMs,
    timers,
    fetchText,
    metrics,
    logger,
  });
}

function metricsOf(given: MetricsFactory | Metrics | undefined): Metrics | null {
  if (given === undefined || given === null) return null;
  return given instanceof Metrics ? given : new Metrics(given);
}

function registerPropagation(tracer: Tracer, config: TracingConfig, options: TracingOptions): void {
  if (!config.propagation || config.propagation.length === 0) return;
  const { propagation } = config;
  const names = typeof propagation === 'string' ? propagation.split(',') : propagation;
  const { contextKey, baggagePrefix } = options;
  const shared = { contextKey, baggagePrefix, metrics: tracer.metrics };
  const text = codecFor(names, { ...shared, urlEncoding: false });
  const http = codecFor(names, { ...shared, urlEncoding: true });
  tracer.registerCodec(opentracing.FORMAT_TEXT_MAP, text);
  tracer.registerCodec(opentracing.FORMAT_HTTP_HEADERS, http);
}

/**
 * A tracer as `config` says, or OpenTracing's own that does nothing when tracing is disabled.
 * Throws on a configuration that cannot be meant: at start-up, never later.
 */
export function buildTracer(
  config: TracingConfig,
  options: TracingOptions,
  platform: Platform,
): Tracer | opentracing.Tracer {
  if (config.disable) return new opentracing.Tracer();
  if (!config.serviceName) throw new Error('config.serviceName must be provided');
  const logger = options.logger ?? NULL_LOGGER;
  const metrics = metricsOf(options.metrics);
  const parts: Parts = { service: config.serviceName, metrics, logger, platform };
  const clock = new AnchoredClock();
  const sampler = options.sampler ?? samplerFor(config.sampler ?? {}, parts);
  const reporter = options.reporter ?? reporterFor(config.reporter ?? {}, parts, clock);
  const throttler =
    options.throttler ?? (config.throttler && throttlerFor(config.throttler, parts));
  logger.info(`Initializing Spoor tracer with ${reporter} and ${sampler}`);
  const { tags, traceId128bit, shareRpcSpan, contextKey, baggagePrefix } = options;
  const tracer = new Tracer(config.serviceName, reporter, sampler, {
    tags,
    metrics: metrics ?? undefined,
    logger,
    contextKey,
    baggagePrefix,
    traceId128bit,
    shareRpcSpan,
    baggageRestrictionManager: options.baggageRestrictionManager,
    debugThrottler: throttler,
    clock,
    random: platform.random,
    scopeManager: options.scopeManager ?? platform.scopeManager(),
    processTags: platform.processTags(),
  });
  registerPropagation(tracer, config, options);
  return tracer;
}
