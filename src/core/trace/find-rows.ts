/** Find in trace: which rows of a trace match a text, a duration or an error. Bench: ui-data. */

import { fromHexInto, isZero } from "../../base/bytes.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { SpoorError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { attributeValue, dictText, valueText } from "../read.ts";
import type { Skeleton } from "./skeleton.ts";
import { SKELETON_FLAG } from "./skeleton.ts";
import { idWords } from "./tree.ts";
import type { TraceView } from "./view.ts";

/**
 * What is looked for; all given members must hold. `text` as Jaeger's: blank-separated terms are
 * or-ed, "an exact phrase", substring (whatever the case) over service, name, status message,
 * attribute keys, values and `key=value` of span, resource, scope and events, event and scope
 * names; a span id exactly; `-key` leaves a key out.
 */
export interface RowFind {
  readonly text?: string;
  readonly minDurationNs?: number;
  readonly maxDurationNs?: number;
  readonly errorsOnly?: boolean;
}

/** Bit r (byte r >> 3, bit r & 7) is set when row r matches. Throws `bad-query`. */
export function findRows(view: TraceView, skeleton: Skeleton, find: RowFind): Uint8Array {
  const n = skeleton.spanCount;
  const bits = new Uint8Array((n + 7) >>> 3);
  const { minDurationNs = 0, maxDurationNs = Infinity, errorsOnly = false } = find;
  const terms = find.text === undefined ? undefined : parseTerms(find.text);
  const finders =
    terms === undefined ? undefined : view.parts.map((batch) => new BatchFinder(batch, terms));
  const { order, flags, spanDurationNs } = skeleton;
  // Spans are read in the order of the view, which is that of memory.
  const rowOf = new Uint32Array(n);
  for (let r = 0; r < n; r++) rowOf[order[r]!] = r;
  for (let v = 0; v < n; v++) {
    if (finders !== undefined && !finders[view.part[v]!]!.matches(view.row[v]!)) continue;
    const r = rowOf[v]!;
    bits[r >>> 3]! |= 1 << (r & 7);
  }
  if (terms !== undefined && terms.spanIds.length > 0) {
    addSpanIds(bits, idWords(skeleton.spanId), terms.spanIds);
  }
  if (minDurationNs <= 0 && maxDurationNs === Infinity && !errorsOnly) return bits;
  for (let r = 0; r < n; r++) {
    const duration = spanDurationNs[r]!;
    const fits = duration >= minDurationNs && duration <= maxDurationNs;
    const wanted = fits && (!errorsOnly || (flags[r]! & SKELETON_FLAG.ERROR) !== 0);
    if (!wanted) bits[r >>> 3]! &= ~(1 << (r & 7));
  }
  return bits;
}

/** Adds the rows that have one of the span ids (two words each). */
function addSpanIds(bits: Uint8Array, words: Uint32Array, wanted: readonly Uint32Array[]): void {
  for (let r = 0; r < words.length >>> 1; r++) {
    for (const id of wanted) {
      if (words[r * 2] === id[0] && words[r * 2 + 1] === id[1]) bits[r >>> 3]! |= 1 << (r & 7);
    }
  }
}

interface Terms {
  /** Upper-cased. */
  readonly texts: readonly string[];
  /** Those with a "=" cut there: what a key must end in and a value begin with. */
  readonly pairs: readonly { readonly key: string; readonly value: string }[];
  /** Upper-cased keys that are not looked at. */
  readonly excluded: ReadonlySet<string>;
  /** Two words each. */
  readonly spanIds: readonly Uint32Array[];
}

function parseTerms(text: string): Terms {
  if (text.length > LIMITS.findTextBytes) {
    throw new SpoorError("bad-query", `text is longer than ${LIMITS.findTextBytes}`);
  }
  const texts: string[] = [];
  const pairs: { key: string; value: string }[] = [];
  const excluded = new Set<string>();
  const spanIds: Uint32Array[] = [];
  for (const [, minus = "", phrase, word] of text.matchAll(/(-?)(?:"([^"]*)"|(\S+))/g)) {
    const term = (phrase ?? word ?? "").toUpperCase();
    if (term === "") continue;
    if (minus !== "") {
      excluded.add(term);
      continue;
    }
    texts.push(term);
    for (let at = term.indexOf("="); at !== -1; at = term.indexOf("=", at + 1)) {
      pairs.push({ key: term.slice(0, at), value: term.slice(at + 1) });
    }
    const id = new Uint8Array(8);
    if (fromHexInto(term, id, 0, 8) && !isZero(id, 0, 8)) spanIds.push(idWords(id));
  }
  if (texts.length + excluded.size > LIMITS.findTerms) {
    throw new SpoorError("bad-query", `text has more than ${LIMITS.findTerms} terms`);
  }
  return { texts, pairs, excluded, spanIds };
}

const UNKNOWN = 0;
const YES = 1;
const NO = 2;

/** Remembers what each text of a batch's dictionary answered, so that each is read once. */
class BatchFinder {
  readonly #batch: SpanBatch;
  readonly #terms: Terms;
  readonly #texts: Uint8Array;
  /** By type of value, by dictionary id. */
  readonly #values: (Uint8Array | undefined)[] = [];
  /** By key: YES when its name matches, NO when it is excluded. */
  readonly #keys: Uint8Array;
  /** By key: beginnings of values that match with it. */
  readonly #pairs: (readonly string[] | undefined)[] = [];
  readonly #resources: Uint8Array;
  readonly #scopes: Uint8Array;

  constructor(batch: SpanBatch, terms: Terms) {
    this.#batch = batch;
    this.#terms = terms;
    this.#texts = new Uint8Array(batch.dictCount);
    this.#keys = new Uint8Array(batch.keyCount);
    this.#resources = new Uint8Array(batch.resourceCount);
    this.#scopes = new Uint8Array(batch.scopeNameId.length);
    for (let k = 0; k < batch.keyCount; k++) {
      const name = dictText(batch, batch.keyNameId[k]!).toUpperCase();
      if (terms.excluded.has(name)) this.#keys[k] = NO;
      else if (this.#holds(name)) this.#keys[k] = YES;
      const starts = terms.pairs.filter(({ key }) => name.endsWith(key)).map(({ value }) => value);
      this.#pairs[k] = starts.length === 0 ? undefined : starts;
    }
  }

  /** Whether the span of this row of the batch matches. */
  matches(i: number): boolean {
    const batch = this.#batch;
    return (
      this.#text(batch.nameId[i]!) ||
      this.#resource(batch.resourceRow[i]!) ||
      this.#attributes(batch.spanAttributes, i) ||
      this.#text(batch.statusMessageId[i]!) ||
      this.#scope(batch.scopeRow[i]!) ||
      this.#events(i)
    );
  }

  #events(i: number): boolean {
    const batch = this.#batch;
    for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) {
      if (this.#text(batch.eventNameId[e]!)) return true;
      if (this.#attributes(batch.eventAttributes, e)) return true;
    }
    return false;
  }

  #resource(r: number): boolean {
    const batch = this.#batch;
    if (this.#resources[r] === UNKNOWN) {
      const found =
        this.#text(batch.resourceServiceId[r]!) || this.#attributes(batch.resourceAttributes, r);
      this.#resources[r] = found ? YES : NO;
    }
    return this.#resources[r] === YES;
  }

  #scope(s: number): boolean {
    const batch = this.#batch;
    if (this.#scopes[s] === UNKNOWN) {
      const found =
        this.#text(batch.scopeNameId[s]!) ||
        this.#text(batch.scopeVersionId[s]!) ||
        this.#attributes(batch.scopeAttributes, s);
      this.#scopes[s] = found ? YES : NO;
    }
    return this.#scopes[s] === YES;
  }

  #attributes(table: AttributeTable, owner: number): boolean {
    for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
      const key = table.key[a]!;
      const known = this.#keys[key]!;
      if (known === NO) continue;
      if (known === YES || this.#value(table, a, key)) return true;
    }
    return false;
  }

  #value(table: AttributeTable, a: number, key: number): boolean {
    const type = this.#batch.keyType[key]!;
    const value = table.value[a]!;
    const memo = (this.#values[type] ??= new Uint8Array(this.#batch.dictCount + 2));
    if (memo[value] === UNKNOWN) {
      memo[value] = this.#holds(this.#valueText(table, a, type)) ? YES : NO;
    }
    if (memo[value] === YES) return true;
    const starts = this.#pairs[key];
    if (starts === undefined) return false;
    const text = this.#valueText(table, a, type);
    return starts.some((start) => text.startsWith(start));
  }

  #valueText(table: AttributeTable, a: number, type: number): string {
    return valueText(type, attributeValue(this.#batch, table, a)).toUpperCase();
  }

  #text(id: number): boolean {
    if (id === 0) return false;
    const memo = this.#texts;
    if (memo[id] === UNKNOWN) {
      memo[id] = this.#holds(dictText(this.#batch, id).toUpperCase()) ? YES : NO;
    }
    return memo[id] === YES;
  }

  #holds(text: string): boolean {
    for (const term of this.#terms.texts) if (text.includes(term)) return true;
    return false;
  }
}
