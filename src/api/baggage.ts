/** Baggage restrictions for clients: which keys they may carry, and how long the values. */

import type { Counter, CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { HttpAnswer, HttpRoute } from "../net/http-message.ts";

/** One key and the most characters of its values. */
export interface BaggageRestriction {
  readonly baggageKey: string;
  readonly maxValueLength: number;
}

/** Lists by service; `everyService` is for those that have none of their own. */
export interface BaggageRestrictions {
  readonly ofService: ReadonlyMap<string, readonly BaggageRestriction[]>;
  readonly everyService: readonly BaggageRestriction[];
}

const EVERY_SERVICE = "*";

/**
 * Reads JSON: a list for every service, or an object of lists by service, "*" being all others.
 * An entry is {"baggageKey": text, "maxValueLength": whole number}. Throws `config`, naming
 * `place`.
 */
export function parseBaggageRestrictions(text: string, place: string): BaggageRestrictions {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("config", `${place}: not JSON: ${reason}`, { cause });
  }
  const lists = new Map<string, readonly BaggageRestriction[]>();
  if (Array.isArray(content)) lists.set(EVERY_SERVICE, listOf(content, place));
  else if (typeof content === "object" && content !== null) {
    for (const [service, list] of Object.entries(content)) {
      lists.set(service, listOf(list, `${place}: ${service}`));
    }
  } else throw new SpoorError("config", `${place}: expected a list, or lists by service`);
  const everyService = lists.get(EVERY_SERVICE) ?? [];
  lists.delete(EVERY_SERVICE);
  return { ofService: lists, everyService };
}

function listOf(content: unknown, place: string): readonly BaggageRestriction[] {
  if (!Array.isArray(content)) throw new SpoorError("config", `${place}: expected a list`);
  return content.map((entry: unknown, i) => restrictionOf(entry, `${place}[${i}]`));
}

function restrictionOf(entry: unknown, place: string): BaggageRestriction {
  const known = typeof entry === "object" && entry !== null;
  const baggageKey = known && "baggageKey" in entry ? entry.baggageKey : undefined;
  const maxValueLength = known && "maxValueLength" in entry ? entry.maxValueLength : undefined;
  const whole = typeof maxValueLength === "number" && Number.isInteger(maxValueLength);
  if (typeof baggageKey !== "string" || !whole || maxValueLength < 0) {
    const wanted = '{"baggageKey": text, "maxValueLength": whole number}';
    throw new SpoorError("config", `${place}: expected ${wanted}`);
  }
  return { baggageKey, maxValueLength };
}

const TEXT = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
/** What Jaeger's agent says since it speaks gRPC: collectors never knew of baggage. */
const NOT_IMPLEMENTED = "collector error: baggage not implemented\n";

/** `GET /baggageRestrictions?service=NAME`; without restrictions, Jaeger's own answer. */
export function baggageRoute(
  restrictions: BaggageRestrictions | undefined,
  counters: CounterTable,
): HttpRoute {
  const help = "Requests for client configuration over HTTP, as Jaeger counts them.";
  const name = "jaeger_agent_http_server_requests_total";
  const served = counters.counter(name, help, ["type"], ["baggage"]);
  const failures = (status: string, source: string): Counter =>
    counters.counter(
      "jaeger_agent_http_server_errors_total",
      "Those that were answered with an error.",
      ["source", "status"],
      [source, status],
    );
  const bad = failures("4xx", "all");
  const unknown = failures("5xx", "collector-proxy");
  return {
    method: "GET",
    path: "/baggageRestrictions",
    handle(request): HttpAnswer {
      const services = new URLSearchParams(request.query).getAll("service");
      const [service] = services;
      if (service === undefined || services.length > 1) {
        bad.value++;
        const body = "'service' parameter must be provided once\n";
        return { status: 400, headers: TEXT, body };
      }
      if (restrictions === undefined) {
        unknown.value++;
        return { status: 500, headers: TEXT, body: NOT_IMPLEMENTED };
      }
      served.value++;
      const list = restrictions.ofService.get(service) ?? restrictions.everyService;
      const headers = { "content-type": "application/json" };
      return { status: 200, headers, body: JSON.stringify(list) };
    },
  };
}
