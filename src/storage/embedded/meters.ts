/** What the embedded store counts; one row a number, shown by the admin port as it is. */

import type { Counter, CounterTable } from "../../base/counters.ts";

/** fdatasync takes 0.3 ms on a good disk and stalls for hundreds on a busy one. */
const SYNC_BOUNDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Why a write was refused. */
export type RefusalReason = "overloaded" | "disk-full" | "too-large" | "closed";

/** The store's counters. */
export interface Meters {
  readonly writtenSpans: Counter;
  readonly retriedSpans: Counter;
  readonly sealDuplicates: Counter;
  readonly walBytes: Counter;
  readonly walSyncs: Counter;
  readonly walFailures: Counter;
  readonly walFilesNotMade: Counter;
  readonly seals: Counter;
  readonly sealFailures: Counter;
  readonly bundles: Counter;
  readonly merges: Counter;
  readonly expiredSegments: Counter;
  readonly expiredSpans: Counter;
  readonly tornBytes: Counter;
  readonly corruptFiles: Counter;
  readonly workerRestarts: Counter;
  readonly observeSync: (seconds: number) => void;
  refused(reason: RefusalReason, spans: number): void;
}

/** Registers the store's counters in the table. */
export function storeMeters(table: CounterTable): Meters {
  const counter = (name: string, help: string): Counter =>
    table.counter(`spoor_embedded_${name}`, help);
  return {
    writtenSpans: counter("written_spans_total", "Spans made durable."),
    retriedSpans: counter("retried_spans_total", "Spans of requests that were stored before."),
    sealDuplicates: counter("seal_duplicate_spans_total", "Exact duplicates left out at seal."),
    walBytes: counter("wal_bytes_total", "Bytes written to the write-ahead log."),
    walSyncs: counter("wal_syncs_total", "Syncs of the write-ahead log."),
    walFailures: counter("wal_failures_total", "Failed writes and syncs of the log."),
    walFilesNotMade: counter(
      "wal_files_not_made_total",
      "Attempts to make a log file that failed, as on a disk without room for one.",
    ),
    seals: counter("seals_total", "Heads sealed into segments."),
    sealFailures: counter("seal_failures_total", "Attempts to seal that failed."),
    bundles: counter("bundles_total", "Bundles made of segment files."),
    merges: counter("merges_total", "Merges of small segments."),
    expiredSegments: counter("expired_segments_total", "Segments removed by retention."),
    expiredSpans: table.counter(
      "spoor_store_removed_spans_total",
      "Stored spans that the store removed by itself.",
      ["reason"],
      ["retention"],
    ),
    tornBytes: counter("torn_bytes_total", "Bytes of log records found damaged at start."),
    corruptFiles: counter("corrupt_files_total", "Files set aside as corrupt."),
    workerRestarts: counter("worker_restarts_total", "Worker threads started again."),
    observeSync: table.histogram(
      "spoor_embedded_wal_sync_seconds",
      "How long a sync of the log took.",
      [],
      [],
      SYNC_BOUNDS,
    ),
    refused(reason, spans) {
      const help = "Spans refused, by reason.";
      const name = "spoor_embedded_refused_spans_total";
      table.counter(name, help, ["reason"], [reason]).value += spans;
    },
  };
}
