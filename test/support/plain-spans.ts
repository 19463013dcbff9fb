/** Spans as plain objects, and the batches made of them: what tests generate and reason about. */

import { ATTRIBUTE_TYPE } from "../../src/core/batch.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import type { AttributeTableBuilder } from "../../src/core/attribute-table.ts";

/** A value with its type; `raw` is a STRING that is not UTF-8, by its bytes. */
export type PlainAttribute =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "raw"; readonly value: readonly number[] }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "bytes"; readonly value: readonly number[] }
  | { readonly type: "array"; readonly value: readonly string[] }
  | { readonly type: "empty" };

export type PlainAttributes = readonly (readonly [key: string, value: PlainAttribute])[];

export interface PlainResource {
  readonly attributes: PlainAttributes;
  readonly schemaUrl: string;
}

export interface PlainScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: PlainAttributes;
}

export interface PlainEvent {
  readonly atNs: bigint;
  readonly name: string;
  readonly attributes: PlainAttributes;
}

export interface PlainLink {
  readonly traceHex: string;
  readonly spanHex: string;
  readonly attributes: PlainAttributes;
}

export interface PlainSpan {
  readonly traceHex: string;
  readonly spanHex: string;
  /** 16 zeros for none. */
  readonly parentHex: string;
  readonly startNs: bigint;
  readonly durationNs: bigint;
  readonly name: string;
  readonly kind: number;
  readonly status: number;
  readonly statusMessage: string;
  readonly traceState: string;
  readonly flags: number;
  readonly droppedAttributes: number;
  readonly attributes: PlainAttributes;
  readonly events: readonly PlainEvent[];
  readonly links: readonly PlainLink[];
  readonly resource: PlainResource;
  readonly scope: PlainScope;
}

/** An ordinary span to vary: `plainSpan({ name: "x" })`. */
export function plainSpan(part: Partial<PlainSpan> = {}): PlainSpan {
  return {
    traceHex: "0102030405060708090a0b0c0d0e0f10",
    spanHex: "0000000000000001",
    parentHex: NO_PARENT,
    startNs: 1_700_000_000_000_000_000n,
    durationNs: 1_000_000n,
    name: "operation",
    kind: 2,
    status: 0,
    statusMessage: "",
    traceState: "",
    flags: 1,
    droppedAttributes: 0,
    attributes: [],
    events: [],
    links: [],
    resource: serviceResource("service-a"),
    scope: { name: "scope", version: "1", attributes: [] },
    ...part,
  };
}

export const NO_PARENT = "0000000000000000";

export function serviceResource(name: string): PlainResource {
  return { attributes: [["service.name", { type: "string", value: name }]], schemaUrl: "" };
}

export function text(value: string): PlainAttribute {
  return { type: "string", value };
}

export function int(value: bigint | number): PlainAttribute {
  return { type: "int", value: BigInt(value) };
}

export function double(value: number): PlainAttribute {
  return { type: "double", value };
}

export function bool(value: boolean): PlainAttribute {
  return { type: "bool", value };
}

/** The 16 or 8 bytes of an id. */
export function idBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** The spans as one batch; a resource or scope is one row for each object it is. */
export function batchOf(spans: readonly PlainSpan[]): SpanBatch {
  const builder = new BatchBuilder();
  const resources = new Map<PlainResource, number>();
  const scopes = new Map<PlainScope, number>();
  for (const span of spans) {
    let resource = resources.get(span.resource);
    if (resource === undefined) {
      resource = addResource(builder, span.resource);
      resources.set(span.resource, resource);
    }
    let scope = scopes.get(span.scope);
    if (scope === undefined) scopes.set(span.scope, (scope = addScope(builder, span.scope)));
    addSpan(builder, span, resource, scope);
  }
  return builder.finish();
}

function addResource(builder: BatchBuilder, resource: PlainResource): number {
  const row = builder.addResource();
  builder.resourceSchemaUrlId[row] = builder.text(resource.schemaUrl);
  addAttributes(builder, builder.resourceAttributes, resource.attributes);
  return row;
}

function addScope(builder: BatchBuilder, scope: PlainScope): number {
  const row = builder.addScope();
  builder.scopeNameId[row] = builder.text(scope.name);
  builder.scopeVersionId[row] = builder.text(scope.version);
  addAttributes(builder, builder.scopeAttributes, scope.attributes);
  return row;
}

const EXACT = 2n ** 53n;

function isExact(value: bigint): boolean {
  return value >= -EXACT && value <= EXACT;
}

function floorUs(ns: bigint): bigint {
  return (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
}

function addSpan(builder: BatchBuilder, span: PlainSpan, resource: number, scope: number): void {
  const i = builder.addSpan(resource, scope);
  builder.traceId.set(idBytes(span.traceHex), i * 16);
  builder.spanId.set(idBytes(span.spanHex), i * 8);
  builder.parentSpanId.set(idBytes(span.parentHex), i * 8);
  const us = floorUs(span.startNs);
  if (isExact(us) && isExact(span.durationNs)) {
    builder.startUs[i] = Number(us);
    builder.startNs[i] = Number(span.startNs - us * 1000n);
    builder.durationNs[i] = Number(span.durationNs);
  } else {
    builder.setExactTimes(i, span.startNs, span.durationNs);
  }
  builder.nameId[i] = builder.text(span.name);
  builder.kind[i] = span.kind;
  builder.status[i] = span.status;
  builder.statusMessageId[i] = builder.text(span.statusMessage);
  builder.traceStateId[i] = builder.text(span.traceState);
  builder.flags[i] = span.flags;
  builder.setDropped(i, span.droppedAttributes, 0, 0);
  addAttributes(builder, builder.spanAttributes, span.attributes);
  for (const event of span.events) {
    const at = floorUs(event.atNs);
    const ns = Number(event.atNs - at * 1000n);
    const row = builder.addEvent(Number(at), ns, builder.text(event.name));
    if (!isExact(at)) builder.setExactEventUs(row, at);
    addAttributes(builder, builder.eventAttributes, event.attributes);
  }
  for (const link of span.links) {
    const row = builder.addLink();
    builder.linkTraceId.set(idBytes(link.traceHex), row * 16);
    builder.linkSpanId.set(idBytes(link.spanHex), row * 8);
    addAttributes(builder, builder.linkAttributes, link.attributes);
  }
}

function addAttributes(
  builder: BatchBuilder,
  table: AttributeTableBuilder,
  attributes: PlainAttributes,
): void {
  for (const [name, attribute] of attributes) {
    const add = (type: number, value: number): void =>
      table.add(builder.key(builder.text(name), type), value);
    switch (attribute.type) {
      case "string":
        add(ATTRIBUTE_TYPE.STRING, builder.text(attribute.value));
        break;
      case "raw":
        add(ATTRIBUTE_TYPE.STRING, builder.bytes(Uint8Array.from(attribute.value)));
        break;
      case "bool":
        add(ATTRIBUTE_TYPE.BOOL, attribute.value ? 1 : 0);
        break;
      case "int":
        add(ATTRIBUTE_TYPE.INT, builder.int(attribute.value));
        break;
      case "double":
        add(ATTRIBUTE_TYPE.DOUBLE, builder.double(attribute.value));
        break;
      case "bytes":
        add(ATTRIBUTE_TYPE.BYTES, builder.bytes(Uint8Array.from(attribute.value)));
        break;
      case "array":
        add(ATTRIBUTE_TYPE.ARRAY, builder.bytes(arrayBytes(attribute.value)));
        break;
      case "empty":
        add(ATTRIBUTE_TYPE.EMPTY, 0);
    }
  }
}

/** An OTLP ArrayValue of short texts. */
function arrayBytes(values: readonly string[]): Uint8Array {
  const bytes = values.flatMap((value) => {
    const utf8 = [...Buffer.from(value)];
    return [10, utf8.length + 2, 10, utf8.length, ...utf8];
  });
  return Uint8Array.from(bytes);
}
