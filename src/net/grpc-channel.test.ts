/** The gRPC client against real servers, ours and grpc-js: balance, loss, deadlines, errors. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { keptPort } from "../../test/support/free-ports.ts";
import { PATIENCE_MS, until } from "../../test/support/patience.ts";
import { CounterTable } from "../base/counters.ts";
import { seededRandom, systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { GrpcChannel } from "./grpc-channel.ts";
import type { GrpcChannelOptions } from "./grpc-channel.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { GRPC_STATUS } from "./grpc-status.ts";
import type { UnaryMethod } from "./grpc-status.ts";
import type { HttpServer } from "./http-server.ts";

const PATH = "/test.Echo/Call";
const HOST = "127.0.0.1";
const HELLO = new TextEncoder().encode("hello");

function serve(handle: UnaryMethod["handle"], port = 0): Promise<HttpServer> {
  const methods = new Map([[PATH, { handle }]]);
  const counters = new CounterTable();
  return startGrpcServer({ host: HOST, port, flag: "port", name: "test", methods, counters });
}

function channelTo(
  t: TestContext,
  ports: readonly number[],
  options: Partial<GrpcChannelOptions> = {},
): GrpcChannel {
  const targets = ports.map((port) => ({ host: HOST, port }));
  const random = seededRandom(1);
  const channel = new GrpcChannel({ targets, peers: 3, clock: systemClock, random, ...options });
  t.after(() => channel.close());
  return channel;
}

test("a call carries its message there and the answer back", async (t) => {
  const server = await serve(async (request) => Buffer.concat([request, request]));
  t.after(() => server.close(0));
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.equal(reply.code, GRPC_STATUS.OK, reply.message);
  assert.equal(new TextDecoder().decode(reply.body), "hellohello");
  const empty = await channel.call(PATH, new Uint8Array(0), PATIENCE_MS);
  assert.deepEqual([empty.code, empty.body.length, empty.from], [0, 0, "server"]);
});

test("a grpc-js server is called, and its errors are read", async (t) => {
  const same = (bytes: Buffer): Buffer => bytes;
  const codec = { requestSerialize: same, requestDeserialize: same };
  const definition = { ...codec, responseSerialize: same, responseDeserialize: same };
  const method = {
    ...definition,
    path: PATH,
    requestStream: false,
    responseStream: false,
  } as const;
  const server = new grpc.Server();
  server.addService(
    { call: method },
    {
      call: (call: { request: Buffer }, reply: grpc.sendUnaryData<Buffer>) => {
        if (call.request.length > 0) reply(null, call.request);
        else reply({ code: grpc.status.RESOURCE_EXHAUSTED, details: "100 % käse" });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => server.forceShutdown());
  const channel = channelTo(t, [port]);
  await channel.ready();
  const large = new Uint8Array(3_000_000).fill(7);
  const reply = await channel.call(PATH, large, PATIENCE_MS);
  assert.equal(reply.code, 0, reply.message);
  assert.deepEqual(Buffer.from(reply.body), Buffer.from(large));
  const refused = await channel.call(PATH, new Uint8Array(0), PATIENCE_MS);
  assert.deepEqual([refused.code, refused.message], [8, "100 % käse"]);
  assert.equal(refused.from, "server");
});

test("calls go to all servers in turn", async (t) => {
  const calls = [0, 0, 0];
  const servers = await Promise.all(
    calls.map((_, i) =>
      serve(async () => {
        calls[i] = calls[i]! + 1;
        return HELLO;
      }),
    ),
  );
  t.after(() => Promise.all(servers.map((server) => server.close(0))));
  const channel = channelTo(
    t,
    servers.map(({ port }) => port),
  );
  await until("three connections", () => channel.openPeers === 3);
  for (let i = 0; i < 30; i++) await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.deepEqual(calls, [10, 10, 10]);
});

// Other systems have but one address of 127/8.
const oneAddress = process.platform === "linux" ? false : "one loopback address";

test("a name with two addresses is two servers", { skip: oneAddress }, async (t) => {
  const calls: string[] = [];
  const one = await serve(async () => {
    calls.push("one");
    return HELLO;
  });
  const two = await startGrpcServer({
    host: "127.0.0.2",
    port: one.port,
    flag: "port",
    name: "test",
    methods: new Map([
      [
        PATH,
        {
          handle: async () => {
            calls.push("two");
            return HELLO;
          },
        },
      ],
    ]),
    counters: new CounterTable(),
  });
  t.after(() => Promise.all([one.close(0), two.close(0)]));
  const channel = channelTo(t, [], {
    targets: [{ host: "collectors", port: one.port }],
    lookup: async () => [HOST, "127.0.0.2"],
  });
  await until("two connections", () => channel.openPeers === 2);
  for (let i = 0; i < 10; i++) await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.deepEqual([calls.length, calls.filter((name) => name === "two").length], [10, 5]);
});

test("only as many servers are connected to as asked, and a lost one is replaced", async (t) => {
  const servers = await Promise.all([0, 1, 2].map(() => serve(async () => HELLO)));
  t.after(() => Promise.all(servers.map((server) => server.close(0))));
  const lines: string[] = [];
  const ports = servers.map(({ port }) => port);
  const channel = channelTo(t, ports, { peers: 1, report: (line) => lines.push(line) });
  await channel.ready();
  assert.equal(channel.openPeers, 1);
  const first = lines.at(-1) ?? "";
  const port = Number(/:(\d+)$/.exec(first)?.[1]);
  await servers.find((server) => server.port === port)?.close(0);
  await until("another server", () =>
    lines.some((line) => line !== first && line.startsWith("connected")),
  );
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.equal(reply.code, 0);
});

test("a server that comes back is found again; meanwhile calls say why they fail", async (t) => {
  const server = await serve(async () => HELLO, await keptPort());
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  await server.close(0);
  await until("the loss", () => channel.openPeers === 0);
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.deepEqual([reply.code, reply.from], [GRPC_STATUS.UNAVAILABLE, "unsent"]);
  assert.match(reply.message, /^no connection: 127\.0\.0\.1:\d+: ./);
  const again = await serve(async () => HELLO, server.port);
  t.after(() => again.close(0));
  await channel.ready();
  assert.equal((await channel.call(PATH, HELLO, PATIENCE_MS)).code, 0);
});

test("a call without an answer ends at its deadline; the connection stays", async (t) => {
  const stuck = Promise.withResolvers<Uint8Array>();
  let first = true;
  const server = await serve(() => {
    const answer = first ? stuck.promise : Promise.resolve(HELLO);
    first = false;
    return answer;
  });
  t.after(() => server.close(0));
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  const reply = await channel.call(PATH, HELLO, 20);
  assert.deepEqual([reply.code, reply.from], [GRPC_STATUS.DEADLINE_EXCEEDED, "nobody"]);
  assert.equal((await channel.call(PATH, HELLO, PATIENCE_MS)).code, 0);
  stuck.resolve(HELLO);
});

test("a call that was running when its server died is UNAVAILABLE and unanswered", async (t) => {
  const called = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Uint8Array>();
  const server = await serve(() => {
    called.resolve();
    return never.promise;
  });
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  const reply = channel.call(PATH, HELLO, PATIENCE_MS);
  await called.promise;
  await server.close(0);
  const { code, from } = await reply;
  assert.deepEqual([code, from], [GRPC_STATUS.UNAVAILABLE, "nobody"]);
  never.resolve(HELLO);
});

test("what a method throws reaches the caller as its code and text", async (t) => {
  const server = await serve(async () => {
    throw new SpoorError("malformed", "not a batch");
  });
  t.after(() => server.close(0));
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  const { code, message } = reply;
  assert.deepEqual([code, message], [GRPC_STATUS.INVALID_ARGUMENT, "not a batch"]);
  const unknown = await channel.call("/test.Echo/Other", HELLO, PATIENCE_MS);
  assert.equal(unknown.code, GRPC_STATUS.UNIMPLEMENTED);
});

test("names are looked up again, new servers are used and old ones left", async (t) => {
  const [old, young] = await Promise.all([serve(async () => HELLO), serve(async () => HELLO)]);
  t.after(() => Promise.all([old.close(0), young.close(0)]));
  // Two names on two ports: which one resolves changes, as when a service moves.
  let current = "old";
  const lookup = async (host: string): Promise<readonly string[]> => {
    if (host !== current) throw new Error("no such host");
    return [HOST];
  };
  const targets = [
    { host: "old", port: old.port },
    { host: "young", port: young.port },
  ];
  const lines: string[] = [];
  const channel = channelTo(t, [], { targets, lookup, report: (line) => lines.push(line) });
  await channel.ready();
  assert.ok(lines.includes(`connected to old:${old.port} (${HOST})`), lines.join("\n"));
  assert.ok(lines.includes("cannot resolve young"));
  current = "young";
  await old.close(0);
  await until("the young server", () =>
    lines.some((line) => line.startsWith("connected to young")),
  );
});

test("servers that stay away are told of once each, however many there are", async (t) => {
  const ports = [await keptPort(), await keptPort()];
  const lines: string[] = [];
  let attempts = 0;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, run) {
      // Waits before another attempt are over at once.
      if (delayMs >= LIMITS.grpcConnectMs) return systemClock.after(delayMs, run);
      attempts++;
      return systemClock.after(1, run);
    },
  };
  const channel = channelTo(t, ports, { clock, report: (line) => lines.push(line) });
  await until("some attempts", () => attempts > 20);
  const told = lines.filter((line) => line.includes("ECONNREFUSED"));
  assert.deepEqual([told.length, new Set(told).size], [2, 2], lines.join("\n"));
  assert.match(channel.lastFailure, /ECONNREFUSED/);
});

test("a channel to no server says so", async (t) => {
  const channel = channelTo(t, []);
  const { code, message } = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.deepEqual([code, message], [GRPC_STATUS.UNAVAILABLE, "no connection: no server is named"]);
});

test("a server that speaks no HTTP/2 is reported, and the channel does not spin", async (t) => {
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  server.listen(0, HOST);
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const channel = channelTo(t, [port]);
  await until("two attempts", () => connections >= 2);
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.equal(reply.code, GRPC_STATUS.UNAVAILABLE);
  assert.match(reply.message, /^no connection/);
});

test("an answer beyond the limit is refused", async (t) => {
  const server = await serve(async () => new Uint8Array(5 * 1024 * 1024));
  t.after(() => server.close(0));
  const channel = channelTo(t, [server.port]);
  await channel.ready();
  const reply = await channel.call(PATH, HELLO, PATIENCE_MS);
  assert.equal(reply.code, GRPC_STATUS.RESOURCE_EXHAUSTED);
  assert.match(reply.message, /larger than 4194304 bytes/);
});
