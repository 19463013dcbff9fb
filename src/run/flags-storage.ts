/** Flags of the stores. */

import { COLLECTING } from "./flag.ts";
import type { Flag } from "./flag.ts";

/** Rows of the table of flags. */
export const STORAGE_FLAGS = [
  {
    name: "span-storage.type",
    kind: "text",
    roles: COLLECTING,
    default: "embedded",
    group: "storage",
    help: "embedded, memory, blackhole, or badger (the embedded store in badger's directory).",
  },
  {
    name: "embedded.directory",
    kind: "text",
    roles: COLLECTING,
    default: "./spoor-data",
    group: "storage",
    help: "Directory of the embedded store; made when absent.",
  },
  {
    name: "embedded.fsync",
    kind: "choice",
    roles: COLLECTING,
    choices: ["durable", "relaxed"],
    default: "durable",
    group: "storage",
    help: "durable acknowledges after fsync; relaxed before it, and a power cut may lose spans.",
  },
  {
    name: "embedded.retention",
    kind: "duration",
    roles: COLLECTING,
    default: "7d",
    group: "storage",
    help: "How long spans are kept after their arrival; 0s keeps them.",
  },
  {
    name: "embedded.max-size-bytes",
    kind: "bytes",
    roles: COLLECTING,
    default: "0",
    group: "storage",
    help: "Total size beyond which the oldest spans go; 0 sets no bound.",
  },
  {
    name: "memory.max-traces",
    kind: "integer",
    roles: COLLECTING,
    default: "100000",
    group: "storage",
    help: "Traces the memory store keeps; the oldest go first.",
  },
  {
    name: "badger.directory-key",
    kind: "text",
    roles: COLLECTING,
    default: "/go/bin/data/keys",
    group: "storage",
    help: "Directory badger kept keys in: with type badger, the embedded store is made there.",
  },
  {
    name: "badger.directory-value",
    kind: "text",
    roles: COLLECTING,
    default: "/go/bin/data/values",
    group: "storage",
    help: "Accepted for badger's sake; nothing is kept there.",
  },
  {
    name: "badger.ephemeral",
    kind: "boolean",
    roles: COLLECTING,
    default: "true",
    group: "storage",
    help: "With type badger, keep spans in a temporary directory that goes at the stop.",
  },
  {
    name: "badger.span-store-ttl",
    kind: "duration",
    roles: COLLECTING,
    default: "72h",
    group: "storage",
    help: "With type badger, how long spans are kept.",
  },
  {
    name: "badger.consistency",
    kind: "boolean",
    roles: COLLECTING,
    default: "false",
    group: "storage",
    help: "Accepted for badger's sake; embedded.fsync says what is durable.",
  },
] as const satisfies readonly Flag[];
