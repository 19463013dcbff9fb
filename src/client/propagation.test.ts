// Contexts in headers: every format there and back, and what hostile headers do.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as opentracing from "opentracing";
import { B3SingleCodec, ZipkinB3TextMapCodec } from "./codec-b3.ts";
import { BinaryCodec } from "./codec-binary.ts";
import { CompositeCodec } from "./codec-composite.ts";
import { TextMapCodec } from "./codec-text-map.ts";
import { W3CTraceContextCodec } from "./codec-w3c.ts";
import { Metrics } from "./metrics.ts";
import { InMemoryReporter } from "./reporters.ts";
import { ConstSampler } from "./samplers.ts";
import { SpanContext } from "./span-context.ts";
import "./node/jaeger-names.ts";
import { Tracer } from "./tracer.ts";
import type { Extractor, Injector } from "./types.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "00f067aa0ba902b7";

function context(baggage: Record<string, string> = {}): SpanContext {
  return SpanContext.withStringIds(TRACE, SPAN, "b7ad6b7169203331", 1, baggage);
}

/** Metrics of which only decoding errors are of interest. */
function errors(): { metrics: Metrics; count: () => number } {
  let sum = 0;
  const createCounter = (name: string) => ({
    increment: (by: number) => void (sum += name.endsWith("decoding_errors") ? by : 0),
  });
  const metrics = new Metrics({ createCounter, createGauge: () => ({ update() {} }) });
  return { metrics, count: () => sum };
}

const CODECS: Record<string, Injector & Extractor> = {
  jaeger: new TextMapCodec({ urlEncoding: true }),
  b3: new ZipkinB3TextMapCodec({ urlEncoding: true }),
  w3c: new W3CTraceContextCodec(),
  binary: new BinaryCodec(),
  composite: new CompositeCodec([new W3CTraceContextCodec(), new TextMapCodec()]),
};

describe("each format", () => {
  for (const [name, codec] of Object.entries(CODECS)) {
    it(`${name} gives back ids, flags and baggage`, () => {
      const baggage = { plain: "x", odd: "a b,c;d=é%" };
      const carrier = {};
      codec.inject(context(baggage), carrier);
      const found = codec.extract(carrier)!;
      assert.equal(found.traceIdHex, TRACE);
      assert.equal(found.spanIdHex, SPAN);
      assert.equal(found.isSampled(), true);
      assert.deepEqual({ ...found.baggage }, baggage);
    });
  }

  it("b3-single gives back ids, parent and flags", () => {
    const carrier: Record<string, string> = {};
    new B3SingleCodec().inject(context(), carrier);
    assert.equal(carrier["b3"], `${TRACE}-${SPAN}-1-b7ad6b7169203331`);
    const found = new B3SingleCodec().extract({ B3: carrier["b3"] })!;
    assert.equal(found.parentIdHex, "b7ad6b7169203331");
    assert.equal(new B3SingleCodec().extract({ b3: `${TRACE}-${SPAN}-d` })!.flags, 3);
    assert.equal(new B3SingleCodec().extract({ b3: "0" }), null);
  });

  it("writes the headers the others read", () => {
    const carrier: Record<string, string> = {};
    for (const codec of Object.values(CODECS)) codec.inject(context({ k: "v" }), carrier);
    assert.equal(
      carrier["uber-trace-id"],
      "af7651916cd43dd8448eb211c80319c:f067aa0ba902b7:b7ad6b7169203331:1",
    );
    assert.equal(carrier["uberctx-k"], "v");
    assert.equal(carrier["x-b3-traceid"], TRACE);
    assert.equal(carrier["x-b3-spanid"], SPAN);
    assert.equal(carrier["x-b3-sampled"], "1");
    assert.equal(carrier["traceparent"], `00-${TRACE}-${SPAN}-01`);
    assert.equal(carrier["baggage"], "k=v");
  });
});

describe("Jaeger headers", () => {
  const codec = new TextMapCodec({ urlEncoding: true });

  it("are found in any case, percent-encoded, with unpadded ids", () => {
    const found = codec.extract({ "Uber-Trace-Id": "abc%3A1%3A0%3A1", "UberCtx-Key": "a%20b" })!;
    assert.equal(found.traceIdStr, "abc");
    assert.equal(found.baggage["Key"] ?? found.baggage["key"], "a b");
  });

  it("start a debug trace from a debug id alone", () => {
    const reporter = new InMemoryReporter();
    const tracer = new Tracer("svc", reporter, new ConstSampler(false));
    const headers = { "jaeger-debug-id": "ticket 7", "jaeger-baggage": "a=1, b=2, broken, c=d=e" };
    const parent = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, headers)!;
    const span = tracer.startSpan("op", { childOf: parent });
    span.finish();
    assert.deepEqual(span._tags, [{ key: "jaeger-debug-id", value: "ticket 7" }]);
    assert.equal(span.context().flags, 3);
    assert.equal(span.getBaggageItem("a"), "1");
    assert.equal(span.getBaggageItem("c"), undefined);
    assert.equal(reporter.spans.length, 1);
  });

  it("may have names of their own", () => {
    const own = new TextMapCodec({ contextKey: "X-Trace", baggagePrefix: "X-Bag-" });
    const carrier: Record<string, string> = {};
    own.inject(context({ k: "v" }), carrier);
    assert.deepEqual(Object.keys(carrier), ["x-trace", "x-bag-k"]);
  });
});

describe("W3C", () => {
  const codec = new W3CTraceContextCodec();

  it("carries tracestate on to children", () => {
    const tracer = new Tracer("svc", new InMemoryReporter(), new ConstSampler(true));
    tracer.registerCodec(opentracing.FORMAT_HTTP_HEADERS, codec);
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "a=1,b=2" };
    const parent = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, headers)!;
    const child = tracer.startSpan("op", { childOf: parent });
    const out: Record<string, string> = {};
    tracer.inject(child, opentracing.FORMAT_HTTP_HEADERS, out);
    assert.equal(out["tracestate"], "a=1,b=2");
    assert.equal(out["traceparent"], `00-${TRACE}-${child.context().spanIdHex}-01`);
  });

  it("takes later versions and refuses what the specification calls invalid", () => {
    const valid = (traceparent: string): boolean => codec.extract({ traceparent })!.isValid;
    assert.ok(valid(`01-${TRACE}-${SPAN}-01-more`));
    for (const bad of [
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE}-${SPAN}`,
      `01-${TRACE}-${SPAN}-01more`,
      "",
    ]) {
      assert.equal(valid(bad), false, bad);
    }
  });
});

describe("B3", () => {
  it("leaves the decision to this process when the header is absent", () => {
    const reporter = new InMemoryReporter();
    const tracer = new Tracer("svc", reporter, new ConstSampler(true));
    tracer.registerCodec(opentracing.FORMAT_HTTP_HEADERS, new ZipkinB3TextMapCodec());
    const ids = { "X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN };
    const start = (headers: object): void => {
      const childOf = tracer.extract(opentracing.FORMAT_HTTP_HEADERS, headers)!;
      tracer.startSpan("op", { childOf }).finish();
    };
    start(ids);
    start({ ...ids, "X-B3-Sampled": "0" });
    assert.equal(reporter.spans.length, 1);
    assert.equal(new ZipkinB3TextMapCodec().extract({ ...ids, "x-b3-flags": "1" })!.flags, 3);
  });

  it("pads what it writes", () => {
    const carrier: Record<string, string> = {};
    new ZipkinB3TextMapCodec().inject(SpanContext.fromString("a:b:c:1")!, carrier);
    assert.equal(carrier["x-b3-traceid"], "000000000000000a");
    assert.equal(carrier["x-b3-spanid"], "000000000000000b");
  });
});

describe("hostile headers", () => {
  it("are not searched without end", () => {
    let read = 0;
    const value = (): { enumerable: true; get: () => string } => ({
      enumerable: true,
      get: () => {
        read++;
        return "v";
      },
    });
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`uberctx-${i}`, value()]),
    );
    for (const codec of [new TextMapCodec(), new ZipkinB3TextMapCodec()]) {
      read = 0;
      const found = codec.extract(Object.defineProperties({}, many))!;
      assert.equal(Object.keys(found.baggage).length, 180);
      assert.equal(read, 2_000);
    }
  });

  it("are ignored and counted, whatever they hold", () => {
    const { metrics, count } = errors();
    const all = [
      new TextMapCodec({ urlEncoding: true, metrics }),
      new ZipkinB3TextMapCodec({ metrics }),
      new B3SingleCodec({ metrics }),
      new W3CTraceContextCodec({ metrics }),
    ];
    const values = [
      "%",
      "x".repeat(100_000),
      "zz:zz:zz:zz",
      "-1:1:1:1",
      "\0",
      7,
      null,
      {},
      ["a", "b"],
    ];
    const names = ["uber-trace-id", "x-b3-traceid", "b3", "traceparent"];
    for (const [i, codec] of all.entries()) {
      const before = count();
      for (const value of values) {
        const found = codec.extract({ [names[i]!]: value, baggage: value, "uberctx-a": value });
        assert.ok(found === null || !found.isValid);
      }
      assert.ok(count() > before, names[i]);
    }
  });

  it("do not reach the prototype and do not grow the baggage without end", () => {
    const codec = new TextMapCodec();
    const headers: Record<string, string> = {
      "uberctx-__proto__": "x",
      "jaeger-baggage": "__proto__=y",
    };
    for (let i = 0; i < 1_000; i++) headers[`uberctx-${i}`] = "v";
    const found = codec.extract(headers)!;
    assert.equal(Object.getPrototypeOf(found.baggage), Object.prototype);
    assert.ok(Object.keys(found.baggage).length <= 180);
  });

  it("cut short at every byte, or with lengths that lie, are no binary context", () => {
    const carrier: { buffer?: Uint8Array } = {};
    const codec = new BinaryCodec();
    codec.inject(context({ key: "value" }), carrier);
    const whole = carrier.buffer!;
    assert.ok(codec.extract({ buffer: whole })!.isValid);
    for (let end = 0; end < whole.length; end++) {
      assert.equal(codec.extract({ buffer: whole.slice(0, end) }), null);
    }
    const lying = whole.slice();
    lying.fill(0xff, 33, 37);
    assert.equal(codec.extract({ buffer: lying }), null);
  });
});
