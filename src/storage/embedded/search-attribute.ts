/** Conditions on attributes, bound to a segment: dictionaries first, values only where needed. */

import { compileRegex } from "../../base/regex.ts";
import { equalBytes, utf8Bytes } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { AttributeTable, SpanBatch } from "../../core/batch.ts";
import { ALL_LEVELS } from "../../core/filter.ts";
import type { AttributeLevel } from "../../core/filter.ts";
import type { Condition, Leaf } from "../../core/trace/condition.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import { mayContain } from "./group-bounds.ts";
import { ALL_GROUPS, groupsWhere, intersection, isEmpty, NO_GROUPS, union } from "./group-set.ts";
import type { GroupSet, SegmentFilter } from "./group-set.ts";
import type { Codes } from "./group-core.ts";
import { valueBytes } from "./segment-columns.ts";
import type { DictionaryData, ValueBytes } from "./segment-columns.ts";
import { FAMILY, filterKeyHash, RARE_USES } from "./segment-format.ts";
import type { ColumnFacts } from "./segment-format.ts";
import { isLiteral } from "./segment-plan.ts";
import type { OpenColumn } from "./segment-footer.ts";
import type { Segment } from "./segment-reader.ts";
import { valueFilterHash } from "./segment-values.ts";
import { wordHashes } from "./segment-words.ts";

/** Rows of one source (a column, the resources, the rest) that satisfy the leaf, or-ed in. */
interface Source {
  readonly groups: GroupSet;
  orInto(group: number, rows: Uint8Array): void;
}

/** Binds a leaf on an attribute: any entry of the key at the levels satisfies it. */
export function bindAttribute(
  segment: Segment,
  leaf: Leaf,
  name: Uint8Array,
  wanted: readonly AttributeLevel[] | undefined,
  condition: Condition,
): SegmentFilter {
  const levels = new Set(wanted ?? ALL_LEVELS);
  const key = Buffer.from(name).toString("base64");
  const sources: Source[] = [];
  if (levels.has("span")) sources.push(...spanColumns(segment, leaf, name, key, condition));
  if (levels.has("resource")) sources.push(...resourceSource(segment, name, condition));
  if (levels.has("scope")) sources.push(...scopeSource(segment, name, condition));
  sources.push(...restSource(segment, leaf, key, levels));
  return anyOf(segment, sources);
}

function anyOf(segment: Segment, sources: readonly Source[]): SegmentFilter {
  return {
    groups: sources.reduce((all, source) => union(all, source.groups), NO_GROUPS),
    rows(group) {
      const rows = new Uint8Array(segment.footer.groups[group]!.rows);
      for (const source of sources) source.orInto(group, rows);
      return rows;
    },
  };
}

/**
 * Binds comparisons of one attribute with numbers that must all hold, `condition` being all of
 * them. Undefined where a span may have several values of it, of which each may satisfy another.
 */
export function bindRange(
  segment: Segment,
  leaves: readonly Leaf[],
  name: Uint8Array,
  wanted: readonly AttributeLevel[] | undefined,
  condition: Condition,
): SegmentFilter | undefined {
  const key = Buffer.from(name).toString("base64");
  const { columns } = segment.footer;
  const column = columns.findIndex((facts) => facts.key === key);
  if (column < 0 || !isOnlyValue(segment, column, name, new Set(wanted ?? ALL_LEVELS))) {
    return undefined;
  }
  const facts = columns[column]!;
  let bounded = ALL_GROUPS;
  for (const leaf of leaves) bounded = intersection(bounded, boundedGroups(facts, leaf));
  const source =
    facts.kind === "dict"
      ? dictionarySource(segment, column, facts, leaves[0]!, bounded, name, condition)
      : rawSource(segment, column, facts, leaves[0]!, bounded, name, condition);
  return anyOf(segment, source === undefined ? [] : [source]);
}

/** Whether the column has at most one value a span, and its key is nowhere else. */
function isOnlyValue(
  segment: Segment,
  column: number,
  name: Uint8Array,
  levels: ReadonlySet<AttributeLevel>,
): boolean {
  const { columns, restKeys } = segment.footer;
  const { key, kind } = columns[column]!;
  if (!levels.has("span") || kind === "spilled") return false;
  if (columns.some((other, c) => c !== column && other.key === key)) return false;
  if (restKeys.some(([, restKey]) => restKey === key)) return false;
  if (segment.hasSpilled || keysNamed(segment.tables(), name).includes(1)) return false;
  return usesByShape(segment.shapes(), column).every((uses) => uses <= 1);
}

function spanColumns(
  segment: Segment,
  leaf: Leaf,
  name: Uint8Array,
  key: string,
  condition: Condition,
): Source[] {
  const sources: Source[] = [];
  segment.footer.columns.forEach((facts, column) => {
    if (facts.kind === "spilled" || facts.key !== key) return;
    const bounded = boundedGroups(facts, leaf);
    const source =
      facts.kind === "dict"
        ? dictionarySource(segment, column, facts, leaf, bounded, name, condition)
        : rawSource(segment, column, facts, leaf, bounded, name, condition);
    if (source !== undefined) sources.push(source);
  });
  return sources;
}

function boundedGroups({ groupBounds }: OpenColumn, leaf: Leaf): GroupSet {
  if (groupBounds === undefined) return ALL_GROUPS;
  const exists = leaf.op === "exists" || (leaf.op !== "in" && leaf.op !== "regex" && leaf.untyped);
  if (exists === true) return ALL_GROUPS;
  return groupsWhere(groupBounds.length / 2, (group) => {
    const least = groupBounds[group * 2]!;
    return !Number.isNaN(least) && mayContain(leaf, least, groupBounds[group * 2 + 1]!);
  });
}

function dictionarySource(
  segment: Segment,
  column: number,
  facts: ColumnFacts,
  leaf: Leaf,
  bounded: GroupSet,
  name: Uint8Array,
  condition: Condition,
): Source | undefined {
  if (isEmpty(bounded)) return undefined;
  const dictionary = segment.dictionary(column);
  const matches = matchingValues(facts.type, dictionary, leaf, condition);
  const keyHash = filterKeyHash(name, facts.type);
  let groups = NO_GROUPS;
  let any = false;
  for (let code = 0; code < dictionary.count; code++) {
    if (matches[code] === 0) continue;
    any = true;
    if (isLiteral(facts.type) || dictionary.uses[code]! > RARE_USES) groups = ALL_GROUPS;
    if (groups.low === 0xffffffff && groups.high === 0xffffffff) break;
    const from = dictionary.offsets[code]!;
    const value = dictionary.bytes.subarray(from, dictionary.offsets[code + 1]!);
    const [low, high] = segment.filterGroups(valueFilterHash(keyHash, value));
    groups = union(groups, { low, high });
  }
  if (!any) return undefined;
  let uses: Uint16Array | undefined;
  return {
    groups: intersection(groups, bounded),
    orInto(group, rows) {
      const data = segment.codes(group);
      const codes = data.column(column);
      if (codes === undefined || !anyIn(codes, matches)) return;
      uses ??= usesByShape(segment.shapes(), column);
      const { shape } = data;
      let at = 0;
      for (let row = 0; row < rows.length; row++) {
        for (let n = uses[shape[row]!]!; n > 0; n--) if (matches[codes[at++]!] === 1) rows[row] = 1;
      }
    },
  };
}

/** Whether one of the codes is of a matching value. */
function anyIn(codes: Codes, matches: Uint8Array): boolean {
  for (let i = 0; i < codes.length; i++) if (matches[codes[i]!] === 1) return true;
  return false;
}

/** 1 for each value that satisfies the condition. */
function matchingValues(
  type: number,
  values: DictionaryData,
  leaf: Leaf,
  condition: Condition,
): Uint8Array {
  const needle = type === ATTRIBUTE_TYPE.STRING ? needleOf(leaf) : undefined;
  const matches = needle === undefined ? new Uint8Array(values.count) : candidates(values, needle);
  for (let i = 0; i < values.count; i++) {
    if (needle !== undefined && matches[i] === 0) continue;
    const literal = isLiteral(type) ? values.literals[i]! : -1;
    matches[i] = holds(condition, type, values, i, literal) ? 1 : 0;
  }
  return matches;
}

/** Sets the row of each value of the column whose hit is 1. */
function spread(
  segment: Segment,
  group: number,
  column: number,
  rows: Uint8Array,
  hits: Uint8Array,
): void {
  const uses = usesByShape(segment.shapes(), column);
  const { shape } = segment.codes(group);
  let at = 0;
  for (let row = 0; row < rows.length; row++) {
    for (let n = uses[shape[row]!]!; n > 0; n--) if (hits[at++] === 1) rows[row] = 1;
  }
}

/** How often each shape has the column. */
function usesByShape(
  shapes: { count: number; offsets: Uint32Array; columns: Uint32Array },
  column: number,
): Uint16Array {
  const uses = new Uint16Array(shapes.count);
  for (let s = 0; s < shapes.count; s++) {
    for (let k = shapes.offsets[s]!; k < shapes.offsets[s + 1]!; k++) {
      if (shapes.columns[k] === column) uses[s]!++;
    }
  }
  return uses;
}

function rawSource(
  segment: Segment,
  column: number,
  facts: ColumnFacts,
  leaf: Leaf,
  bounded: GroupSet,
  name: Uint8Array,
  condition: Condition,
): Source {
  const needle = facts.type === ATTRIBUTE_TYPE.STRING ? needleOf(leaf) : undefined;
  const literal = leaf.op === "regex" ? needle : undefined;
  const groups = literal === undefined ? bounded : withWords(segment, literal, bounded);
  return {
    groups: intersection(rawGroups(segment, facts, leaf, name), groups),
    orInto(group, rows) {
      const raw = segment.raw(group);
      if (needle !== undefined) {
        // Most groups that are looked at in vain end here, before any value is told apart.
        const text = raw.text(column);
        if (text === undefined || asBuffer(text).indexOf(needle) < 0) return;
      }
      const values = raw.column(column);
      if (values === undefined) return;
      const hits = needle === undefined ? undefined : candidates(values, needle);
      const matches = hits ?? new Uint8Array(values.count);
      let any = false;
      for (let i = 0; i < values.count; i++) {
        if (hits !== undefined && hits[i] === 0) continue;
        const holding = holds(condition, facts.type, values, i, -1);
        matches[i] = holding ? 1 : 0;
        any ||= holding;
      }
      if (any) spread(segment, group, column, rows, matches);
    },
  };
}

/** The groups of `groups` that may hold a text with all the pieces of words in the literal. */
function withWords(segment: Segment, literal: Uint8Array, groups: GroupSet): GroupSet {
  let left = groups;
  for (const hash of wordHashes(literal)) {
    if (isEmpty(left)) break;
    const [low, high] = segment.wordGroups(hash);
    left = intersection(left, { low, high });
  }
  return left;
}

/** By leaf: a pattern is compiled once a search, not for every segment. */
const NEEDLES = new WeakMap<Leaf, Buffer | null>();

/** Bytes that every text contains that satisfies the leaf; undefined when there are none. */
function needleOf(leaf: Leaf): Buffer | undefined {
  let needle = NEEDLES.get(leaf);
  if (needle === undefined) NEEDLES.set(leaf, (needle = findNeedle(leaf) ?? null));
  return needle ?? undefined;
}

function findNeedle(leaf: Leaf): Buffer | undefined {
  let needle: string | undefined;
  if (leaf.op === "regex") needle = compileRegex(leaf.pattern).literal;
  if (leaf.op === "=" && typeof leaf.value === "string") needle = leaf.value;
  // U+FFFD may stand for bytes that are not UTF-8.
  const none = needle === undefined || needle === "" || needle.includes("\ufffd");
  return none ? undefined : Buffer.from(needle!);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Values that contain the bytes of `needle`. */
function candidates(values: ValueBytes, needle: Buffer): Uint8Array {
  const hits = new Uint8Array(values.count);
  const bytes = asBuffer(values.bytes);
  const { offsets } = values;
  let value = 0;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at)) {
    while (offsets[value + 1]! <= at) value++;
    if (at + needle.length <= offsets[value + 1]!) hits[value] = 1;
    at = at + needle.length <= offsets[value + 1]! ? offsets[value + 1]! : at + 1;
  }
  return hits;
}

/** Groups whose filter may hold one of the leaf's constants; all when it names none. */
function rawGroups(segment: Segment, facts: ColumnFacts, leaf: Leaf, name: Uint8Array): GroupSet {
  if (facts.type !== ATTRIBUTE_TYPE.STRING) return ALL_GROUPS;
  const constants = leaf.op === "in" ? leaf.values : leaf.op === "=" ? [leaf.value] : undefined;
  if (constants === undefined) return ALL_GROUPS;
  const keyHash = filterKeyHash(name, facts.type);
  let groups = NO_GROUPS;
  for (const constant of constants) {
    if (typeof constant !== "string") continue;
    // A constant with U+FFFD may be the text of bytes that are not UTF-8: the filter has those.
    if (constant.includes("\ufffd")) return ALL_GROUPS;
    const [low, high] = segment.filterGroups(valueFilterHash(keyHash, utf8Bytes(constant)));
    groups = union(groups, { low, high });
  }
  return groups;
}

/** Whether a stored value satisfies the condition; `literal` is the value itself or -1. */
function holds(
  condition: Condition,
  type: number,
  values: ValueBytes,
  i: number,
  literal: number,
): boolean {
  switch (type) {
    case ATTRIBUTE_TYPE.BOOL:
      return condition.bool(literal !== 0);
    case ATTRIBUTE_TYPE.EMPTY:
      return condition.other(type, new Uint8Array(0));
    case ATTRIBUTE_TYPE.INT: {
      const { view } = values;
      const high = view.getInt32(i * 8 + 4, true);
      const low = view.getUint32(i * 8, true);
      // Small numbers, nearly all there are, need no bigint.
      if (high === 0) return condition.number(low);
      return condition.number(view.getBigInt64(i * 8, true));
    }
    case ATTRIBUTE_TYPE.DOUBLE:
      return condition.number(values.view.getFloat64(i * 8, true));
    default: {
      const bytes = values.bytes.subarray(values.offsets[i]!, values.offsets[i + 1]!);
      return type === ATTRIBUTE_TYPE.STRING ? condition.text(bytes) : condition.other(type, bytes);
    }
  }
}

/** 1 for each key of the batch that has the name. */
function keysNamed(tables: SpanBatch, name: Uint8Array): Uint8Array {
  const wanted = new Uint8Array(tables.keyCount);
  for (let key = 0; key < wanted.length; key++) {
    const id = tables.keyNameId[key]!;
    const from = tables.dictOffsets[id]!;
    if (tables.dictOffsets[id + 1]! - from !== name.length) continue;
    if (equalBytes(tables.dictBytes, from, name, 0, name.length)) wanted[key] = 1;
  }
  return wanted;
}

function ownersThatMatch(
  tables: SpanBatch,
  table: AttributeTable,
  name: Uint8Array,
  condition: Condition,
): Uint8Array {
  const owners = new Uint8Array(table.offsets.length - 1);
  const wanted = keysNamed(tables, name);
  if (!wanted.includes(1)) return owners;
  for (let owner = 0; owner < owners.length; owner++) {
    for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
      const key = table.key[a]!;
      if (wanted[key] === 0) continue;
      const type = tables.keyType[key]!;
      const value = table.value[a]!;
      const start = tables.dictOffsets[value]!;
      const literal = isLiteral(type);
      const bytes = literal
        ? new Uint8Array(0)
        : tables.dictBytes.subarray(start, tables.dictOffsets[value + 1]!);
      const one = valueBytes(Uint32Array.of(0, bytes.length), bytes);
      if (holds(condition, type, one, 0, value)) owners[owner] = 1;
    }
  }
  return owners;
}

function resourceSource(segment: Segment, name: Uint8Array, condition: Condition): Source[] {
  const tables = segment.tables();
  const matches = ownersThatMatch(tables, tables.resourceAttributes, name, condition);
  if (!matches.includes(1)) return [];
  return [
    {
      groups: ALL_GROUPS,
      orInto(group, rows) {
        const { resource } = segment.core(group);
        for (let i = 0; i < rows.length; i++) rows[i] = rows[i]! | matches[resource[i]!]!;
      },
    },
  ];
}

function scopeSource(segment: Segment, name: Uint8Array, condition: Condition): Source[] {
  const tables = segment.tables();
  const scopes = ownersThatMatch(tables, tables.scopeAttributes, name, condition);
  if (!scopes.includes(1)) return [];
  const matches = Uint8Array.from(tables.scopeRow, (scope) => scopes[scope]!);
  return [
    {
      groups: ALL_GROUPS,
      orInto(group, rows) {
        const { operation } = segment.core(group);
        for (let i = 0; i < rows.length; i++) rows[i] = rows[i]! | matches[operation[i]!]!;
      },
    },
  ];
}

/** Events, links and spilled attributes: asked of the rest's own batch. */
function restSource(
  segment: Segment,
  leaf: Leaf,
  key: string,
  levels: ReadonlySet<AttributeLevel>,
): Source[] {
  const { footer } = segment;
  const inRest = (["span", "event", "link"] as const).filter((level) => levels.has(level));
  const present = inRest.filter((level) =>
    level === "span"
      ? footer.columns.some((facts) => facts.key === key) && segment.hasSpilled
      : footer.restKeys.some(([at, restKey]) => at === level && restKey === key),
  );
  if (present.length === 0) return [];
  const inner = { ...leaf, target: { ...leaf.target, levels: present } } as Leaf;
  const bind = bindFilter(inner, compileRegex);
  const { groups } = footer;
  return [
    {
      groups: groupsWhere(groups.length, (g) => groups[g]!.families[FAMILY.REST]![1] > 0),
      orInto(group, rows) {
        const rest = segment.rest(group);
        if (rest === undefined) return;
        const test = bind(rest.batch);
        rest.rows.forEach((row, i) => {
          if (rows[row] === 0 && test(i)) rows[row] = 1;
        });
      },
    },
  ];
}
