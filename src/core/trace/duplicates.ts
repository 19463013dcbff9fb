/** Takes out spans that say the same as an earlier one, whatever the order of their attributes. */

import { toHex } from "../../base/bytes.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { exactDurationNs, exactEventNs, exactStartNs } from "../read.ts";
import { attributeName, attributeValue, dictText, serviceOf, valueText } from "../read.ts";
import { SpanIdIndex } from "./tree.ts";
import type { TraceView } from "./view.ts";

/** Removes spans equal to an earlier one. (Exact copies the store has removed already.) */
export function removeDuplicates(view: TraceView): void {
  const n = view.spanCount;
  const index = new SpanIdIndex(view.spanIds.slice(0, n * 2));
  const duplicate = index.duplicate.slice();
  const seen = new Map<number, Set<string>>();
  for (let v = 0; v < n; v++) {
    if (duplicate[v] === 0) continue;
    const first = index.rowOf(view.spanIds[v * 2]!, view.spanIds[v * 2 + 1]!);
    let contents = seen.get(first);
    if (contents === undefined) seen.set(first, (contents = new Set([contentOf(view, first)])));
    const content = contentOf(view, v);
    duplicate[v] = contents.has(content) ? 1 : 0;
    contents.add(content);
  }
  let kept = 0;
  for (let v = 0; v < n; v++) if (duplicate[v] === 0) moveRow(view, v, kept++);
  view.spanCount = kept;
}

/** Moves row `from` down to row `to`. Runs before any adjuster that warns or shifts. */
function moveRow(view: TraceView, from: number, to: number): void {
  view.part[to] = view.part[from]!;
  view.row[to] = view.row[from]!;
  view.parentReplaced[to] = view.parentReplaced[from]!;
  for (let word = 0; word < 2; word++) {
    view.spanIds[to * 2 + word] = view.spanIds[from * 2 + word]!;
    view.parentIds[to * 2 + word] = view.parentIds[from * 2 + word]!;
  }
}

/** A text that is equal for two spans exactly when they say the same. */
function contentOf(view: TraceView, v: number): string {
  const batch = view.parts[view.part[v]!]!;
  const i = view.row[v]!;
  const resource = batch.resourceRow[i]!;
  const scope = batch.scopeRow[i]!;
  const events: unknown[] = [];
  for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) {
    const name = dictText(batch, batch.eventNameId[e]!);
    events.push([`${exactEventNs(batch, e)}`, name, sorted(batch, batch.eventAttributes, e)]);
  }
  const links: unknown[] = [];
  for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
    const ids = [toHex(batch.linkTraceId, l * 16, 16), toHex(batch.linkSpanId, l * 8, 8)];
    links.push([...ids, sorted(batch, batch.linkAttributes, l)]);
  }
  return JSON.stringify([
    [view.parentIds[v * 2], view.parentIds[v * 2 + 1]],
    dictText(batch, batch.nameId[i]!),
    [`${exactStartNs(batch, i)}`, `${exactDurationNs(batch, i)}`],
    [batch.kind[i], batch.status[i], batch.flags[i]],
    dictText(batch, batch.statusMessageId[i]!),
    dictText(batch, batch.traceStateId[i]!),
    sorted(batch, batch.spanAttributes, i),
    events,
    links,
    [serviceOf(batch, i), sorted(batch, batch.resourceAttributes, resource)],
    dictText(batch, batch.scopeNameId[scope]!),
    dictText(batch, batch.scopeVersionId[scope]!),
    sorted(batch, batch.scopeAttributes, scope),
  ]);
}

function sorted(batch: SpanBatch, table: AttributeTable, owner: number): string[] {
  const entries: string[] = [];
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    const type = batch.keyType[table.key[a]!]!;
    const text = valueText(type, attributeValue(batch, table, a));
    entries.push(JSON.stringify([attributeName(batch, table, a), type, text]));
  }
  return entries.sort();
}
