/** TraceColumns: what the trace page knows of every span of a trace, as typed arrays by row. */

/** Bits of `TraceColumns.flags`. */
export const SPAN_FLAG = {
  /** Its status is an error, or it has Jaeger's tag `error=true`. */
  ERROR: 1,
  /** It names a parent that is not in the trace. */
  ORPHAN: 2,
  LINKS: 4,
  EVENTS: 8,
  /** Warnings of the adjusters or of the stored span. */
  WARNINGS: 16,
  /** Its id is that of an earlier row. */
  DUPLICATE_ID: 32,
} as const;

/**
 * A trace in display order: a row's subtree are the rows `row ..< end[row]`, siblings ascend by
 * start, then span id. While a trace is loading, rows below `loaded` are final and the others
 * zero; `spanCount` and the arrays' lengths are final from the beginning. Read-only for everyone
 * but the decoder that fills it.
 */
export interface TraceColumns {
  /** 32 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly spanCount: number;
  loaded: number;
  /** Earliest start, µs since 1970, and the ns (0..999) beyond it. */
  readonly startUs: number;
  readonly startNs: number;
  /** From the earliest start to the latest end, ns. */
  readonly durationNs: number;
  /** Row of the parent, -1 for a root. */
  readonly parent: Int32Array;
  /** 0 for a root. */
  readonly depth: Uint32Array;
  /** First row after the subtree. */
  readonly end: Uint32Array;
  /** Offset of the start from the trace's, ns. */
  readonly startOffsetNs: Float64Array;
  readonly spanDurationNs: Float64Array;
  /** Index into `services`. */
  readonly service: Uint16Array;
  /** Index into `names`. */
  readonly name: Uint32Array;
  /** SPAN_KIND of core/batch.ts. */
  readonly kind: Uint8Array;
  /** SPAN_FLAG bits. */
  readonly flags: Uint8Array;
  /** 8 bytes a row. */
  readonly spanId: Uint8Array;
  /** Events of row r are `eventOffsets[r] ..< eventOffsets[r + 1]`. */
  readonly eventOffsets: Uint32Array;
  /** Offset of each event from the trace's start, ns. */
  readonly eventNs: Float64Array;
  /** Ascending by their bytes, so that colours and filters are the same for everybody. */
  readonly services: readonly string[];
  readonly names: readonly string[];
  /** Says which state of a growing trace this is; `details` and `find` are asked about it. */
  readonly token: string;
  /** Stretches of the critical path, ascending by time; empty until known. */
  criticalPath: CriticalPath;
}

/** Stretch i: span `row[i]` from `fromNs[i]` to `toNs[i]`, offsets from the trace's start. */
export interface CriticalPath {
  readonly row: Uint32Array;
  readonly fromNs: Float64Array;
  readonly toNs: Float64Array;
}
