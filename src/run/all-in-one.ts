/** The all-in-one role: receivers, pipeline, store and query API in one process. */

import type { Config } from "./config.ts";
import { keepSpans, openRoleStore } from "./keep-spans.ts";
import { startRole } from "./role.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { serveAdmin } from "./serve-admin.ts";
import { serveClientConfig, serveUdp } from "./serve-agent-doors.ts";
import { serveQuery } from "./serve-query.ts";

/** Starts everything: the admin port first, so that health can be asked; doors for spans last. */
export function startAllInOne(config: Config, context: RoleContext): Promise<RunningRole> {
  return startRole(config, context, async (parts) => {
    await serveAdmin(parts);
    const opened = await openRoleStore(parts);
    await serveQuery(parts, opened.store);
    return keepSpans(parts, opened, async (intake, strategies) => {
      await serveUdp(parts, intake);
      await serveClientConfig(parts, strategies);
    });
  });
}
