/** Traces from files a person dropped: summaries for search, sources for the trace page. */

import type { ShownAs } from "./trace-desk.ts";
import type { TraceSource } from "./trace-source.ts";
import type { WorkerClient } from "./worker-client.ts";
import { uploadedSource } from "./worker-source.ts";

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
 * Uploaded traces, kept in the worker for as long as the page lives. Formats, told by content:
 * Jaeger JSON (envelope, list, one trace), OTLP JSON and JSONL, OTLP protobuf (bare, or framed as
 * the collector's file exporter does), Zipkin JSON of both models, each gzipped or not.
 */
export class UploadedTraces {
  readonly #client: WorkerClient;
  readonly #known = new Set<string>();

  constructor(client: WorkerClient) {
    this.#client = client;
  }

  /** Reads files; rejects only when aborted or when the worker fails. */
  async add(files: readonly File[], signal: AbortSignal): Promise<UploadedFiles> {
    const names = files.map(({ name }) => name);
    const added = await this.#client.ask("addFiles", { files, names }, signal);
    for (const { traceIdHex } of added.traces) this.#known.add(traceIdHex);
    return added;
  }

  /** The source of a trace that was uploaded, undefined when none has this id (any case). */
  sourceOf(traceIdHex: string, shown: ShownAs = AS_JAEGER): TraceSource | undefined {
    const id = traceIdHex.toLowerCase().padStart(32, "0");
    return this.#known.has(id) ? uploadedSource(this.#client, id, shown) : undefined;
  }

  /** Forgets all. */
  async clear(): Promise<void> {
    this.#known.clear();
    await this.#client.ask("clear", {});
  }
}

/** Adjusted, clocks as they are: Jaeger's default. */
const AS_JAEGER: ShownAs = { adjusted: true, clockSkew: "off" };
