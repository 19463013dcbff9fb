/** The HTTP port where Jaeger's clients ask their agent for sampling and baggage (5778). */

import type { CounterTable } from "../base/counters.ts";
import type { SamplingSource } from "../core/sampling.ts";
import { startHttpServer } from "../net/http-server.ts";
import type { HttpServer } from "../net/http-server.ts";
import { baggageRoute } from "./baggage.ts";
import type { BaggageRestrictions } from "./baggage.ts";
import { samplingRoute } from "./sampling.ts";

export interface ClientConfigOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly source: SamplingSource;
  /** Undefined: clients are told that there are none to be had. */
  readonly restrictions: BaggageRestrictions | undefined;
  readonly counters: CounterTable;
  /** Told of errors that are our own bugs. */
  readonly onFault?: (error: unknown) => void;
}

/** Starts the server; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export function startClientConfig(options: ClientConfigOptions): Promise<HttpServer> {
  const { host, port, source, restrictions, counters, onFault } = options;
  const sampling = { source, counters, program: "jaeger_agent" as const };
  return startHttpServer({
    name: "client-config",
    flag: "http-server.host-port",
    host,
    port,
    routes: [
      samplingRoute("/sampling", "names", sampling),
      samplingRoute("/", "numbers", sampling),
      baggageRoute(restrictions, counters),
    ],
    counters,
    ...(onFault === undefined ? {} : { onFault }),
  });
}
