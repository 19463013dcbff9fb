// The demo's shop: its spans form whole traces across six services, and its faults show in them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEMO_SERVICES } from "../../src/tools/demo-services.ts";
import { DEMO_DEFAULTS, parseDemoArgs, runDemo } from "../../src/tools/demo.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { startCollector } from "../interop/client-servers.ts";
import { readOtlp } from "../interop/client-otlp.ts";
import type { OtlpSpan } from "../interop/client-otlp.ts";
import type { DemoFault } from "../../src/tools/demo-simulation.ts";

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
    const spans = await orderSpans(["lock"], 5);
    const waits = spans.filter((span) =>
      span.events.some((each) => each.name === "waiting for lock"),
    );
    assert.equal(waits.length, 4);
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
