// The client's counters, with jaeger-client's names, made by whatever factory the application has.
import type { Counter, Gauge, MetricsFactory } from "./types.ts";

export class Metrics {
  readonly tracesStartedSampled: Counter;
  readonly tracesStartedNotSampled: Counter;
  readonly tracesJoinedSampled: Counter;
  readonly tracesJoinedNotSampled: Counter;
  readonly spansFinished: Counter;
  readonly spansStartedSampled: Counter;
  readonly spansStartedNotSampled: Counter;
  readonly decodingErrors: Counter;
  readonly reporterSuccess: Counter;
  readonly reporterFailure: Counter;
  readonly reporterDropped: Counter;
  readonly reporterQueueLength: Gauge;
  readonly samplerRetrieved: Counter;
  readonly samplerQueryFailure: Counter;
  readonly samplerUpdated: Counter;
  readonly samplerUpdateFailure: Counter;
  readonly baggageUpdateSuccess: Counter;
  readonly baggageUpdateFailure: Counter;
  readonly baggageTruncate: Counter;
  readonly baggageRestrictionsUpdateSuccess: Counter;
  readonly baggageRestrictionsUpdateFailure: Counter;
  readonly throttledDebugSpans: Counter;
  readonly throttlerUpdateSuccess: Counter;
  readonly throttlerUpdateFailure: Counter;

  constructor(factory: MetricsFactory) {
    const counter = (name: string, labels?: Record<string, string>): Counter =>
      factory.createCounter(`jaeger:${name}`, labels);
    const result = (name: string, value: string): Counter => counter(name, { result: value });
    this.tracesStartedSampled = counter("traces", { state: "started", sampled: "y" });
    this.tracesStartedNotSampled = counter("traces", { state: "started", sampled: "n" });
    this.tracesJoinedSampled = counter("traces", { state: "joined", sampled: "y" });
    this.tracesJoinedNotSampled = counter("traces", { state: "joined", sampled: "n" });
    this.spansFinished = counter("finished_spans");
    this.spansStartedSampled = counter("started_spans", { sampled: "y" });
    this.spansStartedNotSampled = counter("started_spans", { sampled: "n" });
    this.decodingErrors = counter("span_context_decoding_errors");
    this.reporterSuccess = result("reporter_spans", "ok");
    this.reporterFailure = result("reporter_spans", "err");
    this.reporterDropped = result("reporter_spans", "dropped");
    this.reporterQueueLength = factory.createGauge("jaeger:reporter_queue_length");
    this.samplerRetrieved = result("sampler_queries", "ok");
    this.samplerQueryFailure = result("sampler_queries", "err");
    this.samplerUpdated = result("sampler_updates", "ok");
    this.samplerUpdateFailure = result("sampler_updates", "err");
    this.baggageUpdateSuccess = result("baggage_updates", "ok");
    this.baggageUpdateFailure = result("baggage_updates", "err");
    this.baggageTruncate = counter("baggage_truncations");
    this.baggageRestrictionsUpdateSuccess = result("baggage_restrictions_updates", "ok");
    this.baggageRestrictionsUpdateFailure = result("baggage_restrictions_updates", "err");
    this.throttledDebugSpans = counter("throttled_debug_spans");
    this.throttlerUpdateSuccess = result("throttler_updates", "ok");
    this.throttlerUpdateFailure = result("throttler_updates", "err");
  }
}
