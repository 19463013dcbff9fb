/** Everything done to a trace before a person sees it, in the order Jaeger does it. */

import { isZero, toHex } from "../../base/bytes.ts";
import { adjustClockSkew } from "./clock-skew.ts";
import { removeDuplicates } from "./duplicates.ts";
import { referencesOf } from "./references.ts";
import { SpanIdIndex } from "./tree.ts";
import type { TraceTree } from "./tree.ts";
import { addWarning } from "./view.ts";
import type { TraceView } from "./view.ts";
import { uniquifyZipkinIds } from "./zipkin-ids.ts";

export interface AdjustOptions {
  /** Largest clock correction made, ns; 0 makes none and warns instead. Default 0. */
  readonly maxClockSkewNs?: number;
}

/**
 * Adjusts a fresh view; returns the tree of what it is then. Sorting, IPv4 texts, library
 * attributes and the order of references change no span's meaning: they are left to whoever
 * writes the trace out, told by `adjusted`.
 */
export function adjustTrace(view: TraceView, options: AdjustOptions = {}): TraceTree {
  let index = indexOf(view);
  if (index.duplicateCount > 0) {
    uniquifyZipkinIds(view);
    removeDuplicates(view);
    index = indexOf(view);
  }
  const tree = adjustClockSkew(view, options.maxClockSkewNs ?? 0, index);
  warnAboutEmptyReferences(view);
  view.adjusted = true;
  return tree;
}

function indexOf(view: TraceView): SpanIdIndex {
  return new SpanIdIndex(view.spanIds.subarray(0, view.spanCount * 2));
}

/** Links without a trace id are left out of adjusted traces; the span says so. */
function warnAboutEmptyReferences(view: TraceView): void {
  if (!view.parts.some((batch) => batch.linkCount > 0)) return;
  for (let v = 0; v < view.spanCount; v++) {
    const batch = view.parts[view.part[v]!]!;
    const i = view.row[v]!;
    if (batch.linkOffsets[i] === batch.linkOffsets[i + 1]) continue;
    for (const { link, childOf } of referencesOf(batch, i)) {
      if (link === -1 || !isZero(batch.linkTraceId, link * 16, 16)) continue;
      const id = toHex(batch.linkSpanId, link * 8, 8);
      const type = childOf ? "CHILD_OF" : "FOLLOWS_FROM";
      const reference = `{TraceID:0000000000000000 SpanID:${id} RefType:${type}}`;
      addWarning(view, v, `Invalid span reference removed ${reference}`);
    }
  }
}
