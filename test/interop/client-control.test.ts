/** What clients ask for: strategies from both ports of our all-in-one, and baggage restrictions. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { InMemoryReporter, initTracer } from "../../src/client/node/index.ts";
import type { MetricsFactory, Span, Tracer } from "../../src/client/node/index.ts";
import { eventually } from "../support/patience.ts";
import { portOf, runAllInOne } from "../support/running-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";
import type { RunningRole } from "../../src/run/role.ts";

function fileWith(content: unknown): string {
  const folder = tempFolder("control");
  const file = join(folder, "file.json");
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const STRATEGIES = {
  service_strategies: [
    { service: "all", type: "probabilistic", param: 1 },
    { service: "some", type: "ratelimiting", param: 7 },
    {
      service: "by-operation",
      type: "probabilistic",
      param: 0,
      operation_strategies: [{ operation: "kept", type: "probabilistic", param: 1 }],
    },
  ],
  default_strategy: { type: "probabilistic", param: 0 },
};

function ask(t: TestContext, serviceName: string, sampler: object): Tracer {
  const tracer = initTracer(
    { serviceName, sampler: { type: "remote", param: 0, refreshIntervalMs: 20, ...sampler } },
    { reporter: new InMemoryReporter() },
  );
  t.after(() => tracer.close());
  return tracer;
}

/** The sampler's tags of a root span, once there is one that is sampled. */
async function sampledBy(tracer: Tracer, operation: string): Promise<unknown[]> {
  const span = await eventually(`a sampled ${operation}`, () => {
    const made: Span = tracer.startSpan(operation);
    return Promise.resolve(made.context().isSampled() ? made : undefined);
  });
  return span._tags.map(({ value }) => value);
}

function places(role: RunningRole): [name: string, sampler: object][] {
  const agent = `127.0.0.1:${portOf(role, "clientConfig")}`;
  const collector = `http://127.0.0.1:${portOf(role, "jaegerHttp")}/api/sampling`;
  return [
    ["5778 /sampling", { hostPort: agent }],
    ["5778 /, the old form with numbers", { hostPort: agent, samplingPath: "/" }],
    ["14268 /api/sampling", { endpoint: collector }],
  ];
}

test("the remote sampler learns every kind of strategy from each of our ports", async (t) => {
  const file = fileWith(STRATEGIES);
  const role = await runAllInOne(t, [`--sampling.strategies-file=${file}`]);
  for (const [name, sampler] of places(role)) {
    const all = await sampledBy(ask(t, "all", sampler), "op");
    assert.deepEqual(all, ["probabilistic", 1], name);
    assert.deepEqual(await sampledBy(ask(t, "some", sampler), "op"), ["ratelimiting", 7], name);
    const tracer = ask(t, "by-operation", sampler);
    assert.deepEqual(await sampledBy(tracer, "kept"), ["probabilistic", 1], name);
    assert.equal(tracer.startSpan("other").context().isSampled(), false, name);
  }
});

test("baggage restrictions come from our 5778", async (t) => {
  const file = fileWith({ shop: [{ baggageKey: "customer", maxValueLength: 3 }] });
  const role = await runAllInOne(t, [`--http-server.baggage-restrictions-file=${file}`]);
  const counts: Record<string, number> = {};
  const metrics: MetricsFactory = {
    createCounter: (name, labels) => ({
      increment: (delta) => {
        const key = [name, ...Object.values(labels ?? {})].join(" ");
        counts[key] = (counts[key] ?? 0) + delta;
      },
    }),
    createGauge: () => ({ update() {} }),
  };
  const hostPort = `127.0.0.1:${portOf(role, "clientConfig")}`;
  const tracer = initTracer(
    {
      serviceName: "shop",
      sampler: { type: "const", param: 1 },
      baggageRestrictions: { hostPort, refreshIntervalMs: 20 },
    },
    { reporter: new InMemoryReporter(), metrics },
  );
  t.after(() => tracer.close());
  await eventually("the restrictions", () =>
    Promise.resolve(counts["jaeger:baggage_restrictions_updates ok"]),
  );
  const span = tracer.startSpan("op");
  span.setBaggageItem("customer", "acme").setBaggageItem("other", "x");
  assert.deepEqual({ ...span.context().baggage }, { customer: "acm" });
});
