/** Stock OpenTelemetry SDKs send to the product; Jaeger's API answers, also after a kill. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { needs } from "../needs.ts";
import { pythonWithOtel } from "../support/python-otel.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { jsonOf, startSpoor } from "./spoor-process.ts";
import type { SpoorProcess } from "./spoor-process.ts";

const execute = promisify(execFile);
const JS_SENDER = fileURLToPath(new URL("../support/otel-js-sender.ts", import.meta.url));
const PYTHON_SENDER = fileURLToPath(new URL("../support/otel_python_sender.py", import.meta.url));

/** What the senders print. */
interface Sent {
  readonly parent: { readonly traceId: string; readonly spanId: string };
  readonly child: { readonly traceId: string; readonly spanId: string };
}

interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly object[];
  readonly tags: readonly Tag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly Tag[] }[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: {
    readonly [id: string]: { readonly serviceName: string; readonly tags: readonly Tag[] };
  };
}

async function send(command: string, sender: string, kind: string, place: string): Promise<Sent> {
  const port = place.slice(place.lastIndexOf(":") + 1).replace(/\/.*/, "");
  const { stdout } = await execute(command, [sender, kind, port]);
  return JSON.parse(stdout);
}

function tagOf(tags: readonly Tag[], key: string): string | undefined {
  const tag = tags.find((row) => row.key === key);
  return tag === undefined ? undefined : `${tag.type} ${JSON.stringify(tag.value)}`;
}

/** Everything the senders set, as Jaeger's API shows it. */
async function checkTrace(server: SpoorProcess, sent: Sent, service: string): Promise<void> {
  const { traceId } = sent.parent;
  const found = await jsonOf<{ data: JaegerTrace[] }>(`${server.ui}/api/traces/${traceId}`);
  const [trace] = found.data;
  assert(trace !== undefined);
  const child = trace.spans.find(({ spanID }) => spanID === sent.child.spanId);
  assert(child !== undefined);
  assert.equal(trace.spans.length, 2);
  assert.equal(child.operationName, "SELECT");
  assert.equal(child.startTime, 1_700_000_000_001_000);
  assert.equal(child.duration, 4000);
  // The child links to its own parent: Jaeger shows that as one reference of the link's type.
  assert.deepEqual(child.references, [
    { refType: "FOLLOWS_FROM", traceID: traceId, spanID: sent.parent.spanId },
  ]);
  assert.equal(tagOf(child.tags, "text"), 'string "Ünï"');
  assert.equal(tagOf(child.tags, "whole"), "int64 42");
  assert.equal(tagOf(child.tags, "half"), "float64 0.5");
  assert.equal(tagOf(child.tags, "yes"), "bool true");
  assert.equal(tagOf(child.tags, "error"), "bool true");
  assert.equal(tagOf(child.tags, "span.kind"), 'string "client"');
  assert.equal(child.logs[0]?.timestamp, 1_700_000_000_002_000);
  assert.equal(tagOf(child.logs[0]?.fields ?? [], "event"), 'string "cache miss"');
  assert.equal(trace.processes[child.processID]?.serviceName, service);
}

async function services(server: SpoorProcess): Promise<readonly string[]> {
  return (await jsonOf<{ data: string[] }>(`${server.ui}/api/services`)).data;
}

async function operations(server: SpoorProcess, service: string): Promise<readonly object[]> {
  const url = `${server.ui}/api/operations?service=${service}`;
  return (await jsonOf<{ data: object[] }>(url)).data;
}

/** Sends by both transports, asks, kills, starts again on the same directory, asks again. */
async function sendAskKillAsk(command: string, sender: string, service: string): Promise<void> {
  const folder = tempFolder("sdk");
  const args = [`--embedded.directory=${folder}`, "--embedded.retention=0s"];
  let server = await startSpoor({ args });
  try {
    const sent = [
      await send(command, sender, "protobuf", server.otlpHttp),
      await send(command, sender, "grpc", server.otlpGrpc),
    ];
    for (let round = 0; round < 2; round++) {
      for (const one of sent) await checkTrace(server, one, service);
      assert.deepEqual(await services(server), [service]);
      assert.deepEqual(await operations(server, service), [
        { name: "GET /cart", spanKind: "server" },
        { name: "SELECT", spanKind: "client" },
      ]);
      await server.stop("SIGKILL");
      if (round === 0) server = await startSpoor({ args });
    }
  } finally {
    await server.stop("SIGKILL");
  }
}

test("the JavaScript SDK's traces are found, also after kill -9", async () => {
  await sendAskKillAsk(process.execPath, JS_SENDER, "js-shop");
});

test(
  "the Python SDK's traces are found, also after kill -9",
  { skip: needs("python") },
  async () => {
    await sendAskKillAsk(await pythonWithOtel(), PYTHON_SENDER, "python-shop");
  },
);
