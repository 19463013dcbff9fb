/** Starts the query API of a role from its settings. */

import type { SpanStore } from "../core/store.ts";
import type { RoleParts } from "./role.ts";
import { uiSettings } from "./ui-settings.ts";

const NS_PER_MS = 1_000_000;

/** Starts the HTTP API and UI over the store. */
export async function serveQuery(parts: RoleParts, store: SpanStore): Promise<void> {
  const { clock, config, counters, onFault } = parts;
  const place = config["query.http-server.host-port"];
  await parts.serveSecurely("query", "query.http", place, async (at) => {
    const [{ startQueryServer }, { QueryService }] = await Promise.all([
      import("../api/query-server.ts"),
      import("../query/query-service.ts"),
    ]);
    return startQueryServer({
      ...at,
      query: new QueryService({ store, counters, clock }),
      counters,
      clock,
      basePath: config["query.base-path"],
      maxClockSkewNs: config["query.max-clock-skew-adjustment"] * NS_PER_MS,
      ui: uiSettings(parts, store.can.name),
      onFault,
    });
  });
}
