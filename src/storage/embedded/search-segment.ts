/** A filter bound to one segment: which groups may match, and which rows of a group do. */

import { compileRegex } from "../../base/regex.ts";
import { toHex, utf8Bytes } from "../../base/bytes.ts";
import type { SpanBatch } from "../../core/batch.ts";
import type { Filter, Target } from "../../core/filter.ts";
import { exactDurationNs, exactStartUs } from "../../core/read.ts";
import { compileCondition } from "../../core/trace/condition.ts";
import type { Condition, Leaf } from "../../core/trace/condition.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import type { RowTest } from "../../core/trace/filter-evaluate.ts";
import type { Codes } from "./group-core.ts";
import {
  ALL_GROUPS,
  groupsWhere,
  intersection,
  isEmpty,
  NO_GROUPS,
  sizeOf,
  union,
} from "./group-set.ts";
import type { GroupSet, SegmentFilter } from "./group-set.ts";
import { mayContain } from "./group-bounds.ts";
import { bindAttribute, bindRange } from "./search-attribute.ts";
import { durationLevel, groupsOfCodes } from "./group-slowest.ts";
import type { GroupFacts } from "./segment-format.ts";
import type { Segment } from "./segment-reader.ts";

/** A filter that can be bound to any segment; compiled once a search. */
export type BindSegment = (segment: Segment) => SegmentFilter;

/** Compiles a checked filter; undefined holds for every row. */
export function compileForSegments(filter: Filter | undefined): BindSegment {
  if (filter === undefined) return (segment) => everything(segment);
  switch (filter.op) {
    case "and": {
      const level = levelOf(filter.all);
      const all = withRanges(filter.all).toSorted((a, b) => costOf(a) - costOf(b));
      const parts = all.map((part) => {
        if (Array.isArray(part)) return compileRange(part);
        return "target" in part ? compileLeaf(part, level) : compileForSegments(part);
      });
      return (segment) => conjunction(segment, parts);
    }
    case "or": {
      const parts = filter.any.map(compileForSegments);
      return (segment) => disjunction(segment, parts);
    }
    case "not": {
      const inner = compileForSegments(filter.filter);
      return (segment) => negation(segment, inner(segment));
    }
    default:
      return compileLeaf(filter, 1);
  }
}

/** What may leave no group at all comes first: what follows is not even bound then. */
function costOf(part: Filter | readonly Comparison[]): number {
  const value = !Array.isArray(part) && "target" in part && "attribute" in part.target;
  return value && (part.op === "=" || part.op === "in") ? 0 : 1;
}

/** A comparison of an attribute with a number. */
type Comparison = Leaf & { readonly target: Extract<Target, { readonly attribute: string }> };

function isComparison(filter: Filter): filter is Comparison {
  if (!("target" in filter) || !("attribute" in filter.target)) return false;
  if (filter.op !== "<" && filter.op !== "<=" && filter.op !== ">" && filter.op !== ">=") {
    return false;
  }
  return typeof filter.value === "number" || typeof filter.value === "bigint";
}

/** The parts, with comparisons of the same attribute at the same levels put together. */
function withRanges(parts: readonly Filter[]): (Filter | Comparison[])[] {
  const ranges = new Map<string, Comparison[]>();
  const found: (Filter | Comparison[])[] = [];
  for (const part of parts) {
    if (!isComparison(part)) {
      found.push(part);
      continue;
    }
    const key = JSON.stringify(part.target);
    const range = ranges.get(key);
    if (range !== undefined) {
      range.push(part);
      continue;
    }
    const first = [part];
    ranges.set(key, first);
    found.push(first);
  }
  return found;
}

/** Both ends of a range of numbers at once: each alone may hold for most rows. */
function compileRange(leaves: readonly Comparison[]): BindSegment {
  const conditions = leaves.map((leaf) => compileCondition(leaf, compileRegex));
  const parts = leaves.map((leaf) => compileLeaf(leaf, 1));
  const never = (): boolean => false;
  const all: Condition = {
    number: (value) => conditions.every((condition) => condition.number(value)),
    text: never,
    bool: never,
    other: never,
  };
  const { attribute, levels } = leaves[0]!.target;
  const name = utf8Bytes(attribute);
  return (segment) => bindRange(segment, leaves, name, levels, all) ?? conjunction(segment, parts);
}

/** Level (group-slowest.ts) of the duration that a row must have to satisfy all of the parts. */
function levelOf(parts: readonly Filter[]): number {
  let level = 1;
  for (const part of parts) {
    if (!("target" in part) || !("field" in part.target) || part.target.field !== "duration")
      continue;
    if (part.op !== ">" && part.op !== ">=" && part.op !== "=") continue;
    if (typeof part.value !== "number" && typeof part.value !== "bigint") continue;
    level = Math.max(level, durationLevel(Number(part.value)));
  }
  return level;
}

function everything(segment: Segment): SegmentFilter {
  return {
    groups: ALL_GROUPS,
    rows: (group) => new Uint8Array(segment.footer.groups[group]!.rows).fill(1),
  };
}

/** Cheap conditions first; a family is only read when a row is still in question. */
function conjunction(segment: Segment, parts: readonly BindSegment[]): SegmentFilter {
  if (parts.length === 0) return everything(segment);
  const bound: SegmentFilter[] = [];
  let groups = ALL_GROUPS;
  for (const part of parts) {
    const filter = part(segment);
    groups = intersection(groups, filter.groups);
    bound.push(filter);
    if (isEmpty(groups)) break;
  }
  // The part that leaves the fewest groups is likely to leave the fewest rows.
  bound.sort((a, b) => sizeOf(a.groups) - sizeOf(b.groups));
  return {
    groups,
    rows(group) {
      const rows = bound[0]!.rows(group);
      for (let n = 1; n < bound.length; n++) {
        if (!rows.includes(1)) return rows;
        const more = bound[n]!.rows(group);
        for (let i = 0; i < rows.length; i++) rows[i] = rows[i]! & more[i]!;
      }
      return rows;
    },
  };
}

function disjunction(segment: Segment, parts: readonly BindSegment[]): SegmentFilter {
  const bound = parts.map((part) => part(segment));
  const groups = bound.reduce((all, filter) => union(all, filter.groups), { low: 0, high: 0 });
  return {
    groups,
    rows(group) {
      const rows = new Uint8Array(segment.footer.groups[group]!.rows);
      for (const filter of bound) {
        const more = filter.rows(group);
        for (let i = 0; i < rows.length; i++) rows[i] = rows[i]! | more[i]!;
      }
      return rows;
    },
  };
}

function negation(segment: Segment, inner: SegmentFilter): SegmentFilter {
  void segment;
  return {
    groups: ALL_GROUPS,
    rows(group) {
      const rows = inner.rows(group);
      for (let i = 0; i < rows.length; i++) rows[i] = rows[i]! ^ 1;
      return rows;
    },
  };
}

/** `level` is that of the least duration of rows that matter. */
function compileLeaf(leaf: Leaf, level: number): BindSegment {
  const condition = compileCondition(leaf, compileRegex);
  const target = leaf.target;
  if (!("field" in target)) {
    const name = utf8Bytes(target.attribute);
    return (segment) => bindAttribute(segment, leaf, name, target.levels, condition);
  }
  switch (target.field) {
    case "service":
      return (segment) => byResource(segment, condition, level);
    case "name":
      return (segment) => byOperation(segment, bindFilter(leaf, compileRegex), level);
    case "kind":
    case "scopeName":
    case "scopeVersion":
      return (segment) => byOperation(segment, bindFilter(leaf, compileRegex), level);
    case "status":
      return (segment) => byStatus(segment, condition);
    case "isRoot":
      return (segment) => byRoot(segment, condition);
    case "start":
      return (segment) => byStart(segment, condition, leaf);
    case "duration":
      return (segment) => byDuration(segment, condition, leaf);
    case "traceId":
      return (segment) => byTraceId(segment, condition);
    case "spanId":
      return (segment) => bySpanId(segment, condition);
    case "parentSpanId":
      return (segment) => byParent(segment, condition);
    default:
      return (segment) => byRest(segment, bindFilter(leaf, compileRegex), leaf);
  }
}

function byCode(
  segment: Segment,
  matches: Uint8Array,
  groups: GroupSet,
  codes: (group: number) => Codes,
): SegmentFilter {
  return {
    groups: matches.includes(1) ? groups : NO_GROUPS,
    rows(group) {
      const values = codes(group);
      const rows = new Uint8Array(segment.footer.groups[group]!.rows);
      for (let i = 0; i < rows.length; i++) rows[i] = matches[values[i]!]!;
      return rows;
    },
  };
}

function byResource(segment: Segment, condition: Condition, level: number): SegmentFilter {
  const tables = segment.tables();
  const { services } = segment;
  const matches = new Uint8Array(services.count);
  services.nameIds.forEach((id, service) => {
    const from = tables.dictOffsets[id]!;
    const name = tables.dictBytes.subarray(from, tables.dictOffsets[id + 1]!);
    matches[service] = condition.text(name) ? 1 : 0;
  });
  const groups = groupsOfCodes(services, matches, level, segment.footer.groups.length);
  const resources = new Uint8Array(services.of.length);
  for (let r = 0; r < resources.length; r++) resources[r] = matches[services.of[r]!]!;
  return byCode(segment, resources, groups, (group) => segment.core(group).resource);
}

/** Conditions on what an operation holds are asked of the tables' spans, which are operations. */
function byOperation(
  segment: Segment,
  bind: (batch: SpanBatch) => RowTest,
  level: number,
): SegmentFilter {
  const tables = segment.tables();
  const test = bind(tables);
  const matches = new Uint8Array(tables.spanCount);
  for (let o = 0; o < matches.length; o++) matches[o] = test(o) ? 1 : 0;
  const { slowestByOperation, footer } = segment;
  const groups = groupsOfCodes(slowestByOperation, matches, level, footer.groups.length);
  return byCode(segment, matches, groups, (group) => segment.core(group).operation);
}

function byStatus(segment: Segment, condition: Condition): SegmentFilter {
  const matches = Uint8Array.from({ length: 256 }, (_, code) => (condition.number(code) ? 1 : 0));
  const filter = byCode(segment, matches, ALL_GROUPS, (group) => segment.core(group).status);
  if (matches[0] === 1 || matches[1] === 1) return filter;
  // Only errors can match: groups without one are told by the footer, unless other codes exist.
  const onlyErrors = matches[2] === 1 && !matches.includes(1, 3);
  if (!onlyErrors) return filter;
  const { groups } = segment.footer;
  return { ...filter, groups: groupsWhere(groups.length, (g) => groups[g]!.errors) };
}

function byRoot(segment: Segment, condition: Condition): SegmentFilter {
  const root = condition.number(1) ? 1 : 0;
  const child = condition.number(0) ? 1 : 0;
  return {
    groups: ALL_GROUPS,
    rows(group) {
      const { parent } = segment.core(group);
      const rows = new Uint8Array(parent.length);
      for (let i = 0; i < rows.length; i++) rows[i] = parent[i] === 0 ? root : child;
      return rows;
    },
  };
}

function byStart(segment: Segment, condition: Condition, leaf: Leaf): SegmentFilter {
  const { groups } = segment.footer;
  return {
    groups: groupsWhere(groups.length, (g) =>
      mayContain(leaf, groups[g]!.minStartUs, groups[g]!.maxStartUs),
    ),
    rows(group) {
      const { startUs } = segment.core(group);
      const rows = new Uint8Array(startUs.length);
      for (let i = 0; i < rows.length; i++) rows[i] = condition.number(startUs[i]!) ? 1 : 0;
      return patchExact(segment, group, rows, (batch, i) => {
        return condition.number(exactStartUs(batch, i));
      });
    },
  };
}

function byDuration(segment: Segment, condition: Condition, leaf: Leaf): SegmentFilter {
  const { groups } = segment.footer;
  return {
    groups: groupsWhere(groups.length, (g) =>
      mayContain(leaf, groups[g]!.minDurationNs, groups[g]!.maxDurationNs),
    ),
    rows(group) {
      const { durationNs } = segment.core(group);
      const rows = new Uint8Array(durationNs.length);
      for (let i = 0; i < rows.length; i++) rows[i] = condition.number(durationNs[i]!) ? 1 : 0;
      return patchExact(segment, group, rows, (batch, i) => {
        return condition.number(exactDurationNs(batch, i));
      });
    },
  };
}

/** Whether all times of the group are small enough to be exact as doubles. */
function isExact(facts: GroupFacts): boolean {
  return (
    facts.minStartUs > -(2 ** 53) &&
    facts.maxStartUs < 2 ** 53 &&
    facts.minDurationNs > -(2 ** 53) &&
    facts.maxDurationNs < 2 ** 53
  );
}

/** Decides anew the rows whose exact times are kept with the rest. */
export function patchExact(
  segment: Segment,
  group: number,
  rows: Uint8Array,
  holds: (batch: SpanBatch, i: number) => boolean,
): Uint8Array {
  if (isExact(segment.footer.groups[group]!)) return rows;
  const rest = segment.rest(group);
  if (rest === undefined || !rest.batch.rareExact.includes(1)) return rows;
  rest.rows.forEach((row, i) => {
    const rare = rest.batch.rare[i]!;
    if (rare === 0 || rest.batch.rareExact[rare - 1] !== 1) return;
    rows[row] = holds(rest.batch, i) ? 1 : 0;
  });
  return rows;
}

function hexMatches(condition: Condition, bytes: Uint8Array, at: number, length: number): number {
  return condition.text(utf8Bytes(toHex(bytes, at, length))) ? 1 : 0;
}

function byTraceId(segment: Segment, condition: Condition): SegmentFilter {
  return {
    groups: ALL_GROUPS,
    rows(group) {
      const { rows: count, runStart } = segment.core(group);
      const { traceId } = segment.ids(group);
      const rows = new Uint8Array(count);
      for (let run = 0; run + 1 < runStart.length; run++) {
        const matches = hexMatches(condition, traceId, run * 16, 16);
        rows.fill(matches, runStart[run]!, runStart[run + 1]!);
      }
      return rows;
    },
  };
}

function bySpanId(segment: Segment, condition: Condition): SegmentFilter {
  return {
    groups: ALL_GROUPS,
    rows(group) {
      const { spanId } = segment.ids(group);
      const rows = new Uint8Array(segment.footer.groups[group]!.rows);
      for (let i = 0; i < rows.length; i++) rows[i] = hexMatches(condition, spanId, i * 8, 8);
      return rows;
    },
  };
}

function byParent(segment: Segment, condition: Condition): SegmentFilter {
  const none = hexMatches(condition, new Uint8Array(8), 0, 8);
  return {
    groups: ALL_GROUPS,
    rows(group) {
      const { parent, runStart, rows: count } = segment.core(group);
      const { spanId, parents } = segment.ids(group);
      const rows = new Uint8Array(count);
      let explicit = 0;
      for (let run = 0; run + 1 < runStart.length; run++) {
        for (let row = runStart[run]!; row < runStart[run + 1]!; row++) {
          const code = parent[row]!;
          if (code === 0) rows[row] = none;
          else if (code === 1) rows[row] = hexMatches(condition, parents, explicit++ * 8, 8);
          else rows[row] = hexMatches(condition, spanId, (runStart[run]! + code - 2) * 8, 8);
        }
      }
      return rows;
    },
  };
}

/** Fields kept with the rest; rows without any have none of them, or the empty text. */
function byRest(segment: Segment, bind: (batch: SpanBatch) => RowTest, leaf: Leaf): SegmentFilter {
  const field = "field" in leaf.target ? leaf.target.field : "";
  const single = field === "statusMessage" || field === "traceState";
  const absent = single && compileCondition(leaf, compileRegex).text(new Uint8Array(0)) ? 1 : 0;
  const { groups } = segment.footer;
  const withRest = groupsWhere(groups.length, (g) => groups[g]!.families[4]![1] > 0);
  return {
    groups: absent === 1 ? ALL_GROUPS : withRest,
    rows(group) {
      const rows = new Uint8Array(groups[group]!.rows).fill(absent);
      const rest = segment.rest(group);
      if (rest === undefined) return rows;
      const test = bind(rest.batch);
      rest.rows.forEach((row, i) => {
        rows[row] = test(i) ? 1 : 0;
      });
      return rows;
    },
  };
}
