/** TraceView: one trace as rows of read-only batches plus what adjusters changed about them. */

import { equalBytes, toHex } from "../../base/bytes.ts";
import { SpoorError } from "../errors.ts";
import type { SpanBatch } from "../batch.ts";
import { parentReference, referencesOf } from "./references.ts";
import { idWords } from "./tree.ts";

/**
 * One trace: span `v` is row `row[v]` of the batch `parts[part[v]]`. Adjusters write the other
 * columns, never the batches, so that a trace of a million spans costs no object a span.
 */
export interface TraceView {
  readonly parts: readonly SpanBatch[];
  spanCount: number;
  /** Valid up to `spanCount`, as are all columns. */
  readonly part: Uint16Array;
  readonly row: Uint32Array;
  /** Two words of 32 bits a span, in memory order of the id's bytes. */
  readonly spanIds: Uint32Array;
  /** The parent as Jaeger sees it (a reference into the same trace may stand in for it). */
  readonly parentIds: Uint32Array;
  /** 1 for a span whose parent an adjuster replaced. */
  readonly parentReplaced: Uint8Array;
  /** Correction of start and event times, ns; undefined while no span has one. */
  shiftNs: Float64Array | undefined;
  /** Warnings by span, in order. */
  readonly warnings: Map<number, string[]>;
  /**
   * Whether the reader wants the trace adjusted: attributes sorted, IPv4 numbers as text,
   * library attributes at the process, empty references left out, the parent's first.
   */
  adjusted: boolean;
}

/** The trace whose spans are in `parts` (all of the same trace id), as stored. */
export function viewTrace(parts: readonly SpanBatch[]): TraceView {
  let total = 0;
  for (const batch of parts) total += batch.spanCount;
  if (parts.length > 0xffff) throw new SpoorError("too-large", "trace in too many batches");
  const view = emptyView(parts, total);
  let at = 0;
  for (let p = 0; p < parts.length; p++) {
    const batch = parts[p]!;
    const n = batch.spanCount;
    view.part.fill(p, at, at + n);
    for (let i = 0; i < n; i++) view.row[at + i] = i;
    view.spanIds.set(idWords(batch.spanId), at * 2);
    view.parentIds.set(idWords(batch.parentSpanId), at * 2);
    if (batch.linkCount > 0) linkParentsInto(view, batch, at);
    at += n;
  }
  return view;
}

/** The traces of batches that hold several, in the order of their first spans. */
export function viewsByTrace(parts: readonly SpanBatch[]): TraceView[] {
  const whole = viewTrace(parts);
  const spansOf = new Map<string, number[]>();
  let open: number[] = [];
  for (let v = 0; v < whole.spanCount; v++) {
    // Spans of a trace mostly follow each other: only a change costs a text.
    if (v === 0 || !sameTrace(whole, v - 1, v)) {
      const traceHex = toHex(parts[whole.part[v]!]!.traceId, whole.row[v]! * 16, 16);
      open = spansOf.get(traceHex) ?? [];
      spansOf.set(traceHex, open);
    }
    open.push(v);
  }
  return [...spansOf.values()].map((spans) => {
    const view = emptyView(parts, spans.length);
    spans.forEach((from, v) => {
      view.part[v] = whole.part[from]!;
      view.row[v] = whole.row[from]!;
      for (let word = 0; word < 2; word++) {
        view.spanIds[v * 2 + word] = whole.spanIds[from * 2 + word]!;
        view.parentIds[v * 2 + word] = whole.parentIds[from * 2 + word]!;
      }
    });
    return view;
  });
}

function sameTrace(view: TraceView, a: number, b: number): boolean {
  const x = view.parts[view.part[a]!]!.traceId;
  const y = view.parts[view.part[b]!]!.traceId;
  return equalBytes(x, view.row[a]! * 16, y, view.row[b]! * 16, 16);
}

/** A view of the same spans as stored, for who adjusts them another way. */
export function copyView(view: TraceView): TraceView {
  return {
    parts: view.parts,
    spanCount: view.spanCount,
    part: view.part.slice(),
    row: view.row.slice(),
    spanIds: view.spanIds.slice(),
    parentIds: view.parentIds.slice(),
    parentReplaced: view.parentReplaced.slice(),
    shiftNs: undefined,
    warnings: new Map(),
    adjusted: false,
  };
}

function emptyView(parts: readonly SpanBatch[], spanCount: number): TraceView {
  return {
    parts,
    spanCount,
    part: new Uint16Array(spanCount),
    row: new Uint32Array(spanCount),
    spanIds: new Uint32Array(spanCount * 2),
    parentIds: new Uint32Array(spanCount * 2),
    parentReplaced: new Uint8Array(spanCount),
    shiftNs: undefined,
    warnings: new Map(),
    adjusted: false,
  };
}

/** Adds a warning to span `v`. */
export function addWarning(view: TraceView, v: number, text: string): void {
  const known = view.warnings.get(v);
  if (known === undefined) view.warnings.set(v, [text]);
  else known.push(text);
}

/** Sets the parents of spans with links, where a link may stand in for the parent. */
function linkParentsInto(view: TraceView, batch: SpanBatch, at: number): void {
  const linkIds = idWords(batch.linkSpanId);
  for (let i = 0; i < batch.spanCount; i++) {
    if (batch.linkOffsets[i] === batch.linkOffsets[i + 1]) continue;
    const references = referencesOf(batch, i);
    const parent = references[parentReference(references)];
    if (parent === undefined || parent.link === -1) continue;
    view.parentIds[(at + i) * 2] = linkIds[parent.link * 2]!;
    view.parentIds[(at + i) * 2 + 1] = linkIds[parent.link * 2 + 1]!;
  }
}
