/** Traces whose columns come from the worker: uploaded files, and a plain Jaeger's JSON API. */

import { NO_CRITICAL_PATH } from "../../src/core/trace/critical-path.ts";
import type { ShownAs } from "./trace-desk.ts";
import type { TraceColumns } from "./trace-columns.ts";
import { TraceLoadError } from "./trace-source.ts";
import type { TraceSource } from "./trace-source.ts";
import type { WorkerClient } from "./worker-client.ts";

/** An uploaded trace, by its id (32 lower-case hex digits). */
export function uploadedSource(
  client: WorkerClient,
  traceIdHex: string,
  shown: ShownAs,
): TraceSource {
  return {
    ...workerAnswers(client),
    load: (onProgress, signal) => open(client, traceIdHex, "files", shown, onProgress, signal),
    lateSpans: async () => 0,
    json: (raw, signal) => client.ask("json", { traceIdHex, raw }, signal),
  };
}

export interface JaegerSourceOptions {
  /** "" or `/prefix`, or an origin with it. */
  readonly base: string;
  /** As its API takes it. */
  readonly traceId: string;
  /** False: as stored. Default true. */
  readonly adjusted?: boolean;
}

/** A trace of a server that has Jaeger's `/api/traces/{id}`. */
export function jaegerSource(client: WorkerClient, options: JaegerSourceOptions): TraceSource {
  const { base, traceId, adjusted = true } = options;
  const url = `${base}/api/traces/${encodeURIComponent(traceId)}`;
  // That server has adjusted it already: once more would only repeat the warnings.
  const shown: ShownAs = { adjusted: false, clockSkew: "off" };
  return {
    ...workerAnswers(client),
    async load(onProgress, signal) {
      const asked = adjusted ? url : `${url}?raw=true`;
      const traceIdHex = await client.ask("fetchJaeger", { url: absolute(asked) }, signal);
      return await open(client, traceIdHex, "jaeger", shown, onProgress, signal);
    },
    // It would have to be fetched whole again to know.
    lateSpans: async () => 0,
    async json(raw, signal) {
      const asked = raw ? `${url}?raw=true` : url;
      const answer = await fetch(asked, { credentials: "same-origin", signal });
      if (answer.ok) return await answer.blob();
      throw new TraceLoadError("not-available", `The server answered ${answer.status}.`);
    },
  };
}

/** Workers resolve addresses by their own script's. */
function absolute(url: string): string {
  return typeof document === "undefined" ? url : new URL(url, document.baseURI).href;
}

type Answers = Pick<TraceSource, "details" | "find" | "keys" | "values">;

function workerAnswers(client: WorkerClient): Answers {
  return {
    details: ({ traceIdHex, token }, rows, signal) =>
      client.ask("details", { traceIdHex, token, rows }, signal),
    find: ({ traceIdHex, token }, find, signal) =>
      client.ask("find", { traceIdHex, token, find }, signal),
    keys: ({ traceIdHex, token }, signal) => client.ask("keys", { traceIdHex, token }, signal),
    values: ({ traceIdHex, token }, key, signal) =>
      client.ask("values", { traceIdHex, token, key }, signal),
  };
}

async function open(
  client: WorkerClient,
  traceIdHex: string,
  from: "files" | "jaeger",
  shown: ShownAs,
  onProgress: (columns: TraceColumns) => void,
  signal: AbortSignal,
): Promise<TraceColumns> {
  const skeleton = await client.ask("open", { traceIdHex, from, shown }, signal);
  const columns = { ...skeleton, loaded: skeleton.spanCount, criticalPath: NO_CRITICAL_PATH };
  onProgress(columns);
  const { token } = columns;
  columns.criticalPath = await client.ask("criticalPath", { traceIdHex, token }, signal);
  return columns;
}
