/** Gives Zipkin's server spans, which share their id with the client span, ids of their own. */

import { SPAN_KIND } from "../batch.ts";
import { SpanIdIndex } from "./tree.ts";
import type { TraceView } from "./view.ts";

const ID_BYTES = new Uint8Array(8);
const ID_WORDS = new Uint32Array(ID_BYTES.buffer);
const ID_VIEW = new DataView(ID_BYTES.buffer);

/**
 * Every server span that shares its id with a client span gets the lowest unused id, counted
 * from 1, and the shared id as parent; spans whose parent was the shared id become children of
 * the server span. Jaeger's warning for a trace that uses up all ids cannot occur: a view holds
 * fewer than 2^32 spans.
 */
export function uniquifyZipkinIds(view: TraceView): void {
  const n = view.spanCount;
  const ids = view.spanIds.slice(0, n * 2);
  const index = new SpanIdIndex(ids);
  const withClient = new Uint8Array(n);
  for (let v = 0; v < n; v++) {
    if (kindOf(view, v) !== SPAN_KIND.CLIENT) continue;
    withClient[index.rowOf(ids[v * 2]!, ids[v * 2 + 1]!)] = 1;
  }
  const newIds = new Map<number, number>();
  let last = 0;
  for (let v = 0; v < n; v++) {
    const first = index.rowOf(ids[v * 2]!, ids[v * 2 + 1]!);
    if (withClient[first] === 0 || kindOf(view, v) !== SPAN_KIND.SERVER) continue;
    do setIdWords(++last);
    while (index.rowOf(ID_WORDS[0]!, ID_WORDS[1]!) !== -1);
    newIds.set(first, last);
    replaceParent(view, v, ids[v * 2]!, ids[v * 2 + 1]!);
    view.spanIds[v * 2] = ID_WORDS[0]!;
    view.spanIds[v * 2 + 1] = ID_WORDS[1]!;
  }
  if (newIds.size > 0) repointChildren(view, index, newIds);
}

function repointChildren(view: TraceView, index: SpanIdIndex, newIds: Map<number, number>): void {
  for (let v = 0; v < view.spanCount; v++) {
    const shared = index.rowOf(view.parentIds[v * 2]!, view.parentIds[v * 2 + 1]!);
    const newId = newIds.get(shared);
    if (newId === undefined) continue;
    setIdWords(newId);
    const hi = ID_WORDS[0]!;
    const lo = ID_WORDS[1]!;
    const itself = view.spanIds[v * 2] === hi && view.spanIds[v * 2 + 1] === lo;
    if (!itself) replaceParent(view, v, hi, lo);
  }
}

function replaceParent(view: TraceView, v: number, hi: number, lo: number): void {
  view.parentIds[v * 2] = hi;
  view.parentIds[v * 2 + 1] = lo;
  view.parentReplaced[v] = 1;
}

function setIdWords(id: number): void {
  ID_VIEW.setUint32(0, Math.floor(id / 4294967296));
  ID_VIEW.setUint32(4, id >>> 0);
}

function kindOf(view: TraceView, v: number): number {
  return view.parts[view.part[v]!]!.kind[view.row[v]!]!;
}
