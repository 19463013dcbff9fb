/** The query server (16686): Jaeger's v1 API, Spoor's own, and the page. */

import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { CorsOptions } from "../net/cors.ts";
import type { HttpRoute } from "../net/http-message.ts";
import { startHttpServer } from "../net/http-server.ts";
import type { HttpServer, TlsOptions } from "../net/http-server.ts";
import { errorAnswer, jaegerFailure } from "./answer.ts";
import { indexPage } from "./index-page.ts";
import { jaegerRoutes } from "./jaeger-v1.ts";
import { spoorRoutes } from "./spoor-v1.ts";
import type { TraceSource } from "./trace-stream.ts";

export interface QueryServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Where answers come from: the query service. */
  readonly query: TraceSource;
  readonly counters: CounterTable;
  /** Path in front of everything, e.g. `/jaeger`. Default none. */
  readonly basePath?: string;
  readonly clock?: Clock;
  /** Default 0: as Jaeger, nothing is corrected and spans say what would have been. */
  readonly maxClockSkewNs?: number;
  readonly cors?: CorsOptions;
  readonly tls?: TlsOptions;
  /** Sent with every answer of the page and its files. */
  readonly additionalHeaders?: Readonly<Record<string, string>>;
  readonly onFault?: (error: unknown) => void;
}

/** Starts it; rejects with `in-use` or `config` when it cannot listen. */
export async function startQueryServer(options: QueryServerOptions): Promise<HttpServer> {
  const { host, port, counters, cors, tls, onFault } = options;
  return await startHttpServer({
    host,
    port,
    flag: "query.http-server.host-port",
    name: "query",
    routes: queryRoutes(options),
    counters,
    failure: jaegerFailure,
    ...(cors === undefined ? {} : { cors }),
    ...(tls === undefined ? {} : { tls }),
    ...(onFault === undefined ? {} : { onFault }),
  });
}

/** All routes of the query port. */
export function queryRoutes(options: QueryServerOptions): HttpRoute[] {
  const basePath = cleanBasePath(options.basePath ?? "");
  const { query, clock = systemClock, maxClockSkewNs = 0 } = options;
  const routes = [
    ...jaegerRoutes({ source: query, clock, maxClockSkewNs }),
    ...spoorRoutes(query),
    apiFallback("GET"),
    apiFallback("POST"),
    pageRoute(basePath, options.additionalHeaders ?? {}),
  ];
  return routes.map((route) => ({ ...route, path: basePath + route.path }));
}

/** What no route of `/api` knows is not found; v1 of Jaeger shows its page there. */
function apiFallback(method: "GET" | "POST"): HttpRoute {
  return {
    method,
    path: "/api/*",
    handle: () => errorAnswer(404, "404 page not found"),
  };
}

function pageRoute(basePath: string, headers: Readonly<Record<string, string>>): HttpRoute {
  return {
    method: "GET",
    path: "/*",
    handle: () => {
      const page = indexPage(basePath);
      return { ...page, headers: { ...page.headers, ...headers } };
    },
  };
}

/** "" or a path that begins with a slash and does not end in one; `config` for anything else. */
function cleanBasePath(text: string): string {
  if (text === "" || text === "/") return "";
  const path = text.replace(/\/+$/, "");
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path)) {
    throw new SpoorError("config", `base path ${text} must begin with / and hold plain characters`);
  }
  return path;
}
