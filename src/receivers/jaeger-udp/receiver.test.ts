/** Packets that come together are one batch: when it is pushed, and whose its memory is. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { CounterTable } from "../../base/counters.ts";
import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { BatchBuilder } from "../../core/builder.ts";
import { SpoorError } from "../../core/errors.ts";
import type { PushResult } from "../../core/flow.ts";
import { LIMITS } from "../../core/limits.ts";
import { encodeJaegerThrift } from "../../../test/support/jaeger-thrift-encode.ts";
import { until } from "../../../test/support/patience.ts";
import { ClientStatsMeter } from "./client-stats.ts";
import { startJaegerUdp } from "./receiver.ts";
import type { UdpProcessor } from "./receiver.ts";

/** A packet of one span with a value of so many bytes. */
function packetOf(valueBytes: number): Uint8Array {
  const builder = new BatchBuilder();
  const row = builder.addSpan(builder.addResource(), builder.addScope());
  builder.traceId[row] = 1;
  builder.spanId[row] = 1;
  const key = builder.key(builder.text("value"), ATTRIBUTE_TYPE.STRING);
  builder.spanAttributes.add(key, builder.text("v".repeat(valueBytes)));
  return encodeJaegerThrift(builder.finish(), "compact", true);
}

/** A clock whose waits end when told. */
function handClock(): Clock & { readonly waits: Map<() => void, number> } {
  const waits = new Map<() => void, number>();
  return {
    waits,
    nowMs: () => 0,
    monotonicMs: () => 0,
    after(delayMs, run) {
      waits.set(run, delayMs);
      return () => waits.delete(run);
    },
  };
}

interface Push {
  readonly batch: SpanBatch;
  readonly format: string;
  readonly taken: () => void;
  readonly refused: (error: Error) => void;
}

interface RigOptions {
  readonly sinkLetsGo?: boolean;
  readonly processor?: UdpProcessor;
}

async function rig(t: TestContext, options: RigOptions = {}) {
  const { sinkLetsGo = false, processor = "jaeger-compact" } = options;
  const labels = processor.split("-");
  const counters = new CounterTable();
  const clock = handClock();
  const clients = new ClientStatsMeter(counters, handClock());
  const pushes: Push[] = [];
  const server = await startJaegerUdp({
    processor,
    host: "127.0.0.1",
    port: 0,
    maxPacketBytes: 65_000,
    queuePackets: 1000,
    receiveBufferBytes: 1024 * 1024,
    sink: {
      push: (batch, { format }) =>
        new Promise<PushResult>((resolve, reject) => {
          const result = { stored: batch.spanCount, deduplicated: 0, dropped: 0 };
          pushes.push({ batch, format, taken: () => resolve(result), refused: reject });
        }),
    },
    sinkLetsGo,
    rejections: { rejected() {} },
    clients,
    counters,
    clock,
  });
  const socket = createSocket("udp4");
  t.after(async () => {
    socket.close();
    for (const { taken } of pushes) taken();
    await server.close();
  });
  const name = "jaeger_agent_thrift_udp_server_packets_processed_total";
  let sent = 0;
  return {
    clock,
    pushes,
    close: () => server.close(),
    results: (result: string) => counters.value("spoor_udp_messages_total", [...labels, result]),
    send: async (packets: readonly Uint8Array[]): Promise<void> => {
      for (const packet of packets) {
        socket.send(packet, server.port, "127.0.0.1");
        sent++;
        await until("the packet", () => counters.value(name, labels) === sent);
      }
    },
    /** Ends the wait for more packets. */
    wait: (): void => {
      const [[run, delayMs] = []] = clock.waits;
      assert.equal(delayMs, LIMITS.udpBatchMs);
      clock.waits.clear();
      run?.();
    },
  };
}

const bad = new Uint8Array([1, 2, 3]);

test("packets of some milliseconds are one batch, each counted as the batch ends", async (t) => {
  const { send, wait, pushes, results } = await rig(t);
  await send([packetOf(1), bad, packetOf(2), packetOf(3)]);
  assert.equal(pushes.length, 0);
  wait();
  assert.equal(pushes[0]!.batch.spanCount, 3);
  assert.deepEqual([results("ok"), results("malformed")], [0, 1]);
  pushes[0]!.taken();
  await until("the batch", () => results("ok") === 3);
  await send([packetOf(1), packetOf(2)]);
  wait();
  pushes[1]!.refused(new SpoorError("overloaded", "full"));
  await until("the batch", () => results("overloaded") === 2);
});

test("many bytes do not wait", async (t) => {
  const { send, clock, pushes } = await rig(t);
  const most = Math.ceil(LIMITS.udpBatchBytes / 60_000);
  await send(Array.from({ length: most }, (_, i) => packetOf(60_000 - i)));
  assert.equal(pushes[0]!.batch.spanCount, most);
  assert.equal(clock.waits.size, 0);
});

test("Zipkin's messages are one batch as well, beside Jaeger's on the same port", async (t) => {
  const { send, clock, close, pushes, results } = await rig(t, { processor: "zipkin-compact" });
  const file = new URL(
    "../../../test/fixtures/zipkin-thrift-udp-compact/thriftpy2.bin",
    import.meta.url,
  );
  const zipkin = Uint8Array.from(readFileSync(file));
  await send([zipkin, packetOf(1), zipkin, zipkin.subarray(0, 50), packetOf(2), zipkin]);
  assert.deepEqual([pushes.length, clock.waits.size], [0, 2]);
  const closed = close();
  await until("both batches", () => pushes.length === 2);
  const seen = pushes.map(({ batch, format }) => [format, batch.spanCount]);
  const alone = seen[1]![1] as number;
  assert.deepEqual(seen, [
    ["jaeger", 2],
    ["zipkin", alone],
  ]);
  assert.ok(alone > 0 && alone % 3 === 0, `${alone} spans of three messages`);
  for (const { taken } of pushes) taken();
  await closed;
  assert.deepEqual([results("ok"), results("malformed")], [5, 1]);
});

test("a stop pushes what waits, and waits for it", async (t) => {
  const { send, close, pushes, results } = await rig(t);
  await send([packetOf(1), packetOf(2)]);
  const closed = close();
  await until("the batch", () => pushes.length === 1);
  assert.equal(pushes[0]!.batch.spanCount, 2);
  pushes[0]!.taken();
  await closed;
  assert.equal(results("ok"), 2);
});

test("a batch's memory is the next one's only once the sink lets go of it", async (t) => {
  const { send, wait, pushes } = await rig(t, { sinkLetsGo: true });
  const memory = (push: number): ArrayBufferLike => pushes[push]!.batch.dictBytes.buffer;
  await send([packetOf(100)]);
  wait();
  await send([packetOf(100)]);
  wait();
  assert.notEqual(memory(1), memory(0));
  pushes[0]!.taken();
  pushes[1]!.taken();
  await send([packetOf(100)]);
  wait();
  assert.equal(memory(2), memory(0));
  const keeps = await rig(t);
  for (const push of [0, 1]) {
    await keeps.send([packetOf(100)]);
    keeps.wait();
    keeps.pushes[push]!.taken();
  }
  assert.notEqual(keeps.pushes[0]!.batch.dictBytes.buffer, keeps.pushes[1]!.batch.dictBytes.buffer);
});
