// Spans as applications see them: tags, logs, baggage, references, late sampling, limits.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as opentracing from "opentracing";
import { LOGS_PER_SPAN, TAGS_PER_SPAN } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { InMemoryReporter } from "./reporters.ts";
import { PrioritySampler, TagEqualsSampler } from "./samplers-experimental.ts";
import { ConstSampler, ProbabilisticSampler } from "./samplers.ts";
import { SpanContext } from "./span-context.ts";
import { TestUtils } from "./span-inspection.ts";
import { DefaultThrottler } from "./throttler.ts";
import "./node/jaeger-names.ts";
import { Tracer } from "./tracer.ts";
import type { Sampler } from "./types.ts";
import type { TracerOptions } from "./tracer.ts";

function setUp(
  sampler: Sampler = new ConstSampler(true),
  options: TracerOptions = {},
): { tracer: Tracer; reporter: InMemoryReporter } {
  const reporter = new InMemoryReporter();
  return { tracer: new Tracer("svc", reporter, sampler, options), reporter };
}

/** A metrics factory that remembers sums by name and labels. */
function counting(): { metrics: Metrics; sums: Map<string, number> } {
  const sums = new Map<string, number>();
  const createCounter = (name: string, labels: Record<string, string> = {}) => {
    const key = [name, ...Object.values(labels)].join(" ");
    return { increment: (by: number) => void sums.set(key, (sums.get(key) ?? 0) + by) };
  };
  return { metrics: new Metrics({ createCounter, createGauge: () => ({ update() {} }) }), sums };
}

describe("a span", () => {
  it("is an OpenTracing span with an OpenTracing context and tracer", () => {
    const { tracer } = setUp();
    const span = tracer.startSpan("op");
    assert.ok(span instanceof opentracing.Span);
    assert.ok(span.context() instanceof opentracing.SpanContext);
    assert.ok(span.tracer() instanceof opentracing.Tracer);
    assert.equal(span.serviceName, "svc");
    assert.equal(span.operationName, "op");
    span.setOperationName("better");
    assert.equal(span.operationName, "better");
  });

  it("has 128-bit trace ids whose lower half is the root span id", () => {
    const { tracer } = setUp();
    const context = tracer.startSpan("op").context();
    assert.match(context.traceIdHex, /^[0-9a-f]{32}$/);
    assert.equal(context.traceIdHex.slice(16), context.spanIdHex);
    assert.equal(context.traceId.length, 16);
    assert.equal(Buffer.from(context.spanId).toString("hex"), context.spanIdHex);
    assert.equal(context.parentId, null);
  });

  it("has 64-bit trace ids when asked to", () => {
    const { tracer } = setUp(undefined, { traceId128bit: false });
    const context = tracer.startSpan("op").context();
    assert.equal(context.traceId.length, 8);
    assert.equal(context.toTraceId(), context.toSpanId());
  });

  it("keeps tags in order with duplicates, and reports once", () => {
    const errors: string[] = [];
    const logger = { info() {}, error: (message: string) => void errors.push(message) };
    const { tracer, reporter } = setUp(undefined, { logger });
    const span = tracer.startSpan("op", { tags: { a: 1 } });
    span.setTag("b", "x").addTags({ c: true, a: 2 });
    span.finish();
    span.finish();
    assert.equal(reporter.spans.length, 1);
    assert.equal(errors.length, 1);
    const keys = span._tags.map(({ key }) => key);
    assert.deepEqual(keys, ["sampler.type", "sampler.param", "a", "b", "c", "a"]);
    assert.ok(TestUtils.hasTags(span, { a: 2, b: "x", c: true }));
    assert.deepEqual(TestUtils.getTags(span, ["b"]), { b: "x" });
  });

  it("has a duration to the microsecond, never negative", () => {
    const { tracer } = setUp();
    const span = tracer.startSpan("op", { startTime: 1_000 });
    span.finish(1_002.125);
    assert.equal(span._duration, 2.125);
    const backwards = tracer.startSpan("op", { startTime: 1_000 });
    backwards.finish(900);
    assert.equal(backwards._duration, 0);
  });

  it("keeps nothing when it is not sampled, and no context until asked", () => {
    const { tracer, reporter } = setUp(new ConstSampler(false));
    const span = tracer.startSpan("op", { tags: { a: 1 } });
    span.setTag("b", 2).log({ event: "x" });
    span.finish();
    assert.equal(span.lazyContext, null);
    assert.equal(span.recording, null);
    assert.equal(reporter.spans.length, 0);
    assert.equal(span.context().isSampled(), false);
    assert.ok(span.context().isValid);
    assert.equal(span.context(), span.context());
    assert.equal(tracer.startSpan("child", { childOf: span }).context().isSampled(), false);
  });

  it("bounds its tags", () => {
    const { tracer } = setUp();
    const span = tracer.startSpan("op");
    for (let i = 0; i < TAGS_PER_SPAN * 2; i++) span.setTag(`key ${i}`, i);
    assert.equal(span._tags.length, TAGS_PER_SPAN);
  });

  it("keeps the first and the newest logs and says how many it dropped", () => {
    const { tracer } = setUp();
    const span = tracer.startSpan("op");
    const count = LOGS_PER_SPAN + 100;
    for (let i = 0; i < count; i++) span.log({ i }, 1_000 + i);
    const logs = span._logs;
    const numbers = logs.map(({ fields }) => fields[0]!.value);
    const half = LOGS_PER_SPAN / 2;
    assert.equal(logs.length, LOGS_PER_SPAN + 1);
    assert.deepEqual(
      numbers.slice(0, half),
      Array.from({ length: half }, (_, i) => i),
    );
    assert.equal(numbers[half], "dropped Span logs");
    assert.equal(logs[half]!.fields[1]!.value, 100);
    const newest = Array.from({ length: half }, (_, i) => count - half + i);
    assert.deepEqual(numbers.slice(half + 1), newest);
  });
});

describe("references", () => {
  it("prefer child_of as the parent, wherever it stands", () => {
    const { tracer } = setUp();
    const [first, second] = [tracer.startSpan("a"), tracer.startSpan("b")];
    const references = [opentracing.followsFrom(first), opentracing.childOf(second)];
    const span = tracer.startSpan("op", { references });
    assert.equal(span.context().parentIdHex, second.context().spanIdHex);
    assert.equal(span.context().traceIdHex, second.context().traceIdHex);
    assert.equal(span._references.length, 2);
  });

  it("continue the trace of a follows_from alone, and ignore foreign contexts", () => {
    const { tracer } = setUp();
    const before = tracer.startSpan("a");
    const span = tracer.startSpan("op", { references: [opentracing.followsFrom(before)] });
    assert.equal(span.context().traceIdHex, before.context().traceIdHex);
    const foreign = new opentracing.MockTracer().startSpan("x");
    const root = tracer.startSpan("op", { childOf: foreign.context() });
    assert.equal(root.context().parentIdHex, "");
  });

  it("share the id of the client span when asked to, as Zipkin does", () => {
    const { tracer } = setUp(undefined, { shareRpcSpan: true });
    const client = tracer.startSpan("client", { childOf: tracer.startSpan("root") });
    const tags = { "span.kind": "server" };
    const server = tracer.startSpan("server", { childOf: client.context(), tags });
    assert.equal(server.context().spanIdHex, client.context().spanIdHex);
    assert.equal(server.context().parentIdHex, client.context().parentIdHex);
  });
});

describe("sampling decisions", () => {
  it("are shared by the local spans of a trace", () => {
    const { tracer, reporter } = setUp(new ConstSampler(false));
    const root = tracer.startSpan("root", { startTime: 1_000 });
    const child = tracer.startSpan("child", { childOf: root });
    child.setTag("sampling.priority", 1);
    child.finish();
    root.finish(2_000);
    assert.deepEqual(
      reporter.spans.map((span) => span.operationName),
      ["child", "root"],
    );
    assert.equal(root.context().flags, 3);
    assert.equal(root._duration, 1_000);
  });

  it("can be taken back by a priority of 0", () => {
    const { tracer, reporter } = setUp();
    const span = tracer.startSpan("op", { tags: { "sampling.priority": 0, a: 1 } });
    span.finish();
    assert.equal(reporter.spans.length, 0);
  });

  it("of a debug priority need the throttler", () => {
    const debugThrottler = new DefaultThrottler(true);
    const { tracer, reporter } = setUp(new ConstSampler(false), { debugThrottler });
    tracer.startSpan("op").setTag("sampling.priority", 1).finish();
    assert.equal(reporter.spans.length, 0);
  });

  it("wait for a tag, with what was tagged before kept", () => {
    const matching = new TagEqualsSampler("tenant", [{ tagValue: "acme", firehose: true }]);
    const { tracer, reporter } = setUp(new PrioritySampler([matching, new ConstSampler(false)]));
    const root = tracer.startSpan("root", { tags: { early: 1 } });
    const child = tracer.startSpan("child", { childOf: root });
    assert.equal(root.context().samplingFinalized, false);
    child.setTag("tenant", "acme");
    child.finish();
    root.finish();
    assert.equal(reporter.spans.length, 2);
    assert.ok(TestUtils.hasTags(root, { early: 1 }));
    assert.equal(root.context().flags, 9);
    tracer.startSpan("other", { tags: { tenant: "other" } }).finish();
    assert.equal(reporter.spans.length, 2);
  });

  it("are final once the context has left the process", () => {
    const matching = new TagEqualsSampler("tenant", [{ tagValue: "acme", firehose: false }]);
    const { tracer, reporter } = setUp(matching);
    const span = tracer.startSpan("op");
    tracer.inject(span, opentracing.FORMAT_TEXT_MAP, {});
    span.setTag("tenant", "acme").finish();
    assert.equal(reporter.spans.length, 0);
  });

  it("come from a remote parent", () => {
    const { tracer, reporter } = setUp(new ConstSampler(false));
    const carrier = { "uber-trace-id": "1:2:0:1" };
    const parent = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, carrier)!;
    tracer.startSpan("op", { childOf: parent }).finish();
    assert.equal(reporter.spans.length, 1);
    assert.equal(reporter.spans[0]!._tags.length, 0);
  });

  it("ask samplers of the older interface once", () => {
    const asked: string[] = [];
    const legacy = {
      isSampled(name: string, tags: Record<string, unknown>) {
        asked.push(name);
        tags["sampler.type"] = "mine";
        return true;
      },
      close() {},
      name: () => "mine",
    };
    const reporter = new InMemoryReporter();
    const tracer = new Tracer("svc", reporter, legacy);
    tracer.startSpan("op").setOperationName("renamed").finish();
    assert.deepEqual(asked, ["op"]);
    assert.ok(TestUtils.hasTags(reporter.spans[0]!, { "sampler.type": "mine" }));
  });

  it("are counted with jaeger-client names", () => {
    const { metrics, sums } = counting();
    const { tracer } = setUp(new ProbabilisticSampler(1), { metrics });
    const root = tracer.startSpan("root");
    tracer.startSpan("s", { childOf: root, tags: { "span.kind": "server" } }).finish();
    assert.deepEqual(Object.fromEntries(sums), {
      "jaeger:started_spans y": 2,
      "jaeger:traces started y": 1,
      "jaeger:traces joined y": 1,
      "jaeger:finished_spans": 1,
    });
  });
});

describe("baggage", () => {
  it("travels to later children only, under normalised keys", () => {
    const { tracer } = setUp();
    const span = tracer.startSpan("op");
    const before = tracer.startSpan("before", { childOf: span });
    span.setBaggageItem("Some_Key", "value");
    const after = tracer.startSpan("after", { childOf: span });
    assert.equal(span.getBaggageItem("some-key"), "value");
    assert.equal(after.getBaggageItem("SOME_KEY"), "value");
    assert.equal(before.getBaggageItem("some-key"), undefined);
    assert.equal(span.getBaggageItem("constructor"), undefined);
  });

  it("is logged on sampled spans, cut at its limit, and bounded", () => {
    const { metrics, sums } = counting();
    const { tracer } = setUp(undefined, { metrics });
    const span = tracer.startSpan("op");
    span.setBaggageItem("k", "x".repeat(3_000));
    span.setBaggageItem("k", "y");
    const fields = span._logs.map((log) =>
      Object.fromEntries(log.fields.map((f) => [f.key, f.value])),
    );
    const event = "baggage";
    assert.deepEqual(fields[0], { event, key: "k", value: "x".repeat(2_048), truncated: "true" });
    assert.deepEqual(fields[1], { event, key: "k", value: "y", override: "true" });
    for (let i = 0; i < 10_000; i++) span.setBaggageItem(`key${i}`, "value");
    assert.ok(Object.keys(span.context().baggage).length <= 180);
    assert.equal(sums.get("jaeger:baggage_truncations"), 1);
    assert.ok(sums.get("jaeger:baggage_updates err")! > 9_000);
  });

  it("may be restricted by key", () => {
    const baggageRestrictionManager = {
      getRestriction: (_service: string, key: string) => ({
        keyAllowed: key === "good",
        maxValueLength: 3,
      }),
    };
    const { tracer } = setUp(undefined, { baggageRestrictionManager });
    const span = tracer.startSpan("op");
    span.setBaggageItem("good", "abcdef").setBaggageItem("bad", "x");
    assert.deepEqual({ ...span.context().baggage }, { good: "abc" });
  });
});

describe("a context as text", () => {
  it("reads and writes jaeger-client strings", () => {
    const context = SpanContext.fromString("1f:2:3:1")!;
    assert.equal(context.toString(), "1f:2:3:1");
    assert.equal(context.parentIdStr, "3");
    for (const bad of [
      "",
      "1:2:3",
      "1:2:3:4:5",
      "x:1:0:1",
      "0:1:0:1",
      "1:0:0:1",
      "1:2:g:1",
      ":::",
    ]) {
      assert.equal(SpanContext.fromString(bad), null, bad);
    }
    assert.equal(SpanContext.fromString(`${"1".repeat(33)}:1:0:1`), null);
  });
});

describe("the application", () => {
  it("never sees an error of the reporter, a codec or a value", () => {
    const reporter = new InMemoryReporter();
    reporter.report = () => {
      throw new Error("broken");
    };
    const tracer = new Tracer("svc", reporter, new ConstSampler(true));
    const span = tracer.startSpan("op");
    span.finish();
    tracer.inject(span, "no such format", {});
    tracer.inject(span, opentracing.FORMAT_TEXT_MAP, Object.freeze({}));
    assert.equal(tracer.extract("no such format", {}), null);
    assert.equal(tracer.extract(opentracing.FORMAT_HTTP_HEADERS, null), null);
  });

  it("has an active span within withSpan", () => {
    const { tracer } = setUp();
    const [outer, inner] = [tracer.startSpan("outer"), tracer.startSpan("inner")];
    assert.equal(tracer.activeSpan(), null);
    const result = tracer.withSpan(outer, () => {
      tracer.withSpan(inner, () => assert.equal(tracer.activeSpan(), inner));
      assert.equal(tracer.activeSpan(), outer);
      return 7;
    });
    assert.equal(result, 7);
    assert.equal(tracer.activeSpan(), null);
  });
});
