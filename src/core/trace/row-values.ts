/** Which value of one attribute each row of a trace has: the few most frequent, by number. */

import type { AttributeTable, SpanBatch } from "../batch.ts";
import { compareTexts } from "../../base/bytes.ts";
import { LIMITS } from "../limits.ts";
import { attributeValue, dictText, valueText } from "../read.ts";
import type { Skeleton } from "./skeleton.ts";
import type { TraceView } from "./view.ts";

/** A key that spans of the trace have, themselves or through their resource or scope. */
export interface RowKey {
  readonly key: string;
  readonly spanCount: number;
}

export interface RowValue {
  /** As tag search compares it, cut at LIMITS.rowValueBytes characters. */
  readonly text: string;
  readonly spanCount: number;
}

export interface RowValues {
  /** The most frequent first, equal ones by text; at most LIMITS.rowValues. */
  readonly values: readonly RowValue[];
  /** Spans with another value, and with none. */
  readonly others: number;
  readonly absent: number;
  /** By row: a place in `values`, VALUE_GROUP.OTHER or VALUE_GROUP.ABSENT. */
  readonly groups: Uint8Array;
}

/** What a row's group says that is no place in `values`. */
export const VALUE_GROUP = { OTHER: 254, ABSENT: 255 } as const;

const ABSENT = -1;
/** Not looked up yet. */
const UNKNOWN = -2;

/** Keys of a trace, the most frequent first; at most LIMITS.rowKeys. */
export function rowKeys(view: TraceView): RowKey[] {
  const spans = new Map<string, number>();
  const counts = view.parts.map((batch) => new Uint32Array(batch.keyCount));
  const owners = view.parts.map((batch) => ({
    resource: new Uint32Array(batch.resourceCount),
    scope: new Uint32Array(batch.scopeNameId.length),
  }));
  for (let v = 0; v < view.spanCount; v++) {
    const p = view.part[v]!;
    const batch = view.parts[p]!;
    const i = view.row[v]!;
    countKeys(counts[p]!, batch.spanAttributes, i, 1);
    owners[p]!.resource[batch.resourceRow[i]!]! += 1;
    owners[p]!.scope[batch.scopeRow[i]!]! += 1;
  }
  for (const [p, batch] of view.parts.entries()) {
    const count = counts[p]!;
    const { resource, scope } = owners[p]!;
    resource.forEach((n, r) => countKeys(count, batch.resourceAttributes, r, n));
    scope.forEach((n, s) => countKeys(count, batch.scopeAttributes, s, n));
    for (let k = 0; k < batch.keyCount; k++) {
      if (count[k] === 0) continue;
      const key = dictText(batch, batch.keyNameId[k]!);
      spans.set(key, (spans.get(key) ?? 0) + count[k]!);
    }
  }
  return [...spans]
    .map(([key, n]) => ({ key, spanCount: Math.min(n, view.spanCount) }))
    .sort((a, b) => b.spanCount - a.spanCount || compareTexts(a.key, b.key))
    .slice(0, LIMITS.rowKeys);
}

function countKeys(count: Uint32Array, table: AttributeTable, owner: number, by: number): void {
  if (by === 0) return;
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    count[table.key[a]!]! += by;
  }
}

/** The values of a key: the span's own, else its resource's, else its scope's. */
export function rowValues(view: TraceView, skeleton: Skeleton, key: string): RowValues {
  const numbers = new ValueNumbers();
  const finders = view.parts.map((batch) => new ValueFinder(batch, key, numbers));
  const n = skeleton.spanCount;
  const found = new Int32Array(n);
  const { order } = skeleton;
  for (let v = 0; v < n; v++) found[v] = finders[view.part[v]!]!.valueOf(view.row[v]!);
  const counts = new Uint32Array(numbers.texts.length);
  let absent = 0;
  for (let v = 0; v < n; v++) {
    if (found[v] === ABSENT) absent++;
    else counts[found[v]!]! += 1;
  }
  const { texts } = numbers;
  const top = topOf(counts, texts);
  const groupOf = new Uint8Array(texts.length).fill(VALUE_GROUP.OTHER);
  for (const [place, number] of top.entries()) groupOf[number] = place;
  const groups = new Uint8Array(n);
  for (let r = 0; r < n; r++) {
    const number = found[order[r]!]!;
    groups[r] = number === ABSENT ? VALUE_GROUP.ABSENT : groupOf[number]!;
  }
  const values = top.map((number) => ({
    text: texts[number]!.slice(0, LIMITS.rowValueBytes),
    spanCount: counts[number]!,
  }));
  const told = values.reduce((sum, { spanCount }) => sum + spanCount, 0);
  return { values, others: n - absent - told, absent, groups };
}

/** The numbers of the most frequent values but the first, which stands for those not kept. */
function topOf(counts: Uint32Array, texts: readonly string[]): number[] {
  const numbers = Array.from(counts.keys()).slice(1);
  numbers.sort((a, b) => counts[b]! - counts[a]! || compareTexts(texts[a]!, texts[b]!));
  return numbers.slice(0, LIMITS.rowValues);
}

/** Numbers for values, the same for the same text in every part; 0 is for what is too much. */
class ValueNumbers {
  readonly texts: string[] = [""];
  readonly #byText = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.texts.length > LIMITS.rowValuesRead) return 0;
    const number = this.texts.push(text) - 1;
    this.#byText.set(text, number);
    return number;
  }
}

/** The value of one key in the spans of one batch; each text is read once. */
class ValueFinder {
  readonly #batch: SpanBatch;
  readonly #numbers: ValueNumbers;
  /** By key: 1 when it has the name. */
  readonly #wanted: Uint8Array;
  /** By type of value, by dictionary id. */
  readonly #values: (Int32Array | undefined)[] = [];
  readonly #resources: Int32Array;
  readonly #scopes: Int32Array;

  constructor(batch: SpanBatch, key: string, numbers: ValueNumbers) {
    this.#batch = batch;
    this.#numbers = numbers;
    this.#wanted = new Uint8Array(batch.keyCount);
    for (let k = 0; k < batch.keyCount; k++) {
      if (dictText(batch, batch.keyNameId[k]!) === key) this.#wanted[k] = 1;
    }
    this.#resources = new Int32Array(batch.resourceCount).fill(UNKNOWN);
    this.#scopes = new Int32Array(batch.scopeNameId.length).fill(UNKNOWN);
  }

  /** The number of the value that row `i` of the batch has, or ABSENT. */
  valueOf(i: number): number {
    const batch = this.#batch;
    const own = this.#inTable(batch.spanAttributes, i);
    if (own !== ABSENT) return own;
    const resource = batch.resourceRow[i]!;
    const shared = this.#remembered(this.#resources, batch.resourceAttributes, resource);
    if (shared !== ABSENT) return shared;
    return this.#remembered(this.#scopes, batch.scopeAttributes, batch.scopeRow[i]!);
  }

  #remembered(memo: Int32Array, table: AttributeTable, owner: number): number {
    if (memo[owner] === UNKNOWN) memo[owner] = this.#inTable(table, owner);
    return memo[owner]!;
  }

  #inTable(table: AttributeTable, owner: number): number {
    for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
      if (this.#wanted[table.key[a]!] === 1) return this.#value(table, a);
    }
    return ABSENT;
  }

  #value(table: AttributeTable, a: number): number {
    const type = this.#batch.keyType[table.key[a]!]!;
    const value = table.value[a]!;
    const memo = (this.#values[type] ??= new Int32Array(this.#batch.dictCount + 2).fill(UNKNOWN));
    if (memo[value] === UNKNOWN) {
      const text = valueText(type, attributeValue(this.#batch, table, a));
      memo[value] = this.#numbers.numberOf(text);
    }
    return memo[value]!;
  }
}
