/** Jaeger's and OpenTelemetry's own clients, and Zipkin's by UDP, to every door and an agent. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunningRole } from "../../src/run/role.ts";
import { needs } from "../needs.ts";
import { pythonWithJaeger, pythonWithOldZipkin } from "../support/python-otel.ts";
import {
  allSpans,
  portOf,
  reportTo,
  runAgent,
  runAllInOne,
  tracesOf,
} from "../support/running-roles.ts";
import type { SeenSpan } from "../support/running-roles.ts";

const execute = promisify(execFile);
const SENDERS = fileURLToPath(new URL("../fixtures/", import.meta.url));

const js = (kind: string) => async (port: number) => {
  await execute(process.execPath, [`${SENDERS}send-jaeger.ts`, kind, String(port)]);
};

const python = (made: () => Promise<string>, sender: string) => async (port: number) => {
  await execute(await made(), [`${SENDERS}${sender}`, String(port)]);
};

type Server = keyof RunningRole["servers"];

interface Client {
  readonly name: string;
  readonly server: Server;
  readonly send: (port: number) => Promise<void>;
  readonly skip?: string | false;
  /** What its spans look like; several clients share one. */
  readonly shows: keyof typeof SHOWN;
}

const CLIENTS: readonly Client[] = [
  { name: "jaeger-client", server: "jaegerBinary", send: js("jaeger-udp"), shows: "jaegerJs" },
  { name: "jaeger-client", server: "jaegerHttp", send: js("jaeger-http"), shows: "jaegerJs" },
  { name: "OTel's Jaeger exporter", server: "jaegerBinary", send: js("otel-udp"), shows: "otel" },
  { name: "OTel's Jaeger exporter", server: "jaegerHttp", send: js("otel-http"), shows: "otel" },
  {
    name: "jaeger-client of Python",
    server: "jaegerCompact",
    send: python(pythonWithJaeger, "send-jaeger.py"),
    skip: needs("python"),
    shows: "jaegerPython",
  },
  {
    name: "zipkincore from Python",
    server: "zipkinCompact",
    send: python(pythonWithOldZipkin, "send-zipkin-udp.py"),
    skip: needs("python"),
    shows: "zipkinCore",
  },
];

/** What every run has anew: ids, the machine, versions. */
const VOLATILE =
  /^(client-uuid|hostname|ip|jaeger\.version|telemetry\.sdk\..*|process\.\w+|host\.name) /;

function shown(span: SeenSpan, names: ReadonlyMap<string, string>): string {
  const parents = span.parents.map((reference) => {
    const { refType, spanID } = reference as { refType: string; spanID: string };
    return `${refType} ${names.get(spanID) ?? spanID}`;
  });
  const steady = (texts: readonly string[]): string[] =>
    texts.filter((text) => !VOLATILE.test(text));
  const logs = span.logs.map(([, ...fields]) => fields.join(", "));
  return [
    `${span.service}: ${span.name}`,
    ...parents.map((text) => `  < ${text}`),
    ...steady(span.tags).map((text) => `  ${text}`),
    ...logs.map((text) => `  @ ${text}`),
    ...steady(span.process).map((text) => `  # ${text}`),
  ].join("\n");
}

async function shownAt(role: RunningRole, spans: number): Promise<string> {
  const traces = await tracesOf(role, "shop", spans);
  const names = new Map(
    traces.flatMap((trace) =>
      trace.spans.map((span) => [span.spanID, span.operationName] as const),
    ),
  );
  const all = traces.flatMap(allSpans);
  return all
    .map((span) => shown(span, names))
    .toSorted()
    .join("\n");
}

/** Name and service, `<` references, tags, `@` logs, `#` tags of the process. */
const SHOWN = {
  jaegerJs: `
shop: GET /cart
  attempt float64 1
  sampler.param bool true
  sampler.type string "const"
  span.kind string "server"
  # region string "eu"
  # replicas float64 3
shop: SELECT
  < CHILD_OF GET /cart
  error bool true
  raw binary "AP8="
  share float64 0.25
  span.kind string "client"
  user string "Zoë ☃"
  @ event string "slow", cached bool false, rows float64 12
  # region string "eu"
  # replicas float64 3
shop: publish
  < FOLLOWS_FROM SELECT
  # region string "eu"
  # replicas float64 3
`,
  otel: `
shop: GET /cart
  host.cores float64 4
  otel.library.name string "fixtures"
  otel.library.version string "1.2.3"
  service.name string "shop"
  span.kind string "server"
shop: SELECT
  < CHILD_OF GET /cart
  error bool true
  host.cores float64 4
  list string "a,b"
  ok bool false
  otel.library.name string "fixtures"
  otel.library.version string "1.2.3"
  otel.status_code string "ERROR"
  otel.status_description string "no database"
  rows float64 12
  service.name string "shop"
  span.kind string "client"
  @ event string "slow", rows float64 12
shop: publish
  < FOLLOWS_FROM SELECT
  host.cores float64 4
  otel.library.name string "fixtures"
  otel.library.version string "1.2.3"
  service.name string "shop"
`,
  jaegerPython: `
shop: GET /cart
  http.status_code int64 200
  sampler.param bool true
  sampler.type string "const"
  span.kind string "server"
  # region string "eu"
  # replicas int64 3
shop: SELECT
  < CHILD_OF GET /cart
  < FOLLOWS_FROM GET /cart
  error bool true
  rows int64 1099511627776
  share float64 0.25
  span.kind string "client"
  user string "Zoë ☃"
  @ event string "slow", cached bool false, rows int64 12
  # region string "eu"
  # replicas int64 3
shop: publish
  < FOLLOWS_FROM SELECT
  # region string "eu"
  # replicas int64 3
`,
  zipkinCore: `
shop: GET /cart
  component string "http"
  ok bool true
  raw binary "AP8="
  rows int64 12
  span.kind string "server"
  @ event string "slow"
shop: shared
  < CHILD_OF GET /cart
  error bool true
  error.message string "timeout"
  peer.ipv4 string "10.0.0.7"
  peer.port int64 5432
  peer.service string "db"
  span.kind string "client"
shop: shared
  < CHILD_OF shared
  span.kind string "server"
`,
};

/** Spans of what is shown. */
function spansIn(shows: keyof typeof SHOWN): number {
  return SHOWN[shows].split(/^\S/m).length - 1;
}

const UDP: ReadonlySet<Server> = new Set(["jaegerBinary", "jaegerCompact", "zipkinCompact"]);

async function check(t: TestContext, client: Client, through: boolean): Promise<void> {
  const role = await runAllInOne(t);
  const door = through ? await runAgent(t, [reportTo(role)]) : role;
  await client.send(portOf(door, client.server));
  const text = await shownAt(role, spansIn(client.shows));
  assert.equal(text, SHOWN[client.shows].trim());
}

for (const client of CLIENTS) {
  const { skip = false } = client;
  test(`${client.name} to ${client.server}`, { skip }, (t) => check(t, client, false));
  if (!UDP.has(client.server)) continue;
  test(`${client.name} to ${client.server} of an agent`, { skip }, (t) => check(t, client, true));
}
