/** Traces held in the worker: read from files or a plain Jaeger, shown, searched, written out. */

import { toHex } from "../../src/base/bytes.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import { adjustTrace } from "../../src/core/trace/adjust.ts";
import { criticalPathOf, followersOf } from "../../src/core/trace/critical-path.ts";
import type { CriticalPath } from "../../src/core/trace/critical-path.ts";
import { findRows } from "../../src/core/trace/find-rows.ts";
import type { RowFind } from "../../src/core/trace/find-rows.ts";
import { rowKeys, rowValues } from "../../src/core/trace/row-values.ts";
import type { RowKey, RowValues } from "../../src/core/trace/row-values.ts";
import { skeletonOf } from "../../src/core/trace/skeleton.ts";
import type { Skeleton, SkeletonColumns } from "../../src/core/trace/skeleton.ts";
import { spanDetail } from "../../src/core/trace/span-detail.ts";
import type { SpanDetail } from "../../src/core/trace/span-detail.ts";
import { summarize } from "../../src/core/trace/summary.ts";
import { copyView, viewsByTrace } from "../../src/core/trace/view.ts";
import type { TraceView } from "../../src/core/trace/view.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { encodeJaegerTrace } from "../../src/wire/jaeger-json.ts";
import { JsonWriter } from "../../src/wire/json-writer.ts";
import { parseTraces } from "./parse-traces.ts";
import { readWhole } from "./read-file.ts";
import { TraceLoadError } from "./trace-source.ts";
import { UPLOAD_LIMITS } from "./upload-limits.ts";
import type { UploadedFiles, UploadedTrace } from "./uploaded-traces.ts";

/** How a trace is shown. */
export interface ShownAs {
  readonly adjusted: boolean;
  readonly clockSkew: "on" | "off";
}

/** One state of one trace, told by its token. */
interface Opened {
  readonly view: TraceView;
  readonly skeleton: Skeleton;
}

/** What the worker does; every method is one question of the page. */
export class TraceDesk {
  /** As stored, by id. */
  readonly #uploaded = new Map<string, TraceView>();
  readonly #fetched = new Map<string, TraceView>();
  /** By token and id, the one used last at the end. */
  readonly #opened = new Map<string, Opened>();
  #batches: SpanBatch[] = [];

  /** Reads files and keeps their traces with those read before. */
  async addFiles(files: readonly Blob[], names: readonly string[]): Promise<UploadedFiles> {
    const problems: { file: string; message: string }[] = [];
    const added = new Set<string>();
    for (const [f, file] of files.entries()) {
      const name = names[f] ?? "";
      try {
        const parsed = parseTraces(await readWhole(file.stream(), file.size));
        for (const message of parsed.problems) problems.push({ file: name, message });
        if (parsed.batches.length === 0) problems.push({ file: name, message: "holds no spans" });
        this.#batches.push(...parsed.batches);
        for (const traceHex of traceIdsOf(parsed.batches)) added.add(traceHex);
      } catch (error) {
        problems.push({ file: name, message: wordsOf(error) });
      }
    }
    this.#uploaded.clear();
    if (this.#batches.length > 0) {
      for (const view of viewsByTrace(this.#batches)) this.#uploaded.set(traceHexOf(view), view);
    }
    const traces = [...added].map((traceHex) => summaryOf(this.#uploaded.get(traceHex)!));
    return { traces, problems };
  }

  /** Fetches a trace from a plain Jaeger; resolves to its id. */
  async fetchJaeger(url: string, signal: AbortSignal): Promise<string> {
    const bytes = await fetchBytes(url, signal);
    let batches: readonly SpanBatch[];
    try {
      ({ batches } = parseTraces(bytes));
    } catch (cause) {
      throw new TraceLoadError("bad-answer", `The server's answer: ${wordsOf(cause)}`, { cause });
    }
    if (batches.length === 0) throw new TraceLoadError("not-found", "trace not found");
    const [view] = viewsByTrace(batches);
    const traceHex = traceHexOf(view!);
    this.#fetched.delete(traceHex);
    this.#fetched.set(traceHex, view!);
    dropOldest(this.#fetched, UPLOAD_LIMITS.fetchedTraces);
    return traceHex;
  }

  /** The columns of a trace; the arrays are the caller's. */
  open(traceIdHex: string, from: "files" | "jaeger", shown: ShownAs): SkeletonColumns {
    const stored = (from === "files" ? this.#uploaded : this.#fetched).get(traceIdHex);
    if (stored === undefined) throw new TraceLoadError("not-found", "trace not found");
    const view = shownView(stored, shown);
    const plain = skeletonOf(view);
    const how = `${from}-${shown.adjusted ? "a" : "r"}-${shown.clockSkew}`;
    const skeleton = { ...plain, token: `${how}.${plain.token}` };
    const key = `${skeleton.token} ${traceIdHex}`;
    this.#opened.delete(key);
    this.#opened.set(key, { view, skeleton });
    dropOldest(this.#opened, UPLOAD_LIMITS.openTraces);
    return ownColumns(skeleton);
  }

  criticalPath(traceIdHex: string, token: string): CriticalPath {
    const { view, skeleton } = this.#at(traceIdHex, token);
    return criticalPathOf(skeleton, followersOf(view, skeleton));
  }

  details(traceIdHex: string, token: string, rows: readonly number[]): readonly SpanDetail[] {
    const { view, skeleton } = this.#at(traceIdHex, token);
    return rows.map((row) => spanDetail(view, skeleton, row));
  }

  find(traceIdHex: string, token: string, find: RowFind): Uint8Array {
    const { view, skeleton } = this.#at(traceIdHex, token);
    return findRows(view, skeleton, find);
  }

  keys(traceIdHex: string, token: string): readonly RowKey[] {
    return rowKeys(this.#at(traceIdHex, token).view);
  }

  values(traceIdHex: string, token: string, key: string): RowValues {
    const { view, skeleton } = this.#at(traceIdHex, token);
    return rowValues(view, skeleton, key);
  }

  /** A trace as Jaeger's JSON, adjusted or as stored (`raw`). */
  json(traceIdHex: string, raw: boolean): Blob {
    const stored = this.#uploaded.get(traceIdHex) ?? this.#fetched.get(traceIdHex);
    if (stored === undefined) throw new TraceLoadError("not-found", "trace not found");
    const view = shownView(stored, { adjusted: !raw, clockSkew: "off" });
    const writer = new JsonWriter();
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    writer.text('{"data":[');
    for (const _ of encodeJaegerTrace(writer, view)) {
      for (const piece of writer.take()) pieces.push(new Uint8Array(piece));
    }
    writer.text('],"total":0,"limit":0,"offset":0,"errors":null}');
    for (const piece of writer.take()) pieces.push(new Uint8Array(piece));
    return new Blob(pieces, { type: "application/json" });
  }

  /** Forgets what was uploaded. */
  clear(): void {
    this.#uploaded.clear();
    this.#opened.clear();
    this.#batches = [];
  }

  #at(traceIdHex: string, token: string): Opened {
    const opened = this.#opened.get(`${token} ${traceIdHex}`);
    if (opened !== undefined) return opened;
    throw new TraceLoadError(
      "changed",
      "The trace has changed since it was opened: load it again.",
    );
  }
}

function shownView(stored: TraceView, { adjusted, clockSkew }: ShownAs): TraceView {
  const view = copyView(stored);
  if (adjusted) adjustTrace(view, { maxClockSkewNs: clockSkew === "on" ? Infinity : 0 });
  return view;
}

function traceHexOf(view: TraceView): string {
  return toHex(view.parts[view.part[0]!]!.traceId, view.row[0]! * 16, 16);
}

function traceIdsOf(batches: readonly SpanBatch[]): Set<string> {
  const ids = new Set<string>();
  for (const { traceId, spanCount } of batches) {
    for (let i = 0; i < spanCount; i++) ids.add(toHex(traceId, i * 16, 16));
  }
  return ids;
}

function summaryOf(view: TraceView): UploadedTrace {
  const rows = Array.from({ length: view.spanCount }, (_, v) => {
    return { batch: view.parts[view.part[v]!]!, row: view.row[v]! };
  });
  const summary = summarize(rows, rows[0]!);
  const { rootService, rootName, startUs, endUs } = summary;
  const { spanCount, errorCount, orphanCount, services } = summary;
  const traceIdHex = toHex(summary.traceId);
  const named = { traceIdHex, rootService, rootName, startUs, endUs };
  return { ...named, spanCount, errorCount, orphanCount, services };
}

/** Copies without the order: the worker goes on using its own arrays. */
function ownColumns(skeleton: Skeleton): SkeletonColumns {
  const { order: _, ...columns } = skeleton;
  return {
    ...columns,
    parent: columns.parent.slice(),
    depth: columns.depth.slice(),
    end: columns.end.slice(),
    startOffsetNs: columns.startOffsetNs.slice(),
    spanDurationNs: columns.spanDurationNs.slice(),
    service: columns.service.slice(),
    name: columns.name.slice(),
    kind: columns.kind.slice(),
    flags: columns.flags.slice(),
    spanId: columns.spanId.slice(),
    eventOffsets: columns.eventOffsets.slice(),
    eventNs: columns.eventNs.slice(),
  };
}

async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new TraceLoadError("not-available", "The server cannot be reached.", { cause });
  }
  if (response.status === 404) throw new TraceLoadError("not-found", "trace not found");
  if (!response.ok || response.body === null) {
    const status = `${response.status} ${response.statusText}`;
    throw new TraceLoadError("not-available", `The server answered ${status}.`);
  }
  try {
    return await readWhole(response.body, Number(response.headers.get("content-length") ?? 0));
  } catch (cause) {
    if (signal.aborted || cause instanceof TraceLoadError) throw cause;
    if (isSpoorError(cause)) throw new TraceLoadError("bad-answer", cause.message, { cause });
    throw new TraceLoadError("cut-short", "The connection ended before the trace had arrived.", {
      cause,
    });
  }
}

function dropOldest(kept: Map<string, unknown>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}

/** An error in words for a person. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
