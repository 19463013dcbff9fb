/** gRPC calls over TLS: a server is trusted for its certificate and name, and knows its client. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { needs } from "../../test/needs.ts";
import { PATIENCE_MS } from "../../test/support/patience.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { CounterTable } from "../base/counters.ts";
import { seededRandom, systemClock } from "../base/clock.ts";
import { GrpcChannel } from "./grpc-channel.ts";
import type { GrpcTls } from "./grpc-connection.ts";
import { startGrpcServer } from "./grpc-server.ts";

const skip = needs("openssl");
const PATH = "/test.Echo/Call";
const HOST = "127.0.0.1";

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

function certificate(name: string): Pair {
  const folder = tempFolder("tls");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = ["req", "-x509", ...algorithm, "-days", "1", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...args, ...subject], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

async function serve(t: TestContext, tls: Pair & { readonly clientCa?: Buffer }): Promise<number> {
  const server = await startGrpcServer({
    host: HOST,
    port: 0,
    flag: "port",
    name: "test",
    methods: new Map([[PATH, { handle: async (request) => request }]]),
    counters: new CounterTable(),
    tls,
  });
  t.after(() => server.close(0));
  return server.port;
}

function channelTo(t: TestContext, port: number, tls: GrpcTls): GrpcChannel {
  const random = seededRandom(1);
  const targets = [{ host: HOST, port }];
  const channel = new GrpcChannel({ targets, peers: 1, tls, clock: systemClock, random });
  t.after(() => channel.close());
  return channel;
}

async function called(channel: GrpcChannel): Promise<string> {
  await channel.ready();
  const reply = await channel.call(PATH, Buffer.from("hello"), PATIENCE_MS);
  return Buffer.from(reply.body).toString();
}

/** The reason why no connection comes about. */
async function refusal(channel: GrpcChannel): Promise<string> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    assert(channel.openPeers === 0, "connected");
    assert(performance.now() < deadlineMs, "no reason in time");
    const { message } = await channel.call(PATH, new Uint8Array(0), PATIENCE_MS);
    if (!message.endsWith("not connected yet")) return message;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a server is trusted for its certificate and its name", { skip }, async (t) => {
  const own = certificate("collector.test");
  const port = await serve(t, own);
  const serverName = "collector.test";
  assert.equal(await called(channelTo(t, port, { ca: own.cert, serverName })), "hello");
  const wrong = await refusal(channelTo(t, port, { ca: own.cert, serverName: "other.test" }));
  assert.match(wrong, /other\.test/);
  const unknown = await refusal(channelTo(t, port, { serverName }));
  assert.match(unknown, /self[- ]signed/i);
  assert.equal(await called(channelTo(t, port, { skipHostVerify: true })), "hello");
});

test("a server that asks for a certificate gets ours, and no other", { skip }, async (t) => {
  const own = certificate("collector.test");
  const client = certificate("agent.test");
  const port = await serve(t, { ...own, clientCa: client.cert });
  const trusted = { ca: own.cert, serverName: "collector.test" };
  assert.equal(await called(channelTo(t, port, { ...trusted, ...client })), "hello");
  await refusal(channelTo(t, port, trusted));
});
