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
        return (i) => {
          for (let t = 0; t < tests.length; t++) if (!tests[t]!(i)) return false;
          return true;
        };
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
  const accepts: Accepted[] = [];
  for (let key = 0; key < batch.keyCount; key++) {
    const keyName = dictEntry(batch, batch.keyNameId[key]!);
    if (keyName.length !== name.length || !equalBytes(keyName, 0, name, 0, name.length)) continue;
    accepts.push({ key, holds: valueTest(batch, batch.keyType[key]!, condition) });
  }
  if (accepts.length === 0) return () => false;
  const ownedIn = (level: AttributeLevel, table: AttributeTable): RowTest =>
    levels.has(level) ? bindOwner(table, accepts) : NEVER;
  const span = ownedIn("span", batch.spanAttributes);
  const resource = ownedIn("resource", batch.resourceAttributes);
  const scope = ownedIn("scope", batch.scopeAttributes);
  const event = ownedIn("event", batch.eventAttributes);
  const link = ownedIn("link", batch.linkAttributes);
  const resources = Array.from({ length: batch.resourceCount }, (_, row) => resource(row));
  const scopes = Array.from({ length: batch.scopeCount }, (_, row) => scope(row));
  return (i) =>
    span(i) ||
    resources[batch.resourceRow[i]!] === true ||
    scopes[batch.scopeRow[i]!] === true ||
    (event !== NEVER && anyIn(batch.eventOffsets, i, event)) ||
    (link !== NEVER && anyIn(batch.linkOffsets, i, link));
}

const NEVER: RowTest = () => false;

/** A key of the batch that has the attribute's name, and which of its values pass. */
interface Accepted {
  readonly key: number;
  readonly holds: (value: number) => boolean;
}

/** Whether an owner has an accepted entry; `NEVER` when no owner in the table has the key. */
function bindOwner(table: AttributeTable, accepts: readonly Accepted[]): RowTest {
  const { key: keys, offsets, value: values } = table;
  const present = accepts.filter(({ key }) => keys.includes(key));
  if (present.length === 0) return NEVER;
  const tests = present.map(({ key, holds }): RowTest => {
    return (owner) => {
      for (let a = offsets[owner]!, end = offsets[owner + 1]!; a < end; a++) {
        if (keys[a] === key && holds(values[a]!)) return true;
      }
      return false;
    };
  });
  return tests.length === 1 ? tests[0]! : (owner) => tests.some((test) => test(owner));
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
