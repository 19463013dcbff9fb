/** TraceSource: where the trace page gets one trace from: our server, Jaeger's API or a file. */

import type { TraceColumns } from "./trace-columns.ts";

/**
 * One attribute as shown. `type` is OTLP's: string, bool, int, double, bytes, array, map or empty.
 */
export interface AttributeText {
  readonly key: string;
  readonly type: string;
  /** Numbers exactly, bytes as base64, arrays and maps as JSON. */
  readonly text: string;
}

export interface EventDetail {
  /** Offset from the trace's start, ns. */
  readonly offsetNs: number;
  readonly name: string;
  readonly attributes: readonly AttributeText[];
}

export interface LinkDetail {
  /** 32 and 16 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly spanIdHex: string;
  /** `CHILD_OF`, `FOLLOWS_FROM` or "" when the span does not say. */
  readonly kind: string;
  readonly attributes: readonly AttributeText[];
}

/** What a row's columns do not hold. */
export interface SpanDetail {
  readonly row: number;
  readonly spanIdHex: string;
  readonly parentSpanIdHex: string;
  /** UNSET, OK or ERROR. */
  readonly status: string;
  readonly statusMessage: string;
  readonly traceState: string;
  readonly attributes: readonly AttributeText[];
  readonly resource: readonly AttributeText[];
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly scope: readonly AttributeText[];
  readonly events: readonly EventDetail[];
  readonly links: readonly LinkDetail[];
  readonly warnings: readonly string[];
}

/**
 * Find in trace. `text` as Jaeger's: blank-separated terms are or-ed, "an exact phrase", substring
 * over service, name, attribute keys and values, `key=value`, events; a span id exactly; `-key`
 * leaves a key out. All given members must hold.
 */
export interface TraceFind {
  readonly text?: string;
  readonly minDurationNs?: number;
  readonly maxDurationNs?: number;
  readonly errorsOnly?: boolean;
}

export interface TraceSource {
  /**
   * Loads the columns, calling `onProgress` when the first rows are there and then as more come;
   * resolves when all are. Rejects with `TraceLoadError`.
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
  /** How many spans the trace has now beyond `columns`; 0 for sources that do not grow. */
  lateSpans(columns: TraceColumns, signal: AbortSignal): Promise<number>;
  /** The trace as JSON: Jaeger's, adjusted or as stored (`raw`). */
  json(raw: boolean, signal: AbortSignal): Promise<Blob>;
}

/** Why a trace could not be loaded, in words a person can act on. */
export class TraceLoadError extends Error {
  /** not-found, not-available (server down or refused), cut-short, bad-answer. */
  readonly code: "not-found" | "not-available" | "cut-short" | "bad-answer";

  constructor(code: TraceLoadError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
