/** Streams traces from a store as Jaeger's JSON: grouped, adjusted, encoded, a chunk at a time. */

import { utf8Bytes, equalBytes } from "../base/bytes.ts";
import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import type { Filter } from "../core/filter.ts";
import { LIMITS } from "../core/limits.ts";
import type { SpanReader, SpanStore } from "../core/store.ts";
import { adjustTrace } from "../core/trace/adjust.ts";
import { viewTrace } from "../core/trace/view.ts";
import type { TraceView } from "../core/trace/view.ts";
import { encodeJaegerTrace, jaegerTraceIdHex } from "../wire/jaeger-json.ts";
import { JsonWriter } from "../wire/json-writer.ts";
import { ENVELOPE_START, envelopeEnd } from "./answer.ts";
import type { EnvelopeError } from "./answer.ts";

/** What the query API reads from: the query room, whose `get` knows the archive too. */
export type TraceSource = SpanReader & Pick<SpanStore, "archive" | "getArchived" | "views">;

export interface TraceStreamOptions {
  /** Leave the traces as stored. */
  readonly raw: boolean;
  readonly maxClockSkewNs: number;
}

/** A search for whole traces. */
export interface TraceFind {
  readonly filter: Filter;
  readonly startMinUs: number;
  readonly startMaxUs: number;
  readonly limit: number;
}

/** Groups the batches of consecutive traces: all batches of one trace together. */
export async function* wholeTraces(
  batches: AsyncIterable<SpanBatch>,
): AsyncGenerator<readonly SpanBatch[]> {
  let parts: SpanBatch[] = [];
  for await (const batch of batches) {
    if (batch.spanCount === 0) continue;
    const first = parts[0];
    if (first !== undefined && !equalBytes(first.traceId, 0, batch.traceId, 0, 16)) {
      yield parts;
      parts = [];
    }
    parts.push(batch);
  }
  if (parts.length > 0) yield parts;
}

/** Envelope with the newest traces that match, in order; pages through a limit of any size. */
export async function* foundTraces(
  source: TraceSource,
  find: TraceFind,
  options: TraceStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const out = new TraceWriter(options);
  let left = find.limit;
  let cursor: string | undefined;
  while (left > 0) {
    const page = await source.find(
      {
        filter: find.filter,
        startMinUs: find.startMinUs,
        startMaxUs: find.startMaxUs,
        order: "start",
        limit: Math.min(left, LIMITS.findTraces),
        ...(cursor === undefined ? {} : { cursor }),
      },
      signal,
    );
    const ids = page.traces.map(({ traceId }) => traceId);
    if (ids.length > 0) {
      for await (const parts of wholeTraces(source.get(ids, signal))) yield* out.trace(parts);
    }
    left -= ids.length;
    cursor = page.cursor;
    if (cursor === undefined || ids.length === 0) break;
  }
  yield* out.end(undefined);
}

/** Envelope with the traces of these ids; those not found are told in `errors`. */
export async function* tracesById(
  source: TraceSource,
  ids: readonly Uint8Array[],
  options: TraceStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const out = new TraceWriter(options);
  const errors: EnvelopeError[] = [];
  for (const id of ids) {
    const parts = await getTrace(source, id, signal);
    if (parts !== undefined) yield* out.trace(parts);
    else errors.push({ message: TRACE_NOT_FOUND, traceIdHex: jaegerTraceIdHex(id) });
  }
  yield* out.end(errors.length === 0 ? undefined : errors);
}

/** Envelope with one trace; throws `not-found` before the first chunk when there is none. */
export async function* oneTrace(
  source: TraceSource,
  id: Uint8Array,
  options: TraceStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const parts = await getTrace(source, id, signal);
  if (parts === undefined) throw new SpoorError("not-found", TRACE_NOT_FOUND);
  const out = new TraceWriter(options);
  yield* out.trace(parts);
  yield* out.end(undefined);
}

/** Envelope with traces that are in memory already, unadjusted. */
export async function* givenTraces(
  views: readonly TraceView[],
  errors: readonly EnvelopeError[] | undefined,
): AsyncGenerator<Uint8Array> {
  const out = new TraceWriter({ raw: true, maxClockSkewNs: 0 });
  for (const view of views) yield* out.view(view);
  yield* out.end(errors);
}

/** Jaeger's text for a trace that does not exist. */
export const TRACE_NOT_FOUND = "trace not found";

/** All batches of a trace; undefined when it does not exist. */
async function getTrace(
  source: TraceSource,
  id: Uint8Array,
  signal: AbortSignal,
): Promise<SpanBatch[] | undefined> {
  const parts: SpanBatch[] = [];
  for await (const batch of source.get([id], signal)) if (batch.spanCount > 0) parts.push(batch);
  return parts.length > 0 ? parts : undefined;
}

const START = utf8Bytes(`${ENVELOPE_START}[`);
const COMMA = 0x2c;

/** Writes the envelope around traces. */
class TraceWriter {
  readonly #writer = new JsonWriter();
  readonly #options: TraceStreamOptions;
  #count = 0;

  constructor(options: TraceStreamOptions) {
    this.#options = options;
    this.#writer.raw(START);
  }

  *trace(parts: readonly SpanBatch[]): Generator<Uint8Array> {
    const view = viewTrace(parts);
    const { raw, maxClockSkewNs } = this.#options;
    if (!raw) adjustTrace(view, { maxClockSkewNs });
    yield* this.view(view);
  }

  *view(view: TraceView): Generator<Uint8Array> {
    if (this.#count++ > 0) this.#writer.byte(COMMA);
    for (const _ of encodeJaegerTrace(this.#writer, view)) yield* this.#writer.take();
  }

  *end(errors: readonly EnvelopeError[] | undefined): Generator<Uint8Array> {
    this.#writer.text(`]${envelopeEnd(0, errors)}`);
    yield* this.#writer.take();
  }
}
