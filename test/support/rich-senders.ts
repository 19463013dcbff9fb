/** Sends bytes to the port of a role that takes them, in every protocol. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import * as grpc from "@grpc/grpc-js";
import type { RunningRole } from "../../src/run/role.ts";
import type { Protocol } from "./rich-span.ts";
import { portOf } from "./running-roles.ts";

type ServerName = keyof RunningRole["servers"];

const OTLP_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const POST_SPANS = "/jaeger.api_v2.CollectorService/PostSpans";

/** What a sender is told. */
export interface Told {
  readonly status: number;
  readonly text: string;
}

/** Where a protocol's bytes go, and how. */
interface Door {
  readonly server: ServerName;
  readonly path?: string;
  readonly type?: string;
  /** Over HTTP unless said otherwise. */
  readonly over?: "grpc" | "udp";
  /** The status of a request that was taken. */
  readonly ok: number;
}

const DOORS: { readonly [protocol in Protocol]: Door } = {
  "jaeger-thrift-http": {
    server: "jaegerHttp",
    path: "/api/traces",
    type: "application/x-thrift",
    ok: 202,
  },
  "jaeger-udp-compact": { server: "jaegerCompact", over: "udp", ok: 0 },
  "jaeger-udp-binary": { server: "jaegerBinary", over: "udp", ok: 0 },
  "jaeger-grpc": { server: "jaegerGrpc", path: POST_SPANS, over: "grpc", ok: 0 },
  "otlp-proto": { server: "otlpGrpc", path: OTLP_EXPORT, over: "grpc", ok: 0 },
  "otlp-json": { server: "otlpHttp", path: "/v1/traces", type: "application/json", ok: 200 },
  "zipkin-v2-json": {
    server: "zipkin",
    path: "/api/v2/spans",
    type: "application/json",
    ok: 202,
  },
  "zipkin-v2-proto": {
    server: "zipkin",
    path: "/api/v2/spans",
    type: "application/x-protobuf",
    ok: 202,
  },
  "zipkin-v1-json": {
    server: "zipkin",
    path: "/api/v1/spans",
    type: "application/json",
    ok: 202,
  },
  "zipkin-v1-thrift": {
    server: "zipkin",
    path: "/api/v1/spans",
    type: "application/x-thrift",
    ok: 202,
  },
  "zipkin-udp-compact": { server: "zipkinCompact", over: "udp", ok: 0 },
};

/** Sends the bytes to the role; resolves to what the sender is told, nothing over UDP. */
export function send(role: RunningRole, protocol: Protocol, bytes: Uint8Array): Promise<Told> {
  const door = DOORS[protocol];
  const port = portOf(role, door.server);
  if (door.over === "udp") return sendUdp(port, bytes);
  if (door.over === "grpc") return sendGrpc(port, door.path ?? "", bytes);
  return sendHttp(`http://127.0.0.1:${port}${door.path}`, door.type ?? "", bytes);
}

/** Sends what must be taken. */
export async function sendWell(
  role: RunningRole,
  protocol: Protocol,
  bytes: Uint8Array,
): Promise<void> {
  const { status, text } = await send(role, protocol, bytes);
  assert.equal(status, DOORS[protocol].ok, `${protocol}: ${text}`);
}

async function sendHttp(url: string, type: string, bytes: Uint8Array): Promise<Told> {
  const headers = { "content-type": type };
  const answer = await fetch(url, { method: "POST", headers, body: Buffer.from(bytes) });
  return { status: answer.status, text: await answer.text() };
}

function sendUdp(port: number, bytes: Uint8Array): Promise<Told> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.send(bytes, port, "127.0.0.1", (error) => {
      // Closed in another turn of the loop, in which a receiver here has read: many in a row
      // would overflow its socket.
      socket.close(() => (error === null ? resolve({ status: 0, text: "" }) : reject(error)));
    });
  });
}

function sendGrpc(port: number, path: string, bytes: Uint8Array): Promise<Told> {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const same = (message: Buffer): Buffer => message;
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(path, same, same, Buffer.from(bytes), () => {});
    call.on("status", ({ code, details }) => {
      client.close();
      resolve({ status: code, text: details });
    });
  });
}
