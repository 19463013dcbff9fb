/** Starts the admin port of a role from its settings. */

import { startAdmin } from "./admin.ts";
import type { RoleParts } from "./role.ts";

/** Starts it; the first thing every role does, so that its health can be asked. */
export async function serveAdmin(parts: RoleParts): Promise<void> {
  const { config, context, counters, health, onFault } = parts;
  const metricsRoute =
    config["metrics-backend"] === "none" ? undefined : config["metrics-http-route"];
  await parts.serveSecurely("admin", "admin.http", config["admin.http.host-port"], (at) =>
    startAdmin({ ...at, health, counters, version: context.version, metricsRoute, onFault }),
  );
}
