/** What the search side is told: heads, segments and tombstones that come and go. */

import type { Tombstone } from "./tombstones.ts";

/** A head as readers get it: its rows are durable up to what `control` tells. */
export interface HeadSource {
  readonly epoch: number;
  readonly memory: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
}

/** A segment as readers get it: `length` bytes at `offset` of a file. */
export interface SegmentSource {
  readonly fileName: string;
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** A change in what readers see, applied between two calls. */
export interface SearchChange {
  /** Forget everything first. */
  readonly reset: boolean;
  readonly addHeads: readonly HeadSource[];
  /** Epochs. */
  readonly removeHeads: readonly number[];
  readonly addSegments: readonly SegmentSource[];
  readonly removeSegments: readonly SegmentSource[];
  readonly addArchived: readonly SegmentSource[];
  readonly removeArchived: readonly SegmentSource[];
  /** All tombstones, when they changed. */
  readonly tombstones: readonly Tombstone[] | undefined;
}
