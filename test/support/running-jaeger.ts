/** A real Jaeger 1.76 all-in-one, where the bench or CI has built one, for tests beside it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { jaegerBinary } from "../../bench/servers.ts";
import { keptPort } from "./free-ports.ts";
import { PATIENCE_MS } from "./patience.ts";

/** For a test's `skip`: false when it is there, else how it comes to be. */
export function withoutJaeger(): string | false {
  return existsSync(jaegerBinary)
    ? false
    : "no Jaeger 1.76 all-in-one in ~/.cache/spoor-bench: bench/ builds it from its Go module";
}

export interface JaegerTag {
  key: string;
  type: string;
  value: unknown;
}

/** Its doors, and how to ask it for a trace. */
export interface RunningJaeger {
  /** Of its API and UI, with the base path, without a slash at the end. */
  query: string;
  collector: string;
  otlp: string;
  spans(traceId: string, count: number): Promise<{ operationName: string; tags: JaegerTag[] }[]>;
  sampling: string;
  stop(): Promise<void>;
}

export interface JaegerOptions {
  /** "" or `/prefix`. */
  readonly basePath?: string;
  /** A folder with the build of a UI that it serves instead of its own. */
  readonly staticFiles?: string;
}

/** Starts it with a memory store on free ports. */
export async function startJaeger(options: JaegerOptions = {}): Promise<RunningJaeger> {
  const { basePath = "", staticFiles = "" } = options;
  const extra = [
    ...(basePath === "" ? [] : [`--query.base-path=${basePath}`]),
    ...(staticFiles === "" ? [] : [`--query.static-files=${staticFiles}`]),
  ];
  const flags = [
    "admin.http.host-port",
    "collector.http-server.host-port",
    "collector.grpc-server.host-port",
    "collector.otlp.http.host-port",
    "collector.otlp.grpc.host-port",
    "query.http-server.host-port",
    "query.grpc-server.host-port",
  ];
  const ports = new Map<string, number>();
  for (const flag of flags) ports.set(flag, await keptPort());
  const args = [...ports].map(([flag, port]) => `--${flag}=127.0.0.1:${port}`);
  const child = spawn(jaegerBinary, [...args, ...extra], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const at = (flag: string): string => `http://127.0.0.1:${ports.get(flag)}`;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`${at("admin.http.host-port")}/`).catch(() => null);
    if (answer?.ok) break;
    assert.ok(Date.now() < deadline, "Jaeger did not become healthy");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    query: at("query.http-server.host-port") + basePath,
    collector: `${at("collector.http-server.host-port")}/api/traces`,
    otlp: `${at("collector.otlp.http.host-port")}/v1/traces`,
    sampling: `127.0.0.1:${ports.get("collector.http-server.host-port")}`,
    async spans(traceId, count) {
      const url = `${at("query.http-server.host-port")}${basePath}/api/traces/${traceId}`;
      for (;;) {
        const body = (await (await fetch(url)).json()) as { data: { spans: never[] }[] | null };
        const spans = body.data?.[0]?.spans ?? [];
        if (spans.length >= count) return spans;
        assert.ok(Date.now() < deadline, `${spans.length} of ${count} spans at Jaeger`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
