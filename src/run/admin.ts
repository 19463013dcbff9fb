/** The admin port: health at /, metrics, version. */

import type { CounterTable } from "../base/counters.ts";
import type { HttpAnswer, HttpRoute } from "../net/http-message.ts";
import { startHttpServer } from "../net/http-server.ts";
import type { HttpServer } from "../net/http-server.ts";
import type { TlsOptions } from "../net/tls.ts";
import type { Health } from "./health.ts";
import { openMetricsText } from "./metrics-text.ts";
import type { Version } from "./version.ts";

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly health: Health;
  readonly counters: CounterTable;
  readonly version: Version;
  /** Path of the metrics; undefined serves none. */
  readonly metricsRoute: string | undefined;
  readonly tls?: TlsOptions;
  readonly onFault?: (error: unknown) => void;
}

/** Starts the admin server; rejects with SpoorError when it cannot listen. */
export function startAdmin(options: AdminOptions): Promise<HttpServer> {
  const { host, port, counters, health, version, metricsRoute, onFault, tls } = options;
  const routes: HttpRoute[] = [
    {
      method: "GET",
      path: "/",
      handle: () => {
        const { ready, body } = health.report();
        return json(ready ? 200 : 503, body);
      },
    },
    {
      method: "GET",
      path: "/version",
      handle: () =>
        json(200, {
          gitCommit: version.commit,
          gitVersion: version.version,
          buildDate: version.buildDate,
        }),
    },
  ];
  if (metricsRoute !== undefined) {
    const labels = ["build_date", "revision", "version"];
    const values = [version.buildDate, version.commit, version.version];
    counters.gauge("jaeger_build_info", "Which build this is; always 1.", () => 1, labels, values);
    const metrics = openMetricsText(counters);
    routes.push({
      method: "GET",
      path: metricsRoute,
      handle: async () => ({
        status: 200,
        headers: { "content-type": metrics.contentType },
        body: await metrics.render(),
      }),
    });
  }
  return startHttpServer({
    name: "admin",
    flag: "admin.http.host-port",
    host,
    port,
    routes,
    counters,
    ...(onFault === undefined ? {} : { onFault }),
    ...(tls === undefined ? {} : { tls }),
  });
}

function json(status: number, body: object): HttpAnswer {
  const headers = { "content-type": "application/json" };
  return { status, headers, body: JSON.stringify(body) };
}
