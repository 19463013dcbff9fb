/** Evaluates a filter on the rows of batches: what stores cannot push down, and the reference. */

import { equalBytes, isZero, toHex, utf8Bytes } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { ALL_LEVELS } from "../filter.ts";
import type { AttributeLevel, Filter, SpanField } from "../filter.ts";
import { dictDouble, dictEntry, dictInt, exactDurationNs, exactStartUs } from "../read.ts";
import { compileCondition } from "./condition.ts";
import type { CompileRegex, Condition, Leaf } from "./condition.ts";
import { checkFilter } from "./filter-check.ts";

/** Whether the filter holds for span `i` of the batch it was bound to. */
export type RowTest = (i: number) => boolean;
/** A filter waiting for a batch; binding costs a pass over the batch's keys, not its rows. */
export type BindFilter = (batch: SpanBatch) => RowTest;

/** Checks and compiles a filter; undefined holds for every span. Throws `bad-query`. */
export function bindFilter(filter: Filter | undefined, compileRegex: CompileRegex): BindFilter {
  if (filter === undefined) return () => () => true;
  checkFilter(filter);
  return bindNode(filter, compileRegex);
}

function bindNode(filter: Filter, compileRegex: CompileRegex): BindFilter {
  switch (filter.op) {
    case "and": {
      const parts = filter.all.map((part) => bindNode(part, compileRegex));
      return (batch) => {
        const tests = parts.map((part) => part(batch));
        return (i) => tests.every((holds) => holds(i));
      };
    }
    case "or": {
      const parts = filter.any.map((part) => bindNode(part, compileRegex));
      return (batch) => {
        const tests = parts.map((part) => part(batch));
        return (i) => tests.some((holds) => holds(i));
      };
    }
    case "not": {
      const inner = bindNode(filter.filter, compileRegex);
      return (batch) => {
        const holds = inner(batch);
        return (i) => !holds(i);
      };
    }
    default:
      return bindLeaf(filter, compileCondition(filter, compileRegex));
  }
}

function bindLeaf(leaf: Leaf, condition: Condition): BindFilter {
  const target = leaf.target;
  if ("field" in target) {
    const field = target.field;
    return (batch) => bindField(batch, field, condition);
  }
  const name = utf8Bytes(target.attribute);
  const levels = new Set(target.levels ?? ALL_LEVELS);
  return (batch) => bindAttribute(batch, name, levels, condition);
}

function bindField(batch: SpanBatch, field: SpanField, condition: Condition): RowTest {
  const text = memoised(batch, (id) => condition.text(dictEntry(batch, id)));
  const hex = (bytes: Uint8Array, start: number, length: number): boolean =>
    condition.text(utf8Bytes(toHex(bytes, start, length)));
  switch (field) {
    case "service":
      return (i) => text(batch.resourceServiceId[batch.resourceRow[i]!]!);
    case "name":
      return (i) => text(batch.nameId[i]!);
    case "statusMessage":
      return (i) => text(batch.statusMessageId[i]!);
    case "traceState":
      return (i) => text(batch.traceStateId[i]!);
    case "scopeName":
      return (i) => text(batch.scopeNameId[batch.scopeRow[i]!]!);
    case "scopeVersion":
      return (i) => text(batch.scopeVersionId[batch.scopeRow[i]!]!);
    case "kind":
      return (i) => condition.number(batch.kind[i]!);
    case "status":
      return (i) => condition.number(batch.status[i]!);
    case "isRoot":
      return (i) => condition.number(isZero(batch.parentSpanId, i * 8, 8) ? 1 : 0);
    case "duration":
      return (i) =>
        condition.number(batch.rare[i] === 0 ? batch.durationNs[i]! : exactDurationNs(batch, i));
    case "start":
      return (i) =>
        condition.number(batch.rare[i] === 0 ? batch.startUs[i]! : exactStartUs(batch, i));
    case "traceId":
      return (i) => hex(batch.traceId, i * 16, 16);
    case "spanId":
      return (i) => hex(batch.spanId, i * 8, 8);
    case "parentSpanId":
      return (i) => hex(batch.parentSpanId, i * 8, 8);
    case "eventName":
      return (i) => anyIn(batch.eventOffsets, i, (e) => text(batch.eventNameId[e]!));
    case "linkTraceId":
      return (i) => anyIn(batch.linkOffsets, i, (l) => hex(batch.linkTraceId, l * 16, 16));
    case "linkSpanId":
      return (i) => anyIn(batch.linkOffsets, i, (l) => hex(batch.linkSpanId, l * 8, 8));
  }
}

function anyIn(offsets: Uint32Array, owner: number, holds: (row: number) => boolean): boolean {
  for (let row = offsets[owner]!; row < offsets[owner + 1]!; row++) if (holds(row)) return true;
  return false;
}

/** Answers about a dictionary entry are remembered: 0 unknown, 1 no, 2 yes. */
function memoised(batch: SpanBatch, decide: (id: number) => boolean): (id: number) => boolean {
  let known: Uint8Array | undefined;
  return (id) => {
    known ??= new Uint8Array(batch.dictCount);
    if (known[id] === 0) known[id] = decide(id) ? 2 : 1;
    return known[id] === 2;
  };
}

function bindAttribute(
  batch: SpanBatch,
  name: Uint8Array,
  levels: ReadonlySet<AttributeLevel>,
  condition: Condition,
): RowTest {
  const accepts = new Map<number, (value: number) => boolean>();
  for (let key = 0; key < batch.keyCount; key++) {
    const keyName = dictEntry(batch, batch.keyNameId[key]!);
    if (keyName.length !== name.length || !equalBytes(keyName, 0, name, 0, name.length)) continue;
    accepts.set(key, valueTest(batch, batch.keyType[key]!, condition));
  }
  if (accepts.size === 0) return () => false;
  const owned = (table: AttributeTable, owner: number): boolean =>
    anyIn(table.offsets, owner, (a) => accepts.get(table.key[a]!)?.(table.value[a]!) ?? false);
  const resources = Array.from(
    { length: levels.has("resource") ? batch.resourceCount : 0 },
    (_, row) => owned(batch.resourceAttributes, row),
  );
  const scopes = Array.from({ length: levels.has("scope") ? batch.scopeCount : 0 }, (_, row) =>
    owned(batch.scopeAttributes, row),
  );
  return (i) =>
    (levels.has("span") && owned(batch.spanAttributes, i)) ||
    resources[batch.resourceRow[i]!] === true ||
    scopes[batch.scopeRow[i]!] === true ||
    (levels.has("event") && anyIn(batch.eventOffsets, i, (e) => owned(batch.eventAttributes, e))) ||
    (levels.has("link") && anyIn(batch.linkOffsets, i, (l) => owned(batch.linkAttributes, l)));
}

function valueTest(
  batch: SpanBatch,
  type: number,
  condition: Condition,
): (value: number) => boolean {
  switch (type) {
    case ATTRIBUTE_TYPE.STRING:
      return memoised(batch, (id) => condition.text(dictEntry(batch, id)));
    case ATTRIBUTE_TYPE.BOOL:
      return (value) => condition.bool(value !== 0);
    case ATTRIBUTE_TYPE.INT:
      return memoised(batch, (id) => condition.number(dictInt(batch, id)));
    case ATTRIBUTE_TYPE.DOUBLE:
      return memoised(batch, (id) => condition.number(dictDouble(batch, id)));
    case ATTRIBUTE_TYPE.EMPTY:
      return () => condition.other(type, new Uint8Array(0));
    default:
      return memoised(batch, (id) => condition.other(type, dictEntry(batch, id)));
  }
}
