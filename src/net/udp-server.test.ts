/** Datagrams over a real socket: taken in order, bounded, counted; drops of the kernel are read. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { until } from "../../test/support/patience.ts";
import { CounterTable } from "../base/counters.ts";
import { isSpoorError } from "../core/errors.ts";
import { parseDrops } from "./udp-kernel-drops.ts";
import { startUdpServer } from "./udp-server.ts";
import type { UdpServerOptions } from "./udp-server.ts";

const HOST = "127.0.0.1";
const LABELS = ["jaeger", "compact"];
const SERVER = "jaeger_agent_thrift_udp_server_";

interface Rig {
  readonly port: number;
  readonly counters: CounterTable;
  readonly taken: Uint8Array[];
  readonly send: (packet: Uint8Array) => Promise<void>;
  readonly until: (what: string, holds: () => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function rig(t: TestContext, options: Partial<UdpServerOptions> = {}): Promise<Rig> {
  const counters = new CounterTable();
  const taken: Uint8Array[] = [];
  const server = await startUdpServer({
    host: HOST,
    port: 0,
    flag: "port",
    model: "jaeger",
    protocol: "compact",
    maxPacketBytes: 65_000,
    queuePackets: 1000,
    receiveBufferBytes: 1024 * 1024,
    counters,
    take: (packet) => {
      taken.push(new Uint8Array(packet));
      return packet.length > 0;
    },
    ...options,
  });
  const socket = createSocket("udp4");
  t.after(async () => {
    socket.close();
    await server.close();
  });
  return {
    port: server.port,
    counters,
    taken,
    send: (packet) =>
      new Promise((resolve, reject) => {
        socket.send(packet, server.port, HOST, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
    until,
    close: () => server.close(),
  };
}

test("datagrams are taken in order, up to the largest there are", async (t) => {
  const { send, taken, until, counters } = await rig(t);
  const sizes = [1, 100, 65_000, 3];
  for (const size of sizes) await send(new Uint8Array(size).fill(7));
  await until("four datagrams", () => taken.length === 4);
  assert.deepEqual(
    taken.map((packet) => packet.length),
    sizes,
  );
  assert.ok(taken.every((packet) => packet.every((byte) => byte === 7)));
  assert.equal(counters.value(`${SERVER}packets_processed_total`, LABELS), 4);
  assert.equal(counters.value(`${SERVER}packet_size`, LABELS), 3);
  assert.equal(counters.value(`${SERVER}queue_size`, LABELS), 0);
});

test("what is too large, empty or beyond the queue is counted by reason", async (t) => {
  const { send, taken, until, counters } = await rig(t, { maxPacketBytes: 10 });
  await send(new Uint8Array(11));
  await send(new Uint8Array(0));
  await send(new Uint8Array(10));
  await until("two datagrams", () => taken.length === 2);
  assert.equal(counters.value(`${SERVER}packets_dropped_total`, LABELS), 1);
  const dropped = "spoor_udp_dropped_packets_total";
  assert.equal(counters.value(dropped, [...LABELS, "too-large"]), 1);
  const errors = "jaeger_agent_thrift_udp_t_processor_handler_errors_total";
  assert.equal(counters.value(errors, LABELS), 1);
});

test("the queue holds no more than it may while the taker is slow", async (t) => {
  let slow = true;
  const { send, until, counters, taken, port } = await rig(t, {
    queuePackets: 4,
    take: (packet) => {
      // The first one keeps the loop busy until the kernel has all the others.
      const endMs = performance.now() + (slow ? 100 : 0);
      while (performance.now() < endMs);
      slow = false;
      taken.push(new Uint8Array(packet));
      return true;
    },
  });
  assert.ok(port > 0);
  await Promise.all(Array.from({ length: 30 }, (_, i) => send(new Uint8Array([i]))));
  const dropped = (): number => counters.value(`${SERVER}packets_dropped_total`, LABELS);
  await until("all thirty", () => taken.length + dropped() === 30);
  assert.ok(dropped() > 0, "nothing was dropped");
  const full = counters.value("spoor_udp_dropped_packets_total", [...LABELS, "queue-full"]);
  assert.equal(full, dropped());
});

test("a bug of the taker is told, and the next datagram is taken", async (t) => {
  const faults: unknown[] = [];
  let first = true;
  const { send, until, taken } = await rig(t, {
    take: (packet) => {
      if (first) {
        first = false;
        throw new TypeError("a bug");
      }
      taken.push(new Uint8Array(packet));
      return true;
    },
    onFault: (error) => faults.push(error),
  });
  await send(new Uint8Array([1]));
  await send(new Uint8Array([2]));
  await until("the second", () => taken.length === 1);
  assert.equal(faults.length, 1);
});

test("what waits when the socket closes is still taken", async (t) => {
  const { send, taken, close, until, counters } = await rig(t);
  await send(new Uint8Array([1]));
  await until("its receipt", () => counters.value(`${SERVER}packet_size`, LABELS) === 1);
  const stops = (): number =>
    counters.value("jaeger_agent_thrift_udp_t_processor_close_time", LABELS);
  assert.equal(stops(), 0);
  await close();
  await close();
  assert.equal(taken.length, 1);
  assert.equal(stops(), 1);
});

test("a port in use is an error that names the flag", async (t) => {
  const { port } = await rig(t);
  await assert.rejects(
    startUdpServer({
      host: HOST,
      port,
      flag: "processor.jaeger-compact.server-host-port",
      model: "jaeger",
      protocol: "compact",
      maxPacketBytes: 65_000,
      queuePackets: 1,
      receiveBufferBytes: 65_536,
      counters: new CounterTable(),
      take: () => true,
    }),
    (error) => isSpoorError(error, "in-use") && /processor\.jaeger-compact/.test(error.message),
  );
});

test("every interface is served when no host is named", async () => {
  const counters = new CounterTable();
  const got = Promise.withResolvers<number>();
  const server = await startUdpServer({
    host: "",
    port: 0,
    flag: "port",
    model: "jaeger",
    protocol: "binary",
    maxPacketBytes: 65_000,
    queuePackets: 10,
    receiveBufferBytes: 65_536,
    counters,
    take: (packet) => {
      got.resolve(packet.length);
      return true;
    },
  });
  const socket = createSocket("udp4");
  socket.send(new Uint8Array(5), server.port, HOST);
  assert.equal(await got.promise, 5);
  socket.close();
  await server.close();
});

test("drops of the kernel are read by port, over both families", () => {
  const head =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when ref pointer drops";
  const line = (n: number, address: string, drops: number): string =>
    `${n}: ${address} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 5 2 0 ${drops}`;
  const text = [
    head,
    line(123, "0100007F:1AAF", 7),
    line(4, "00000000:1AB0", 0),
    head,
    line(9, "00000000000000000000000000000000:1AAF", 4),
  ].join("\n");
  const drops = parseDrops(text);
  assert.equal(drops.get(6831), 11);
  assert.equal(drops.get(6832), 0);
});

test("a socket that overflows shows its drops", async (t) => {
  const { send, counters, port, until } = await rig(t, { receiveBufferBytes: 4096 });
  const drops = (): number =>
    counters.value("spoor_udp_kernel_dropped_packets", [...LABELS, String(port)]);
  assert.equal(drops(), 0);
  if (process.platform !== "linux") return;
  await Promise.all(Array.from({ length: 200 }, () => send(new Uint8Array(1000))));
  await until("drops", () => drops() > 0);
});
