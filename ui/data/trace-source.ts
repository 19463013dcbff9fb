/** TraceSource: where the trace page gets one trace from: our server, Jaeger's API or a file. */

import type { RowFind } from "../../src/core/trace/find-rows.ts";
import type { RowKey as Key, RowValues as Values } from "../../src/core/trace/row-values.ts";
import type {
  AttributeText as Attribute,
  EventDetail as Event,
  LinkDetail as Link,
  SpanDetail as Detail,
} from "../../src/core/trace/span-detail.ts";
import type { TraceColumns } from "./trace-columns.ts";

/** What a row's columns do not hold, as core/trace/span-detail.ts describes it. */
export type SpanDetail = Detail;
/** One attribute as shown. */
export type AttributeText = Attribute;
/** One event of a span. */
export type EventDetail = Event;
/** One link of a span. */
export type LinkDetail = Link;
/** A key of the trace and how many spans have it. */
export type RowKey = Key;
/** Which value of a key each row has, as core/trace/row-values.ts describes it. */
export type RowValues = Values;
/** Find in trace, as core/trace/find-rows.ts describes it. */
export type TraceFind = RowFind;

export interface TraceSource {
  /**
   * Loads the columns, calling `onProgress` when the first rows are there and then whenever more
   * came, whole parts or not; resolves when all are here. Rejects with `TraceLoadError`.
   */
  load(onProgress: (columns: TraceColumns) => void, signal: AbortSignal): Promise<TraceColumns>;
  /** Details of rows (at most 1,000), in the order asked. */
  details(
    columns: TraceColumns,
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly SpanDetail[]>;
  /** Bit r (byte r >> 3, bit r & 7) is set when row r matches. */
  find(columns: TraceColumns, find: TraceFind, signal: AbortSignal): Promise<Uint8Array>;
  /** Keys of attributes, the most frequent first. */
  keys(columns: TraceColumns, signal: AbortSignal): Promise<readonly RowKey[]>;
  /** The values of a key by row. */
  values(columns: TraceColumns, key: string, signal: AbortSignal): Promise<RowValues>;
  /** How many spans the trace has now beyond `columns`; 0 for sources that do not grow. */
  lateSpans(columns: TraceColumns, signal: AbortSignal): Promise<number>;
  /** The trace as JSON: Jaeger's, adjusted or as stored (`raw`). */
  json(raw: boolean, signal: AbortSignal): Promise<Blob>;
}

/** Why a trace could not be loaded, in words a person can act on. */
export class TraceLoadError extends Error {
  /**
   * not-found, not-available (server down or refused), cut-short, bad-answer; changed: the trace
   * has grown and rows have moved, so that it must be loaded again (questions about rows only).
   */
  readonly code: "not-found" | "not-available" | "cut-short" | "bad-answer" | "changed";

  constructor(code: TraceLoadError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What was thrown while loading, as such an error. */
export function loadErrorOf(error: unknown): TraceLoadError {
  if (error instanceof TraceLoadError) return error;
  return new TraceLoadError("not-available", String(error), { cause: error });
}
