/** The plot's geometry and the orders of results. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import type { TraceResult } from "../data/trace-result.ts";
import {
  durationTicks,
  heatCells,
  inRange,
  rangeOf,
  rangeOfText,
  rangeText,
  scaleOf,
  timeTicks,
  traceAt,
  xOf,
  yOf,
} from "./plot-scale.ts";
import { TRACE_ORDERS, orderOf, sortTraces } from "./trace-order.ts";

const SIZE = { width: 900, height: 168 };

function trace(i: number, startUs: number, durationUs: number): TraceResult {
  return {
    traceIdHex: i.toString(16).padStart(32, "0"),
    rootService: `service-${i % 7}`,
    rootName: `name-${i % 3}`,
    startUs,
    durationUs,
    spanCount: 1 + (i % 50),
    errorCount: i % 4,
    orphanCount: 0,
    services: [],
    matchSpanIdHex: "",
    uploaded: false,
  };
}

function many(count: number): TraceResult[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) =>
    trace(i, 1.7e15 + Math.floor(random() * 3600e6), Math.floor(10 ** (random() * 7))),
  );
}

test("every trace lies within the plot, and is found where it lies", () => {
  const traces = many(300);
  const scale = scaleOf(traces, SIZE);
  for (const [i, each] of traces.entries()) {
    const x = xOf(scale, each.startUs);
    const y = yOf(scale, each.durationUs);
    assert.ok(x >= scale.left && x <= scale.left + scale.width, `x ${x}`);
    assert.ok(y >= scale.top && y <= scale.top + scale.height, `y ${y}`);
    const hit = traceAt(traces, scale, x, y);
    assert.ok(hit >= 0 && (hit === i || traces[hit]!.spanCount! <= each.spanCount!), `hit ${hit}`);
  }
  assert.equal(traceAt(traces, scale, 2, 2), -1);
});

test("a brush over everything holds every trace, whichever corners it is drawn between", () => {
  const traces = many(200);
  const scale = scaleOf(traces, SIZE);
  const range = rangeOf(scale, { x: 900, y: 0 }, { x: 0, y: 168 });
  assert.equal(traces.filter((each) => inRange(each, range)).length, 200);
  const middle = xOf(scale, (scale.fromUs + scale.toUs) / 2);
  const left = rangeOf(scale, { x: 0, y: 0 }, { x: middle, y: 168 });
  const right = rangeOf(scale, { x: middle, y: 0 }, { x: 900, y: 168 });
  const halves = [left, right].map((half) => traces.filter((each) => inRange(each, half)).length);
  assert.equal(halves[0]! + halves[1]!, 200);
});

test("the heat map counts every trace once", () => {
  const traces = many(500);
  const cells = heatCells(traces, scaleOf(traces, SIZE));
  assert.equal(
    cells.counts.reduce((sum, n) => sum + n, 0),
    500,
  );
  assert.equal(
    cells.errors.reduce((sum, n) => sum + n, 0),
    traces.filter((t) => t.errorCount! > 0).length,
  );
  assert.equal(Math.max(...cells.counts), cells.most);
});

test("one trace, none, and zero durations have a scale and ticks", () => {
  for (const traces of [[], [trace(1, 1.7e15, 0)], [trace(1, 1.7e15, 5), trace(2, 1.7e15, 5)]]) {
    const scale = scaleOf(traces, SIZE);
    assert.ok(scale.toUs > scale.fromUs && scale.highUs > scale.lowUs);
    assert.ok(durationTicks(scale).length < 20);
    const ticks = timeTicks(scale, 96);
    assert.ok(ticks.length <= 12, String(ticks.length));
    for (const each of traces) assert.ok(Number.isFinite(yOf(scale, each.durationUs)));
  }
});

test("there are Jaeger's ten orders, each the one its name says; ties stay in one order", () => {
  const traces = many(60);
  const keys = TRACE_ORDERS.map(({ key }) => key);
  assert.deepEqual(keys, [
    "MOST_RECENT",
    "OLDEST",
    "LONGEST_FIRST",
    "SHORTEST_FIRST",
    "MOST_SPANS",
    "LEAST_SPANS",
    "MOST_ERRORS",
    "LEAST_ERRORS",
    "NAME_ASC",
    "NAME_DESC",
  ]);
  const value: Readonly<Record<string, (t: TraceResult) => number | string>> = {
    MOST_RECENT: (t) => -t.startUs,
    OLDEST: (t) => t.startUs,
    LONGEST_FIRST: (t) => -t.durationUs,
    SHORTEST_FIRST: (t) => t.durationUs,
    MOST_SPANS: (t) => -t.spanCount!,
    LEAST_SPANS: (t) => t.spanCount!,
    MOST_ERRORS: (t) => -t.errorCount!,
    LEAST_ERRORS: (t) => t.errorCount!,
    NAME_ASC: (t) => `${t.rootService}: ${t.rootName}`,
  };
  for (const [key, of] of Object.entries(value)) {
    const sorted = sortTraces(traces, orderOf(key));
    for (let i = 1; i < sorted.length; i++) assert.ok(of(sorted[i - 1]!) <= of(sorted[i]!), key);
    assert.deepEqual(sortTraces(traces.toReversed(), orderOf(key)), sorted, key);
  }
  const names = (list: readonly TraceResult[]): string[] =>
    list.map((t) => t.rootService + t.rootName);
  const ascending = names(sortTraces(traces, orderOf("NAME_ASC")));
  assert.deepEqual(names(sortTraces(traces, orderOf("NAME_DESC"))), ascending.toReversed());
  assert.equal(orderOf("nonsense").key, "MOST_RECENT");
});

test("a range survives an address; nonsense is none", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 200; round++) {
    const [a, b, c, d] = [1.7e15, 1e7, 1e5, 1e6].map((most) => Math.floor(random() * most));
    const range = { fromUs: a!, toUs: a! + b!, lowUs: c! / 100, highUs: (c! + d!) / 100 };
    assert.deepEqual(rangeOfText(rangeText(range)), range);
  }
  for (const text of [
    "",
    "1,2,3",
    "1,2,3,4,5",
    "2,1,3,4",
    "1,2,4,3",
    "a,b,c,d",
    "1,Infinity,1,2",
  ]) {
    assert.equal(rangeOfText(text), undefined, text);
  }
});
