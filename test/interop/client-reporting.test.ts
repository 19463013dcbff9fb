// What the client sends, over real sockets, read by decoders that are not ours.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { initTracer, opentracing } from "../../src/client/node/index.ts";
import { startAgent, startCollector } from "./client-servers.ts";
import { readOtlp } from "./client-otlp.ts";
import { readBody, readPacket } from "./client-thrift.ts";
import type { Span, Tracer } from "../../src/client/node/index.ts";
import type { ReadBatch } from "./client-thrift.ts";

/** 100 characters, a length of one byte; 200 bytes, a length of two. */
const WIDE = "é".repeat(100);
const START_MS = 1_700_000_000_123.456;

function closed(tracer: Tracer): Promise<void> {
  return new Promise((resolve) => tracer.close(resolve));
}

/** A parent and a child with every kind of tag, logs, and references into other traces. */
function makeSpans(tracer: Tracer): { parentHex: string; childHex: string; traceHex: string } {
  const parent = tracer.startSpan("parent", { startTime: START_MS });
  const other = tracer.startSpan("other");
  const child = tracer.startSpan("käse 🧀", {
    startTime: START_MS + 1,
    references: [opentracing.followsFrom(other.context()), opentracing.childOf(parent.context())],
    tags: { "span.kind": "server", text: "schön", empty: "", wide: WIDE },
  });
  child.setTag("int", 42).setTag("negative", -7).setTag("float", 1.5).setTag("nan", Number.NaN);
  child.setTag("largest", Number.MAX_SAFE_INTEGER).setTag("beyond", 2 ** 60);
  child.setTag("minus-zero", -0).setTag("big", 9_007_199_254_740_993n);
  child.setTag("yes", true).setTag("no", false).setTag("bytes", Buffer.from("00ff10", "hex"));
  child
    .setTag("object", { a: [1] })
    .setTag("null", null)
    .setTag("undefined", undefined);
  child.log({ event: "cache.miss", attempt: 2 }, START_MS + 2);
  child.finish(START_MS + 11.25);
  parent.finish(START_MS + 20);
  const { traceIdHex, spanIdHex } = parent.context();
  return { parentHex: spanIdHex, childHex: child.context().spanIdHex, traceHex: traceIdHex };
}

const EXPECTED_TAGS = [
  ["span.kind", "string", "server"],
  ["text", "string", "schön"],
  ["empty", "string", ""],
  ["wide", "string", WIDE],
  ["int", "long", 42n],
  ["negative", "long", -7n],
  ["float", "double", 1.5],
  ["nan", "double", Number.NaN],
  ["largest", "long", 9_007_199_254_740_991n],
  ["beyond", "double", 2 ** 60],
  ["minus-zero", "double", -0],
  ["big", "long", 9_007_199_254_740_993n],
  ["yes", "bool", true],
  ["no", "bool", false],
  ["bytes", "binary", "00ff10"],
  ["object", "string", '{"a":[1]}'],
  ["null", "string", "null"],
  ["undefined", "string", "undefined"],
];

function checkBatch(batch: ReadBatch, ids: ReturnType<typeof makeSpans>): void {
  assert.equal(batch.service, "shop");
  const tags = new Map(batch.processTags.map(([key, , value]) => [key, value]));
  assert.equal(tags.get("zone"), "b");
  assert.match(String(tags.get("jaeger.version")), /^Node-spoor-/);
  for (const key of ["hostname", "ip", "client-uuid"]) assert.ok(tags.get(key), key);
  assert.deepEqual(
    batch.spans.map((span) => span.name),
    ["käse 🧀", "parent"],
  );
  const [child, parent] = batch.spans as [ReadBatch["spans"][0], ReadBatch["spans"][0]];
  assert.equal(child.traceId, ids.traceHex);
  assert.equal(child.spanId, ids.childHex);
  assert.equal(child.parentId, ids.parentHex);
  assert.equal(child.flags, 1);
  assert.deepEqual(child.tags, EXPECTED_TAGS);
  assert.equal(child.startUs, 1_700_000_000_124_456n);
  assert.equal(child.durationUs, 10_250n);
  assert.deepEqual(
    child.references.map((each) => each.type),
    [1, 0],
  );
  assert.equal(child.references[1]!.spanId, ids.parentHex);
  const fields = [
    ["event", "string", "cache.miss"],
    ["attempt", "long", 2n],
  ];
  assert.deepEqual(child.logs, [{ timestampUs: 1_700_000_000_125_456n, fields }]);
  assert.equal(parent.parentId, "0000000000000000");
  assert.deepEqual(parent.tags, [
    ["sampler.type", "string", "const"],
    ["sampler.param", "bool", true],
  ]);
  assert.deepEqual(batch.stats, [0n, 0n, 0n]);
  assert.equal(batch.sequence, 1n);
}

const ALWAYS = { type: "const", param: 1 };
const OPTIONS = { tags: { zone: "b" } };

describe("UDP", () => {
  for (const agentProtocol of ["binary", "compact"] as const) {
    it(`sends every kind of tag in the ${agentProtocol} protocol`, async () => {
      const agent = await startAgent();
      const reporter = { agentHost: "127.0.0.1", agentPort: agent.port, agentProtocol };
      const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter }, OPTIONS);
      const ids = makeSpans(tracer);
      await closed(tracer);
      const [packet] = await agent.received(1);
      checkBatch(readPacket(packet!, agentProtocol), ids);
      await agent.close();
    });
  }

  it("may be closed before its socket is connected", async () => {
    const reporter = { agentHost: "127.0.0.1", agentPort: 6832 };
    await closed(initTracer({ serviceName: "shop", sampler: ALWAYS, reporter }));
    // The socket's connect event comes in a tick of its own, after what was closed.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("closes though the agent's name cannot be resolved, also once that is known", async () => {
    const reporter = { agentHost: "agent.invalid", flushIntervalMs: 5 };
    const failed: string[] = [];
    let tell = (): void => {};
    const known = new Promise<void>((resolve) => (tell = resolve));
    const error = (message: string): void => {
      failed.push(message);
      tell();
    };
    const options = { logger: { info: () => {}, error } };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter }, options);
    tracer.startSpan("before").finish();
    await known;
    tracer.startSpan("after").finish();
    await closed(tracer);
    assert.equal(failed.length, 2);
    assert.match(failed[0]!, /sending spans over UDP/);
  });

  it("fills packets up to 65,000 bytes and counts what is too large for one", async () => {
    const agent = await startAgent();
    const reporter = { agentHost: "127.0.0.1", agentPort: agent.port };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter });
    // Two packets and a part: more than the socket's receive buffer would be lost.
    const count = 300;
    for (let i = 0; i < count; i++) {
      tracer.startSpan(`span ${i}`, { tags: { filler: "x".repeat(200) } }).finish();
    }
    tracer.startSpan("huge", { tags: { filler: "x".repeat(65_000) } }).finish();
    tracer.startSpan("last").finish();
    await closed(tracer);
    const names = (): string[] =>
      agent.packets.flatMap((packet) =>
        readPacket(packet, "binary").spans.map((span) => span.name),
      );
    while (names().length < count + 1) await agent.received(agent.packets.length + 1);
    const expected = Array.from({ length: count }, (_, i) => `span ${i}`);
    assert.deepEqual(names(), [...expected, "last"]);
    for (const packet of agent.packets) assert.ok(packet.length <= 65_000);
    for (const packet of agent.packets.slice(0, -1)) assert.ok(packet.length > 64_000);
    const last = readPacket(agent.packets.at(-1)!, "binary");
    assert.deepEqual(last.stats, [0n, 1n, 0n]);
    assert.equal(last.sequence, BigInt(agent.packets.length));
    await agent.close();
  });

  it("sends whole numbers as DOUBLE when asked to", async () => {
    const agent = await startAgent();
    const reporter = { agentHost: "127.0.0.1", agentPort: agent.port, numbersAsDouble: true };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter });
    tracer.startSpan("one", { tags: { status: 200 } }).finish();
    await closed(tracer);
    const [packet] = await agent.received(1);
    const tags = readPacket(packet!, "binary").spans[0]!.tags;
    assert.deepEqual(tags.at(-1), ["status", "double", 200]);
    await agent.close();
  });
});

/** What plain JavaScript may hand in where texts, numbers and objects belong. */
const NONSENSE: readonly unknown[] = [
  undefined,
  null,
  7,
  Number.NaN,
  Infinity,
  Symbol("s"),
  {},
  Object.create(null),
  () => 1,
  new Date(Number.NaN),
  "\ud800",
];

function makeNonsense(tracer: Tracer): void {
  // The types say otherwise; programs without types do not know.
  const start = (name: unknown, options?: unknown): Span =>
    tracer.startSpan(name as string, options as object);
  for (const odd of NONSENSE) {
    start(odd, odd).finish(odd as number);
    const options = { startTime: odd, childOf: odd, references: odd, tags: odd };
    start("options", options).finish();
    start("references", { references: [odd] }).finish();
    const span = start("span", { tags: { odd } });
    span.setTag(odd as string, odd).addTags(odd as Record<string, unknown>);
    span.log({ odd }, odd as number).log(odd as Record<string, unknown>);
    span.setOperationName(odd as string).setBaggageItem(odd as string, odd as string);
    span.finish(odd as number);
  }
}

describe("nonsense from the application", () => {
  const places = ["binary", "compact", "otlp"] as const;
  for (const place of places) {
    it(`neither throws nor spoils a batch: ${place}`, async () => {
      const agent = await startAgent();
      const collector = await startCollector();
      collector.answer = () => 200;
      const reporter =
        place === "otlp"
          ? { collectorEndpoint: `${collector.url}/v1/traces` }
          : { agentHost: "127.0.0.1", agentPort: agent.port, agentProtocol: place };
      const tracer = initTracer({ serviceName: 5 as never, sampler: ALWAYS, reporter });
      makeNonsense(tracer);
      tracer.startSpan("last").finish();
      await closed(tracer);
      const read = (): { service: string; name: string; startUs: bigint; durationUs: bigint }[] =>
        place === "otlp"
          ? collector.calls.flatMap(({ body }) =>
              readOtlp(body).map(({ service, name, startNs, endNs }) => {
                const durationUs = (endNs - startNs) / 1_000n;
                return { service, name, startUs: startNs / 1_000n, durationUs };
              }),
            )
          : agent.packets.flatMap((packet) => {
              const { service, spans } = readPacket(packet, place);
              return spans.map((span) => ({ ...span, service }));
            });
      if (place === "otlp") await collector.received(1);
      else await agent.received(1);
      const spans = read();
      assert.equal(spans.length, NONSENSE.length * 4 + 1);
      assert.equal(spans.at(-1)!.name, "last");
      const now = BigInt(Date.now()) * 1_000n;
      for (const { name, service, startUs, durationUs } of spans) {
        assert.equal(service, "5");
        const sane = startUs > 0n && startUs <= now + 1_000_000n && durationUs >= 0n;
        assert.ok(sane && durationUs <= now, `${name} at ${startUs} took ${durationUs}`);
      }
      await agent.close();
      await collector.close();
    });
  }
});

describe("HTTP", () => {
  it("posts Thrift with Basic credentials", async () => {
    const collector = await startCollector();
    const collectorEndpoint = `${collector.url}/api/traces`;
    const reporter = { collectorEndpoint, username: "ann", password: "secret" };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter }, OPTIONS);
    const ids = makeSpans(tracer);
    await closed(tracer);
    const [call] = await collector.received(1);
    assert.equal(call!.method, "POST");
    assert.equal(call!.url, "/api/traces");
    assert.equal(call!.headers["content-type"], "application/x-thrift");
    assert.equal(call!.headers.authorization, `Basic ${btoa("ann:secret")}`);
    checkBatch(readBody(call!.body), ids);
    await collector.close();
  });

  it("sends a bearer token and headers of its own", async () => {
    const collector = await startCollector();
    const reporter = {
      collectorEndpoint: `${collector.url}/api/traces`,
      authToken: "tok",
      headers: { "x-tenant": "acme" },
    };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter });
    tracer.startSpan("one").finish();
    await closed(tracer);
    const [call] = await collector.received(1);
    assert.equal(call!.headers.authorization, "Bearer tok");
    assert.equal(call!.headers["x-tenant"], "acme");
    await collector.close();
  });

  it("flushes by the interval without being closed", async () => {
    const collector = await startCollector();
    const reporter = { collectorEndpoint: `${collector.url}/api/traces`, flushIntervalMs: 20 };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter });
    tracer.startSpan("one").finish();
    const [call] = await collector.received(1);
    assert.equal(readBody(call!.body).spans.length, 1);
    await closed(tracer);
    await collector.close();
  });
});

describe("OTLP", () => {
  it("sends every kind of tag, events, links, kind and status", async () => {
    const collector = await startCollector();
    collector.answer = () => 200;
    const reporter = { collectorEndpoint: `${collector.url}/v1/traces` };
    const tracer = initTracer({ serviceName: "shop", sampler: ALWAYS, reporter }, OPTIONS);
    const ids = makeSpans(tracer);
    tracer.startSpan("failed", { tags: { error: true, "span.kind": "client" } }).finish();
    // Two and three bytes of length, and a batch of more than one.
    tracer.startSpan("long", { tags: { text: "é".repeat(10_000) } }).finish();
    await closed(tracer);
    const [call] = await collector.received(1);
    assert.equal(call!.headers["content-type"], "application/x-protobuf");
    const [child, parent, failed, long] = readOtlp(call!.body);
    assert.equal(child!.service, "shop");
    assert.equal(child!.resource["zone"], "b");
    assert.equal(child!.traceId, ids.traceHex);
    assert.equal(child!.spanId, ids.childHex);
    assert.equal(child!.parentId, ids.parentHex);
    assert.equal(parent!.parentId, "");
    assert.equal(child!.kind, 2);
    assert.equal(child!.startNs, 1_700_000_000_124_456_000n);
    assert.equal(child!.endNs, 1_700_000_000_134_706_000n);
    const expected = Object.fromEntries(EXPECTED_TAGS.map(([key, , value]) => [key, value]));
    delete expected["span.kind"];
    expected["bytes"] = Buffer.from("00ff10", "hex");
    assert.deepEqual(child!.attributes, expected);
    const attributes = { attempt: 2n };
    const timeNs = 1_700_000_000_125_456_000n;
    assert.deepEqual(child!.events, [{ name: "cache.miss", timeNs, attributes }]);
    assert.equal(child!.links.length, 1);
    assert.deepEqual(child!.links[0]!.attributes, { "opentracing.ref_type": "follows_from" });
    assert.equal(failed!.status, 2);
    assert.equal(failed!.kind, 3);
    assert.equal("error" in failed!.attributes, false);
    assert.equal(long!.attributes["text"], "é".repeat(10_000));
    await collector.close();
  });
});
