/** The collector is killed and started again under an agent: every span is stored or counted. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { keptPort } from "../support/free-ports.ts";
import { encodeJaegerThrift } from "../support/jaeger-thrift-encode.ts";
import { eventually } from "../support/patience.ts";
import { metricOf, portOf, runAgent } from "../support/running-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startSpoor } from "./spoor-process.ts";
import type { SpoorProcess } from "./spoor-process.ts";

const SPANS_PER_PACKET = 20;
const PACKETS_PER_ROUND = 25;
const ROUNDS = 4;
const START_US = 1_700_000_000_000_000;
const SPANS = "spoor_reporter_spans_total";

/** A trace of its own. */
function packet(number: number): Uint8Array {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const key = builder.key(builder.text("service.name"), ATTRIBUTE_TYPE.STRING);
  builder.resourceAttributes.add(key, builder.text("shop"));
  const scope = builder.addScope();
  for (let i = 0; i < SPANS_PER_PACKET; i++) {
    const row = builder.addSpan(resource, scope);
    builder.startUs[row] = START_US + number;
    builder.durationNs[row] = 1000;
    builder.nameId[row] = builder.text("work");
    new DataView(builder.traceId.buffer).setUint32(row * 16 + 12, number + 1);
    new DataView(builder.spanId.buffer).setUint32(row * 8 + 4, i + 1);
  }
  return encodeJaegerThrift(builder.finish(), "compact", true);
}

/** Spans of all traces there are, and how many traces. */
async function stored(server: SpoorProcess): Promise<{ spans: number; traces: number }> {
  const query = "service=shop&limit=1500&start=1&end=4000000000000000";
  const answer = await fetch(`${server.ui}/api/traces?${query}`);
  const { data } = (await answer.json()) as { data: { spans: object[] }[] | null };
  const traces = data ?? [];
  return { spans: traces.reduce((sum, { spans }) => sum + spans.length, 0), traces: traces.length };
}

test("a killed collector costs no span that its agent took", async (t) => {
  const folder = tempFolder("agent");
  const port = await keptPort();
  const args = [
    `--embedded.directory=${folder}`,
    "--embedded.retention=0s",
    `--collector.grpc-server.host-port=127.0.0.1:${port}`,
  ];
  const agent = await runAgent(t, [`--reporter.grpc.host-port=127.0.0.1:${port}`]);
  const udp = portOf(agent, "jaegerCompact");
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  let server = await startSpoor({ args });
  t.after(() => server.stop("SIGKILL"));
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < PACKETS_PER_ROUND; i++) {
      socket.send(packet(sent++), udp, "127.0.0.1");
      // In the middle of what is under way.
      if (i === 12) void server.stop("SIGKILL");
    }
    const spans = sent * SPANS_PER_PACKET;
    await eventually("every packet at the agent", async () => {
      const received = await metricOf(agent, SPANS, 'state="received"');
      return received === spans ? received : undefined;
    });
    await server.ended;
    server = await startSpoor({ args });
  }
  await eventually("the end of every span", async () =>
    (await metricOf(agent, "spoor_reporter_buffered_spans")) === 0 ? true : undefined,
  );
  const all = sent * SPANS_PER_PACKET;
  const delivered = await metricOf(agent, SPANS, 'state="delivered"');
  const dropped = await metricOf(agent, SPANS, 'state="dropped"');
  assert.equal(delivered + dropped, all);
  assert.equal(dropped, 0, "none had to be dropped");
  const { spans, traces } = await stored(server);
  assert.deepEqual([traces, spans], [sent, all]);
});

test("without a collector the buffer fills, and what is beyond it is counted", async (t) => {
  const port = await keptPort();
  const agent = await runAgent(t, [
    `--reporter.grpc.host-port=127.0.0.1:${port}`,
    "--reporter.buffer-spans=100",
  ]);
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  const udp = portOf(agent, "jaegerCompact");
  // One after the other: those that come together are taken or dropped together.
  for (let i = 0; i < 10; i++) {
    socket.send(packet(i), udp, "127.0.0.1");
    await eventually("the packet at the agent", async () =>
      (await metricOf(agent, SPANS, 'state="received"')) === 20 * (i + 1) ? true : undefined,
    );
  }
  assert.equal(await metricOf(agent, SPANS, 'reason="buffer-full"'), 100);
  assert.equal(await metricOf(agent, "spoor_reporter_buffered_spans"), 100);
  const admin = await fetch(`http://127.0.0.1:${portOf(agent, "admin")}/`);
  const health = (await admin.json()) as { notes: string[] };
  assert.match(health.notes[0] ?? "", /^no collector of --reporter\.grpc\.host-port: 127/);
  const folder = tempFolder("agent");
  const server = await startSpoor({
    args: [
      `--embedded.directory=${folder}`,
      "--embedded.retention=0s",
      `--collector.grpc-server.host-port=127.0.0.1:${port}`,
    ],
  });
  t.after(() => server.stop("SIGKILL"));
  await eventually("delivery", async () =>
    (await metricOf(agent, SPANS, 'state="delivered"')) === 100 ? true : undefined,
  );
  assert.deepEqual(await stored(server), { spans: 100, traces: 5 });
});
