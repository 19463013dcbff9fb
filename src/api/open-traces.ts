/** Traces that somebody has open in a page: kept for a while, for questions about their rows. */

import { toHex } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { ChangeToken } from "../core/store.ts";
import { adjustTrace } from "../core/trace/adjust.ts";
import { skeletonOf } from "../core/trace/skeleton.ts";
import type { Skeleton } from "../core/trace/skeleton.ts";
import { idWords, SpanIdIndex } from "../core/trace/tree.ts";
import { viewTrace } from "../core/trace/view.ts";
import type { TraceView } from "../core/trace/view.ts";
import type { TraceSource } from "./trace-stream.ts";
import { TRACE_NOT_FOUND } from "./trace-stream.ts";

/** How a trace is shown. */
export interface TraceVariant {
  readonly adjusted: boolean;
  /** Largest clock correction, ns; 0 corrects none. Only of adjusted traces. */
  readonly maxClockSkewNs: number;
}

/** One state of one trace, shown one way. */
export interface OpenTrace {
  readonly view: TraceView;
  /** Its token says how it is shown, too. */
  readonly skeleton: Skeleton;
}

interface Entry extends OpenTrace {
  readonly sizeBytes: number;
  /** What of the store had been read before the trace was. */
  changeToken: ChangeToken | undefined;
  /** Ids of spans that came later, hex. */
  readonly late: Set<string>;
  index: SpanIdIndex | undefined;
  usedMs: number;
}

const NO_TRACE = new Uint8Array(16);
/** Bytes a span costs beside its batch: view, skeleton, order. */
const SPAN_BYTES = 96;

export interface OpenTracesOptions {
  readonly source: Pick<TraceSource, "can" | "get" | "changedSince">;
  readonly clock: Clock;
  /** Default LIMITS.openTracesBytes. */
  readonly mostBytes?: number;
}

/** Opens traces and keeps the last ones, within limits of bytes, number and time. */
export class OpenTraces {
  readonly #source: OpenTracesOptions["source"];
  readonly #clock: Clock;
  readonly #mostBytes: number;
  /** By id and token, the one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #sweeping = false;

  constructor(options: OpenTracesOptions) {
    this.#source = options.source;
    this.#clock = options.clock;
    this.#mostBytes = options.mostBytes ?? LIMITS.openTracesBytes;
  }

  /** The trace as the store has it now; `not-found` when it has none. */
  async open(traceId: Uint8Array, variant: TraceVariant, signal: AbortSignal): Promise<OpenTrace> {
    const changeToken = await this.#changeToken(signal);
    const parts: SpanBatch[] = [];
    let sizeBytes = 0;
    for await (const batch of this.#source.get([traceId], signal)) {
      if (batch.spanCount === 0) continue;
      parts.push(batch);
      sizeBytes += batch.image.length + batch.spanCount * SPAN_BYTES;
    }
    if (parts.length === 0) throw new SpoorError("not-found", TRACE_NOT_FOUND);
    const view = viewTrace(parts);
    const { adjusted, maxClockSkewNs } = variant;
    const tree = adjusted ? adjustTrace(view, { maxClockSkewNs }) : undefined;
    const plain = skeletonOf(view, tree);
    const skeleton = { ...plain, token: `${variantText(variant)}.${plain.token}` };
    const usedMs = this.#clock.monotonicMs();
    const late = new Set<string>();
    const entry = { view, skeleton, sizeBytes, changeToken, late, index: undefined, usedMs };
    this.#keep(traceId, entry);
    return entry;
  }

  /** The state of the trace that has this token; `changed` when it is another by now. */
  async at(traceId: Uint8Array, token: string, signal: AbortSignal): Promise<OpenTrace> {
    const key = keyOf(traceId, token);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      known.usedMs = this.#clock.monotonicMs();
      return known;
    }
    const opened = await this.open(traceId, variantOf(token), signal);
    if (opened.skeleton.token === token) return opened;
    throw new SpoorError("changed", "the trace has changed since it was opened: load it again");
  }

  /** How many spans the trace has now beyond that state, at most LIMITS.lateSpans. */
  async lateSpans(traceId: Uint8Array, token: string, signal: AbortSignal): Promise<number> {
    const entry = this.#entries.get(keyOf(traceId, token));
    if (entry === undefined || entry.changeToken === undefined) {
      const now = await this.open(traceId, variantOf(token), signal);
      return Math.max(0, now.skeleton.spanCount - spanCountOf(token));
    }
    entry.usedMs = this.#clock.monotonicMs();
    const changed = await this.#source.changedSince(traceId, entry.changeToken, signal);
    entry.changeToken = changed.token;
    if (changed.batch !== undefined) noteLate(entry, changed.batch);
    return entry.late.size;
  }

  /** Where the store is now. Its tokens are not of one trace: one that is never there will do. */
  async #changeToken(signal: AbortSignal): Promise<ChangeToken | undefined> {
    if (!this.#source.can.changedSince) return undefined;
    return (await this.#source.changedSince(NO_TRACE, undefined, signal)).token;
  }

  #keep(traceId: Uint8Array, entry: Entry): void {
    const key = keyOf(traceId, entry.skeleton.token);
    this.#drop(key);
    if (entry.sizeBytes > this.#mostBytes) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.sizeBytes;
    for (const oldest of this.#entries.keys()) {
      const fits = this.#bytes <= this.#mostBytes && this.#entries.size <= LIMITS.openTraces;
      if (fits) break;
      this.#drop(oldest);
    }
    if (!this.#sweeping) this.#sweepLater(LIMITS.openTraceIdleMs);
  }

  #sweepLater(delayMs: number): void {
    this.#sweeping = true;
    this.#clock.after(delayMs, () => this.#dropIdle());
  }

  #dropIdle(): void {
    const before = this.#clock.monotonicMs() - LIMITS.openTraceIdleMs;
    for (const [key, { usedMs }] of this.#entries) if (usedMs <= before) this.#drop(key);
    this.#sweeping = false;
    if (this.#entries.size > 0) this.#sweepLater(LIMITS.openTraceIdleMs / 2);
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.sizeBytes ?? 0;
    this.#entries.delete(key);
  }
}

function keyOf(traceId: Uint8Array, token: string): string {
  return `${toHex(traceId)} ${token}`;
}

function noteLate(entry: Entry, batch: SpanBatch): void {
  const { view, late } = entry;
  entry.index ??= new SpanIdIndex(view.spanIds.subarray(0, view.spanCount * 2));
  const words = idWords(batch.spanId);
  for (let i = 0; i < batch.spanCount && late.size < LIMITS.lateSpans; i++) {
    if (entry.index.rowOf(words[i * 2]!, words[i * 2 + 1]!) !== -1) continue;
    late.add(toHex(batch.spanId, i * 8, 8));
  }
}

/** The part of a token that says how the trace is shown. */
function variantText(variant: TraceVariant): string {
  if (!variant.adjusted) return "r";
  return Number.isFinite(variant.maxClockSkewNs) ? `a${variant.maxClockSkewNs}` : "ai";
}

function variantOf(token: string): TraceVariant {
  const match = /^(?:(r)|a(i|\d{1,15}))\.[0-9a-z]{1,8}\.[0-9a-z]{1,16}$/.exec(token);
  if (match === null) throw new SpoorError("bad-query", "not a token of an opened trace");
  const [, raw, skew] = match;
  return {
    adjusted: raw === undefined,
    maxClockSkewNs: raw !== undefined ? 0 : skew === "i" ? Infinity : Number(skew),
  };
}

/** Tokens hold the number of spans: it tells how many are new when nothing else is known. */
function spanCountOf(token: string): number {
  return Number.parseInt(token.split(".")[1] ?? "0", 36);
}
