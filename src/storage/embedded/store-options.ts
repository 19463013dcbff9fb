/** How an embedded store is opened, and what it tells of itself. */

import type { Clock } from "../../base/clock.ts";
import type { CounterTable } from "../../base/counters.ts";
import type { FileLayer } from "../../base/node/file-layer.ts";
import type { SpanStore } from "../../core/store.ts";
import type { FsyncMode } from "./commit.ts";
import type { HeadSizes } from "./heads.ts";
import type { DirectoryLock } from "./lock.ts";
import type { UpkeepSizes } from "./upkeep.ts";

/** Something worth a line in the log. */
export interface StoreEvent {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
}

/** Only the directory is needed. */
export interface EmbeddedStoreOptions {
  /** Made when absent. One process at a time owns it. */
  readonly directory: string;
  readonly counters?: CounterTable;
  readonly clock?: Clock;
  /** Default durable. */
  readonly fsync?: FsyncMode;
  /** Spans go this long after their arrival; 0 keeps them. Default 7 days. */
  readonly retentionMs?: number;
  /** Bytes of segments beyond which the oldest go; 0 (the default) sets no bound. */
  readonly maxSizeBytes?: number;
  readonly report?: (event: StoreEvent) => void;
  /** The file system; needs `inline` unless it is the machine's own. */
  readonly files?: FileLayer;
  /** Seal and search on this thread (tests). */
  readonly inline?: boolean;
  /** Takes the directory's lock; tests on other file systems hand in their own. */
  readonly lock?: (directory: string) => Promise<DirectoryLock>;
  /** Sizes that tests make small. */
  readonly headSizes?: Partial<HeadSizes>;
  readonly upkeepSizes?: Partial<UpkeepSizes>;
  /** Age at which a head that is not full is sealed. Default an hour. */
  readonly headAgeMs?: number;
  /** How long a write waits for room before it is refused. Default 200 ms. */
  readonly roomWaitMs?: number;
}

/** An embedded store: also tells what is not as it should be. */
export interface EmbeddedStore extends SpanStore {
  /** Lines for health; none when all is well. */
  notes(): readonly string[];
}

/** Sizes unless told otherwise; reasons in DESIGN §4. */
export const DEFAULTS = {
  headSizes: { arenaBytes: 40 * 1024 * 1024, rows: 131_072, arenas: 3 },
  upkeepSizes: { rows: 131_072, bundleBeyond: 256, filesAtOnce: 16, smallFiles: 8 },
  headAgeMs: 60 * 60 * 1000,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  roomWaitMs: 200,
  /** Without writes for this long a head of `idleRows` is sealed before it is full. */
  idleMs: 1500,
  idleRows: 4096,
  /** How often age, retention and size are looked at. */
  tickMs: 60 * 1000,
} as const;
