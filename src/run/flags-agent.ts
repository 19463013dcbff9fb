/** Flags of the agent: its UDP doors and where it sends what comes in. */

import type { Flag } from "./flag.ts";

/** Rows of the table of flags. */
export const AGENT_FLAGS = [] as const satisfies readonly Flag[];
