/** A trace from our own server: columns as they stream in, details and find asked by rows. */

import { utf8 } from "../../src/base/bytes.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { SkeletonDecoder } from "../../src/wire/skeleton-decode.ts";
import type { TraceColumns } from "./trace-columns.ts";
import { TraceLoadError } from "./trace-source.ts";
import type { RowKey, RowValues, SpanDetail, TraceFind, TraceSource } from "./trace-source.ts";

export interface ServerSourceOptions {
  /** "" or `/prefix`, or an origin with it. */
  readonly base: string;
  /** As Jaeger's API takes it: hex of any case and length up to 32, or base64. */
  readonly traceId: string;
  /** False: as stored. Default true. */
  readonly adjusted?: boolean;
  /** Whether clocks that differ are corrected; left out, the server decides. */
  readonly clockSkew?: "on" | "off";
}

/** Thrown by `load` of a server that knows no skeletons: a plain Jaeger. */
export class NoSkeletonsError extends Error {}

const SKELETON_TYPE = "application/x-spoor-skeleton";
/** Details of the last rows asked for are kept: scrolling back asks nothing. */
const KEPT_DETAILS = 5000;

/** The trace as our server has it. `load` rejects with NoSkeletonsError when it is not ours. */
export function serverSource(options: ServerSourceOptions): TraceSource {
  const { base, traceId, adjusted = true, clockSkew } = options;
  const id = encodeURIComponent(traceId);
  const root = `${base}/api/spoor/v1/traces/${id}`;
  const query = new URLSearchParams();
  if (!adjusted) query.set("adjust", "false");
  if (clockSkew !== undefined) query.set("clockSkew", clockSkew);
  const details = new KeptDetails();
  return {
    async load(onProgress, signal) {
      const response = await ask(`${root}/skeleton?${query.toString()}`, { signal });
      if (response.headers.get("content-type") !== SKELETON_TYPE) {
        await response.body?.cancel();
        // Jaeger shows its page for every address it does not know.
        throw new NoSkeletonsError(`${root} is something else there`);
      }
      if (response.body === null) throw new TraceLoadError("cut-short", "The answer is empty.");
      return await readSkeleton(response.body, onProgress, signal);
    },
    async details(columns, rows, signal) {
      const wanted = rows.filter((row) => !details.has(columns.token, row));
      if (wanted.length > 0) {
        const answer = await post(`${root}/rows`, { token: columns.token, rows: wanted }, signal);
        details.add(columns.token, ((await answer.json()) as { spans: SpanDetail[] }).spans);
      }
      return rows.map((row) => details.get(columns.token, row));
    },
    async find(columns, find, signal) {
      const answer = await post(`${root}/find`, { token: columns.token, ...find }, signal);
      return new Uint8Array(await answer.arrayBuffer());
    },
    async keys(columns, signal) {
      const token = encodeURIComponent(columns.token);
      const answer = await ask(`${root}/keys?token=${token}`, { signal });
      return ((await answer.json()) as { keys: RowKey[] }).keys;
    },
    async values(columns, key, signal) {
      const answer = await post(`${root}/values`, { token: columns.token, key }, signal);
      return valuesOf(new Uint8Array(await answer.arrayBuffer()), columns.spanCount);
    },
    async lateSpans(columns, signal) {
      const token = encodeURIComponent(columns.token);
      const answer = await ask(`${root}/late?token=${token}`, { signal });
      return ((await answer.json()) as { late: number }).late;
    },
    async json(raw, signal) {
      const answer = await ask(`${base}/api/traces/${id}${raw ? "?raw=true" : ""}`, { signal });
      return await answer.blob();
    },
  };
}

/** Keeps a trace where retention does not reach. Rejects with TraceLoadError. */
export async function archiveTrace(
  base: string,
  traceId: string,
  signal: AbortSignal,
): Promise<void> {
  await post(`${base}/api/spoor/v1/traces/${encodeURIComponent(traceId)}/archive`, {}, signal);
}

async function readSkeleton(
  body: ReadableStream<Uint8Array>,
  onProgress: (columns: TraceColumns) => void,
  signal: AbortSignal,
): Promise<TraceColumns> {
  const reader = body.getReader();
  const decoder = new SkeletonDecoder();
  let told = 0;
  try {
    while (!decoder.complete) {
      const { done, value } = await reader.read();
      if (done) break;
      decoder.push(value);
      const { columns } = decoder;
      if (columns === undefined || columns.loaded === 0) continue;
      // Also while a part comes slowly: that something comes is told.
      onProgress(columns);
      if (columns.loaded === told) continue;
      told = columns.loaded;
      // All of it came at once: it is painted once.
      if (decoder.complete) break;
      // What was painted is to be seen, and clicks heard, before more is decoded.
      await nextTask();
      signal.throwIfAborted();
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (signal.aborted) throw cause;
    if (isSpoorError(cause, "malformed")) {
      throw new TraceLoadError("bad-answer", cause.message, { cause });
    }
    throw new TraceLoadError("cut-short", CUT_SHORT, { cause });
  }
  const { columns, complete } = decoder;
  if (columns === undefined || !complete) throw new TraceLoadError("cut-short", CUT_SHORT);
  return columns;
}

/** The length of a JSON text, the text, and a byte a row. */
function valuesOf(bytes: Uint8Array, spanCount: number): RowValues {
  const length = bytes.length < 4 ? 0 : new DataView(bytes.buffer).getUint32(0, true);
  if (bytes.length !== 4 + length + spanCount) throw new TraceLoadError("cut-short", CUT_SHORT);
  const told = JSON.parse(utf8(bytes.subarray(4, 4 + length))) as Omit<RowValues, "groups">;
  return { ...told, groups: bytes.subarray(4 + length) };
}

const CUT_SHORT = "The connection ended before the whole trace had arrived.";

/** Timers would wait 4 ms each; a message comes at once, after what is waiting. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const heard = (): void => {
      port1.close();
      resolve();
    };
    port1.addEventListener("message", heard, { once: true });
    port1.start();
    port2.postMessage(null);
  });
}

function post(url: string, body: object | TraceFind, signal: AbortSignal): Promise<Response> {
  return ask(url, { method: "POST", body: JSON.stringify(body), signal });
}

/** A successful answer; every other one is a TraceLoadError with the server's words. */
async function ask(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw new TraceLoadError("not-available", "The server cannot be reached.", { cause });
  }
  if (response.ok) return response;
  const { code, message } = await errorOf(response);
  if (code === "" && (response.status === 404 || response.status === 405)) {
    throw new NoSkeletonsError(`${url} is not known there`);
  }
  if (response.status === 404) throw new TraceLoadError("not-found", message);
  if (response.status === 409) throw new TraceLoadError("changed", message);
  throw new TraceLoadError("not-available", message);
}

/** Code and message of our own API's errors; the code is "" for anybody else's. */
async function errorOf(
  response: Response,
): Promise<{ readonly code: string; readonly message: string }> {
  try {
    const { error } = (await response.json()) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === "string" && typeof error.message === "string") {
      return { code: error.code, message: error.message };
    }
  } catch {
    // Not our JSON: the status has to do.
  }
  return { code: "", message: `The server answered ${response.status} ${response.statusText}.` };
}

/** Details of one state of a trace, the last ones asked for. */
class KeptDetails {
  readonly #byRow = new Map<number, SpanDetail>();
  #token = "";

  has(token: string, row: number): boolean {
    return token === this.#token && this.#byRow.has(row);
  }

  add(token: string, details: readonly SpanDetail[]): void {
    if (token !== this.#token) this.#byRow.clear();
    this.#token = token;
    for (const detail of details) this.#byRow.set(detail.row, detail);
    for (const row of this.#byRow.keys()) {
      if (this.#byRow.size <= KEPT_DETAILS) break;
      this.#byRow.delete(row);
    }
  }

  get(token: string, row: number): SpanDetail {
    const detail = token === this.#token ? this.#byRow.get(row) : undefined;
    if (detail === undefined) throw new TraceLoadError("bad-answer", `row ${row} was not answered`);
    return detail;
  }
}
