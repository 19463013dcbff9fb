/** What the query server needs to serve the UI, from the settings of a role. */

import { fileURLToPath } from "node:url";
import type { UiSettings } from "../api/query-server.ts";
import { headersOf } from "./pair-texts.ts";
import type { RoleParts } from "./role.ts";

/** Where the build puts the UI, in a checkout and in the published package alike. */
const BUILT_UI = fileURLToPath(new URL("../../dist/ui", import.meta.url));
const NO_RECEIVERS = new Set(["query", "admin"]);

/** Settings of the UI; what listens is asked for each page: receivers start after the query. */
export function uiSettings({ config, context, servers }: RoleParts, store: string): UiSettings {
  const ownFolder = config["query.static-files"];
  return {
    folder: ownFolder === "" ? BUILT_UI : ownFolder,
    foreign: ownFolder !== "",
    configPath: config["query.ui-config"],
    version: context.version,
    additionalHeaders: headersOf(config["query.additional-headers"]),
    server: () => ({
      api: 1,
      store,
      receivers: Object.entries(servers)
        .filter(([name]) => !NO_RECEIVERS.has(name))
        .map(([protocol, { host, port }]) => ({ protocol, host, port })),
    }),
  };
}
