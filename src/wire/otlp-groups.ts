/** The order in which OTLP sends spans: by resource, within it by scope. */

import type { SpanBatch } from "../core/batch.ts";

/** Spans of one resource and scope: `order[start ..< end]`. */
export interface SpanGroup {
  readonly resourceRow: number;
  readonly scopeRow: number;
  readonly start: number;
  readonly end: number;
}

/** Spans in groups; groups of one resource follow each other. */
export interface GroupedSpans {
  readonly groups: readonly SpanGroup[];
  readonly order: Uint32Array;
}

/**
 * Groups the spans by resource row, then scope row, both in order of first sight; within a group
 * they keep their order. What a decoder made comes out in the order it came in.
 */
export function groupSpans(batch: SpanBatch): GroupedSpans {
  const { spanCount, resourceRow, scopeRow } = batch;
  const found = new Map<number, { resource: number; scope: number; spans: number[] }>();
  const byResource = new Map<number, { resource: number; scope: number; spans: number[] }[]>();
  let last: { resource: number; scope: number; spans: number[] } | undefined;
  for (let i = 0; i < spanCount; i++) {
    const resource = resourceRow[i]!;
    const scope = scopeRow[i]!;
    if (last === undefined || last.resource !== resource || last.scope !== scope) {
      const pair = resource * batch.scopeCount + scope;
      last = found.get(pair);
      if (last === undefined) {
        last = { resource, scope, spans: [] };
        found.set(pair, last);
        const siblings = byResource.get(resource);
        if (siblings === undefined) byResource.set(resource, [last]);
        else siblings.push(last);
      }
    }
    last.spans.push(i);
  }
  const order = new Uint32Array(spanCount);
  const groups: SpanGroup[] = [];
  let at = 0;
  for (const siblings of byResource.values()) {
    for (const { resource, scope, spans } of siblings) {
      order.set(spans, at);
      const end = at + spans.length;
      groups.push({ resourceRow: resource, scopeRow: scope, start: at, end });
      at = end;
    }
  }
  return { groups, order };
}
