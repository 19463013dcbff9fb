/** Strategies from files: defaults, merging with the default strategy, what is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../base/clock.ts";
import { CounterTable } from "../base/counters.ts";
import { isSpoorError } from "../core/errors.ts";
import type { OperationStrategies } from "../core/sampling.ts";
import { FileStrategies } from "./file-strategies.ts";
import { defaultStrategies, parseStrategies } from "./strategies.ts";

/** Operations with rates, without bounds. */
function operations(standard: number, rates: Readonly<Record<string, number>>) {
  const perOperation = Object.entries(rates).map(([operation, samplingRate]) => ({
    operation,
    samplingRate,
  }));
  const strategies: OperationStrategies = {
    defaultSamplingProbability: standard,
    defaultLowerBoundTracesPerSecond: 0,
    defaultUpperBoundTracesPerSecond: 0,
    perOperation,
  };
  return strategies;
}

function rule(operation: string, param: number, type = "probabilistic"): object {
  return { operation, type, param };
}

const FILE = JSON.stringify({
  default_strategy: {
    type: "probabilistic",
    param: 0.25,
    operation_strategies: [rule("/health", 0), rule("/burst", 9, "ratelimiting"), rule("/pay", 1)],
  },
  service_strategies: [
    {
      service: "shop",
      type: "probabilistic",
      param: 0.75,
      operation_strategies: [
        rule("/pay", 0.5),
        rule("/list", 0.125),
        rule("/x", 1, "ratelimiting"),
      ],
    },
    {
      service: "stock",
      type: "ratelimiting",
      param: 7.9,
      operation_strategies: [rule("/a", 0.3)],
    },
    { service: "plain", type: "probabilistic", param: 0.5 },
    { service: "limited", type: "ratelimiting", param: 3 },
    { service: "strange", type: "always", param: 1 },
    { service: "untyped" },
  ],
});

test("services get their own rules, then the default strategy's", () => {
  const { byService, standard } = parseStrategies(FILE, 0.001);
  assert.deepEqual(standard, {
    type: "probabilistic",
    samplingRate: 0.25,
    operations: operations(0.25, { "/health": 0, "/pay": 1 }),
  });
  assert.deepEqual(byService.get("shop"), {
    type: "probabilistic",
    samplingRate: 0.75,
    operations: operations(0.75, { "/pay": 0.5, "/list": 0.125, "/health": 0 }),
  });
  assert.deepEqual(byService.get("stock"), {
    type: "rate-limiting",
    maxTracesPerSecond: 7,
    operations: operations(0.001, { "/a": 0.3, "/health": 0, "/pay": 1 }),
  });
});

test("a service without rules copies the default's, with its own rate when it has one", () => {
  const { byService } = parseStrategies(FILE, 0.001);
  const copied = { "/health": 0, "/pay": 1 };
  assert.deepEqual(byService.get("plain"), {
    type: "probabilistic",
    samplingRate: 0.5,
    operations: operations(0.5, copied),
  });
  assert.deepEqual(byService.get("limited"), {
    type: "rate-limiting",
    maxTracesPerSecond: 3,
    operations: operations(0.25, copied),
  });
});

test("an unknown or missing type is the default probability, and the operator is told", () => {
  const { byService, warnings } = parseStrategies(FILE, 0.001);
  for (const service of ["strange", "untyped"]) {
    assert.equal(byService.get(service)?.samplingRate, 0.001, service);
  }
  assert.deepEqual(
    warnings.map((text) => /"[^"]*"/.exec(text)?.[0]),
    ['"/burst"', '"/x"', '"strange"', '"untyped"'],
  );
});

test("without a default strategy nothing is merged", () => {
  const text = JSON.stringify({ service_strategies: [{ service: "a", type: "ratelimiting" }] });
  const { byService, standard } = parseStrategies(text, 0.5);
  assert.deepEqual(standard, { type: "probabilistic", samplingRate: 0.5 });
  assert.deepEqual(byService.get("a"), { type: "rate-limiting", maxTracesPerSecond: 0 });
  assert.deepEqual(parseStrategies("null", 0.5), defaultStrategies(0.5));
});

test("what is no such file is refused with what is wrong", () => {
  const refused: [string, RegExp][] = [
    ["{", /failed to unmarshal strategies: /],
    ['"text"', /strategies is no object/],
    ['{"service_strategies":{}}', /service_strategies is no list/],
    ['{"service_strategies":[{"service":1}]}', /service is no text/],
    ['{"default_strategy":{"type":"probabilistic","param":"1"}}', /param is no number/],
  ];
  for (const [text, reason] of refused) {
    assert.throws(
      () => parseStrategies(text, 1),
      (error) => isSpoorError(error, "config") && reason.test(error.message),
      text,
    );
  }
});

/** A source over a text that the test changes, reloaded when the test says so. */
async function opened(text: string | undefined) {
  const place = { text, fails: false };
  const counters = new CounterTable();
  const said: string[] = [];
  let stopped = false;
  const source = await FileStrategies.open({
    load: () =>
      place.fails ? Promise.reject(new Error("gone fishing")) : Promise.resolve(place.text),
    place: "strategies.json",
    defaultProbability: 0.1,
    reloadMs: 1000,
    schedule: () => () => (stopped = true),
    clock: systemClock,
    counters,
    report: (level, message) => said.push(`${level} ${message}`),
  });
  const rate = async (service: string): Promise<number | undefined> =>
    (await source.strategyOf(service)).samplingRate;
  return { source, place, counters, said, rate, isStopped: () => stopped };
}

const HALF = '{"default_strategy":{"type":"probabilistic","param":0.5}}';

test("a reload takes the new text; a bad one keeps the old, and health says so", async () => {
  const { source, place, counters, said, rate, isStopped } = await opened(HALF);
  assert.equal(await rate("a"), 0.5);
  place.text = HALF.replace("0.5", "0.75");
  await source.reload();
  assert.equal(await rate("a"), 0.75);
  place.text = "{";
  await source.reload();
  assert.equal(await rate("a"), 0.75);
  assert.match(source.notes().join(), /strategies\.json failed at .*failed to unmarshal/);
  place.fails = true;
  await source.reload();
  assert.match(source.notes().join(), /gone fishing/);
  assert.equal(counters.value("spoor_sampling_reloads_total", ["err"]), 2);
  assert.equal(said.filter((line) => line.startsWith("warn")).length, 1, "once, not each time");
  place.fails = false;
  place.text = HALF;
  await source.reload();
  assert.deepEqual(source.notes(), []);
  assert.equal(await rate("a"), 0.5);
  assert.equal(counters.value("spoor_sampling_reloads_total", ["ok"]), 3);
  source.close();
  assert(isStopped());
});

test("a place that has nothing now leaves the default, and is asked again", async () => {
  const { source, place, rate } = await opened(undefined);
  assert.equal(await rate("a"), 0.1);
  place.text = HALF;
  await source.reload();
  assert.equal(await rate("a"), 0.5);
});
