/** The collector role: receivers and pipeline before a store that others read. */

import type { Config } from "./config.ts";
import { keepSpans, openRoleStore } from "./keep-spans.ts";
import { startRole } from "./role.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { serveAdmin } from "./serve-admin.ts";

/** Starts admin port, store and doors for spans, in this order. */
export function startCollector(config: Config, context: RoleContext): Promise<RunningRole> {
  return startRole(config, context, async (parts) => {
    await serveAdmin(parts);
    return keepSpans(parts, await openRoleStore(parts));
  });
}
