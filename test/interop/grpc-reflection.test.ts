/** Reflection as a client uses it: learns the services, then calls them by what it has learnt. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import protobuf from "protobufjs";
import type { RunningRole } from "../../src/run/role.ts";
import { portOf, runAllInOne, tracesOf } from "../support/running-roles.ts";

interface Decoder {
  decode(bytes: Uint8Array): object;
}

/** The part of protobufjs that reads descriptors; its types do not say so. */
const { FileDescriptorProto } = createRequire(import.meta.url)("protobufjs/ext/descriptor") as {
  FileDescriptorProto: Decoder;
};
const { fromDescriptor } = protobuf.Root as unknown as {
  fromDescriptor: (set: object) => protobuf.Root;
};

const MESSAGES = protobuf.parse(
  `syntax = "proto3";
  message Request {
    oneof asked { string file = 3; string symbol = 4; string type = 6; string list = 7; }
  }
  message Response { Files files = 4; Services services = 6; Failure failure = 7; }
  message Files { repeated bytes file = 1; }
  message Services { repeated Service service = 1; }
  message Service { string name = 1; }
  message Failure { int32 code = 1; string message = 2; }`,
).root;
const REQUEST = MESSAGES.lookupType("Request");
const RESPONSE = MESSAGES.lookupType("Response");

interface Answer {
  readonly files?: { readonly file: readonly Uint8Array[] };
  readonly services?: { readonly service: readonly { readonly name: string }[] };
  readonly failure?: { readonly code: number; readonly message: string };
}

type Server = "jaegerGrpc" | "otlpGrpc";

function clientOf(t: TestContext, role: RunningRole, server: Server): grpc.Client {
  const address = `127.0.0.1:${portOf(role, server)}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  return client;
}

/** Asks one question on a stream of its own. */
function ask(client: grpc.Client, version: string, question: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      (object: object) => Buffer.from(REQUEST.encode(REQUEST.fromObject(object)).finish()),
      (bytes: Buffer) => RESPONSE.toObject(RESPONSE.decode(bytes)) as Answer,
    );
    stream.on("data", resolve);
    stream.on("error", reject);
    stream.write(question);
    stream.end();
  });
}

/** The types and services of the files, as protobufjs understands the descriptors. */
function rootOf({ files }: Answer): protobuf.Root {
  const file = (files?.file ?? []).map((bytes) => FileDescriptorProto.decode(bytes));
  const root = fromDescriptor.call(protobuf.Root, { file });
  root.resolveAll();
  return root;
}

/** Calls a method as its descriptor says; resolves to the response as an object. */
function call(
  client: grpc.Client,
  root: protobuf.Root,
  service: string,
  name: string,
  request: object,
): Promise<object> {
  const method = root.lookupService(service).methods[name]!;
  method.resolve();
  const input = method.resolvedRequestType!;
  const output = method.resolvedResponseType!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/${service}/${name}`,
      (object: object) => Buffer.from(input.encode(input.fromObject(object)).finish()),
      (bytes: Buffer) => output.toObject(output.decode(bytes), { enums: String }),
      request,
      (error, response) => (error === null ? resolve(response!) : reject(error)),
    );
  });
}

for (const version of ["v1", "v1alpha"]) {
  test(`${version}: every service that is listed has a descriptor with its methods`, async (t) => {
    const role = await runAllInOne(t);
    const listed: Record<Server, string[]> = { jaegerGrpc: [], otlpGrpc: [] };
    for (const server of ["jaegerGrpc", "otlpGrpc"] as const) {
      const client = clientOf(t, role, server);
      const { services } = await ask(client, version, { list: "*" });
      for (const { name } of services!.service) {
        const root = rootOf(await ask(client, version, { symbol: name }));
        assert(root.lookupService(name).methodsArray.length > 0, name);
        listed[server].push(name);
      }
    }
    const everywhere = [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ];
    assert.deepEqual(listed.jaegerGrpc, [
      ...everywhere,
      "jaeger.api_v2.CollectorService",
      "jaeger.api_v2.SamplingManager",
    ]);
    assert.deepEqual(listed.otlpGrpc, [
      ...everywhere,
      "opentelemetry.proto.collector.trace.v1.TraceService",
    ]);
  });
}

test("what was learnt is enough to send spans and to ask for strategies", async (t) => {
  const role = await runAllInOne(t);
  const jaeger = clientOf(t, role, "jaegerGrpc");
  const collector = "jaeger.api_v2.CollectorService";
  const learnt = rootOf(await ask(jaeger, "v1", { symbol: `${collector}.PostSpans` }));
  const now = { seconds: Math.floor(Date.now() / 1000) };
  const span = {
    trace_id: Buffer.alloc(16, 7),
    span_id: Buffer.alloc(8, 7),
    operation_name: "learnt",
    start_time: now,
    duration: { nanos: 5000 },
    tags: [{ key: "n", v_type: "INT64", v_int64: 5 }],
  };
  const batch = { spans: [span], process: { service_name: "by-reflection" } };
  assert.deepEqual(await call(jaeger, learnt, collector, "PostSpans", { batch }), {});
  const [trace] = await tracesOf(role, "by-reflection", 1);
  assert.deepEqual(trace!.spans[0]!.tags, [{ key: "n", type: "int64", value: 5 }]);
  const manager = "jaeger.api_v2.SamplingManager";
  const strategies = rootOf(await ask(jaeger, "v1", { file: "sampling.proto" }));
  const request = { serviceName: "a" };
  assert.deepEqual(await call(jaeger, strategies, manager, "GetSamplingStrategy", request), {
    probabilisticSampling: { samplingRate: 1 },
  });
  const otlp = clientOf(t, role, "otlpGrpc");
  const service = "opentelemetry.proto.collector.trace.v1.TraceService";
  const root = rootOf(await ask(otlp, "v1alpha", { symbol: service }));
  const resource = {
    attributes: [{ key: "service.name", value: { string_value: "otlp-learnt" } }],
  };
  const ids = { trace_id: Buffer.alloc(16, 8), span_id: Buffer.alloc(8, 8) };
  const one = { ...ids, name: "b", kind: 2, start_time_unix_nano: `${Date.now()}000000` };
  const spans = [{ resource, scope_spans: [{ spans: [one] }] }];
  await call(otlp, root, service, "Export", { resource_spans: spans });
  assert.equal((await tracesOf(role, "otlp-learnt", 1)).length, 1);
  const health = rootOf(await ask(otlp, "v1", { symbol: "grpc.health.v1.Health" }));
  assert.deepEqual(await call(otlp, health, "grpc.health.v1.Health", "Check", {}), {
    status: "SERVING",
  });
});

test("unknown symbols and files are NOT_FOUND, extensions UNIMPLEMENTED", async (t) => {
  const role = await runAllInOne(t);
  const client = clientOf(t, role, "jaegerGrpc");
  const code = async (question: object): Promise<number | undefined> =>
    (await ask(client, "v1", question)).failure?.code;
  assert.equal(await code({ symbol: "jaeger.api_v2.Nothing" }), grpc.status.NOT_FOUND);
  assert.equal(await code({ file: "nothing.proto" }), grpc.status.NOT_FOUND);
  assert.equal(await code({ type: "jaeger.api_v2.Span" }), grpc.status.UNIMPLEMENTED);
  const file = rootOf(await ask(client, "v1", { symbol: "jaeger.api_v2.SpanRef" }));
  assert.equal(file.lookupEnum("jaeger.api_v2.SpanRefType").values["FOLLOWS_FROM"], 1);
});
