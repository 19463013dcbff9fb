/** Flags of the sampling strategies that clients are told. */

import { COLLECTING } from "./flag.ts";
import type { Flag } from "./flag.ts";

/** Rows of the table of flags. */
export const SAMPLING_FLAGS = [
  {
    name: "sampling.strategies-file",
    kind: "text",
    roles: COLLECTING,
    default: "",
    group: "sampling",
    help: "Path or http(s) URL of a JSON file with sampling strategies by service and operation.",
  },
  {
    name: "sampling.strategies-reload-interval",
    kind: "duration",
    roles: COLLECTING,
    default: "0s",
    group: "sampling",
    help: "How often that file is read again; 0s reads it once.",
  },
  {
    name: "sampling.default-sampling-probability",
    kind: "ratio",
    roles: COLLECTING,
    default: "0.001",
    roleDefaults: { "all-in-one": "1" },
    group: "sampling",
    help: "Share of traces that services without a strategy sample.",
  },
  {
    name: "sampling.config.type",
    kind: "choice",
    choices: ["file", "adaptive"],
    roles: COLLECTING,
    default: "file",
    group: "sampling",
    notYet: true,
    help: "Whether strategies come from a file or from what was seen.",
  },
] as const satisfies readonly Flag[];
