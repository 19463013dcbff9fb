// jaeger-client's configuration object and every JAEGER_* variable.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as opentracing from "opentracing";
import { InMemoryReporter, Span, Tracer, initTracer, initTracerFromEnv } from "./index.ts";
import type { Counter, MetricsFactory } from "./index.ts";
import { parseMilliseconds, parseTags, readEnvironment } from "./configuration-env.ts";

const QUIET = { reporter: new InMemoryReporter() };

function ignore(): void {}

describe("initTracer", () => {
  it("needs a service name, unless tracing is disabled", () => {
    assert.throws(() => initTracer({}), /serviceName/);
    const disabled = initTracer({ disable: true });
    assert.ok(disabled instanceof opentracing.Tracer);
    disabled.startSpan("op").setTag("a", 1).finish();
    assert.ok(!(disabled instanceof Tracer));
  });

  it("makes the sampler the configuration names", () => {
    const named = (type: string, param: number): string =>
      String(initTracer({ serviceName: "s", sampler: { type, param } }, QUIET).sampler);
    assert.equal(named("const", 1), "ConstSampler(always)");
    assert.equal(named("const", 0), "ConstSampler(never)");
    assert.equal(named("probabilistic", 0.5), "ProbabilisticSampler(samplingRate=0.5)");
    assert.equal(named("ratelimiting", 2), "RateLimitingSampler(maxTracesPerSecond=2)");
    assert.equal(named("remote", 0.2), "RemoteSampler(serviceName=s)");
    assert.equal(
      String(initTracer({ serviceName: "s" }, QUIET).sampler),
      "RemoteSampler(serviceName=s)",
    );
    assert.throws(() => named("typo", 1), /Unknown sampler type typo/);
    assert.throws(() => named("const", Number.NaN), /sampler.param/);
    assert.throws(() => named("probabilistic", 2), /sampling rate/);
  });

  it("refuses what cannot be meant", () => {
    const make = (reporter: object): unknown => initTracer({ serviceName: "s", reporter });
    assert.throws(() => make({ agentProtocol: "json" }), /Unknown agent protocol/);
    assert.throws(() => make({ agentSocketType: "tcp" }), /Unknown socket type/);
    assert.throws(() => make({ collectorEndpoint: "no url" }), /URL/);
    const propagation = "b4";
    assert.throws(
      () => initTracer({ serviceName: "s", propagation }, QUIET),
      /Unknown propagation/,
    );
  });

  it("writes the propagation formats it is told", () => {
    const propagation = ["w3c", "b3", "b3-single", "jaeger"];
    const tracer = initTracer({ serviceName: "s", propagation }, QUIET);
    const carrier: Record<string, string> = {};
    tracer.inject(tracer.startSpan("op"), opentracing.FORMAT_HTTP_HEADERS, carrier);
    const names = Object.keys(carrier).sort();
    assert.deepEqual(names, [
      "b3",
      "traceparent",
      "uber-trace-id",
      "x-b3-sampled",
      "x-b3-spanid",
      "x-b3-traceid",
    ]);
    const only = { b3: carrier["b3"] };
    assert.ok(tracer.extract(opentracing.FORMAT_HTTP_HEADERS, only)!.isValid);
  });

  it("takes the options of jaeger-client", () => {
    const infos: string[] = [];
    const logger = { info: (message: string) => void infos.push(message), error: ignore };
    const reporter = new InMemoryReporter();
    const tracer = initTracer(
      { serviceName: "s", sampler: { type: "const", param: 1 } },
      {
        reporter,
        logger,
        tags: { hostname: "mine", version: "1" },
        contextKey: "my-trace",
        baggagePrefix: "my-",
        traceId128bit: false,
      },
    );
    const carrier: Record<string, string> = {};
    const span = tracer.startSpan("op").setBaggageItem("k", "v");
    tracer.inject(span, opentracing.FORMAT_TEXT_MAP, carrier);
    assert.ok(span instanceof Span);
    assert.deepEqual(Object.keys(carrier), ["my-trace", "my-k"]);
    assert.match(carrier["my-trace"]!, /^[0-9a-f]{1,16}:/);
    const tags = Object.fromEntries(reporter.process!.tags.map(({ key, value }) => [key, value]));
    assert.equal(tags["hostname"], "mine");
    assert.equal(tags["version"], "1");
    assert.match(String(tags["client-uuid"]), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
    assert.match(infos[0]!, /InMemoryReporter and ConstSampler\(always\)/);
  });
});

const EVERYTHING = {
  JAEGER_SERVICE_NAME: "svc",
  JAEGER_AGENT_HOST: "agent",
  JAEGER_AGENT_PORT: "6900",
  JAEGER_AGENT_SOCKET_TYPE: "udp6",
  JAEGER_AGENT_PROTOCOL: "compact",
  JAEGER_ENDPOINT: "http://collector:14268/api/traces",
  JAEGER_USER: "ann",
  JAEGER_PASSWORD: "secret",
  JAEGER_AUTH_TOKEN: "tok",
  JAEGER_REPORTER_LOG_SPANS: "true",
  JAEGER_REPORTER_MAX_QUEUE_SIZE: "5000",
  JAEGER_REPORTER_FLUSH_INTERVAL: "500",
  JAEGER_REPORTER_TIMEOUT: "2s",
  JAEGER_SAMPLER_TYPE: "probabilistic",
  JAEGER_SAMPLER_PARAM: "0.25",
  JAEGER_SAMPLER_MANAGER_HOST_PORT: "agent:5779",
  JAEGER_SAMPLER_SAMPLING_PATH: "/s",
  JAEGER_SAMPLING_ENDPOINT: "http://agent:1/x",
  JAEGER_SAMPLER_REFRESH_INTERVAL: "1m",
  JAEGER_SAMPLER_MAX_OPERATIONS: "10",
  JAEGER_TAGS: "a=1, b=${HOME_TOWN:Ulm}",
  JAEGER_TRACEID_128BIT: "false",
  JAEGER_PROPAGATION: "w3c,jaeger",
  JAEGER_RPC_METRICS: "true",
  JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL: "10s",
};

describe("the environment", () => {
  it("is read whole", () => {
    const { config, options } = readEnvironment({}, {}, EVERYTHING, ignore);
    assert.deepEqual(config, {
      disable: false,
      serviceName: "svc",
      sampler: {
        type: "probabilistic",
        param: 0.25,
        hostPort: "agent:5779",
        samplingPath: "/s",
        endpoint: "http://agent:1/x",
        refreshIntervalMs: 60_000,
        maxOperations: 10,
      },
      reporter: {
        logSpans: true,
        flushIntervalMs: 500,
        collectorEndpoint: "http://collector:14268/api/traces",
        username: "ann",
        password: "secret",
        authToken: "tok",
        agentHost: "agent",
        agentPort: 6900,
        agentSocketType: "udp6",
        agentProtocol: "compact",
        timeoutMs: 2_000,
        maxQueueBytes: 5_120_000,
        agentReconnectIntervalMs: 10_000,
      },
      propagation: "w3c,jaeger",
      rpcMetrics: true,
    });
    assert.deepEqual(options, { tags: { a: "1", b: "Ulm" }, traceId128bit: false });
  });

  it("gives way to what the caller gives", () => {
    const given = { serviceName: "mine", sampler: { type: "const", param: 1 } };
    const { config, options } = readEnvironment(given, { tags: { x: 1 } }, EVERYTHING, ignore);
    assert.equal(config.serviceName, "mine");
    assert.equal(config.sampler!.type, "const");
    assert.equal(config.sampler!.hostPort, "agent:5779");
    assert.deepEqual(options.tags, { x: 1 });
  });

  it("turns resolving the agent's name again off", () => {
    const env = { ...EVERYTHING, JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED: "true" };
    const { config } = readEnvironment({}, {}, env, ignore);
    assert.equal(config.reporter!.agentReconnectIntervalMs, 0);
  });

  it("knows the old names and says which are new", () => {
    const warnings: string[] = [];
    const old = {
      JAEGER_DISABLE: "true",
      JAEGER_SAMPLER_HOST: "h",
      JAEGER_SAMPLER_PORT: "1",
      JAEGER_REPORTER_ENDPOINT: "http://c/",
      JAEGER_REPORTER_USER: "u",
      JAEGER_REPORTER_PASSWORD: "p",
      JAEGER_REPORTER_AGENT_HOST: "a",
      JAEGER_REPORTER_AGENT_PORT: "2",
    };
    const { config } = readEnvironment({}, {}, old, (message) => warnings.push(message));
    assert.equal(config.disable, true);
    assert.deepEqual(config.sampler, { host: "h", port: 1 });
    const { collectorEndpoint, username, password, agentHost, agentPort } = config.reporter!;
    const read = [collectorEndpoint, username, password, agentHost, agentPort];
    assert.deepEqual(read, ["http://c/", "u", "p", "a", 2]);
    assert.equal(warnings.length, 8);
  });

  it("of nothing gives defaults", () => {
    const { config, options } = readEnvironment({}, {}, {}, ignore);
    assert.deepEqual(config.reporter, {});
    assert.deepEqual(config.sampler, {});
    assert.deepEqual(options.tags, {});
    const tracer = initTracerFromEnv({}, QUIET, { JAEGER_SERVICE_NAME: "s" });
    assert.equal(tracer.startSpan("op").context().traceId.length, 16);
    assert.ok(!(initTracerFromEnv({}, {}, { JAEGER_DISABLED: "true" }) instanceof Tracer));
  });

  it("has durations of Node and of Go, and tags with defaults", () => {
    const texts = ["1000", "1s", "250ms", "2m", "", "x"];
    assert.deepEqual(texts.map(parseMilliseconds), [
      1_000,
      1_000,
      250,
      120_000,
      undefined,
      undefined,
    ]);
    const tags = parseTags("a = 1 ,b=${X},c=${Y:d:e},broken,=x,d=a=b", { X: "here" });
    assert.deepEqual(tags, { a: "1", b: "here", c: "d:e", d: "a=b" });
  });
});

/** A factory that adds up by name and labels. */
function counting(): { counts: Record<string, number>; metrics: MetricsFactory } {
  const counts: Record<string, number> = {};
  const createCounter = (name: string, labels: Record<string, string> = {}): Counter => {
    const key = [name, ...Object.values(labels)].join(" ");
    return { increment: (delta) => void (counts[key] = (counts[key] ?? 0) + delta) };
  };
  return { counts, metrics: { createCounter, createGauge: () => ({ update: ignore }) } };
}

describe("RPC metrics", () => {
  const KIND = { "span.kind": "server" };

  it("count requests by operation, also of traces that are not sampled", () => {
    const { counts, metrics } = counting();
    const env = { JAEGER_RPC_METRICS: "true", JAEGER_SERVICE_NAME: "s" };
    const sampler = { type: "const", param: 0 };
    const tracer = initTracerFromEnv({ sampler }, { ...QUIET, metrics }, env);
    const serve = (name: string, tags: Record<string, unknown>): void => {
      const span = tracer.startSpan(name, { tags: KIND, startTime: 1_000 });
      span.addTags(tags).finish(1_002.5);
      span.finish(1_009);
    };
    serve("GET /a b", { "http.status_code": 204 });
    serve("GET /a b", { "http.status_code": 503, error: true });
    tracer.startSpan("a client's").finish();
    const rpc = Object.entries(counts).filter(([key]) => key.includes("request"));
    assert.deepEqual(Object.fromEntries(rpc), {
      "jaeger:requests GET-/a-b false": 1,
      "jaeger:request_latency_us GET-/a-b false": 2_500,
      "jaeger:http_requests GET-/a-b 2xx": 1,
      "jaeger:requests GET-/a-b true": 1,
      "jaeger:request_latency_us GET-/a-b true": 2_500,
      "jaeger:http_requests GET-/a-b 5xx": 1,
    });
  });

  it("name a bounded number of operations, and are off unless asked for", () => {
    const { counts, metrics } = counting();
    const sampler = { type: "const", param: 1 };
    const config = { serviceName: "s", sampler };
    const measured = initTracer({ ...config, rpcMetrics: true }, { ...QUIET, metrics });
    for (let i = 0; i < 500; i++) measured.startSpan(`op${i}`, { tags: KIND }).finish();
    const names = Object.keys(counts).filter((key) => key.startsWith("jaeger:requests "));
    assert.equal(names.length, 201);
    assert.equal(counts["jaeger:requests other false"], 300);
    const other = counting();
    const plain = initTracer(config, { ...QUIET, metrics: other.metrics });
    plain.startSpan("op", { tags: KIND }).finish();
    assert.ok(!Object.keys(other.counts).some((key) => key.includes("requests")));
  });
});
