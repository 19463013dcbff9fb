// Samplers and throttlers, with servers and clocks handed in.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RemoteBaggageRestrictions } from "./baggage-remote.ts";
import { FakeTimers } from "./fake-timers.ts";
import { NULL_LOGGER } from "./logger.ts";
import { Metrics } from "./metrics.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { InMemoryReporter } from "./reporters.ts";
import { GuaranteedThroughputSampler } from "./sampler-guaranteed.ts";
import { PerOperationSampler } from "./sampler-per-operation.ts";
import { RemoteSampler } from "./sampler-remote.ts";
import { RateLimitingSampler } from "./sampler-rate-limiting.ts";
import { ConstSampler, ProbabilisticSampler } from "./samplers.ts";
import { RemoteThrottler } from "./throttler-remote.ts";
import "./node/jaeger-names.ts";
import { Tracer } from "./tracer.ts";
import type { FetchText } from "./control.ts";
import type { Span } from "./span.ts";
import type { Sampler } from "./types.ts";

function tracerWith(sampler: Sampler): Tracer {
  return new Tracer("svc", new InMemoryReporter(), sampler);
}

function samplerTags(span: Span): unknown[] {
  return span._tags.map(({ value }) => value);
}

/** A server that answers with whatever is put into `body`, or fails without. */
function server(): { urls: string[]; answer: { body: string | null }; fetchText: FetchText } {
  const urls: string[] = [];
  const answer: { body: string | null } = { body: null };
  const fetchText: FetchText = (url, done) => {
    urls.push(url);
    if (answer.body === null) done(new Error("unreachable"), "");
    else done(null, answer.body);
  };
  return { urls, answer, fetchText };
}

function counting(): { metrics: Metrics; sums: Record<string, number> } {
  const sums: Record<string, number> = {};
  const createCounter = (name: string, labels: Record<string, string> = {}) => {
    const key = [name.replace("jaeger:", ""), ...Object.values(labels)].join(" ");
    return { increment: (by: number) => void (sums[key] = (sums[key] ?? 0) + by) };
  };
  return { metrics: new Metrics({ createCounter, createGauge: () => ({ update() {} }) }), sums };
}

describe("the probabilistic sampler", () => {
  it("decides by the lower 63 bits of the trace id, as Go and Java do", () => {
    const half = new ProbabilisticSampler(0.5);
    assert.equal(half.takes(0x3fffffff, -1), true);
    assert.equal(half.takes(0x40000000, 0), false);
    assert.equal(half.takes(0x3fffffff | 0x80000000, -1), true);
    assert.equal(new ProbabilisticSampler(0).takes(0, 0), false);
    assert.equal(new ProbabilisticSampler(1).takes(0x7fffffff, -1), true);
    const tiny = new ProbabilisticSampler(2 ** -40);
    assert.equal(tiny.takes(0, 2 ** 23 - 1), true);
    assert.equal(tiny.takes(0, 2 ** 23), false);
  });

  it("takes about its share and tags root spans", () => {
    const tracer = tracerWith(new ProbabilisticSampler(0.25));
    let sampled = 0;
    for (let i = 0; i < 10_000; i++) {
      const span = tracer.startSpan("op");
      if (!span.context().isSampled()) continue;
      sampled++;
      assert.deepEqual(samplerTags(span), ["probabilistic", 0.25]);
      assert.deepEqual(samplerTags(tracer.startSpan("c", { childOf: span })), []);
    }
    // Seven standard deviations of a binomial with n = 10,000 and p = 1/4: one run in 4e11.
    assert.ok(Math.abs(sampled - 2_500) < 303, String(sampled));
  });

  it("refuses rates that are none", () => {
    for (const rate of [-0.1, 1.1, Number.NaN]) {
      assert.throws(() => new ProbabilisticSampler(rate), /sampling rate/);
    }
  });
});

describe("rate limits", () => {
  it("spend credits and gain them with time up to a maximum", () => {
    let nowMs = 0;
    const limiter = new RateLimiter(2, 2, 2, () => nowMs);
    assert.deepEqual(
      [1, 2, 3].map(() => limiter.checkCredit(1)),
      [true, true, false],
    );
    nowMs = 250;
    assert.equal(limiter.checkCredit(1), false);
    nowMs = 500;
    assert.equal(limiter.checkCredit(1), true);
    nowMs = 60_000;
    assert.deepEqual(
      [1, 2, 3].map(() => limiter.checkCredit(1)),
      [true, true, false],
    );
    limiter.update(4, 4);
    nowMs -= 10_000;
    assert.equal(limiter.checkCredit(1), false);
  });

  it("below one trace a second let one through now and then", () => {
    let nowMs = 0;
    const tracer = tracerWith(new RateLimitingSampler(0.1, 1, () => nowMs));
    const sampled = (): boolean => tracer.startSpan("op").context().isSampled();
    assert.deepEqual([sampled(), sampled()], [true, false]);
    nowMs = 10_000;
    const span = tracer.startSpan("op");
    assert.deepEqual(samplerTags(span), ["ratelimiting", 0.1]);
  });

  it("guarantee a lower bound to what the share leaves out", () => {
    let nowMs = 0;
    const tracer = tracerWith(new GuaranteedThroughputSampler(1, 0, 1, () => nowMs));
    assert.deepEqual(samplerTags(tracer.startSpan("op")), ["lowerbound", 0]);
    assert.equal(tracer.startSpan("op").context().isSampled(), false);
    nowMs = 1_000;
    assert.equal(tracer.startSpan("op").context().isSampled(), true);
  });
});

const STRATEGIES = {
  defaultSamplingProbability: 0,
  defaultLowerBoundTracesPerSecond: 0,
  perOperationStrategies: [{ operation: "kept", probabilisticSampling: { samplingRate: 1 } }],
};

describe("the per-operation sampler", () => {
  it("goes by the name, also by one that is given late", () => {
    const tracer = tracerWith(new PerOperationSampler(STRATEGIES));
    assert.equal(tracer.startSpan("kept").context().isSampled(), true);
    const span = tracer.startSpan("GET");
    assert.equal(span.context().isSampled(), false);
    span.setTag("early", 1);
    span.setOperationName("kept");
    assert.deepEqual(samplerTags(span), [1, "probabilistic", 1]);
    assert.equal(span.context().samplingFinalized, true);
  });

  it("keeps no more operations than its maximum", () => {
    const sampler = new PerOperationSampler({ ...STRATEGIES, defaultSamplingProbability: 1 }, 2);
    const tracer = tracerWith(sampler);
    for (let i = 0; i < 100; i++) {
      assert.equal(tracer.startSpan(`op ${i}`).context().isSampled(), true);
    }
    assert.match(String(sampler), /maxOperations=2/);
  });
});

describe("the remote sampler", () => {
  it("takes both JSON forms and every kind of strategy", () => {
    const timers = new FakeTimers();
    const { answer, urls, fetchText } = server();
    const { metrics, sums } = counting();
    const url = "http://agent:5778/sampling";
    const sampler = new RemoteSampler("a b", {
      url,
      timers,
      fetchText,
      metrics,
      random: () => 0.5,
    });
    assert.ok(sampler.sampler instanceof ProbabilisticSampler);
    assert.equal(sampler.sampler.samplingRate, 0.001);
    answer.body = '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}';
    timers.advance(30_000);
    assert.deepEqual(urls, [`${url}?service=a%20b`]);
    assert.equal((sampler.sampler as ProbabilisticSampler).samplingRate, 0.5);
    answer.body = '{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":42}}';
    timers.advance(60_000);
    assert.match(String(sampler.sampler), /maxTracesPerSecond=42/);
    answer.body = '{"strategyType":0,"probabilisticSampling":{"samplingRate":1}}';
    timers.advance(60_000);
    assert.ok(sampler.sampler instanceof ProbabilisticSampler);
    answer.body = JSON.stringify({
      strategyType: "PROBABILISTIC",
      probabilisticSampling: { samplingRate: 1 },
      operationSampling: STRATEGIES,
    });
    timers.advance(60_000);
    const before = sampler.sampler;
    timers.advance(60_000);
    assert.equal(sampler.sampler, before);
    assert.ok(before instanceof PerOperationSampler);
    assert.equal(sums["sampler_queries ok"], 5);
    assert.equal(sums["sampler_updates ok"], 4);
    sampler.close();
    assert.equal(timers.pending, 0);
  });

  it("keeps its sampler when the server fails or talks nonsense", () => {
    const { answer, fetchText } = server();
    const { metrics, sums } = counting();
    const options = { url: "http://a", timers: new FakeTimers(), fetchText, metrics };
    const sampler = new RemoteSampler("svc", { ...options, sampler: new ConstSampler(true) });
    sampler.refresh();
    for (const body of [
      "",
      "{",
      "null",
      "{}",
      '{"strategyType":"RATE_LIMITING"}',
      "[]",
      '{"strategyType":0,"probabilisticSampling":{"samplingRate":7}}',
      '{"operationSampling":{"perOperationStrategies":[{}]}}',
    ]) {
      answer.body = body;
      sampler.refresh();
    }
    assert.equal(tracerWith(sampler).startSpan("op").context().isSampled(), true);
    assert.equal(sums["sampler_queries err"], 1);
    assert.equal(sums["sampler_updates err"], 8);
  });
});

describe("the remote throttler", () => {
  it("spends the credits of an operation", () => {
    const { answer, urls, fetchText } = server();
    const { metrics, sums } = counting();
    const timers = new FakeTimers();
    const options = { baseUrl: "http://a:5778", timers, fetchText, metrics, logger: NULL_LOGGER };
    const throttler = new RemoteThrottler("svc", options);
    throttler.setProcess({ serviceName: "svc", tags: [], uuid: "u-1" });
    answer.body = '{"balances":[{"operation":"op","balance":2}]}';
    assert.equal(throttler.isAllowed("op"), false);
    assert.equal(urls[0], "http://a:5778/credits?service=svc&uuid=u-1&operations=op");
    assert.deepEqual(
      [1, 2, 3].map(() => throttler.isAllowed("op")),
      [true, true, false],
    );
    timers.advance(5_000);
    assert.equal(throttler.isAllowed("op"), true);
    assert.equal(sums["throttled_debug_spans"], 2);
    answer.body = "nonsense";
    timers.advance(5_000);
    assert.equal(sums["throttler_updates err"], 1);
    throttler.close();
    assert.equal(timers.pending, 0);
  });
});

describe("remote baggage restrictions", () => {
  it("allow the keys they name, and before the first answer what was chosen", () => {
    const { answer, fetchText } = server();
    const timers = new FakeTimers();
    const options = { baseUrl: "http://a", timers, fetchText };
    const open = new RemoteBaggageRestrictions("svc", options);
    const denyBaggageOnInitializationFailure = true;
    const shut = new RemoteBaggageRestrictions("svc", {
      ...options,
      denyBaggageOnInitializationFailure,
    });
    timers.advance(0);
    assert.equal(open.getRestriction("svc", "k").keyAllowed, true);
    assert.equal(shut.getRestriction("svc", "k").keyAllowed, false);
    answer.body = '[{"baggageKey":"k","maxValueLength":10}]';
    timers.advance(60_000);
    assert.deepEqual(shut.getRestriction("svc", "k"), { keyAllowed: true, maxValueLength: 10 });
    assert.equal(open.getRestriction("svc", "other").keyAllowed, false);
    open.close();
    shut.close();
  });
});
