/** The counter table as Prometheus text. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterTable } from "../base/counters.ts";
import { openMetricsText } from "./metrics-text.ts";

function linesOf(text: string, name: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(name));
}

test("counters, gauges and histograms are printed as they are when asked", async () => {
  const table = new CounterTable();
  const metrics = openMetricsText(table);
  const requests = table.counter("t_requests_total", "Requests.", ["path"], ['/a"b\n']);
  let depth = 1;
  table.gauge("t_depth", "Depth.", () => depth);
  const observe = table.histogram("t_seconds", "Time.", ["of"], ["x"], [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) observe(value);
  requests.value += 3;
  depth = 4;

  const text = await metrics.render();
  assert.deepEqual(linesOf(text, "t_requests_total"), ['t_requests_total{path="/a\\"b\\n"} 3']);
  assert.deepEqual(linesOf(text, "t_depth"), ["t_depth 4"]);
  assert.deepEqual(linesOf(text, "t_seconds"), [
    't_seconds_bucket{of="x",le="0.1"} 2',
    't_seconds_bucket{of="x",le="1"} 3',
    't_seconds_bucket{of="x",le="+Inf"} 4',
    't_seconds_sum{of="x"} 7.65',
    't_seconds_count{of="x"} 4',
  ]);
  assert.match(text, /# TYPE t_seconds histogram/);
  assert.match(text, /^process_cpu_seconds_total /m);
});

test("a metric registered after the first scrape appears in the next", async () => {
  const table = new CounterTable();
  const metrics = openMetricsText(table);
  await metrics.render();
  table.counter("t_late_total", "Late.").value = 1;
  assert.deepEqual(linesOf(await metrics.render(), "t_late"), ["t_late_total 1"]);
});
