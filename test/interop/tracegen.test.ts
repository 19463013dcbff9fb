/** Jaeger's tracegen sends to the all-in-one by OTLP over HTTP and gRPC: nothing is missing. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { needs } from "../needs.ts";
import { jaegerTracegen } from "../support/jaeger-tracegen.ts";
import { allSpans, portOf, runAllInOne, tracesOf } from "../support/running-roles.ts";

const execute = promisify(execFile);
const TRACES = 20;
const CHILDREN = 4;
const SHAPE = ["-traces", String(TRACES), "-spans", String(CHILDREN), "-pause", "0s"];

for (const [exporter, server] of [
  ["otlp-http", "otlpHttp"],
  ["otlp-grpc", "otlpGrpc"],
] as const) {
  test(`tracegen over ${exporter}`, { skip: needs("go") }, async (t) => {
    const role = await runAllInOne(t);
    const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${portOf(role, server)}`;
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT };
    await execute(await jaegerTracegen(), [...SHAPE, "-trace-exporter", exporter], { env });
    const traces = await tracesOf(role, "tracegen", TRACES * (1 + CHILDREN));
    assert.equal(traces.length, TRACES);
    for (const trace of traces) {
      const spans = allSpans(trace);
      assert.equal(spans.length, 1 + CHILDREN);
      const roots = spans.filter(({ parents }) => parents.length === 0);
      assert.equal(roots.length, 1);
      for (const span of spans) {
        assert.equal(span.service, "tracegen");
        if (span === roots[0]) continue;
        assert.equal(span.durationUs, 123);
        assert.equal(span.tags.filter((text) => text.startsWith("attr_")).length, 11);
      }
    }
  });
}
