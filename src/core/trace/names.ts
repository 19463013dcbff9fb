/** Services, operations, attribute keys and values, and links of traces given by their rows. */

import { compareTexts, isZero, toHex } from "../../base/bytes.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { ALL_LEVELS } from "../filter.ts";
import type { AttributeLevel } from "../filter.ts";
import {
  attributeName,
  attributeValue,
  dictText,
  exactStartUs,
  serviceOf,
  valueText,
} from "../read.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  Operation,
  ServiceLink,
} from "../store.ts";
import type { RowRef } from "./span-content.ts";

/** A trace, whole or the part that is asked about. */
export interface TraceRows {
  readonly rows: readonly RowRef[];
}

/** Names of all services, ascending. */
export function servicesOf(traces: Iterable<TraceRows>): string[] {
  const names = new Set<string>();
  for (const { batch, row } of rowsOf(traces)) names.add(serviceOf(batch, row));
  return [...names].sort(compareTexts);
}

/** Operations of a service, ascending by name then kind. */
export function operationsOf(
  traces: Iterable<TraceRows>,
  service: string,
  kind: number | undefined,
): Operation[] {
  const found = new Map<string, Operation>();
  for (const { batch, row } of rowsOf(traces)) {
    if (kind !== undefined && batch.kind[row] !== kind) continue;
    if (serviceOf(batch, row) !== service) continue;
    const operation = { name: dictText(batch, batch.nameId[row]!), kind: batch.kind[row]! };
    found.set(`${operation.kind} ${operation.name}`, operation);
  }
  return [...found.values()].sort((a, b) => compareTexts(a.name, b.name) || a.kind - b.kind);
}

/** Keys of attributes at every level. */
export function attributeKeysOf(
  traces: Iterable<TraceRows>,
  scope: AttributeScope,
): AttributeKey[] {
  const found = new Map<string, AttributeKey>();
  for (const { batch, row } of rowsOf(traces)) {
    if (!inScope(scope, batch, row)) continue;
    eachAttribute(batch, row, (level, table, a) => {
      const key = attributeName(batch, table, a);
      const type = batch.keyType[table.key[a]!]!;
      if (key.startsWith(scope.prefix ?? ""))
        found.set(`${level} ${type} ${key}`, { key, level, type });
    });
  }
  const rank = (level: AttributeLevel): number => ALL_LEVELS.indexOf(level);
  return [...found.values()]
    .sort((a, b) => compareTexts(a.key, b.key) || rank(a.level) - rank(b.level) || a.type - b.type)
    .slice(0, scope.limit);
}

/** Values of a key with the number of spans that have them. */
export function attributeValuesOf(
  traces: Iterable<TraceRows>,
  key: string,
  scope: AttributeScope,
): AttributeValue[] {
  const found = new Map<string, { value: string; type: number; spanCount: number }>();
  for (const { batch, row } of rowsOf(traces)) {
    if (!inScope(scope, batch, row)) continue;
    const ofSpan = new Map<string, { value: string; type: number }>();
    eachAttribute(batch, row, (_, table, a) => {
      if (attributeName(batch, table, a) !== key) return;
      const type = batch.keyType[table.key[a]!]!;
      const value = valueText(type, attributeValue(batch, table, a));
      if (value.startsWith(scope.prefix ?? "")) ofSpan.set(`${type} ${value}`, { value, type });
    });
    for (const [id, value] of ofSpan) {
      const known = found.get(id);
      if (known === undefined) found.set(id, { ...value, spanCount: 1 });
      else known.spanCount++;
    }
  }
  return [...found.values()]
    .sort((a, b) => b.spanCount - a.spanCount || compareTexts(a.value, b.value) || a.type - b.type)
    .slice(0, scope.limit);
}

/** Calls between services, ascending by parent, child. */
export function linksOf(
  traces: Iterable<TraceRows>,
  startMinUs: number,
  startMaxUs: number,
): ServiceLink[] {
  const calls = new Map<string, { parent: string; child: string; callCount: number }>();
  for (const trace of traces) {
    const rowsOfSpan = bySpanId(trace.rows);
    for (const { batch, row } of trace.rows) {
      const startUs = exactStartUs(batch, row);
      if (startUs < startMinUs || startUs > startMaxUs) continue;
      const child = serviceOf(batch, row);
      for (const parent of callersOf(rowsOfSpan, batch, row, child)) {
        const id = JSON.stringify([parent, child]);
        const known = calls.get(id);
        if (known === undefined) calls.set(id, { parent, child, callCount: 1 });
        else known.callCount++;
      }
    }
  }
  return [...calls.values()].sort(
    (a, b) => compareTexts(a.parent, b.parent) || compareTexts(a.child, b.child),
  );
}

/** Distinct services of the spans of the parent's id, none when the child's is among them. */
function callersOf(
  rowsOfSpan: ReadonlyMap<string, readonly RowRef[]>,
  batch: SpanBatch,
  row: number,
  child: string,
): ReadonlySet<string> {
  if (isZero(batch.parentSpanId, row * 8, 8)) return new Set();
  const parents = rowsOfSpan.get(toHex(batch.parentSpanId, row * 8, 8)) ?? [];
  const services = new Set(parents.map((parent) => serviceOf(parent.batch, parent.row)));
  return services.has(child) ? new Set() : services;
}

function bySpanId(rows: readonly RowRef[]): Map<string, RowRef[]> {
  const found = new Map<string, RowRef[]>();
  for (const at of rows) {
    const hex = toHex(at.batch.spanId, at.row * 8, 8);
    const known = found.get(hex);
    if (known === undefined) found.set(hex, [at]);
    else known.push(at);
  }
  return found;
}

function* rowsOf(traces: Iterable<TraceRows>): Generator<RowRef> {
  for (const trace of traces) yield* trace.rows;
}

function inScope(scope: AttributeScope, batch: SpanBatch, row: number): boolean {
  const startUs = exactStartUs(batch, row);
  if (startUs < scope.startMinUs || startUs > scope.startMaxUs) return false;
  return scope.service === undefined || serviceOf(batch, row) === scope.service;
}

type VisitAttribute = (level: AttributeLevel, table: AttributeTable, a: number) => void;

function eachAttribute(batch: SpanBatch, row: number, visit: VisitAttribute): void {
  const owned = (level: AttributeLevel, table: AttributeTable, owner: number): void => {
    for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) visit(level, table, a);
  };
  owned("span", batch.spanAttributes, row);
  owned("resource", batch.resourceAttributes, batch.resourceRow[row]!);
  owned("scope", batch.scopeAttributes, batch.scopeRow[row]!);
  for (let e = batch.eventOffsets[row]!; e < batch.eventOffsets[row + 1]!; e++) {
    owned("event", batch.eventAttributes, e);
  }
  for (let l = batch.linkOffsets[row]!; l < batch.linkOffsets[row + 1]!; l++) {
    owned("link", batch.linkAttributes, l);
  }
}
