// Node's part of the client: senders, process tags, and the last flush of a process.
import { randomFillSync } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { RemoteBaggageRestrictions } from "../baggage-remote.ts";
import { systemTimers } from "../clock.ts";
import { B3SingleCodec, ZipkinB3TextMapCodec } from "../codec-b3.ts";
import { BinaryCodec } from "../codec-binary.ts";
import { TextMapCodec } from "../codec-text-map.ts";
import { W3CTraceContextCodec } from "../codec-w3c.ts";
import { baseUrlOf } from "../control.ts";
import { HTTP_BATCH_BYTES, UDP_PACKET_BYTES } from "../limits.ts";
import { Metrics } from "../metrics.ts";
import { OtlpFormat } from "../otlp-format.ts";
import { CompositeReporter, LoggingReporter } from "../reporters.ts";
import { RateLimitingSampler } from "../sampler-rate-limiting.ts";
import { RemoteSampler } from "../sampler-remote.ts";
import { ProbabilisticSampler } from "../samplers.ts";
import { RemoteThrottler } from "../throttler-remote.ts";
import { ThriftFormat } from "../thrift-format.ts";
import { Span } from "../span.ts";
import { SpanQueue } from "../span-queue.ts";
import { DEFAULT_TAG_OPTIONS } from "../tag-options.ts";
import { VERSION } from "../version.ts";
import { disabledTracer } from "./disabled.ts";
import { fetchText } from "./fetch-text.ts";
import { HttpTransport } from "./http-transport.ts";
import { RpcMetrics, measuredSpan } from "./rpc-metrics.ts";
import { AsyncScopeManager } from "./scope-async.ts";
import { UdpTransport } from "./udp-transport.ts";
import type {
  BaggageRestrictionsConfig,
  Parts,
  Platform,
  ReporterConfig,
  SamplerConfig,
  ThrottlerConfig,
} from "../configuration.ts";
import type { SpanFormat } from "../span-format.ts";
import type { SpanQueueOptions } from "../span-queue.ts";
import type { Logger, MetricsFactory } from "../types.ts";

const CONTROL = { host: "0.0.0.0", port: 5778 };
const INITIAL_RATE = 0.001;
const BINARY_PORT = 6832;
const COMPACT_PORT = 6831;

/** The first address that others can reach; `0.0.0.0` without any. */
function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const each of addresses ?? []) {
      if (each.family === "IPv4" && !each.internal) return each.address;
    }
  }
  return "0.0.0.0";
}

function processTags(): Record<string, unknown> {
  return { "jaeger.version": `Node-spoor-${VERSION}`, hostname: hostname(), ip: ownAddress() };
}

/** Senders that are flushed when the process ends. */
const open = new Set<SpanQueue>();

function flushAll(): void {
  for (const queue of open) if (queue.queuedBytes > 0) queue.flush();
}

/**
 * `exit` is too late for HTTP but not for UDP, whose packets the kernel takes at once; `beforeExit`
 * comes when nothing else is left to do, so that a pending HTTP request is still awaited.
 */
export function keepFlushed(queue: SpanQueue): SpanQueue {
  if (open.size === 0) {
    process.on("exit", flushAll);
    process.on("beforeExit", flushAll);
  }
  open.add(queue);
  return queue;
}

function forget(queue: SpanQueue): void {
  if (!open.delete(queue) || open.size > 0) return;
  process.off("exit", flushAll);
  process.off("beforeExit", flushAll);
}

function tagOptions(config: ReporterConfig): typeof DEFAULT_TAG_OPTIONS {
  return {
    maxTagValueLength: config.maxTagValueLength || DEFAULT_TAG_OPTIONS.maxTagValueLength,
    numbersAsDouble: config.numbersAsDouble === true,
  };
}

function httpOptions(config: ReporterConfig): SpanQueueOptions {
  const endpoint = config.collectorEndpoint!;
  const isOtlp = new URL(endpoint).pathname.endsWith("/v1/traces");
  const options = tagOptions(config);
  const format: SpanFormat = isOtlp
    ? new OtlpFormat(options)
    : new ThriftFormat("binary", false, options);
  const { username, password, authToken, headers, timeoutMs } = config;
  const { contentType } = format;
  const transport = new HttpTransport({
    endpoint,
    contentType,
    username,
    password,
    authToken,
    headers,
    timeoutMs,
  });
  return {
    format,
    transport,
    timers: systemTimers,
    maxBatchBytes: HTTP_BATCH_BYTES,
    maxQueueBytes: config.maxQueueBytes,
    onClose: forget,
  };
}

function udpOptions(config: ReporterConfig): SpanQueueOptions {
  const protocol = config.agentProtocol || "binary";
  if (protocol !== "binary" && protocol !== "compact") {
    throw new Error(`Unknown agent protocol ${protocol}: binary, compact`);
  }
  const socketType = config.agentSocketType || "udp4";
  if (socketType !== "udp4" && socketType !== "udp6") {
    throw new Error(`Unknown socket type ${socketType}: udp4, udp6`);
  }
  const port = config.agentPort || (protocol === "compact" ? COMPACT_PORT : BINARY_PORT);
  return {
    format: new ThriftFormat(protocol, true, tagOptions(config)),
    transport: new UdpTransport({
      host: config.agentHost || "localhost",
      port,
      socketType,
      resolveIntervalMs: config.agentReconnectIntervalMs,
    }),
    timers: systemTimers,
    maxBatchBytes: UDP_PACKET_BYTES,
    maxQueueBytes: config.maxQueueBytes,
    onClose: forget,
  };
}

/** How the queue of a reporter's configuration is made: an endpoint goes before an agent. */
export function queueOptionsFor(config: ReporterConfig): SpanQueueOptions {
  return config.collectorEndpoint ? httpOptions(config) : udpOptions(config);
}

function senderFor(config: ReporterConfig, metrics: Metrics | null, logger: Logger): SpanQueue {
  return keepFlushed(new SpanQueue({ ...queueOptionsFor(config), metrics, logger }));
}

function remoteSampler(config: SamplerConfig, { service, metrics, logger }: Parts): RemoteSampler {
  const base = baseUrlOf(config.hostPort, config.host, config.port, CONTROL);
  return new RemoteSampler(service, {
    url: config.endpoint ?? base + (config.samplingPath || "/sampling"),
    timers: systemTimers,
    fetchText,
    sampler: new ProbabilisticSampler(config.param ?? INITIAL_RATE),
    refreshInterval: config.refreshIntervalMs,
    maxOperations: config.maxOperations,
    metrics,
    logger,
  });
}

function throttler(config: ThrottlerConfig, { service, metrics, logger }: Parts): RemoteThrottler {
  const baseUrl = baseUrlOf(undefined, config.host, config.port, CONTROL);
  const { refreshIntervalMs } = config;
  const timers = systemTimers;
  return new RemoteThrottler(service, {
    baseUrl,
    refreshIntervalMs,
    timers,
    fetchText,
    metrics,
    logger,
  });
}

function restrictions(
  config: BaggageRestrictionsConfig,
  { service, metrics, logger }: Parts,
): RemoteBaggageRestrictions {
  const { hostPort, ...rest } = config;
  const baseUrl = baseUrlOf(hostPort, undefined, undefined, CONTROL);
  const asking = { baseUrl, timers: systemTimers, fetchText, metrics, logger };
  return new RemoteBaggageRestrictions(service, { ...rest, ...asking });
}

/** jaeger-client wraps a factory in place; some applications therefore hand in what it made. */
function metricsOf(given: MetricsFactory | Metrics | undefined): Metrics | null {
  if (!given) return null;
  return given instanceof Metrics ? given : new Metrics(given);
}

export const nodePlatform: Platform = {
  disabled: disabledTracer,
  timers: systemTimers,
  random: (into) => {
    randomFillSync(into);
  },
  codecs: {
    jaeger: (options) => new TextMapCodec(options),
    w3c: (options) => new W3CTraceContextCodec(options),
    b3: (options) => new ZipkinB3TextMapCodec(options),
    "b3-single": (options) => new B3SingleCodec(options),
  },
  binary: (metrics) => new BinaryCodec(metrics),
  sampler(type, config, parts) {
    if (type === "ratelimiting") return new RateLimitingSampler(config.param!);
    return type === "remote" ? remoteSampler(config, parts) : null;
  },
  logged: (reporter, logger) => new CompositeReporter([new LoggingReporter(logger), reporter]),
  throttler,
  restrictions,
  metrics: metricsOf,
  // jaeger-client's own wrapper of a factory no longer knows how counters are made.
  measured: (given) => (given instanceof Metrics ? Span : measuredSpan(new RpcMetrics(given))),
  processTags,
  scopeManager: () => new AsyncScopeManager(),
  sender: senderFor,
};
