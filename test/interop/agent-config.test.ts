/** What clients ask an agent: sampling in both JSON forms, baggage, and errors, byte by byte. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../../src/run/config.ts";
import { startAgent } from "../../src/run/agent.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { InMemoryReporter, initTracer } from "../../src/client/node/index.ts";
import { eventually } from "../support/patience.ts";
import { metricOf, portOf, reportTo, runAgent, runAllInOne } from "../support/running-roles.ts";
import { tempFolder } from "../support/temp-folder.ts";

const STRATEGIES = {
  default_strategy: { type: "probabilistic", param: 0.5 },
  service_strategies: [
    { service: "shop", type: "ratelimiting", param: 42 },
    { service: "fast", type: "ratelimiting", param: 40_000 },
    {
      service: "pay",
      type: "probabilistic",
      param: 0.25,
      operation_strategies: [{ operation: "a", type: "probabilistic", param: 1 }],
    },
  ],
};

function file(content: object): string {
  const folder = tempFolder("config");
  const path = join(folder, "content.json");
  writeFileSync(path, JSON.stringify(content));
  return path;
}

async function ask(role: RunningRole, path: string) {
  const answer = await fetch(`http://127.0.0.1:${portOf(role, "clientConfig")}${path}`);
  return [answer.status, answer.headers.get("content-type"), await answer.text()] as const;
}

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

const ANSWERS: readonly (readonly [path: string, status: number, type: string, text: string])[] = [
  [
    "/sampling?service=any",
    200,
    JSON_TYPE,
    '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}',
  ],
  [
    "/sampling?service=shop",
    200,
    JSON_TYPE,
    '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":42}}',
  ],
  [
    "/sampling?service=pay",
    200,
    JSON_TYPE,
    '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25},' +
      '"operationSampling":{"defaultSamplingProbability":0.25,' +
      '"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":' +
      '[{"operation":"a","probabilisticSampling":{"samplingRate":1}}],' +
      '"defaultUpperBoundTracesPerSecond":0}}',
  ],
  [
    "/?service=any",
    200,
    JSON_TYPE,
    '{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5}}',
  ],
  [
    "/?service=shop",
    200,
    JSON_TYPE,
    '{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":42}}',
  ],
  // More than the 16 bits of the old form.
  ["/?service=fast", 500, TEXT_TYPE, "cannot marshall to JSON\n"],
  ["/sampling", 400, TEXT_TYPE, "'service' parameter must be provided once\n"],
  ["/?service=a&service=b", 400, TEXT_TYPE, "'service' parameter must be provided once\n"],
  ["/baggageRestrictions", 400, TEXT_TYPE, "'service' parameter must be provided once\n"],
  [
    "/baggageRestrictions?service=shop",
    500,
    TEXT_TYPE,
    "collector error: baggage not implemented\n",
  ],
];

test("the all-in-one and an agent before it answer alike, byte by byte", async (t) => {
  const role = await runAllInOne(t, [`--sampling.strategies-file=${file(STRATEGIES)}`]);
  const agent = await runAgent(t, [reportTo(role)]);
  // The connection is made in the background; until then an agent says that it has none.
  await eventually("a collector", async () =>
    (await ask(agent, "/sampling?service=any"))[0] === 200 ? true : undefined,
  );
  for (const [path, ...answer] of ANSWERS) {
    assert.deepEqual(await ask(role, path), answer, `all-in-one ${path}`);
    assert.deepEqual(await ask(agent, path), answer, `agent ${path}`);
  }
  const served = "jaeger_agent_http_server_requests_total";
  assert.equal(await metricOf(agent, served, 'type="sampling-legacy"'), 2);
  assert.equal(await metricOf(agent, "jaeger_agent_http_server_errors_total", "4xx"), 3);
});

test("an agent asks a collector once for many, and remembers while there is none", async (t) => {
  const role = await runAllInOne(t, [`--sampling.strategies-file=${file(STRATEGIES)}`]);
  const agent = await runAgent(t, [reportTo(role)]);
  const wanted = ANSWERS[1]!;
  await eventually("a collector", async () =>
    (await ask(agent, "/sampling?service=any"))[0] === 200 ? true : undefined,
  );
  const proxied = "jaeger_agent_collector_proxy_total";
  const before = await metricOf(agent, proxied, 'result="ok"');
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(agent, wanted[0])));
  for (const answer of answers) assert.deepEqual(answer, wanted.slice(1));
  assert.equal(await metricOf(agent, proxied, 'result="ok"'), before + 1);
  await role.close();
  assert.deepEqual(await ask(agent, wanted[0]), wanted.slice(1));
  const [status, type, text] = await eventually("the loss", async () => {
    const answer = await ask(agent, "/sampling?service=unknown");
    return answer[0] === 500 ? answer : undefined;
  });
  assert.deepEqual([status, type], [500, TEXT_TYPE]);
  assert.match(text, /^collector error: rpc error: code = Unavailable desc = .+\n$/);
});

test("baggage restrictions come from a file, by service or for all", async (t) => {
  const own = [{ baggageKey: "user", maxValueLength: 10 }];
  const others = [{ baggageKey: "tenant", maxValueLength: 3 }];
  const path = file({ shop: own, "*": others });
  const role = await runAllInOne(t, [`--http-server.baggage-restrictions-file=${path}`]);
  const answer = await ask(role, "/baggageRestrictions?service=shop");
  assert.deepEqual(answer, [200, JSON_TYPE, JSON.stringify(own)]);
  const other = await ask(role, "/baggageRestrictions?service=any");
  assert.deepEqual(other, [200, JSON_TYPE, JSON.stringify(others)]);
  const list = file(own);
  const agent = await runAgent(t, [
    reportTo(role),
    `--http-server.baggage-restrictions-file=${list}`,
  ]);
  const every = await ask(agent, "/baggageRestrictions?service=any");
  assert.deepEqual(every, [200, JSON_TYPE, JSON.stringify(own)]);
});

test("a client with the remote sampler takes what the agent says", async (t) => {
  const all = { default_strategy: { type: "probabilistic", param: 1 } };
  const role = await runAllInOne(t, [`--sampling.strategies-file=${file(all)}`]);
  const agent = await runAgent(t, [reportTo(role)]);
  await eventually("a collector", async () =>
    (await ask(agent, "/sampling?service=any"))[0] === 200 ? true : undefined,
  );
  const hostPort = `127.0.0.1:${portOf(agent, "clientConfig")}`;
  const sampler = { type: "remote", param: 0, hostPort, refreshIntervalMs: 20 };
  const reporter = new InMemoryReporter();
  const tracer = initTracer({ serviceName: "remote", sampler }, { reporter });
  await eventually("a sampled span", async () => {
    const span = tracer.startSpan("one");
    span.finish();
    return span.context().isSampled() ? true : undefined;
  });
  await new Promise<void>((resolve) => tracer.close(resolve));
});

test("an agent that reports OTLP says that nobody named can tell strategies", async (t) => {
  const role = await runAllInOne(t);
  const to = `--reporter.otlp.host-port=127.0.0.1:${portOf(role, "otlpGrpc")}`;
  const agent = await runAgent(t, ["--reporter.type=otlp", to]);
  const [status, , text] = await ask(agent, "/sampling?service=any");
  assert.equal(status, 500);
  assert.match(text, /no connection: no server is named/);
  const health = await fetch(`http://127.0.0.1:${portOf(agent, "admin")}/`);
  const { notes } = (await health.json()) as { notes: string[] };
  const note = "no collector of --reporter.grpc.host-port: no server is named";
  assert.ok(notes.includes(note), notes.join("; "));
});

test("settings that cannot work end the start with a line that says which", async () => {
  const wrong: readonly (readonly [args: string[], text: RegExp])[] = [
    [[], /--reporter\.grpc\.host-port: name at least one collector/],
    [["--reporter.grpc.host-port=nowhere"], /"nowhere" is not host:port/],
    [["--reporter.type=otlp"], /--reporter\.otlp\.host-port: name at least one collector/],
    [
      ["--reporter.grpc.host-port=a:1", "--reporter.grpc.tls.ca=/no/ca"],
      /reporter\.grpc\.tls\.\* options cannot be used when reporter\.grpc\.tls\.enabled is false/,
    ],
    [
      [
        "--reporter.grpc.host-port=a:1",
        "--reporter.grpc.tls.enabled",
        "--reporter.grpc.tls.ca=/no",
      ],
      /--reporter\.grpc\.tls\.ca \/no: ENOENT/,
    ],
    [
      ["--reporter.grpc.host-port=a:1", "--http-server.baggage-restrictions-file=/no"],
      /--http-server\.baggage-restrictions-file \/no: ENOENT/,
    ],
    [["--reporter.grpc.host-port=a:1", "--agent.tags=zone"], /--agent\.tags: "zone" is not/],
  ];
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const version = { version: "0", commit: "", buildDate: "" };
  for (const [args, text] of wrong) {
    const doors = ["--admin.http.host-port=127.0.0.1:0", "--http-server.host-port=127.0.0.1:0"];
    const config = await readConfig({ args: [...doors, ...args], env: {}, role: "agent" });
    await assert.rejects(
      startAgent(config, { log, version, env: {} }),
      (error) => isSpoorError(error, "config") && text.test(error.message),
      args.join(" "),
    );
  }
});
