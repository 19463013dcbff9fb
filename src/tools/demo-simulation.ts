// What the demo's services share: random latencies, faults to switch on, a database, traced calls.
import { request as httpRequest } from "node:http";
import type { Agent } from "node:http";
import { opentracing } from "../client/node/index.ts";
import type { Span } from "../client/span.ts";
import type { Tracer } from "../client/tracer.ts";

/** Faults a person can switch on, with what they do. */
export const DEMO_FAULTS = {
  "slow-replica": "One of the database's three replicas takes half a second a query.",
  "n-plus-one": "The catalog asks the database for each product alone instead of all at once.",
  "retry-storm": "The payment gateway mostly fails, and payments retries at once, eight times.",
  lock: "The inventory keeps one lock for every product while it writes.",
} as const;

export type DemoFault = keyof typeof DEMO_FAULTS;

/** The state all services see. `random` gives numbers in [0, 1). */
export interface Simulation {
  readonly faults: Set<DemoFault>;
  readonly random: () => number;
  /** Multiplies every latency; tests make it small. */
  readonly slowness: number;
  /** Waits as long as something takes; default by the clock. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** A latency with a long tail: log-normal around a median. */
function drawLatencyMs(simulation: Simulation, medianMs: number, sigma = 0.5): number {
  const u = 1 - simulation.random();
  const v = simulation.random();
  const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  return medianMs * Math.exp(sigma * normal) * simulation.slowness;
}

/** Takes a latency with a long tail around a median. */
export async function takeAbout(simulation: Simulation, medianMs: number): Promise<void> {
  await (simulation.pause ?? pauseByClock)(drawLatencyMs(simulation, medianMs));
}

function pauseByClock(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One query: what the service's span shows of its database. */
export interface Query {
  readonly statement: string;
  readonly medianMs: number;
  /** Writes go to the primary, reads to one of three replicas. */
  readonly write?: boolean;
}

const REPLICAS = 3;
const SLOW_REPLICA = 2;
const SLOW_QUERY_MS = 500;

/** Runs a query against the simulated database within the active span. */
export async function runQuery(
  tracer: Tracer,
  simulation: Simulation,
  query: Query,
): Promise<void> {
  const replica = 1 + Math.floor(simulation.random() * REPLICAS);
  const instance = query.write ? "shop-primary" : `shop-replica-${replica}`;
  const span = tracer.startSpan(query.statement.split(" ", 1)[0]!, {
    childOf: tracer.activeSpan(),
    tags: {
      "span.kind": "client",
      "peer.service": "shop-db",
      "db.type": "sql",
      "db.instance": instance,
      "db.statement": query.statement,
    },
  });
  const slow = !query.write && replica === SLOW_REPLICA && simulation.faults.has("slow-replica");
  await takeAbout(simulation, slow ? SLOW_QUERY_MS : query.medianMs);
  span.finish();
}

/** A lock held by one request at a time; waiting is logged on the active span. */
export class DemoLock {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  async hold(span: Span | null, action: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const held = Promise.withResolvers<void>();
    this.#last = held.promise;
    if (this.#waiting > 0) span?.log({ event: "waiting for lock", queue: this.#waiting });
    this.#waiting++;
    await before;
    span?.log({ event: "acquired lock" });
    try {
      await action();
    } finally {
      this.#waiting--;
      held.resolve();
    }
  }
}

/** What a service answered. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Calls another service within the active span; carries trace and baggage on. */
export function callService(
  tracer: Tracer,
  agent: Agent,
  url: string,
  peer: string,
): Promise<Reply> {
  const { pathname } = new URL(url);
  const span = tracer.startSpan(`HTTP GET ${pathname}`, {
    childOf: tracer.activeSpan(),
    tags: { "span.kind": "client", "peer.service": peer, "http.method": "GET", "http.url": url },
  });
  const headers: Record<string, string> = {};
  tracer.inject(span, opentracing.FORMAT_HTTP_HEADERS, headers);
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        span.setTag("http.status_code", status);
        if (status >= 500) span.setTag("error", true);
        span.finish();
        resolve({ status, body });
      });
      response.on("error", reject);
    });
    request.on("error", (error) => {
      span.setTag("error", true).log({ event: "error", message: error.message });
      span.finish();
      reject(error);
    });
    request.end();
  });
}
