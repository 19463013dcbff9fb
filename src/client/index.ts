// The published entry for browsers: the same tracer, reporting OTLP over HTTP only.
import { buildTracer } from "./configuration.ts";
import { systemTimers } from "./clock.ts";
import { TextMapCodec } from "./codec-text-map.ts";
import { W3CTraceContextCodec } from "./codec-w3c.ts";
import { FetchTransport } from "./fetch-transport.ts";
import { DISABLED } from "./is-disabled.ts";
import { PAGE_BATCH_BYTES } from "./limits.ts";
import { OtlpFormat } from "./otlp-format.ts";
import { flushWhenHidden } from "./page.ts";
import { StackScopeManager } from "./scope.ts";
import { SpanQueue } from "./span-queue.ts";
import { DEFAULT_TAG_OPTIONS } from "./tag-options.ts";
import { Tracer } from "./tracer.ts";
import { VERSION } from "./version.ts";
import type { Platform, ReporterConfig, TracingConfig, TracingOptions } from "./configuration.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./types.ts";

function senderFor(config: ReporterConfig, metrics: Metrics | null, logger: Logger): SpanQueue {
  const endpoint = config.collectorEndpoint;
  if (!endpoint) throw new Error("A page needs reporter.collectorEndpoint");
  const options = {
    maxTagValueLength: config.maxTagValueLength || DEFAULT_TAG_OPTIONS.maxTagValueLength,
    numbersAsDouble: config.numbersAsDouble === true,
  };
  const format = new OtlpFormat(options);
  const { contentType } = format;
  const queue = new SpanQueue({
    format,
    transport: new FetchTransport({ ...config, endpoint, contentType }),
    timers: systemTimers,
    maxBatchBytes: PAGE_BATCH_BYTES,
    maxQueueBytes: config.maxQueueBytes,
    metrics,
    logger,
  });
  flushWhenHidden(queue);
  return queue;
}

/** Carries nothing on: servers would take its ids for those of a trace that is not sampled. */
class DisabledTracer extends Tracer {
  readonly [DISABLED] = true;

  override inject(): void {}
}

const browserPlatform: Platform = {
  disabled: () => new DisabledTracer(""),
  timers: systemTimers,
  codecs: {
    jaeger: (options) => new TextMapCodec(options),
    w3c: (options) => new W3CTraceContextCodec(options),
  },
  processTags: () => ({ "jaeger.version": `Browser-spoor-${VERSION}` }),
  scopeManager: () => new StackScopeManager(),
  sender: senderFor,
};

/** A tracer from the same configuration object as on Node; `collectorEndpoint` is required. */
export function initTracer(config: TracingConfig, options: TracingOptions = {}): Tracer {
  return buildTracer(config, options, browserPlatform);
}

export { Tracer } from "./tracer.ts";
export { Span } from "./span.ts";
export { SpanContext } from "./span-context.ts";
export { ConstSampler, ProbabilisticSampler } from "./samplers.ts";
export { RateLimitingSampler } from "./sampler-rate-limiting.ts";
export { CompositeReporter, InMemoryReporter, LoggingReporter, NoopReporter } from "./reporters.ts";
export { HTTPSender } from "./fetch-sender.ts";
export { RemoteReporter } from "./remote-reporter.ts";
export { W3CTraceContextCodec } from "./codec-w3c.ts";
export { TextMapCodec } from "./codec-text-map.ts";
export { VERSION } from "./version.ts";
export type { TracingConfig, TracingOptions } from "./configuration.ts";
