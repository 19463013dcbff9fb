/** Sampling strategies as clients ask for them: over HTTP and gRPC of a running collector. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import * as protobuf from "protobufjs";
import { readConfig } from "../../src/run/config.ts";
import { startCollector } from "../../src/run/collector.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { decodeSamplingResponse, encodeSamplingRequest } from "../../src/wire/sampling-proto.ts";
import { freePortFlags, patientFlags } from "../support/free-ports.ts";
import { eventually } from "../support/patience.ts";
import { tempFolder } from "../support/temp-folder.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const STRATEGIES = {
  default_strategy: { type: "probabilistic", param: 0.5 },
  service_strategies: [
    { service: "shop & son", type: "ratelimiting", param: 42 },
    {
      service: "pay",
      type: "probabilistic",
      param: 0.25,
      operation_strategies: [{ operation: "<a>", type: "probabilistic", param: 1 }],
    },
  ],
};

async function collector(t: TestContext, args: readonly string[]): Promise<RunningRole> {
  const config = await readConfig({
    args: [
      ...freePortFlags("collector"),
      ...patientFlags("collector"),
      "--span-storage.type=memory",
      ...args,
    ],
    env: {},
    role: "collector",
  });
  const version = { version: "0", commit: "", buildDate: "" };
  const role = await startCollector(config, { log: QUIET, version, env: {} });
  t.after(() => role.close());
  return role;
}

function strategiesFile(): string {
  const folder = tempFolder("sampling");
  const path = join(folder, "strategies.json");
  writeFileSync(path, JSON.stringify(STRATEGIES));
  return path;
}

async function get(role: RunningRole, query: string) {
  const answer = await fetch(
    `http://127.0.0.1:${role.servers.jaegerHttp?.port}/api/sampling${query}`,
  );
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    text: await answer.text(),
  };
}

test("HTTP answers with the JSON that clients read, byte by byte", async (t) => {
  const role = await collector(t, [`--sampling.strategies-file=${strategiesFile()}`]);
  const expected: [string, string][] = [
    ["any", '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}'],
    [
      "shop %26 son",
      '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":42}}',
    ],
    [
      "pay",
      '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25},' +
        '"operationSampling":{"defaultSamplingProbability":0.25,' +
        '"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":' +
        '[{"operation":"\\u003ca\\u003e","probabilisticSampling":{"samplingRate":1}}],' +
        '"defaultUpperBoundTracesPerSecond":0}}',
    ],
  ];
  for (const [service, text] of expected) {
    const answer = await get(role, `?service=${service}`);
    assert.deepEqual(answer, { status: 200, type: "application/json", text });
  }
});

test("HTTP refuses a question without exactly one service", async (t) => {
  const role = await collector(t, []);
  for (const query of ["", "?service=a&service=b", "?other=a"]) {
    const { status, type, text } = await get(role, query);
    assert.deepEqual([status, text], [400, "'service' parameter must be provided once\n"]);
    assert.equal(type, "text/plain; charset=utf-8");
  }
  assert.match((await get(role, "?service=")).text, /0\.001/);
  const metrics = await fetch(`http://127.0.0.1:${role.servers.admin?.port}/metrics`);
  const lines = (await metrics.text())
    .split("\n")
    .filter((line) => /http_server_.*[1-9]$/.test(line));
  assert.deepEqual(lines, [
    'jaeger_collector_http_server_requests_total{type="sampling"} 1',
    'jaeger_collector_http_server_errors_total{source="all",status="4xx"} 3',
  ]);
});

test("gRPC answers with the same strategies, as an independent codec reads them", async (t) => {
  const role = await collector(t, [`--sampling.strategies-file=${strategiesFile()}`]);
  const client = new grpc.Client(
    `127.0.0.1:${role.servers.jaegerGrpc?.port}`,
    grpc.credentials.createInsecure(),
  );
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const ask = (service: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const path = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
      const request = Buffer.from(encodeSamplingRequest(service));
      client.makeUnaryRequest(path, same, same, request, (error, bytes) => {
        if (error !== null || bytes === undefined) reject(error ?? new Error("no answer"));
        else resolve(bytes);
      });
    });
  const type = protobuf.parse(SAMPLING_PROTO).root.lookupType("SamplingStrategyResponse");
  const asObject = async (service: string): Promise<object> =>
    type.toObject(type.decode(await ask(service)), { enums: String, defaults: false });
  assert.deepEqual(await asObject("any"), { probabilisticSampling: { samplingRate: 0.5 } });
  assert.deepEqual(await asObject("shop & son"), {
    strategyType: "RATE_LIMITING",
    rateLimitingSampling: { maxTracesPerSecond: 42 },
  });
  assert.deepEqual(await asObject("pay"), {
    probabilisticSampling: { samplingRate: 0.25 },
    operationSampling: {
      defaultSamplingProbability: 0.25,
      perOperationStrategies: [{ operation: "<a>", probabilisticSampling: { samplingRate: 1 } }],
    },
  });
  const own = decodeSamplingResponse(await ask("pay"));
  assert.equal(own.operations?.perOperation[0]?.operation, "<a>");
});

const SAMPLING_PROTO = `syntax = "proto3";
enum SamplingStrategyType { PROBABILISTIC = 0; RATE_LIMITING = 1; }
message ProbabilisticSamplingStrategy { double samplingRate = 1; }
message RateLimitingSamplingStrategy { int32 maxTracesPerSecond = 1; }
message OperationSamplingStrategy {
  string operation = 1; ProbabilisticSamplingStrategy probabilisticSampling = 2;
}
message PerOperationSamplingStrategies {
  double defaultSamplingProbability = 1; double defaultLowerBoundTracesPerSecond = 2;
  repeated OperationSamplingStrategy perOperationStrategies = 3;
  double defaultUpperBoundTracesPerSecond = 4;
}
message SamplingStrategyResponse {
  SamplingStrategyType strategyType = 1; ProbabilisticSamplingStrategy probabilisticSampling = 2;
  RateLimitingSamplingStrategy rateLimitingSampling = 3;
  PerOperationSamplingStrategies operationSampling = 4;
}`;

test("strategies come from a URL too, and are renewed", async (t) => {
  let body = JSON.stringify(STRATEGIES);
  let status = 503;
  const server = http.createServer((_request, response) => {
    response.writeHead(status);
    response.end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const flags = [
    `--sampling.strategies-file=http://127.0.0.1:${port}/s.json`,
    "--sampling.strategies-reload-interval=20ms",
  ];
  const role = await collector(t, flags);
  assert.match((await get(role, "?service=a")).text, /0\.001/, "503 is the default for now");
  const until = (pattern: RegExp, what: () => Promise<string>): Promise<true> =>
    eventually(String(pattern), async () => (pattern.test(await what()) ? true : undefined));
  const strategy = async (): Promise<string> => (await get(role, "?service=a")).text;
  const health = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${role.servers.admin?.port}/`)).text();
  status = 200;
  await until(/0\.5/, strategy);
  body = "nonsense";
  await until(/sampling strategies are old: .*failed to unmarshal/, health);
  assert.match(await strategy(), /0\.5/);
  body = JSON.stringify({ default_strategy: { type: "probabilistic", param: 0.125 } });
  await until(/0\.125/, strategy);
  // Health is asked once more: a download that took too long would have been told in between.
  await until(/^(?!.*sampling strategies are old)/s, health);
});

test("a start with a file or URL that cannot be read says why", async (t) => {
  const missing = collector(t, ["--sampling.strategies-file=/nowhere/s.json"]);
  await assert.rejects(missing, /failed to read strategies file \/nowhere\/s\.json: ENOENT/);
  const server = http.createServer((_request, response) => {
    response.writeHead(404);
    response.end("no such thing");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const absent = collector(t, [`--sampling.strategies-file=http://127.0.0.1:${port}/s.json`]);
  const text = /receiving 404 Not Found while downloading strategies file: no such thing/;
  await assert.rejects(absent, text);
});
