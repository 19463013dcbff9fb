/** Starts the real program on free ports, reads its banner, and asks it things, for e2e tests. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePortFlags, patientFlags } from "../support/free-ports.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** The launcher of this checkout. */
export const LAUNCHER = fileURLToPath(new URL("../../bin/spoor", import.meta.url));

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the tests need of a running server. */
export interface SpoorProcess {
  readonly child: ChildProcess;
  readonly banner: string;
  /** Base URLs and addresses, as the banner says them. */
  readonly ui: string;
  readonly otlpHttp: string;
  readonly otlpGrpc: string;
  readonly admin: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Ended>;
}

export interface StartOptions {
  /** Default: all-in-one. A collector has no page: its `ui` is empty. */
  readonly role?: "all-in-one" | "collector";
  /** Default: the launcher of this checkout. */
  readonly launcher?: string;
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly cwd?: string;
}

/** Runs `spoor` with the arguments to its end. */
export function runSpoor(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return endOf(spawnSpoor(args, options));
}

/** Starts `spoor` on free ports; rejects with what it said when it does not serve. */
export async function startSpoor(options: StartOptions = {}): Promise<SpoorProcess> {
  const role = options.role ?? "all-in-one";
  const own = [...freePortFlags(role), ...patientFlags(role)];
  const child = spawnSpoor([role, ...own, ...(options.args ?? [])], options);
  const ended = endOf(child);
  const banner = await bannerOf(child, ended);
  const place = (name: string): string => {
    const found = new RegExp(`^ *${name} +(\\S+?)/?$`, "m").exec(banner)?.[1];
    assert(found !== undefined, `no line ${name} in the banner:\n${banner}`);
    return found;
  };
  return {
    child,
    banner,
    ui: role === "collector" ? "" : place("UI and API"),
    otlpHttp: place("OTLP/HTTP"),
    otlpGrpc: place("OTLP/gRPC"),
    admin: place("Health"),
    ended,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

function spawnSpoor(args: readonly string[], options: StartOptions): ChildProcess {
  return spawn(options.launcher ?? LAUNCHER, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr?.on("data", (chunk) => (stderr += String(chunk)));
  const [code]: (number | null)[] = await once(child, "close");
  return { code: code ?? null, stdout, stderr };
}

/** The banner's last line tells where spans are kept. */
async function bannerOf(child: ChildProcess, ended: Promise<Ended>): Promise<string> {
  const complete = Promise.withResolvers<string>();
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
    if (/^ *Spans .*\n/m.test(text)) complete.resolve(text);
  });
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    complete.reject(new Error(`no banner within ${PATIENCE_MS} ms:\n${text}`));
  }, PATIENCE_MS);
  void ended.then(({ code, stdout, stderr }) => {
    complete.reject(new Error(`ended with ${code} before serving:\n${stdout}${stderr}`));
  });
  try {
    return await complete.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** One OTLP/JSON request with one span. */
export function oneSpan(service: string, name: string, traceIdHex: string): string {
  const startMs = Date.now() - 1000;
  const span = {
    traceId: traceIdHex,
    spanId: "00f067aa0ba902b7",
    name,
    kind: 2,
    startTimeUnixNano: `${startMs}000000`,
    endTimeUnixNano: `${startMs + 250}000000`,
    attributes: [{ key: "http.status_code", value: { intValue: "200" } }],
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
}

/** Sends an OTLP/JSON request; resolves to the status. */
export async function sendJson(server: SpoorProcess, body: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(server.otlpHttp, { method: "POST", headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

/** What the tests read of Jaeger's answer. */
interface TracesBody {
  readonly data:
    | readonly { readonly spans: readonly { readonly operationName: string }[] }[]
    | null;
}

/** The body of a GET, taken to be what the caller expects: its assertions will tell. */
export async function jsonOf<T>(url: string): Promise<T> {
  const body: T = JSON.parse(await (await fetch(url)).text());
  return body;
}

/** Names of the operations of the trace, in the order of the answer; none when it is absent. */
export async function operationsOf(server: SpoorProcess, traceIdHex: string): Promise<string[]> {
  const body = await jsonOf<TracesBody>(`${server.ui}/api/traces/${traceIdHex}`);
  return (body.data ?? []).flatMap(({ spans }) => spans.map((span) => span.operationName));
}

/** Value of one series of /metrics, by its name with labels as printed. */
export async function metricOf(server: SpoorProcess, series: string): Promise<number> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const line = text.split("\n").find((row) => row.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}
