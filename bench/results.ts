/** What one run of the bench found out: plain data, kept as JSON and turned into BENCHMARKS.md. */

import type { IngestResult, Protocol } from "./ingest.ts";
import type { Machine } from "./machine.ts";
import type { StageCosts } from "./profiled.ts";
import type { QueryTimes } from "./queries.ts";

export interface IngestRow {
  readonly server: string;
  readonly protocol: Protocol;
  readonly spans: number;
  /** One a round; rounds of different servers alternate. */
  readonly rounds: IngestResult[];
}

export interface QueryColumn {
  readonly server: string;
  readonly spans: number;
  /** Spans a second arriving meanwhile; 0 for a settled store. */
  readonly ingestPerSecond: number;
  readonly times: readonly QueryTimes[];
  readonly peakRssBytes: number;
}

export interface StartRow {
  readonly server: string;
  readonly spans: number;
  /** Milliseconds to healthy and to the first accepted request, first time and later. */
  readonly cold: readonly [healthyMs: number, acceptedMs: number];
  readonly warm: readonly (readonly [healthyMs: number, acceptedMs: number])[];
}

export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly dataset: { readonly spans: number; readonly bytes: number; readonly requests: number };
  readonly ingest: IngestRow[];
  readonly queries: QueryColumn[];
  readonly starts: StartRow[];
  stages?: StageCosts;
  /** Sentences about what was not measured, and why. */
  readonly notes: string[];
}
