/** What Spoor's page asks of one trace: skeleton, rows, find, values, late spans, archive. */

import type { Clock } from "../base/clock.ts";
import { utf8Bytes } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { criticalPathOf, followersOf } from "../core/trace/critical-path.ts";
import { findRows } from "../core/trace/find-rows.ts";
import type { RowFind } from "../core/trace/find-rows.ts";
import { rowKeys, rowValues } from "../core/trace/row-values.ts";
import { spanDetail } from "../core/trace/span-detail.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { encodeSkeleton } from "../wire/skeleton-encode.ts";
import { jsonAnswer, wantsPretty } from "./answer.ts";
import { chunkedAnswer } from "./compressed-answer.ts";
import { parseTraceId } from "./jaeger-trace-id.ts";
import { jsonObject, noOtherMembers } from "./json-body.ts";
import { OpenTraces } from "./open-traces.ts";
import type { OpenTrace, TraceVariant } from "./open-traces.ts";
import { spoorFailure } from "./spoor-failure.ts";
import type { TraceSource } from "./trace-stream.ts";
import { TRACE_NOT_FOUND } from "./trace-stream.ts";

export interface TracePageOptions {
  readonly source: TraceSource;
  readonly clock: Clock;
  /** Largest clock correction when the page does not say, ns. */
  readonly maxClockSkewNs: number;
}

const SKELETON_TYPE = "application/x-spoor-skeleton";
/** Details are sent in pieces of about this. */
const PIECE_CHARACTERS = 64 * 1024;

/** The routes, below `/api/spoor/v1/traces/:traceId`. */
export function tracePageRoutes(options: TracePageOptions): HttpRoute[] {
  const { source } = options;
  const traces = new OpenTraces(options);
  const route = (method: "GET" | "POST", name: string, handle: Handler): HttpRoute => ({
    method,
    path: `/api/spoor/v1/traces/:traceId/${name}`,
    failure: spoorFailure,
    handle: (request) => handle(request, parseTraceId(request.params["traceId"]!)),
  });
  return [
    route("GET", "skeleton", async (request, traceId) => {
      const query = new URLSearchParams(request.query);
      const variant = variantOf(query, options.maxClockSkewNs);
      const { skeleton, view } = await traces.open(traceId, variant, request.signal);
      const path = () => criticalPathOf(skeleton, followersOf(view, skeleton));
      return chunkedAnswer(request, SKELETON_TYPE, encodeSkeleton(skeleton, path));
    }),
    route("POST", "rows", async (request, traceId) => {
      const { token, rows } = parseRows(request.body);
      const trace = await traces.at(traceId, token, request.signal);
      checkRows(rows, trace);
      return chunkedAnswer(request, "application/json", rowsJson(trace, rows));
    }),
    route("POST", "find", async (request, traceId) => {
      const { token, find } = parseFind(request.body);
      const { view, skeleton } = await traces.at(traceId, token, request.signal);
      const body = findRows(view, skeleton, find);
      return { status: 200, headers: { "content-type": "application/octet-stream" }, body };
    }),
    route("GET", "keys", async (request, traceId) => {
      const query = new URLSearchParams(request.query);
      const { view } = await traces.at(traceId, query.get("token") ?? "", request.signal);
      return jsonAnswer(JSON.stringify({ keys: rowKeys(view) }), wantsPretty(query));
    }),
    route("POST", "values", async (request, traceId) => {
      const { token, key } = parseValues(request.body);
      const trace = await traces.at(traceId, token, request.signal);
      return chunkedAnswer(request, "application/octet-stream", valuesBytes(trace, key));
    }),
    route("GET", "late", async (request, traceId) => {
      const query = new URLSearchParams(request.query);
      const late = await traces.lateSpans(traceId, query.get("token") ?? "", request.signal);
      return jsonAnswer(JSON.stringify({ late }), wantsPretty(query));
    }),
    route("POST", "archive", async (request, traceId) => {
      const query = new URLSearchParams(request.query);
      if (!(await source.archive(traceId, request.signal))) {
        throw new SpoorError("not-found", TRACE_NOT_FOUND);
      }
      return jsonAnswer(JSON.stringify({ archived: true }), wantsPretty(query));
    }),
  ];
}

type Handler = (request: HttpRequest, traceId: Uint8Array) => Promise<HttpAnswer>;

function variantOf(query: URLSearchParams, maxClockSkewNs: number): TraceVariant {
  const adjusted = choice(query, "adjust", "true", ["true", "false"]) === "true";
  const skew = choice(query, "clockSkew", "", ["on", "off", ""]);
  return {
    adjusted,
    maxClockSkewNs: skew === "on" ? Infinity : skew === "off" ? 0 : maxClockSkewNs,
  };
}

function choice(
  query: URLSearchParams,
  name: string,
  otherwise: string,
  known: readonly string[],
): string {
  const value = query.get(name) ?? otherwise;
  if (known.includes(value)) return value;
  throw bad(`${name} must be ${known.filter((text) => text !== "").join(" or ")}`);
}

function parseRows(body: Uint8Array): { readonly token: string; readonly rows: readonly number[] } {
  const json = jsonObject(body);
  noOtherMembers(json, ["token", "rows"]);
  const rows = json["rows"];
  if (!Array.isArray(rows) || rows.length > LIMITS.detailRows || !rows.every(isRow)) {
    throw bad(`rows must be a list of at most ${LIMITS.detailRows} row numbers`);
  }
  return { token: tokenOf(json), rows };
}

function isRow(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkRows(rows: readonly number[], { skeleton }: OpenTrace): void {
  const wrong = rows.find((row) => row >= skeleton.spanCount);
  if (wrong !== undefined) throw bad(`row ${wrong} is beyond the ${skeleton.spanCount} rows`);
}

function parseFind(body: Uint8Array): { readonly token: string; readonly find: RowFind } {
  const json = jsonObject(body);
  noOtherMembers(json, ["token", "text", "minDurationNs", "maxDurationNs", "errorsOnly"]);
  const text = json["text"];
  const errorsOnly = json["errorsOnly"] ?? false;
  if (text !== undefined && typeof text !== "string") throw bad("text must be a text");
  if (typeof errorsOnly !== "boolean") throw bad("errorsOnly must be true or false");
  return {
    token: tokenOf(json),
    find: {
      ...(text === undefined ? {} : { text }),
      ...bound(json, "minDurationNs"),
      ...bound(json, "maxDurationNs"),
      errorsOnly,
    },
  };
}

function parseValues(body: Uint8Array): { readonly token: string; readonly key: string } {
  const json = jsonObject(body);
  noOtherMembers(json, ["token", "key"]);
  const key = json["key"];
  if (typeof key !== "string" || key === "") throw bad("key must be that of an attribute");
  return { token: tokenOf(json), key };
}

function* valuesBytes({ view, skeleton }: OpenTrace, key: string): Generator<Uint8Array> {
  const { groups, ...told } = rowValues(view, skeleton, key);
  const head = utf8Bytes(JSON.stringify(told));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, head.length, true);
  yield length;
  yield head;
  yield groups;
}

function bound(
  json: Readonly<Record<string, unknown>>,
  name: "minDurationNs" | "maxDurationNs",
): Partial<Record<typeof name, number>> {
  const value = json[name] ?? undefined;
  if (value === undefined) return {};
  if (typeof value !== "number") throw bad(`${name} must be a number`);
  return { [name]: value };
}

function tokenOf(json: Readonly<Record<string, unknown>>): string {
  const token = json["token"];
  if (typeof token !== "string") throw bad("token must be that of the skeleton");
  return token;
}

function* rowsJson({ view, skeleton }: OpenTrace, rows: readonly number[]): Generator<Uint8Array> {
  let text = '{"spans":[';
  for (let i = 0; i < rows.length; i++) {
    if (i > 0) text += ",";
    text += JSON.stringify(spanDetail(view, skeleton, rows[i]!));
    if (text.length < PIECE_CHARACTERS) continue;
    yield utf8Bytes(text);
    text = "";
  }
  yield utf8Bytes(`${text}]}`);
}

function bad(message: string): SpoorError {
  return new SpoorError("bad-query", message);
}
