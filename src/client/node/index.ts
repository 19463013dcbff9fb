// The published entry for Node: jaeger-client's names, so that replacing the import is enough.
import * as opentracing from "opentracing";
import "./jaeger-names.ts";
import { buildTracer } from "../configuration.ts";
import { PrioritySampler, TagEqualsSampler } from "../samplers-experimental.ts";
import { Metrics } from "../metrics.ts";
import { RemoteSampler as CoreRemoteSampler } from "../sampler-remote.ts";
import { baseUrlOf } from "../control.ts";
import { readEnvironment } from "./configuration-env.ts";
import { fetchText } from "./fetch-text.ts";
import { nodePlatform } from "./platform.ts";
import type { TracingConfig, TracingOptions } from "../configuration.ts";
import type { Environment } from "./configuration-env.ts";
import type { LegacySampler, Logger, MetricsFactory, Sampler } from "../types.ts";
import type { Tracer } from "../tracer.ts";

/**
 * A tracer from jaeger-client's configuration object. With `disable` it is OpenTracing's own, which
 * does nothing, and so do the instrumentations that are given it.
 */
export function initTracer(config: TracingConfig, options: TracingOptions = {}): Tracer {
  return buildTracer(config, options, nodePlatform);
}

/** The same with JAEGER_* environment variables below what the caller gives. */
export function initTracerFromEnv(
  config: TracingConfig = {},
  options: TracingOptions = {},
  env: Environment = process.env,
): Tracer {
  const warn = (message: string): void => {
    if (options.logger) options.logger.error(message);
    else console.warn(message);
  };
  const read = readEnvironment(config, options, env, warn);
  return initTracer(read.config, read.options);
}

export interface RemoteSamplerNodeOptions {
  sampler?: Sampler | LegacySampler;
  hostPort?: string;
  host?: string;
  port?: number;
  samplingPath?: string;
  refreshInterval?: number;
  maxOperations?: number;
  metrics?: MetricsFactory | Metrics;
  logger?: Logger;
  onSamplerUpdate?: (sampler: Sampler) => void;
}

/** jaeger-client's constructor: host and port of an agent instead of a URL. */
export class RemoteSampler extends CoreRemoteSampler {
  constructor(serviceName: string, options: RemoteSamplerNodeOptions = {}) {
    const { hostPort, host, port, samplingPath, metrics, ...rest } = options;
    const base = baseUrlOf(hostPort, host, port, { host: "0.0.0.0", port: 5778 });
    super(serviceName, {
      ...rest,
      metrics: metrics === undefined || metrics instanceof Metrics ? metrics : new Metrics(metrics),
      url: base + (samplingPath ?? "/sampling"),
      timers: nodePlatform.timers,
      fetchText,
    });
  }
}

/** jaeger-client's namespace of its two initialisers. */
export const Configuration = { initTracer, initTracerFromEnv };
export const experimental = { PrioritySampler, TagEqualsSampler };
export { fetchText, opentracing };

export { Tracer } from "../tracer.ts";
export { Span } from "../span.ts";
export { SpanContext } from "../span-context.ts";
export { ConstSampler, ProbabilisticSampler } from "../samplers.ts";
export { RateLimitingSampler } from "../sampler-rate-limiting.ts";
export { GuaranteedThroughputSampler } from "../sampler-guaranteed.ts";
export { PerOperationSampler } from "../sampler-per-operation.ts";
export {
  CompositeReporter,
  InMemoryReporter,
  LoggingReporter,
  NoopReporter,
} from "../reporters.ts";
export { RemoteReporter } from "../remote-reporter.ts";
export { HTTPSender, UDPSender } from "./senders.ts";
export { TextMapCodec } from "../codec-text-map.ts";
export { B3SingleCodec, ZipkinB3TextMapCodec } from "../codec-b3.ts";
export { W3CTraceContextCodec } from "../codec-w3c.ts";
export { CompositeCodec } from "../codec-composite.ts";
export { BinaryCodec } from "../codec-binary.ts";
export { DefaultThrottler } from "../throttler.ts";
export { RemoteThrottler } from "../throttler-remote.ts";
export { FixedBaggageRestrictions } from "../baggage.ts";
export { RemoteBaggageRestrictions } from "../baggage-remote.ts";
export { ConsoleLogger } from "../logger.ts";
export { Metrics } from "../metrics.ts";
export { PrometheusMetricsFactory } from "../metrics-prometheus.ts";
export { TestUtils } from "../span-inspection.ts";
export { AsyncScopeManager } from "./scope-async.ts";
export { systemTimers } from "../clock.ts";
export { VERSION } from "../version.ts";
// The names that programs with types know from @types/jaeger-client.
export type { Tracer as JaegerTracer } from "../tracer.ts";
export type {
  TextCodecOptions as TextMapCodecOptions,
  TextCodecOptions as ZipkinB3TextMapCodecOptions,
} from "../codec-text-map.ts";
export type {
  ReporterConfig,
  SamplerConfig,
  ThrottlerConfig,
  TracingConfig,
  TracingOptions,
} from "../configuration.ts";
export type {
  Counter,
  Extractor,
  Gauge,
  Injector,
  LegacySampler,
  Logger,
  MetricsFactory,
  Reporter,
  Sampler,
  SamplingDecision,
  ScopeManager,
  Throttler,
} from "../types.ts";
