// The demo's shop: its spans form whole traces across six services, and its faults show in them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AsyncScopeManager,
  ConstSampler,
  InMemoryReporter,
  Tracer,
} from "../../src/client/node/index.ts";
import type { Span } from "../../src/client/node/index.ts";
import { DEMO_SERVICES, startServices } from "../../src/tools/demo-services.ts";
import type { DemoService } from "../../src/tools/demo-services.ts";
import { DEMO_DEFAULTS, parseDemoArgs, runDemo } from "../../src/tools/demo.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import type { SamplingDecision } from "../../src/client/types.ts";
import { startCollector } from "../interop/client-servers.ts";
import { readOtlp } from "../interop/client-otlp.ts";
import type { OtlpSpan } from "../interop/client-otlp.ts";
import type { DemoFault, Simulation } from "../../src/tools/demo-simulation.ts";

/** Random numbers that are the same every run. */
function seeded(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Places orders at once with some faults on, and gives back the spans of their traces. */
async function orderSpans(faults: DemoFault[], orders = 1): Promise<OtlpSpan[]> {
  const collector = await startCollector();
  collector.answer = () => 200;
  const demo = await runDemo({
    ...DEMO_DEFAULTS,
    endpoint: `${collector.url}/v1/traces`,
    port: 0,
    load: 0,
    faults,
    slowness: 0.02,
    random: seeded(),
  });
  const order = (): Promise<Response> => fetch(`${demo.url}order?customer=Ada`, { method: "POST" });
  const answers = await Promise.all(Array.from({ length: orders }, order));
  assert.ok(answers.every(({ status }) => status === 204));
  const state = await (await fetch(`${demo.url}state`)).json();
  assert.equal((state as { placed: number }).placed, orders);
  await demo.close();
  await collector.close();
  return collector.calls.flatMap((call) => readOtlp(call.body));
}

/** The spans of reservations that have all come before the lock's first holder is done. */
async function reservedAtOnce(count: number): Promise<Span[]> {
  let arrived = 0;
  const allThere = Promise.withResolvers<void>();
  const sampler = new (class extends ConstSampler {
    override onCreateSpan(span: Span): SamplingDecision {
      if (++arrived === count) setImmediate(allThere.resolve);
      return super.onCreateSpan(span);
    }
  })(true);
  const reporter = new InMemoryReporter();
  const scopeManager = new AsyncScopeManager();
  const tracerOf = (name: string): [string, Tracer] => [
    name,
    new Tracer(name, reporter, sampler, { scopeManager }),
  ];
  const simulation: Simulation = {
    faults: new Set(["lock"]),
    random: seeded(),
    slowness: 1,
    pause: () => allThere.promise,
  };
  const tracers = Object.fromEntries(DEMO_SERVICES.map(tracerOf)) as Record<DemoService, Tracer>;
  const options = { host: "127.0.0.1", onOrder: () => undefined };
  const services = await startServices(tracers, simulation, options);
  const reserve = async (): Promise<void> => {
    assert.equal((await fetch(`${services.urls.inventory}/reserve`)).status, 200);
  };
  await Promise.all(Array.from({ length: count }, reserve));
  await services.close();
  return reporter.spans.filter(({ operationName }) => operationName === "GET /reserve");
}

describe("the demo", () => {
  it("makes one whole trace of an order, with baggage across services", async () => {
    const spans = await orderSpans([]);
    assert.deepEqual(new Set(spans.map((span) => span.service)), new Set(DEMO_SERVICES));
    assert.equal(new Set(spans.map((span) => span.traceId)).size, 1);
    const ids = new Set(spans.map((span) => span.spanId));
    const roots = spans.filter((span) => span.parentId === "");
    assert.deepEqual(
      roots.map((span) => [span.service, span.name]),
      [["frontend", "GET /order"]],
    );
    for (const span of spans) assert.ok(span.parentId === "" || ids.has(span.parentId), span.name);
    const placed = spans.find((span) => span.name === "GET /place")!;
    assert.equal(placed.events[0]!.name, "order received");
    assert.equal(placed.events[0]!.attributes["customer"], "Ada");
  });

  it("shows an N+1 query", async () => {
    const selects = (spans: OtlpSpan[]): number =>
      spans.filter((span) => span.service === "catalog" && span.name === "SELECT").length;
    assert.equal(selects(await orderSpans([])), 1);
    assert.ok(selects(await orderSpans(["n-plus-one"])) >= 6);
  });

  it("shows a retry storm", async () => {
    // A single order draws its random numbers in one order, so its attempts are always the same.
    const charges = (spans: OtlpSpan[]): OtlpSpan[] =>
      spans.filter((span) => span.name === "charge card");
    assert.equal(charges(await orderSpans([])).length, 1);
    const storm = charges(await orderSpans(["retry-storm"]));
    assert.ok(storm.length > 3, `${storm.length} charges`);
    assert.ok(storm.some((span) => span.status === 2));
  });

  it("shows a lock", async () => {
    const logged = async (spans: Promise<OtlpSpan[]>, event: string): Promise<number> =>
      (await spans).filter(({ events }) => events.some(({ name }) => name === event)).length;
    assert.equal(await logged(orderSpans(["lock"], 5), "acquired lock"), 5);
    assert.equal(await logged(orderSpans([], 5), "acquired lock"), 0);
    const waits = (await reservedAtOnce(5)).map((span) =>
      span._logs.flatMap(({ fields }) =>
        fields.some(({ value }) => value === "waiting for lock") ? [fields[1]!.value] : [],
      ),
    );
    assert.deepEqual(waits, [[], [1], [2], [3], [4]]);
  });

  it("has a page and switches", async () => {
    const demo = await runDemo({
      ...DEMO_DEFAULTS,
      endpoint: "http://127.0.0.1:1/v1/traces",
      port: 0,
      load: 0,
    });
    const page = await (await fetch(demo.url)).text();
    assert.match(page, /Order for Ada/);
    await fetch(`${demo.url}fault?name=lock&on=true`, { method: "POST" });
    const state = await (await fetch(`${demo.url}state`)).json();
    assert.deepEqual((state as { faults: string[] }).faults, ["lock"]);
    assert.equal(
      (await fetch(`${demo.url}fault?name=typo&on=true`, { method: "POST" })).status,
      404,
    );
    await demo.close();
  });

  it("reads its arguments", () => {
    const options = parseDemoArgs(["--load", "5", "--fault", "lock", "--ui", "http://h:1/"]);
    assert.deepEqual([options.load, options.faults, options.ui], [5, ["lock"], "http://h:1"]);
    for (const bad of [
      ["--lod", "5"],
      ["--load", "x"],
      ["--fault", "typo"],
    ]) {
      assert.throws(
        () => parseDemoArgs(bad),
        (error) => isSpoorError(error, "config"),
      );
    }
  });
});
