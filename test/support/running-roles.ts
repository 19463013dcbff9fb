/** Roles running in this process on free ports, and traces as their API shows them. */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { startAgent } from "../../src/run/agent.ts";
import { startAllInOne } from "../../src/run/all-in-one.ts";
import { readConfig } from "../../src/run/config.ts";
import type { RunningRole } from "../../src/run/role.ts";
import { freePortFlags, patientFlags } from "./free-ports.ts";
import { eventually } from "./patience.ts";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const VERSION = { version: "0", commit: "", buildDate: "" };

type Env = { readonly [name: string]: string };

/** An all-in-one with a store in memory. */
export async function runAllInOne(
  t: TestContext,
  args: readonly string[] = [],
): Promise<RunningRole> {
  const all = [
    ...freePortFlags("all-in-one"),
    ...patientFlags("all-in-one"),
    "--span-storage.type=memory",
    ...args,
  ];
  const config = await readConfig({ args: all, env: {} });
  const role = await startAllInOne(config, { log: QUIET, version: VERSION, env: {} });
  t.after(() => role.close());
  return role;
}

/** An agent; `args` say where its spans go. */
export async function runAgent(
  t: TestContext,
  args: readonly string[],
  env: Env = {},
): Promise<RunningRole> {
  const all = [...freePortFlags("agent"), ...args];
  const config = await readConfig({ args: all, env: {}, role: "agent" });
  const role = await startAgent(config, { log: QUIET, version: VERSION, env });
  t.after(() => role.close());
  return role;
}

/** The flag that has an agent send to a role's gRPC port. */
export function reportTo(role: RunningRole): string {
  return `--reporter.grpc.host-port=127.0.0.1:${portOf(role, "jaegerGrpc")}`;
}

/** The port of one of a role's servers. */
export function portOf(role: RunningRole, server: keyof RunningRole["servers"]): number {
  const port = role.servers[server]?.port;
  assert(port !== undefined, `no server ${server}`);
  return port;
}

/** A number of the role's metrics, summed over all series whose line has the text. */
export async function metricOf(role: RunningRole, name: string, having = ""): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${portOf(role, "admin")}/metrics`);
  const lines = (await answer.text()).split("\n");
  const values = lines
    .filter((line) => /^[a-z_0-9]+/.exec(line)?.[0] === name && line.includes(having))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  return values.reduce((sum, value) => sum + value, 0);
}

interface ApiTag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

/** Spans as Jaeger's API answers them. */
interface ApiSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly object[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly ApiTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly ApiTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface ApiTrace {
  readonly traceID: string;
  readonly spans: readonly ApiSpan[];
  readonly processes: {
    readonly [id: string]: { readonly serviceName: string; readonly tags: readonly ApiTag[] };
  };
}

/** Traces of a service, once there are as many spans in all. */
export function tracesOf(
  role: RunningRole,
  service: string,
  spans: number,
): Promise<readonly ApiTrace[]> {
  const query = `service=${service}&limit=100&start=1&end=4000000000000000`;
  const url = `http://127.0.0.1:${portOf(role, "query")}/api/traces?${query}`;
  return eventually(`${spans} spans of ${service}`, async () => {
    const { data } = (await (await fetch(url)).json()) as { data: ApiTrace[] | null };
    const traces = data ?? [];
    const found = traces.reduce((sum, trace) => sum + trace.spans.length, 0);
    assert(found <= spans, `${found} spans of ${service}, more than ${spans}`);
    return found === spans ? traces : undefined;
  });
}

/** A span as texts that can be compared: what does not depend on order is in order. */
export interface SeenSpan {
  readonly name: string;
  readonly parents: readonly object[];
  readonly startUs: number;
  readonly durationUs: number;
  readonly flags: number;
  readonly tags: readonly string[];
  readonly logs: readonly (readonly [timestampUs: number, ...fields: string[]])[];
  readonly service: string;
  readonly process: readonly string[];
}

/** The trace's spans by name. */
export function seenSpans(trace: ApiTrace): Map<string, SeenSpan> {
  return new Map(allSpans(trace).map((span) => [span.name, span]));
}

/** The trace's spans, also those of the same name. */
export function allSpans(trace: ApiTrace): SeenSpan[] {
  return trace.spans.map((span) => seen(span, trace));
}

function seen(span: ApiSpan, trace: ApiTrace): SeenSpan {
  const process = trace.processes[span.processID];
  assert(process !== undefined);
  return {
    name: span.operationName,
    parents: span.references,
    startUs: span.startTime,
    durationUs: span.duration,
    flags: span.flags ?? 0,
    tags: texts(span.tags).toSorted(),
    logs: span.logs.map(({ timestamp, fields }) => [timestamp, ...texts(fields)]),
    service: process.serviceName,
    process: texts(process.tags).toSorted(),
  };
}

/** A tag as `key type value`. */
export function texts(tags: readonly ApiTag[]): string[] {
  return tags.map(({ key, type, value }) => `${key} ${type} ${JSON.stringify(value)}`);
}
