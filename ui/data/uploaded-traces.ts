/** Traces from files a person dropped: summaries for search, sources for the trace page. */

import type { TraceSource } from "./trace-source.ts";

/** What the search page shows of an uploaded trace; as an item of `/api/spoor/v1/find`. */
export interface UploadedTrace {
  /** 32 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly rootService: string;
  readonly rootName: string;
  /** µs since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  /** Spans whose parent is not in the trace. */
  readonly orphanCount: number;
  /** Ascending by name. */
  readonly services: readonly {
    readonly name: string;
    readonly spanCount: number;
    readonly errorCount: number;
  }[];
}

/** What became of some files. */
export interface UploadedFiles {
  /** Every trace of every file that could be read; parts of one trace in several files are one. */
  readonly traces: readonly UploadedTrace[];
  /** What is wrong with a file, or was left out of it, in words for a person. */
  readonly problems: readonly { readonly file: string; readonly message: string }[];
}

/**
 * Keeps uploaded traces for as long as the page lives, in a worker. Formats, told by content:
 * Jaeger JSON (envelope, list, one trace), OTLP JSON and JSONL, OTLP protobuf, Zipkin v2 JSON.
 */
export interface UploadedTraces {
  /** Reads files; rejects only when aborted or when the worker cannot be started. */
  add(files: readonly File[], signal: AbortSignal): Promise<UploadedFiles>;
  /** The source of a trace that was uploaded, undefined when none has this id (any case). */
  sourceOf(traceIdHex: string): TraceSource | undefined;
  /** Forgets all. */
  clear(): void;
}
