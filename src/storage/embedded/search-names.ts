/** Services, operations, attribute keys and values, and links over segments and heads. */

import { toHex, utf8, utf8Bytes } from "../../base/bytes.ts";
import { compareTexts } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { ALL_LEVELS, and, fieldIs } from "../../core/filter.ts";
import type { AttributeLevel, Filter } from "../../core/filter.ts";
import { valueText } from "../../core/read.ts";
import type { PlainValue } from "../../core/read.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  Operation,
  ServiceLink,
} from "../../core/store.ts";
import {
  attributeKeysOf,
  attributeValuesOf,
  linksOf,
  operationsOf,
} from "../../core/trace/names.ts";
import { servicesOf } from "../../core/trace/names.ts";
import type { RowRef } from "../../core/trace/span-content.ts";
import type { ValueBytes } from "./segment-columns.ts";
import { SegmentCopier } from "./segment-copy.ts";
import { keyBytes } from "./segment-format.ts";
import { isLiteral } from "./segment-plan.ts";
import { SPILLED_COLUMN } from "./segment-reader.ts";
import type { Segment } from "./segment-reader.ts";
import { rowsOfPieces } from "./search-pieces.ts";
import { compileForSegments } from "./search-segment.ts";
import type { Sources } from "./search-sources.ts";

type Pause = () => Promise<void>;

/** Names of services, ascending. */
export function findServices(sources: Sources): string[] {
  const names = new Set<string>();
  for (const head of sources.heads()) {
    if (sources.hasTombstones) break;
    for (const { service } of head.operations()) names.add(service);
  }
  // With deleted traces about, rows have to be looked at one by one.
  if (sources.hasTombstones) servicesOf(headTraces(sources)).forEach((name) => names.add(name));
  for (const segment of sources.segments()) {
    for (const [service] of segment.operations) names.add(service);
  }
  return [...names].sort(compareTexts);
}

/** Operations of a service, ascending by name, then kind. */
export function findOperations(
  sources: Sources,
  service: string,
  kind: number | undefined,
): Operation[] {
  const found = new Map<string, Operation>();
  const add = (operation: Operation): void => {
    found.set(`${operation.kind} ${operation.name}`, operation);
  };
  for (const operation of headOperations(sources, service, kind)) add(operation);
  for (const segment of sources.segments()) {
    for (const [of, name, ofKind] of segment.operations) {
      if (of === service && (kind === undefined || kind === ofKind)) add({ name, kind: ofKind });
    }
  }
  return [...found.values()].sort((a, b) => compareTexts(a.name, b.name) || a.kind - b.kind);
}

function headOperations(sources: Sources, service: string, kind: number | undefined): Operation[] {
  if (sources.hasTombstones) return operationsOf(headTraces(sources), service, kind);
  const found: Operation[] = [];
  for (const head of sources.heads()) {
    for (const operation of head.operations()) {
      if (operation.service !== service) continue;
      const { name, kind: ofKind } = operation;
      if (kind === undefined || kind === ofKind) found.push({ name, kind: ofKind });
    }
  }
  return found;
}

/** Keys of attributes, ascending by key, level, type. */
export async function findAttributeKeys(
  sources: Sources,
  scope: AttributeScope,
  pause: Pause,
): Promise<AttributeKey[]> {
  const found = new Map<string, AttributeKey>();
  const add = (key: string, level: AttributeLevel, type: number): void => {
    if (key.startsWith(scope.prefix ?? ""))
      found.set(`${level} ${type} ${key}`, { key, level, type });
  };
  const everyKey = { ...scope, limit: Infinity };
  for (const { key, level, type } of attributeKeysOf(headTraces(sources), everyKey)) {
    add(key, level, type);
  }
  for (const segment of sources.segments()) {
    await pause();
    if (isWhole(segment, scope) && !sources.hasTombstones) footerKeys(segment, add);
    else await scannedKeys(sources, segment, scope, add, pause);
  }
  const rank = (level: AttributeLevel): number => ALL_LEVELS.indexOf(level);
  return [...found.values()]
    .sort((a, b) => compareTexts(a.key, b.key) || rank(a.level) - rank(b.level) || a.type - b.type)
    .slice(0, scope.limit);
}

/** Whether every row of the segment is asked about. */
function isWhole(segment: Segment, scope: AttributeScope): boolean {
  const { minStartUs, maxStartUs } = segment.footer;
  if (scope.service !== undefined) return false;
  return minStartUs >= scope.startMinUs && maxStartUs <= scope.startMaxUs;
}

type AddKey = (key: string, level: AttributeLevel, type: number) => void;

function footerKeys(segment: Segment, add: AddKey): void {
  for (const { key, type } of segment.footer.columns) add(utf8(keyBytes(key)), "span", type);
  for (const [level, key, type] of segment.footer.restKeys) add(utf8(keyBytes(key)), level, type);
  const tables = segment.tables();
  addTableKeys(tables, tables.resourceAttributes.key, "resource", add);
  addTableKeys(tables, tables.scopeAttributes.key, "scope", add);
}

function addTableKeys(
  batch: SpanBatch,
  keys: Uint32Array,
  level: AttributeLevel,
  add: AddKey,
): void {
  for (const key of new Set(keys)) {
    const id = batch.keyNameId[key]!;
    const name = batch.dictBytes.subarray(batch.dictOffsets[id]!, batch.dictOffsets[id + 1]!);
    add(utf8(name), level, batch.keyType[key]!);
  }
}

/** Keys of the rows in scope, by reading those rows back. */
async function scannedKeys(
  sources: Sources,
  segment: Segment,
  scope: AttributeScope,
  add: AddKey,
  pause: Pause,
): Promise<void> {
  const everyKey = { ...scope, limit: Infinity };
  for (const batch of scopedBatches(sources, segment, scope)) {
    await pause();
    const rows = rowsOf(batch);
    for (const { key, level, type } of attributeKeysOf([{ rows }], everyKey)) add(key, level, type);
  }
}

/** Rows of the runs that have a row in scope, group by group, as batches. */
function* scopedBatches(
  sources: Sources,
  segment: Segment,
  scope: AttributeScope,
): Generator<SpanBatch> {
  const filter = compileForSegments(scopeFilter(scope))(segment);
  for (let group = 0; group < segment.footer.groups.length; group++) {
    const facts = segment.footer.groups[group]!;
    if (facts.maxStartUs < scope.startMinUs || facts.minStartUs > scope.startMaxUs) continue;
    const matches = filter.rows(group);
    if (!matches.includes(1)) continue;
    const { runStart } = segment.core(group);
    const { traceId } = segment.ids(group);
    const copier = new SegmentCopier(segment);
    for (let run = 0; run + 1 < runStart.length; run++) {
      const to = runStart[run + 1]!;
      const first = matches.indexOf(1, runStart[run]!);
      if (first < 0 || first >= to) continue;
      if (sources.isHidden(toHex(traceId, run * 16, 16), segment)) continue;
      copier.copy(group, run, runStart[run]!, to);
    }
    if (copier.builder.spanCount > 0) yield copier.builder.finish();
  }
}

function scopeFilter(scope: AttributeScope): Filter | undefined {
  const parts: Filter[] = [];
  if (scope.service !== undefined) parts.push(fieldIs("service", scope.service));
  if (Number.isFinite(scope.startMinUs)) {
    parts.push({ op: ">=", target: { field: "start" }, value: scope.startMinUs });
  }
  if (Number.isFinite(scope.startMaxUs)) {
    parts.push({ op: "<=", target: { field: "start" }, value: scope.startMaxUs });
  }
  return parts.length === 0 ? undefined : and(...parts);
}

function rowsOf(batch: SpanBatch): RowRef[] {
  return Array.from({ length: batch.spanCount }, (_, row) => ({ batch, row }));
}

interface Seen {
  readonly value: string;
  readonly type: number;
  spanCount: number;
}

/** Values of a key, most frequent first. */
export async function findAttributeValues(
  sources: Sources,
  key: string,
  scope: AttributeScope,
  pause: Pause,
): Promise<AttributeValue[]> {
  const found = new Map<string, Seen>();
  const add = (value: string, type: number, spanCount: number): void => {
    if (!value.startsWith(scope.prefix ?? "")) return;
    const known = found.get(`${type} ${value}`);
    if (known === undefined) found.set(`${type} ${value}`, { value, type, spanCount });
    else known.spanCount += spanCount;
  };
  const every = { ...scope, limit: Infinity };
  for (const seen of attributeValuesOf(headTraces(sources), key, every)) {
    add(seen.value, seen.type, seen.spanCount);
  }
  for (const segment of sources.segments()) {
    await pause();
    const column = soleColumn(segment, key);
    if (column === -1 && isWhole(segment, scope)) continue;
    if (column >= 0 && !sources.hasTombstones) {
      await columnValues(segment, column, scope, add, pause);
      continue;
    }
    for (const batch of scopedBatches(sources, segment, scope)) {
      await pause();
      for (const seen of attributeValuesOf([{ rows: rowsOf(batch) }], key, every)) {
        add(seen.value, seen.type, seen.spanCount);
      }
    }
  }
  return [...found.values()]
    .sort((a, b) => b.spanCount - a.spanCount || compareTexts(a.value, b.value) || a.type - b.type)
    .slice(0, scope.limit);
}

/**
 * The column that alone has the key, when no shape has it twice: its codes can be counted.
 * -1 when nothing in the segment has the key, -2 when rows must be read.
 */
function soleColumn(segment: Segment, key: string): number {
  const name = Buffer.from(utf8Bytes(key)).toString("base64");
  const { columns, restKeys } = segment.footer;
  const found = columns.flatMap((facts, column) => (facts.key === name ? [column] : []));
  const tables = segment.tables();
  const inTables = new Set<string>();
  addTableKeys(tables, tables.resourceAttributes.key, "resource", (of) => inTables.add(of));
  addTableKeys(tables, tables.scopeAttributes.key, "scope", (of) => inTables.add(of));
  const elsewhere = inTables.has(key) || restKeys.some(([, of]) => of === name);
  if (found.length === 0 && !elsewhere) return -1;
  if (found.length !== 1 || elsewhere || columns[found[0]!]!.kind === "spilled") return -2;
  if (segment.hasSpilled) return -2;
  const shapes = segment.shapes();
  for (let s = 0; s < shapes.count; s++) {
    const of = shapes.columns.subarray(shapes.offsets[s]!, shapes.offsets[s + 1]!);
    if (of.indexOf(found[0]!) !== of.lastIndexOf(found[0]!)) return -2;
  }
  return found[0]!;
}

async function columnValues(
  segment: Segment,
  column: number,
  scope: AttributeScope,
  add: (value: string, type: number, spanCount: number) => void,
  pause: Pause,
): Promise<void> {
  const facts = segment.footer.columns[column]!;
  const filter = compileForSegments(scopeFilter(scope))(segment);
  const counts = new Uint32Array(facts.kind === "dict" ? facts.distinct : 0);
  for (let group = 0; group < segment.footer.groups.length; group++) {
    await pause();
    const matches = filter.rows(group);
    if (!matches.includes(1)) continue;
    const codes = segment.codes(group).column(column);
    const raw = facts.kind === "raw" ? segment.raw(group).column(column) : undefined;
    eachValue(segment, group, column, (row, i) => {
      if (matches[row] === 0) return;
      if (codes !== undefined) counts[codes[i]!]!++;
      else if (raw !== undefined) add(textOf(raw, i, facts.type, 0), facts.type, 1);
    });
  }
  if (facts.kind !== "dict") return;
  const dictionary = segment.dictionary(column);
  counts.forEach((count, code) => {
    if (count === 0) return;
    const literal = dictionary.literals[code] ?? 0;
    add(textOf(dictionary, code, facts.type, literal), facts.type, count);
  });
}

function eachValue(
  segment: Segment,
  group: number,
  column: number,
  visit: (row: number, i: number) => void,
): void {
  const shapes = segment.shapes();
  const { shape } = segment.codes(group);
  let at = 0;
  for (let row = 0; row < shape.length; row++) {
    const s = shape[row]!;
    for (let k = shapes.offsets[s]!; k < shapes.offsets[s + 1]!; k++) {
      if (shapes.columns[k] === column && column !== SPILLED_COLUMN) visit(row, at++);
    }
  }
}

function textOf(values: ValueBytes, i: number, type: number, literal: number): string {
  if (isLiteral(type))
    return valueText(type, type === ATTRIBUTE_TYPE.BOOL ? literal !== 0 : undefined);
  const bytes = values.bytes.subarray(values.offsets[i]!, values.offsets[i + 1]!);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let value: PlainValue = bytes;
  if (type === ATTRIBUTE_TYPE.STRING) value = utf8(bytes);
  else if (type === ATTRIBUTE_TYPE.INT) value = view.getBigInt64(0, true);
  else if (type === ATTRIBUTE_TYPE.DOUBLE) value = view.getFloat64(0, true);
  return valueText(type, value);
}

/** Calls between services: every trace that may have a span in range is read whole. */
export async function findLinks(
  sources: Sources,
  startMinUs: number,
  startMaxUs: number,
  pause: Pause,
): Promise<ServiceLink[]> {
  const calls = new Map<string, { parent: string; child: string; callCount: number }>();
  for (const traceId of await traceIdsInRange(sources, startMinUs, startMaxUs, pause)) {
    await pause();
    const rows = rowsOfPieces(sources.trace(traceId).pieces);
    const links = linksOf([{ rows }], startMinUs, startMaxUs);
    for (const { parent, child, callCount } of links) {
      const id = JSON.stringify([parent, child]);
      const known = calls.get(id);
      if (known === undefined) calls.set(id, { parent, child, callCount });
      else known.callCount += callCount;
    }
  }
  return [...calls.values()].sort(
    (a, b) => compareTexts(a.parent, b.parent) || compareTexts(a.child, b.child),
  );
}

async function traceIdsInRange(
  sources: Sources,
  startMinUs: number,
  startMaxUs: number,
  pause: Pause,
): Promise<Iterable<Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const segment of sources.segments()) {
    for (let group = 0; group < segment.footer.groups.length; group++) {
      const facts = segment.footer.groups[group]!;
      if (facts.maxStartUs < startMinUs || facts.minStartUs > startMaxUs) continue;
      await pause();
      const { traceId } = segment.ids(group);
      for (let at = 0; at < traceId.length; at += 16) {
        found.set(toHex(traceId, at, 16), traceId.slice(at, at + 16));
      }
    }
  }
  for (const { batch, row } of headRows(sources)) {
    const traceId = batch.traceId.slice(row * 16, row * 16 + 16);
    found.set(toHex(traceId), traceId);
  }
  return found.values();
}

/** Rows of all heads that are not deleted. */
function* headRows(sources: Sources): Generator<RowRef> {
  for (const head of sources.heads()) {
    for (const { batch, at } of head.batches()) {
      for (let row = 0; row < batch.spanCount; row++) {
        const deleted =
          sources.hasTombstones &&
          sources.isDeleted(toHex(batch.traceId, row * 16, 16), head.epoch, at);
        if (!deleted) yield { batch, row };
      }
    }
  }
}

function headTraces(sources: Sources): { readonly rows: RowRef[] }[] {
  return [{ rows: [...headRows(sources)] }];
}
