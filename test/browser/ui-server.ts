/** The query server with the built UI, over a memory store unless told another, and its traces. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startQueryServer } from "../../src/api/query-server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { CounterTable } from "../../src/base/counters.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import type { SpanStore } from "../../src/core/store.ts";
import { QueryService } from "../../src/query/query-service.ts";
import { openMemoryStore } from "../../src/storage/memory/store.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A span as tests write it. */
export interface SpanFixture {
  readonly service: string;
  readonly name: string;
  /** After the trace's start. */
  readonly startMs?: number;
  readonly durationMs?: number;
  /** Place of the parent in the list; absent for a root. */
  readonly parent?: number;
  readonly error?: boolean;
  readonly tags?: Readonly<Record<string, string | number | boolean>>;
}

export interface TraceFixture {
  /** 32 hex digits. */
  readonly traceIdHex: string;
  /** Since 1970; default one minute ago. */
  readonly startMs?: number;
  readonly spans: readonly SpanFixture[];
}

export interface UiServer {
  /** Without a slash at the end, with the base path. */
  readonly url: string;
  readonly store: SpanStore;
  /** Stores traces; they are visible when it resolves. */
  write(traces: readonly TraceFixture[]): Promise<void>;
  close(): Promise<void>;
}

export interface UiServerOptions {
  readonly basePath?: string;
  /** `--query.ui-config`. */
  readonly configPath?: string;
  /** The caller closes it. Default a memory store. */
  readonly store?: SpanStore;
}

/** Builds the UI where its sources have changed. */
export function buildUi(): void {
  execFileSync(process.execPath, ["scripts/prepare.mjs"], { cwd: ROOT, stdio: "pipe" });
}

/** Starts it on a free port, with the UI built from the sources as they are. */
export async function startUi(options: UiServerOptions = {}): Promise<UiServer> {
  buildUi();
  const { store = openMemoryStore() } = options;
  const counters = new CounterTable();
  const clock = systemClock;
  const { basePath = "", configPath = "" } = options;
  const server = await startQueryServer({
    host: "127.0.0.1",
    port: 0,
    query: new QueryService({ store, counters, clock }),
    counters,
    basePath,
    ui: {
      folder: `${ROOT}/dist/ui`,
      foreign: false,
      configPath,
      version: { version: "1.2.3", commit: "c0ffee", buildDate: "" },
      additionalHeaders: {},
      server: () => ({
        api: 1,
        store: store.can.name,
        receivers: [
          { protocol: "otlpHttp", host: "127.0.0.1", port: 4318 },
          { protocol: "otlpGrpc", host: "127.0.0.1", port: 4317 },
        ],
      }),
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}${basePath}`,
    store,
    write: (traces) => writeTraces(store, traces),
    close: () => server.close(0),
  };
}

async function writeTraces(store: SpanStore, traces: readonly TraceFixture[]): Promise<void> {
  const builder = new BatchBuilder();
  const request = otlpRequest(traces);
  const { batch } = decodeOtlpJson(new TextEncoder().encode(JSON.stringify(request)), builder);
  await store.write(batch);
  await store.settle();
}

/** An ExportTraceServiceRequest with the traces, as OTLP's JSON has it. */
export function otlpRequest(traces: readonly TraceFixture[]): object {
  const resourceSpans = traces.flatMap(({ traceIdHex, startMs = Date.now() - 60_000, spans }) =>
    spans.map((span, i) => ({
      resource: {
        attributes: [{ key: "service.name", value: { stringValue: span.service } }],
      },
      scopeSpans: [{ spans: [otlpSpan(traceIdHex, startMs, span, i)] }],
    })),
  );
  return { resourceSpans };
}

function otlpSpan(traceIdHex: string, startMs: number, span: SpanFixture, i: number): object {
  const { startMs: offset = 0, durationMs = 10, parent, error = false, tags = {} } = span;
  const nanos = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n);
  return {
    traceId: traceIdHex,
    spanId: spanIdHex(i),
    ...(parent === undefined ? {} : { parentSpanId: spanIdHex(parent) }),
    name: span.name,
    kind: 2,
    startTimeUnixNano: nanos(startMs + offset),
    endTimeUnixNano: nanos(startMs + offset + durationMs),
    attributes: Object.entries(tags).map(([key, value]) => ({ key, value: anyValue(value) })),
    ...(error ? { status: { code: 2 } } : {}),
  };
}

function anyValue(value: string | number | boolean): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** The id of the span at a place of a fixture's list. */
export function spanIdHex(i: number): string {
  return (i + 1).toString(16).padStart(16, "0");
}
