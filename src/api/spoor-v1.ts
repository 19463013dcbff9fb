/** Spoor's own query API, `/api/spoor/v1/*`: searches by filter tree, attribute completion. */

import { toHex } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { AttributeScope, FindOrder, FindQuery, FindResult } from "../core/store.ts";
import type { TraceSummary } from "../core/store.ts";
import type { HttpAnswer, HttpRequest, HttpRoute } from "../net/http-message.ts";
import { jsonAnswer, wantsPretty } from "./answer.ts";
import { parseFilter } from "./filter-json.ts";
import { jsonObject, noOtherMembers } from "./json-body.ts";
import { spoorFailure } from "./spoor-failure.ts";
import type { TraceSource } from "./trace-stream.ts";

const DEFAULT_FIND_LIMIT = 20;
const DEFAULT_ATTRIBUTE_LIMIT = 100;
const ORDERS: readonly string[] = ["start", "duration", "spanCount"];
const FIND_MEMBERS = new Set([
  "filter",
  "startMinUs",
  "startMaxUs",
  "order",
  "descending",
  "limit",
  "cursor",
  "totals",
]);

/** Names of attribute types in this API. */
const TYPE_NAMES: readonly string[] = Object.entries(ATTRIBUTE_TYPE).reduce<string[]>(
  (names, [name, type]) => {
    names[type] = name.toLowerCase();
    return names;
  },
  [],
);

/** The routes, below `/api/spoor/v1`. */
export function spoorRoutes(source: TraceSource): HttpRoute[] {
  return [
    {
      method: "POST",
      path: "/api/spoor/v1/find",
      failure: spoorFailure,
      handle: async (request) => {
        const found = await source.find(parseFind(request.body), request.signal);
        return answer(findJson(found), request);
      },
    },
    {
      method: "GET",
      path: "/api/spoor/v1/attributes/keys",
      failure: spoorFailure,
      handle: async (request) => {
        const scope = parseScope(new URLSearchParams(request.query));
        const keys = await source.attributeKeys(scope, request.signal);
        const items = keys.map(({ key, level, type }) => ({ key, level, type: TYPE_NAMES[type] }));
        return answer({ keys: items }, request);
      },
    },
    {
      method: "GET",
      path: "/api/spoor/v1/attributes/values",
      failure: spoorFailure,
      handle: async (request) => {
        const query = new URLSearchParams(request.query);
        const key = query.get("key") ?? "";
        if (key === "") throw new SpoorError("bad-query", "parameter 'key' is required");
        const values = await source.attributeValues(key, parseScope(query), request.signal);
        const items = values.map(({ value, type, spanCount }) => ({
          value,
          type: TYPE_NAMES[type],
          spanCount,
        }));
        return answer({ values: items }, request);
      },
    },
  ];
}

function answer(value: unknown, request: HttpRequest): HttpAnswer {
  return jsonAnswer(JSON.stringify(value), wantsPretty(new URLSearchParams(request.query)));
}

/** The search a request body asks for. */
function parseFind(body: Uint8Array): FindQuery {
  const json = jsonObject(body);
  noOtherMembers(json, FIND_MEMBERS);
  const order = json["order"] ?? "start";
  if (!isOrder(order)) throw bad(`order must be one of ${ORDERS.join(", ")}`);
  const cursor = json["cursor"] ?? undefined;
  if (cursor !== undefined && typeof cursor !== "string") throw bad("cursor must be a text");
  const descending = flag(json, "descending", true);
  const totals = flag(json, "totals", false);
  const limit = number(json["limit"], "limit") ?? DEFAULT_FIND_LIMIT;
  checkLimit(limit, LIMITS.findTraces);
  const filter = json["filter"];
  return {
    ...(filter === undefined || filter === null ? {} : { filter: parseFilter(filter) }),
    ...bounds(number(json["startMinUs"], "startMinUs"), number(json["startMaxUs"], "startMaxUs")),
    ...(cursor === undefined ? {} : { cursor }),
    order,
    descending,
    limit,
    totals,
  };
}

function parseScope(query: URLSearchParams): AttributeScope {
  const limit = queryNumber(query, "limit") ?? DEFAULT_ATTRIBUTE_LIMIT;
  checkLimit(limit, LIMITS.attributeValues);
  const service = query.get("service") ?? "";
  const prefix = query.get("prefix") ?? "";
  return {
    ...(service === "" ? {} : { service }),
    ...(prefix === "" ? {} : { prefix }),
    ...bounds(queryNumber(query, "startMinUs"), queryNumber(query, "startMaxUs")),
    limit,
  };
}

/** Times left out do not bound. */
function bounds(
  startMinUs = Number.MIN_SAFE_INTEGER,
  startMaxUs = Number.MAX_SAFE_INTEGER,
): { readonly startMinUs: number; readonly startMaxUs: number } {
  return { startMinUs, startMaxUs };
}

function queryNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "";
  return text === "" ? undefined : number(Number(text), name);
}

function number(json: unknown, name: string): number | undefined {
  if (json === undefined || json === null) return undefined;
  if (typeof json !== "number" || !Number.isSafeInteger(json)) {
    throw bad(`${name} must be a whole number`);
  }
  return json;
}

function flag(json: Readonly<Record<string, unknown>>, name: string, otherwise: boolean): boolean {
  const value = json[name] ?? otherwise;
  if (typeof value !== "boolean") throw bad(`${name} must be true or false`);
  return value;
}

function checkLimit(limit: number, most: number): void {
  if (limit < 1 || limit > most) throw bad(`limit must be between 1 and ${most}`);
}

function isOrder(order: unknown): order is FindOrder {
  return typeof order === "string" && ORDERS.includes(order);
}

function findJson(found: FindResult): unknown {
  return {
    traces: found.traces.map(summaryJson),
    cursor: found.cursor ?? null,
    totals: found.totals ?? null,
  };
}

function summaryJson(trace: TraceSummary): unknown {
  const { rootService, rootName, startUs, endUs, spanCount, errorCount, orphanCount } = trace;
  return {
    traceId: toHex(trace.traceId),
    rootService,
    rootName,
    startUs,
    endUs,
    spanCount,
    errorCount,
    orphanCount,
    services: trace.services,
    match: {
      spanId: toHex(trace.matchSpanId),
      startUs: trace.matchStartUs,
      startNs: trace.matchStartNs,
      durationNs: trace.matchDurationNs,
    },
  };
}

function bad(message: string): SpoorError {
  return new SpoorError("bad-query", message);
}
