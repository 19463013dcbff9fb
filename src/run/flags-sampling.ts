/** Flags of the sampling strategies that clients are told. */

import { COLLECTING } from "./flag.ts";
import type { Flag } from "./flag.ts";

/** The settings of adaptive sampling, with Jaeger's defaults as it writes them. */
const ADAPTIVE = [
  ["target-samples-per-second", "1", "traces a second of an operation that are aimed at."],
  ["delta-tolerance", "0.3", "how far from the target, as a share of it, is near enough."],
  ["buckets-for-calculation", "1", "newest intervals that a probability is computed from."],
  ["calculation-interval", "1m0s", "how often probabilities are computed."],
  ["aggregation-buckets", "10", "intervals that are kept in memory."],
  ["delay", "2m0s", "how old the newest interval is that is used."],
  ["initial-sampling-probability", "0.001", "probability of an operation not seen before."],
  ["min-sampling-probability", "1e-05", "least probability of any operation."],
  ["min-samples-per-second", "0.016666666666666666", "least traces a second of an operation."],
  ["leader-lease-refresh-interval", "5s", "how often the one that computes says so."],
  ["follower-lease-refresh-interval", "1m0s", "how often others try to become that one."],
] as const;

function adaptiveFlag<const Row extends (typeof ADAPTIVE)[number]>([name, standard, help]: Row) {
  return {
    name: `sampling.${name as Row[0]}`,
    kind: "text",
    roles: COLLECTING,
    default: standard,
    group: "sampling",
    notYet: true,
    help: `Adaptive sampling: ${help}`,
  } as const satisfies Flag;
}

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
  ...ADAPTIVE.map(adaptiveFlag),
] as const satisfies readonly Flag[];
