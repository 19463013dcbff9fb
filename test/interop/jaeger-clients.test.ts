/** npm jaeger-client, spoor-client and OpenTelemetry's Jaeger exporter, through every door. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { initTracer as initSpoor, opentracing } from "../../src/client/node/index.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { eventually } from "../support/patience.ts";
import {
  metricOf,
  portOf,
  reportTo,
  runAgent,
  runAllInOne,
  seenSpans,
  tracesOf,
} from "../support/running-roles.ts";
import type { SeenSpan } from "../support/running-roles.ts";

const require = createRequire(import.meta.url);

const START_MS = 1_700_000_000_123.456;
const START_US = 1_700_000_000_123_456;

/** What both OpenTracing clients have in common, as far as it is used here. */
interface Tracer {
  startSpan(name: string, options?: object): Span;
  close(done: () => void): void;
}

interface Span {
  setTag(key: string, value: unknown): Span;
  log(fields: object, timestampMs?: number): Span;
  finish(finishMs?: number): void;
  context(): object;
}

type Init = (config: object, options: object) => Tracer;

const CLIENTS: { readonly [name: string]: Init } = {
  "jaeger-client": (config, options) => require("jaeger-client").initTracer(config, options),
  "spoor-client": (config, options) => initSpoor(config as never, options) as unknown as Tracer,
};

/** A parent and a child with every type of tag, a log, two references. */
function makeSpans(tracer: Tracer): void {
  const parent = tracer.startSpan("parent", {
    startTime: START_MS,
    tags: { "span.kind": "server" },
  });
  const other = tracer.startSpan("other", { startTime: START_MS + 1 });
  const child = tracer.startSpan("käse 🧀", {
    startTime: START_MS + 1,
    references: [
      opentracing.childOf(parent.context() as never),
      opentracing.followsFrom(other.context() as never),
    ],
    tags: { text: "schön", empty: "" },
  });
  child.setTag("half", 1.5).setTag("whole", 42).setTag("minus", -7);
  child.setTag("yes", true).setTag("no", false).setTag("bytes", Buffer.from("00ff10", "hex"));
  child.setTag("twice", "one").setTag("twice", "two");
  child.log({ event: "cache.miss", attempt: 2, ok: true }, START_MS + 2);
  child.finish(START_MS + 11.25);
  other.finish(START_MS + 3);
  parent.finish(START_MS + 20);
}

/** jaeger-client sends every number as a double. */
function numberText(client: string, key: string, value: number): string {
  const type = Number.isInteger(value) && client === "spoor-client" ? "int64" : "float64";
  return `${key} ${type} ${value}`;
}

async function checkSpans(role: RunningRole, service: string, client: string): Promise<void> {
  const traces = await tracesOf(role, service, 3);
  const all = new Map(traces.flatMap((trace) => [...seenSpans(trace)]));
  const raw = new Map(
    traces.flatMap((trace) => trace.spans.map((span) => [span.operationName, span])),
  );
  const parent = all.get("parent")!;
  const child = all.get("käse 🧀")!;
  const root = ["sampler.param bool true", 'sampler.type string "const"'];
  assert.deepEqual(parent.tags, [...root, 'span.kind string "server"']);
  assert.deepEqual([parent.startUs, parent.durationUs, parent.flags], [START_US, 20_000, 1]);
  assert.deepEqual(parent.parents, []);
  assert.deepEqual(child.parents, [
    { refType: "CHILD_OF", traceID: raw.get("parent")!.traceID, spanID: raw.get("parent")!.spanID },
    {
      refType: "FOLLOWS_FROM",
      traceID: raw.get("other")!.traceID,
      spanID: raw.get("other")!.spanID,
    },
  ]);
  assert.deepEqual([child.startUs, child.durationUs, child.flags], [START_US + 1000, 10_250, 1]);
  const bytes = child.tags.find((text) => text.startsWith("bytes "));
  assert.equal(
    bytes,
    `bytes binary ${JSON.stringify(Buffer.from("00ff10", "hex").toString("base64"))}`,
  );
  assert.deepEqual(
    child.tags.filter((text) => !text.startsWith("bytes ")),
    [
      'empty string ""',
      numberText(client, "half", 1.5),
      numberText(client, "minus", -7),
      "no bool false",
      'text string "schön"',
      'twice string "one"',
      'twice string "two"',
      numberText(client, "whole", 42),
      "yes bool true",
    ],
  );
  assert.deepEqual(child.logs, [
    [
      START_US + 2000,
      'event string "cache.miss"',
      numberText(client, "attempt", 2),
      "ok bool true",
    ],
  ]);
  checkProcess(child, service);
  checkProcess(parent, service);
}

function checkProcess(span: SeenSpan, service: string): void {
  assert.equal(span.service, service);
  const keys = span.process.map((text) => text.slice(0, text.indexOf(" ")));
  assert.deepEqual(keys, ["client-uuid", "hostname", "ip", "jaeger.version", "zone"]);
  assert.equal(span.process[4], 'zone string "b"');
}

function closed(tracer: Tracer): Promise<void> {
  return new Promise((resolve) => tracer.close(resolve));
}

async function send(client: string, service: string, reporter: object): Promise<void> {
  const config = { serviceName: service, sampler: { type: "const", param: 1 }, reporter };
  const tracer = CLIENTS[client]!(config, { tags: { zone: "b" } });
  makeSpans(tracer);
  await closed(tracer);
}

function udpTo(role: RunningRole, protocol: "binary" | "compact"): object {
  const server = protocol === "binary" ? "jaegerBinary" : "jaegerCompact";
  return { agentHost: "127.0.0.1", agentPort: portOf(role, server), agentProtocol: protocol };
}

for (const client of Object.keys(CLIENTS)) {
  const protocols =
    client === "spoor-client" ? (["binary", "compact"] as const) : (["binary"] as const);
  for (const protocol of protocols) {
    test(`${client} by UDP, ${protocol}: to the all-in-one, and through an agent`, async (t) => {
      const role = await runAllInOne(t);
      await send(client, "direct", udpTo(role, protocol));
      await checkSpans(role, "direct", client);
      const agent = await runAgent(t, [reportTo(role)]);
      await send(client, "through", udpTo(agent, protocol));
      await checkSpans(role, "through", client);
      // The collector's answer may come after the spans are seen.
      await eventually("three delivered", async () => {
        const delivered = await metricOf(agent, "spoor_reporter_spans_total", 'state="delivered"');
        return delivered === 3 ? true : undefined;
      });
    });
  }

  test(`${client} over HTTP`, async (t) => {
    const role = await runAllInOne(t);
    const collectorEndpoint = `http://127.0.0.1:${portOf(role, "jaegerHttp")}/api/traces`;
    await send(client, "http", { collectorEndpoint });
    await checkSpans(role, "http", client);
  });
}

test("an agent that reports OTLP loses nothing either", async (t) => {
  const role = await runAllInOne(t);
  const to = `--reporter.otlp.host-port=127.0.0.1:${portOf(role, "otlpGrpc")}`;
  const agent = await runAgent(t, ["--reporter.type=otlp", to]);
  await send("spoor-client", "otlp", udpTo(agent, "binary"));
  await checkSpans(role, "otlp", "spoor-client");
});
