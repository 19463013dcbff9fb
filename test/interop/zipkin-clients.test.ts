/** Zipkin's own client for JS, OpenTelemetry's Zipkin exporter and py_zipkin, through 9411. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunningRole } from "../../src/run/role.ts";
import { needs } from "../needs.ts";
import { pythonWithOldZipkin, pythonWithZipkin } from "../support/python-otel.ts";
import { metricOf, portOf, runAllInOne, seenSpans, tracesOf } from "../support/running-roles.ts";
import type { SeenSpan } from "../support/running-roles.ts";

const JS_SENDER = fileURLToPath(new URL("../fixtures/send-jaeger.ts", import.meta.url));
const PY_SENDER = fileURLToPath(new URL("../fixtures/send-zipkin.py", import.meta.url));
const run = promisify(execFile);

/** The spans of the one trace that was sent, once all are there. */
async function sent(role: RunningRole, count: number): Promise<Map<string, SeenSpan>> {
  const traces = await tracesOf(role, "shop", count);
  assert.equal(traces.length, 1);
  assert.equal(await metricOf(role, "spoor_ledger_spans_total", 'state="rejected"'), 0);
  return seenSpans(traces[0]!);
}

function has(span: SeenSpan | undefined, ...tags: readonly string[]): void {
  for (const tag of tags) assert(span?.tags.includes(tag), `${tag} of ${span?.tags.join("; ")}`);
}

for (const [kind, path] of [
  ["zipkin-v1", "api/v1/spans"],
  ["zipkin-v2", "api/v2/spans"],
] as const) {
  test(`zipkin for JS: ${kind}`, async (t) => {
    const role = await runAllInOne(t);
    await run(process.execPath, [JS_SENDER, kind, String(portOf(role, "zipkin")), path]);
    const spans = await sent(role, 2);
    const [root, child] = [...spans.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    has(root, 'span.kind string "server"', 'http.status_code string "500"');
    has(child, 'span.kind string "client"', "error bool true");
    assert.equal(root!.parents.length, 0);
    assert.equal(child!.parents.length, 1);
    assert.deepEqual(
      child!.logs.map((log) => log[1]),
      ['event string "slow"'],
    );
  });
}

test("OpenTelemetry's Zipkin exporter", async (t) => {
  const role = await runAllInOne(t);
  await run(process.execPath, [JS_SENDER, "otel-zipkin", String(portOf(role, "zipkin"))]);
  const traces = await tracesOf(role, "shop", 3);
  const spans = new Map(traces.flatMap((trace) => [...seenSpans(trace)]));
  has(spans.get("GET /cart"), 'span.kind string "server"');
  has(spans.get("SELECT"), 'span.kind string "client"', "error bool true", 'rows string "12"');
  assert.equal(spans.get("SELECT")!.parents.length, 1);
});

for (const [encoding, path, type] of [
  ["V2_JSON", "api/v2/spans", "application/json"],
  ["V2_PROTO3", "api/v2/spans", "application/x-protobuf"],
  ["V1_JSON", "api/v1/spans", "application/json"],
  ["V1_THRIFT", "api/v1/spans", "application/x-thrift"],
] as const) {
  test(`py_zipkin: ${encoding}`, { skip: needs("python") }, async (t) => {
    const old = encoding === "V1_THRIFT";
    const python = await (old ? pythonWithOldZipkin() : pythonWithZipkin());
    const role = await runAllInOne(t);
    const url = `http://127.0.0.1:${portOf(role, "zipkin")}/${path}`;
    await run(python, [PY_SENDER, url, encoding, type]);
    const spans = await sent(role, 3);
    has(spans.get("GET /cart"), 'user string "Zoë ☃"', 'span.kind string "server"');
    has(spans.get("SELECT"), "error bool true", 'rows string "12"', 'span.kind string "client"');
    assert.deepEqual(
      spans.get("SELECT")!.logs.map((log) => log[1]),
      ['event string "slow"'],
    );
  });
}
