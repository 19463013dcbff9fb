/** The table of flags, whole: docs/config.md, --help and the reader of settings come from it. */

import { AGENT_FLAGS } from "./flags-agent.ts";
import { COLLECTOR_FLAGS } from "./flags-collector.ts";
import { GENERAL_FLAGS } from "./flags-general.ts";
import { QUERY_FLAGS } from "./flags-query.ts";
import { SAMPLING_FLAGS } from "./flags-sampling.ts";
import { STORAGE_FLAGS } from "./flags-storage.ts";

/** Every flag of every role. */
export const FLAGS = [
  ...GENERAL_FLAGS,
  ...AGENT_FLAGS,
  ...COLLECTOR_FLAGS,
  ...SAMPLING_FLAGS,
  ...QUERY_FLAGS,
  ...STORAGE_FLAGS,
] as const;
