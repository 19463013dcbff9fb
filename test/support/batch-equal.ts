/** A batch as plain values that node:assert compares exactly: what it says, not how it is laid. */

import { toHex, utf8Strict } from "../../src/base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../src/core/batch.ts";
import { dictEntry, dictInt, exactDurationNs, exactEventNs } from "../../src/core/read.ts";
import { exactStartNs } from "../../src/core/read.ts";

/** `name:type=value`; in order. */
export type DumpedAttributes = readonly string[];

export interface DumpedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly status: string;
  readonly traceState: string;
  readonly flags: number;
  readonly startNs: string;
  readonly durationNs: string;
  readonly dropped: string;
  readonly attributes: DumpedAttributes;
  readonly events: readonly object[];
  readonly links: readonly object[];
  readonly resource: object;
  readonly scope: object;
}

const TYPE_NAMES = Object.fromEntries(
  Object.entries(ATTRIBUTE_TYPE).map(([name, number]) => [number, name.toLowerCase()]),
);

/**
 * The batch's spans in order, each with its resource and scope written out. Dictionary ids, row
 * numbers and what no span refers to do not matter; attribute order, NaN's bits and bytes that
 * are no UTF-8 do.
 */
export function dumpBatch(batch: SpanBatch): DumpedSpan[] {
  return Array.from({ length: batch.spanCount }, (_, i) => dumpSpan(batch, i));
}

function dumpSpan(batch: SpanBatch, i: number): DumpedSpan {
  const rare = batch.rare[i]!;
  const row = rare - 1;
  return {
    traceId: toHex(batch.traceId, i * 16, 16),
    spanId: toHex(batch.spanId, i * 8, 8),
    parentSpanId: toHex(batch.parentSpanId, i * 8, 8),
    name: entry(batch, batch.nameId[i]!),
    kind: batch.kind[i]!,
    status: `${batch.status[i]!} ${entry(batch, batch.statusMessageId[i]!)}`,
    traceState: entry(batch, batch.traceStateId[i]!),
    flags: batch.flags[i]!,
    startNs: String(exactStartNs(batch, i)),
    durationNs: String(exactDurationNs(batch, i)),
    dropped:
      rare === 0
        ? "0 0 0"
        : [batch.rareDroppedAttributes, batch.rareDroppedEvents, batch.rareDroppedLinks]
            .map((column) => column[row]!)
            .join(" "),
    attributes: attributes(batch, batch.spanAttributes, i),
    events: range(batch.eventOffsets, i).map((e) => ({
      timeNs: String(exactEventNs(batch, e)),
      name: entry(batch, batch.eventNameId[e]!),
      dropped: batch.eventDropped[e]!,
      attributes: attributes(batch, batch.eventAttributes, e),
    })),
    links: range(batch.linkOffsets, i).map((l) => ({
      traceId: toHex(batch.linkTraceId, l * 16, 16),
      spanId: toHex(batch.linkSpanId, l * 8, 8),
      traceState: entry(batch, batch.linkTraceStateId[l]!),
      flags: batch.linkFlags[l]!,
      dropped: batch.linkDropped[l]!,
      attributes: attributes(batch, batch.linkAttributes, l),
    })),
    resource: dumpResource(batch, batch.resourceRow[i]!),
    scope: dumpScope(batch, batch.scopeRow[i]!),
  };
}

function dumpResource(batch: SpanBatch, r: number): object {
  return {
    service: entry(batch, batch.resourceServiceId[r]!),
    schemaUrl: entry(batch, batch.resourceSchemaUrlId[r]!),
    dropped: batch.resourceDropped[r]!,
    attributes: attributes(batch, batch.resourceAttributes, r),
  };
}

function dumpScope(batch: SpanBatch, s: number): object {
  return {
    name: entry(batch, batch.scopeNameId[s]!),
    version: entry(batch, batch.scopeVersionId[s]!),
    schemaUrl: entry(batch, batch.scopeSchemaUrlId[s]!),
    dropped: batch.scopeDropped[s]!,
    attributes: attributes(batch, batch.scopeAttributes, s),
  };
}

function range(offsets: Uint32Array, owner: number): number[] {
  const first = offsets[owner]!;
  return Array.from({ length: offsets[owner + 1]! - first }, (_, n) => first + n);
}

function attributes(batch: SpanBatch, table: AttributeTable, owner: number): string[] {
  return range(table.offsets, owner).map((a) => {
    const key = table.key[a]!;
    const type = batch.keyType[key]!;
    const value = table.value[a]!;
    const name = entry(batch, batch.keyNameId[key]!);
    return `${name}:${TYPE_NAMES[type]}=${valueOf(batch, type, value)}`;
  });
}

function valueOf(batch: SpanBatch, type: number, value: number): string {
  if (type === ATTRIBUTE_TYPE.STRING) return entry(batch, value);
  if (type === ATTRIBUTE_TYPE.BOOL) return value === 0 ? "false" : "true";
  if (type === ATTRIBUTE_TYPE.INT) return String(dictInt(batch, value));
  return toHex(dictEntry(batch, value));
}

/** A text as it is, or the hex of bytes that are none. */
function entry(batch: SpanBatch, id: number): string {
  const bytes = dictEntry(batch, id);
  return utf8Strict(bytes) ?? `not UTF-8: ${toHex(bytes)}`;
}
