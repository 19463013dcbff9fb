/** Deliveries to real servers that are busy, refuse, die or never come: every span is accounted. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { keptPort } from "../../test/support/free-ports.ts";
import { PATIENCE_MS, until } from "../../test/support/patience.ts";
import { CounterTable } from "../base/counters.ts";
import { seededRandom, systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { Delivery } from "./delivery.ts";
import type { DeliveryOptions, DeliveryProtocol, Parcel } from "./delivery.ts";
import { GrpcChannel } from "./grpc-channel.ts";
import type { GrpcCaller } from "./grpc-channel.ts";
import type { GrpcReply } from "./grpc-reply-reader.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { GRPC_STATUS } from "./grpc-status.ts";
import type { GrpcFailure } from "./grpc-status.ts";
import type { HttpServer } from "./http-server.ts";

const PATH = "/test.Sink/Take";
const HOST = "127.0.0.1";

/** A parcel's bytes are its spans: one byte a span, all the same. */
const PROTOCOL: DeliveryProtocol = {
  path: PATH,
  retryCodes: new Set([GRPC_STATUS.UNAVAILABLE]),
  join: (parcels) => Uint8Array.from(Buffer.concat(parcels.map(({ bytes }) => bytes))),
  rejectedBy: (answer) => answer[0] ?? 0,
};

function parcel(spans: number, content = 1): Parcel {
  const bytes = new Uint8Array(spans).fill(content);
  return { bytes, spans, format: "jaeger", group: "", strangerBytes: spans };
}

function serve(
  handle: (request: Uint8Array) => Promise<Uint8Array>,
  options: { readonly port?: number; readonly failure?: (thrown: unknown) => GrpcFailure } = {},
): Promise<HttpServer> {
  const { port = 0, failure } = options;
  const method = failure === undefined ? { handle } : { handle, failure };
  const methods = new Map([[PATH, method]]);
  const counters = new CounterTable();
  return startGrpcServer({ host: HOST, port, flag: "port", name: "test", methods, counters });
}

/** The system's clock, whose waits before another attempt are over at once. */
function impatient(waits: number[] = []): Clock {
  return {
    ...systemClock,
    after(delayMs, run) {
      // A server that takes its time is no refusal.
      if (delayMs >= LIMITS.grpcConnectMs) return systemClock.after(delayMs, run);
      waits.push(delayMs);
      return systemClock.after(Math.min(delayMs, 1), run);
    },
  };
}

interface Rig {
  readonly delivery: Delivery;
  readonly channel: GrpcChannel;
  readonly count: (state: string, reason?: string) => number;
  readonly settled: () => Promise<void>;
}

function rig(t: TestContext, port: number, options: Partial<DeliveryOptions> = {}): Rig {
  const counters = new CounterTable();
  const random = seededRandom(1);
  const clock = options.clock ?? systemClock;
  const targets = [{ host: HOST, port }];
  const channel = new GrpcChannel({ targets, peers: 1, clock: systemClock, random });
  t.after(() => channel.close());
  const sizes = { maxBytes: 10_000, maxSpans: 1000, retries: 3 };
  const rest = { channel, protocol: PROTOCOL, counters, clock, random };
  const delivery = new Delivery({ ...sizes, ...rest, ...options });
  return {
    delivery,
    channel,
    count: (state, reason = "") => counters.value("spoor_reporter_spans_total", [state, reason]),
    async settled() {
      await until("the end of every span", () => delivery.bufferedSpans === 0);
    },
  };
}

const EMPTY = new Uint8Array(0);

test("parcels are delivered; those that wait travel together", async (t) => {
  const gate = Promise.withResolvers<undefined>();
  const sizes: number[] = [];
  const server = await serve(async (request) => {
    sizes.push(request.length);
    await gate.promise;
    return EMPTY;
  });
  t.after(() => server.close(0));
  const { delivery, settled, count } = rig(t, server.port);
  for (let i = 0; i < 50; i++) assert.equal(delivery.offer([parcel(3), parcel(2)]), "taken");
  assert.equal(delivery.bufferedSpans, 250);
  gate.resolve(undefined);
  await settled();
  assert.equal(count("received"), 250);
  assert.equal(count("delivered"), 250);
  assert.ok(sizes.length <= 8, `${sizes.length} calls`);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    250,
  );
});

test("a call has one group in a row, and others where they fit whole", async (t) => {
  const gate = Promise.withResolvers<undefined>();
  const calls: Uint8Array[] = [];
  const server = await serve(async (request) => {
    calls.push(new Uint8Array(request));
    await gate.promise;
    return EMPTY;
  });
  t.after(() => server.close(0));
  const { delivery, settled } = rig(t, server.port, { maxBytes: 10_000_000, maxSpans: 10_000_000 });
  const of = (group: number, spans: number): Parcel => ({
    ...parcel(spans, group),
    group: `group ${group}`,
    // Among others it would take twice the bytes.
    strangerBytes: spans * 2,
  });
  // Four calls are under way before the first parcel waits.
  for (let i = 0; i < 4; i++) delivery.offer([of(1, 1)]);
  for (let i = 0; i < 6; i++) delivery.offer([of(2, 100_000), of(3, 5000), of(4, 5), of(5, 1)]);
  gate.resolve(undefined);
  await settled();
  const runs = calls.slice(4).map((call) => runsOf(call).join(" "));
  // 256 KiB: 200,000 of the busy group leave room for 62,144 bytes of others.
  assert.deepEqual(runs, ["2: 200000 3: 30000 4: 30 5: 6", "2: 200000", "2: 200000"]);
});

test("calls under way are few of little, and more while each is full and taken", async (t) => {
  let held: Promise<unknown> | undefined;
  let underWay = 0;
  let isBusy = false;
  let nowMs = 0;
  let takesMs = 0;
  const channel: GrpcCaller = {
    ready: () => Promise.resolve(true),
    call: async () => {
      underWay++;
      const code = isBusy ? GRPC_STATUS.UNAVAILABLE : GRPC_STATUS.OK;
      isBusy = false;
      await held;
      underWay--;
      nowMs += takesMs;
      return { ...OK, code };
    },
    close() {},
  };
  const sizes = { maxBytes: 100_000_000, maxSpans: 100_000_000 };
  const clock: Clock = { ...impatient(), monotonicMs: () => nowMs };
  const { delivery, settled, count } = rig(t, 1, { channel, ...sizes, clock });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Calls under way, unanswered, once so many parcels are there. */
  const held100 = async (spans: number): Promise<number> => {
    const gate = Promise.withResolvers<undefined>();
    held = gate.promise;
    for (let i = 0; i < 100; i++) delivery.offer([parcel(spans)]);
    await turn();
    const found = underWay;
    held = undefined;
    gate.resolve(undefined);
    await settled();
    return found;
  };
  const full = LIMITS.deliveryCallBytes;
  assert.equal(await held100(full), LIMITS.deliveryCalls);
  assert.equal(await held100(full), LIMITS.deliveryFullCalls);
  assert.equal(await held100(10), LIMITS.deliveryCalls);
  isBusy = true;
  delivery.offer([parcel(1)]);
  await turn();
  assert.equal(await held100(full), LIMITS.deliveryCalls);
  // A link whose calls take so long has no more to give.
  takesMs = LIMITS.deliveryMs / 4;
  delivery.offer([parcel(1)]);
  await turn();
  takesMs = 0;
  assert.equal(await held100(full), LIMITS.deliveryCalls);
  assert.equal(count("delivered"), 400 * full + 1002);
});

/** What a message is made of: contents and how many of them are in a row. */
function runsOf(message: Uint8Array): string[] {
  const runs: [content: number, count: number][] = [];
  for (const content of message) {
    const last = runs.at(-1);
    if (last?.[0] === content) last[1]++;
    else runs.push([content, 1]);
  }
  return runs.map(([content, count]) => `${content}: ${count}`);
}

test("what is beyond the bytes or the spans is refused and counted", async (t) => {
  const { delivery, count } = rig(t, 1, { maxBytes: 100, maxSpans: 60 });
  assert.equal(delivery.offer([parcel(50)]), "taken");
  assert.equal(delivery.offer([parcel(11)]), "buffer-full");
  const heavy = {
    bytes: new Uint8Array(51),
    spans: 1,
    format: "jaeger",
    group: "",
    strangerBytes: 51,
  };
  assert.equal(delivery.offer([heavy]), "buffer-full");
  assert.equal(delivery.offer([parcel(5), parcel(5)]), "taken");
  assert.equal(count("dropped", "buffer-full"), 12);
  await delivery.close(0);
  assert.equal(count("dropped", "shutdown"), 60);
  assert.equal(delivery.offer([parcel(1)]), "shutdown");
  assert.equal(count("received"), 73);
  assert.equal(count("dropped", "shutdown"), 61);
});

test("a busy server is asked again after waits that double", async (t) => {
  let calls = 0;
  const server = await serve(async () => {
    if (++calls <= 3) throw new SpoorError("overloaded", "busy");
    return EMPTY;
  });
  t.after(() => server.close(0));
  const waits: number[] = [];
  const { delivery, settled, count } = rig(t, server.port, { clock: impatient(waits) });
  delivery.offer([parcel(4)]);
  await settled();
  assert.deepEqual([calls, count("delivered")], [4, 4]);
  const [first, second, third] = waits as [number, number, number];
  assert.ok(first >= 500 && first <= 1000, String(first));
  assert.ok(second >= 1000 && second <= 2000, String(second));
  assert.ok(third >= 2000 && third <= 4000, String(third));
});

test("a server that stays busy is asked as often as told, then spans are counted", async (t) => {
  let calls = 0;
  const server = await serve(async () => {
    calls++;
    throw new SpoorError("overloaded", "busy");
  });
  t.after(() => server.close(0));
  const { delivery, settled, count } = rig(t, server.port, { retries: 2, clock: impatient() });
  delivery.offer([parcel(4)]);
  await settled();
  assert.deepEqual([calls, count("delivered"), count("dropped", "retries-exhausted")], [3, 0, 4]);
});

/** A channel that gives these replies, one a call, and the messages it was given. */
function scripted(replies: readonly Partial<GrpcReply>[]) {
  const messages: Uint8Array[] = [];
  const channel: GrpcCaller = {
    ready: () => Promise.resolve(true),
    call: (_, message) => {
      messages.push(message);
      const reply = replies[messages.length - 1];
      return Promise.resolve({ ...OK, ...reply });
    },
    close() {},
  };
  return { channel, messages };
}

const OK: GrpcReply = { code: 0, message: "", body: EMPTY, from: "server", isSent: true };

test("what a server does not take in time is sent again, whole", async (t) => {
  const late = { code: GRPC_STATUS.DEADLINE_EXCEEDED, from: "nobody" } as const;
  const { channel, messages } = scripted([late, late, { isSent: false }]);
  const { delivery, settled, count } = rig(t, 1, { channel });
  delivery.offer([parcel(5)]);
  await settled();
  assert.deepEqual([count("delivered"), count("dropped")], [5, 0]);
  assert.equal(messages.length, 3);
  assert.ok(messages.every((message) => message.length === 5));
});

test("memory is given back when all of a message has gone out, and not before", async (t) => {
  for (const isSent of [true, false]) {
    const { channel, messages } = scripted([{ isSent }]);
    const { delivery, settled, count } = rig(t, 1, { channel });
    const parcels = [parcel(5), parcel(6)];
    delivery.offer(parcels);
    await settled();
    assert.equal(count("delivered"), 11);
    // The message was a copy of them.
    const kept = parcels.map(({ bytes }) => bytes.length);
    assert.deepEqual([messages[0]!.length, ...kept], [isSent ? 0 : 11, 0, 0]);
  }
});

test("one bad parcel does not take the others with it", async (t) => {
  const gate = Promise.withResolvers<undefined>();
  const server = await serve(async (request) => {
    await gate.promise;
    if (request.includes(9)) throw new SpoorError("malformed", "no good");
    return EMPTY;
  });
  t.after(() => server.close(0));
  const { delivery, settled, count } = rig(t, server.port);
  for (let i = 0; i < 20; i++) delivery.offer([parcel(5, i === 13 ? 9 : 1)]);
  gate.resolve(undefined);
  await settled();
  assert.deepEqual([count("delivered"), count("dropped", "refused")], [95, 5]);
});

test("spans that a good answer refuses are counted as refused", async (t) => {
  const server = await serve(async () => new Uint8Array([3]));
  t.after(() => server.close(0));
  const { delivery, settled, count } = rig(t, server.port);
  delivery.offer([parcel(10)]);
  await settled();
  assert.deepEqual([count("delivered"), count("dropped", "refused")], [7, 3]);
});

test("a server that dies under the calls and comes back gets every span", async (t) => {
  const reached = Promise.withResolvers<undefined>();
  const never = Promise.withResolvers<Uint8Array>();
  const port = await keptPort();
  const handle = (): Promise<Uint8Array> => {
    reached.resolve(undefined);
    return never.promise;
  };
  const first = await serve(handle, { port });
  const { delivery, settled, count } = rig(t, port);
  for (let i = 0; i < 10; i++) delivery.offer([parcel(5)]);
  await reached.promise;
  await first.close(0);
  for (let i = 0; i < 10; i++) delivery.offer([parcel(5)]);
  assert.equal(delivery.bufferedSpans, 100);
  const second = await serve(async () => EMPTY, { port });
  t.after(() => second.close(0));
  await settled();
  assert.equal(count("delivered"), 100);
  never.resolve(EMPTY);
});

test("a message under which every connection breaks is given up", async (t) => {
  let calls = 0;
  let server: HttpServer | undefined;
  const restart = async (port: number): Promise<HttpServer> =>
    (server = await serve(
      async () => {
        calls++;
        const died = server!;
        await died.close(0);
        await restart(died.port);
        return EMPTY;
      },
      { port },
    ));
  const { port } = await restart(await keptPort());
  t.after(() => server?.close(0));
  const random = seededRandom(2);
  const targets = [{ host: HOST, port }];
  const channel = new GrpcChannel({ targets, peers: 1, clock: impatient(), random });
  t.after(() => channel.close());
  const { delivery, settled, count } = rig(t, port, { channel });
  delivery.offer([parcel(5)]);
  await settled();
  assert.equal(count("dropped", "connection-lost"), 5);
  assert.equal(calls, 21);
});

test("a stop delivers what is there, while there is time", async (t) => {
  const gate = Promise.withResolvers<undefined>();
  const server = await serve(async () => {
    await gate.promise;
    return EMPTY;
  });
  t.after(() => server.close(0));
  const { delivery, count } = rig(t, server.port);
  for (let i = 0; i < 20; i++) delivery.offer([parcel(5)]);
  const closed = delivery.close(PATIENCE_MS);
  gate.resolve(undefined);
  await closed;
  assert.equal(count("delivered"), 100);
});

test("a stop whose time is up counts what is left", async (t) => {
  const never = Promise.withResolvers<Uint8Array>();
  const called = Promise.withResolvers<undefined>();
  const server = await serve(() => {
    called.resolve(undefined);
    return never.promise;
  });
  t.after(() => server.close(0));
  const { delivery, count } = rig(t, server.port);
  for (let i = 0; i < 20; i++) delivery.offer([parcel(5)]);
  await called.promise;
  await delivery.close(0);
  assert.deepEqual([count("dropped", "shutdown"), delivery.bufferedSpans], [100, 0]);
  never.resolve(EMPTY);
});
