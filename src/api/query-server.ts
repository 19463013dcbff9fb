/** The query server (16686): Jaeger's v1 API, Spoor's own, and the UI. */

import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import type { CorsOptions } from "../net/cors.ts";
import type { HttpRoute } from "../net/http-message.ts";
import { startHttpServer } from "../net/http-server.ts";
import type { HttpServer } from "../net/http-server.ts";
import type { TlsOptions } from "../net/tls.ts";
import { errorAnswer, jaegerFailure } from "./answer.ts";
import { jaegerRoutes } from "./jaeger-v1.ts";
import { spoorRoutes } from "./spoor-v1.ts";
import { tracePageRoutes } from "./trace-page.ts";
import { traceBatchesRoute } from "./trace-batches.ts";
import type { TraceSource } from "./trace-stream.ts";
import { viewRoutes } from "./views.ts";
import { uiRoutes } from "./ui-files.ts";
import type { UiFilesOptions } from "./ui-files.ts";

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
  /** The UI; without it, paths outside /api are not found. */
  readonly ui?: UiSettings;
  readonly onFault?: (error: unknown) => void;
}

/** The settings of the UI that the query server does not know itself. */
export type UiSettings = Omit<UiFilesOptions, "archiveStorage" | "clock" | "onFault">;

/** Starts it; rejects with `in-use` or `config` when it cannot listen. */
export async function startQueryServer(options: QueryServerOptions): Promise<HttpServer> {
  const { host, port, counters, cors, tls, onFault } = options;
  return await startHttpServer({
    host,
    port,
    flag: "query.http-server.host-port",
    name: "query",
    routes: await queryRoutes(options),
    counters,
    failure: jaegerFailure,
    ...(cors === undefined ? {} : { cors }),
    ...(tls === undefined ? {} : { tls }),
    ...(onFault === undefined ? {} : { onFault }),
  });
}

/** All routes of the query port. */
async function queryRoutes(options: QueryServerOptions): Promise<HttpRoute[]> {
  const basePath = cleanBasePath(options.basePath ?? "");
  const { query, clock = systemClock, maxClockSkewNs = 0 } = options;
  const routes = [
    ...jaegerRoutes({ source: query, clock, maxClockSkewNs }),
    ...spoorRoutes(query),
    ...viewRoutes(query),
    traceBatchesRoute(query),
    ...tracePageRoutes({ source: query, clock, maxClockSkewNs }),
    apiFallback("GET"),
    apiFallback("POST"),
    ...(await pageRoutes(options, clock, basePath)),
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

async function pageRoutes(
  { ui, query, onFault }: QueryServerOptions,
  clock: Clock,
  basePath: string,
): Promise<HttpRoute[]> {
  if (ui === undefined) return [];
  const archiveStorage = (): boolean => query.can.archive;
  const faults = onFault === undefined ? {} : { onFault };
  return await uiRoutes({ ...ui, archiveStorage, clock, ...faults }, basePath);
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
