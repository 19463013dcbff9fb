/** Everything about single spans of a trace, as texts: what a page shows when one is opened. */

import { isZero, toHex } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE, STATUS_CODE } from "../batch.ts";
import type { AttributeTable, SpanBatch } from "../batch.ts";
import { attributeName, attributeValue, dictText, valueText } from "../read.ts";
import { ipv4Text } from "./host-key.ts";
import { REF_TYPE_ATTRIBUTE } from "./references.ts";
import { linkedFrom } from "./linked-from.ts";
import { SKELETON_FLAG } from "./skeleton.ts";
import type { Skeleton } from "./skeleton.ts";
import { storedWarningKey, storedWarnings } from "./stored-warnings.ts";
import type { TraceView } from "./view.ts";

/** One attribute as shown. `type` is one of string, bool, int, double, bytes, array, map, empty. */
export interface AttributeText {
  readonly key: string;
  readonly type: string;
  /** Numbers exactly, bytes as base64, arrays and maps as JSON. */
  readonly text: string;
}

export interface EventDetail {
  /** Offset from the trace's start, ns. */
  readonly offsetNs: number;
  readonly name: string;
  readonly attributes: readonly AttributeText[];
}

export interface LinkDetail {
  /** 32 and 16 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly spanIdHex: string;
  /** `CHILD_OF`, `FOLLOWS_FROM` or "" when the span does not say. */
  readonly kind: string;
  readonly attributes: readonly AttributeText[];
}

/** What the columns of a row do not hold. */
export interface SpanDetail {
  readonly row: number;
  readonly spanIdHex: string;
  /** "" for none. */
  readonly parentSpanIdHex: string;
  /** UNSET, OK or ERROR. */
  readonly status: string;
  readonly statusMessage: string;
  readonly traceState: string;
  readonly attributes: readonly AttributeText[];
  readonly resource: readonly AttributeText[];
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly scope: readonly AttributeText[];
  readonly events: readonly EventDetail[];
  readonly links: readonly LinkDetail[];
  /** Span ids of the trace's spans that link to it, children left out. */
  readonly linkedFrom: readonly string[];
  readonly warnings: readonly string[];
}

/** Names of ATTRIBUTE_TYPE by number. */
const TYPE_NAMES: readonly string[] = Object.entries(ATTRIBUTE_TYPE).reduce<string[]>(
  (names, [name, type]) => {
    names[type] = name.toLowerCase();
    return names;
  },
  [],
);
const STATUS_NAMES: readonly string[] = Object.entries(STATUS_CODE).reduce<string[]>(
  (names, [name, code]) => {
    names[code] = name;
    return names;
  },
  [],
);
const IPV4_KEYS = new Set(["ip", "peer.ipv4"]);
const REF_KINDS = new Map([
  ["child_of", "CHILD_OF"],
  ["follows_from", "FOLLOWS_FROM"],
]);

/** Details of a row. Attributes ascend by key when the view is adjusted, else are as stored. */
export function spanDetail(view: TraceView, skeleton: Skeleton, row: number): SpanDetail {
  const v = skeleton.order[row]!;
  const batch = view.parts[view.part[v]!]!;
  const i = view.row[v]!;
  const resource = batch.resourceRow[i]!;
  const scope = batch.scopeRow[i]!;
  const parent = new Uint8Array(view.parentIds.buffer, view.parentIds.byteOffset + v * 8, 8);
  const texts = (table: AttributeTable, owner: number): AttributeText[] =>
    attributeTexts(batch, table, owner, view.adjusted);
  const warned = warningsOf(batch, i);
  const own = texts(batch.spanAttributes, i);
  const { attributes, warnings } = view.adjusted
    ? withoutTwins(own)
    : { attributes: own, warnings: [] };
  const isLinked = (skeleton.flags[row]! & SKELETON_FLAG.LINKED) !== 0;
  return {
    row,
    spanIdHex: toHex(skeleton.spanId, row * 8, 8),
    parentSpanIdHex: isZero(parent, 0, 8) ? "" : toHex(parent),
    status: STATUS_NAMES[batch.status[i]!] ?? String(batch.status[i]),
    statusMessage: dictText(batch, batch.statusMessageId[i]!),
    traceState: dictText(batch, batch.traceStateId[i]!),
    attributes: warned.name === "" ? attributes : attributes.filter((a) => a.key !== warned.name),
    resource: texts(batch.resourceAttributes, resource),
    scopeName: dictText(batch, batch.scopeNameId[scope]!),
    scopeVersion: dictText(batch, batch.scopeVersionId[scope]!),
    scope: texts(batch.scopeAttributes, scope),
    events: eventDetails(batch, i, skeleton, row, texts),
    links: linkDetails(batch, i, texts),
    linkedFrom: isLinked ? linkedFrom(view, v).map((from) => spanIdOf(view, from)) : [],
    warnings: [...warned.texts, ...(view.warnings.get(v) ?? []), ...warnings],
  };
}

/** Attributes without those that say the same again, and Jaeger UI's warnings about them. */
function withoutTwins(all: readonly AttributeText[]): {
  readonly attributes: readonly AttributeText[];
  readonly warnings: readonly string[];
} {
  const seen = new Set<string>();
  const attributes: AttributeText[] = [];
  const warnings: string[] = [];
  for (const attribute of all) {
    const { key, type, text } = attribute;
    const said = JSON.stringify([key, type, text]);
    if (seen.has(said)) warnings.push(`Duplicate tag "${key}:${text}"`);
    else attributes.push(attribute);
    seen.add(said);
  }
  return { attributes, warnings };
}

function spanIdOf(view: TraceView, v: number): string {
  return toHex(new Uint8Array(view.spanIds.buffer, view.spanIds.byteOffset + v * 8, 8));
}

type Texts = (table: AttributeTable, owner: number) => AttributeText[];

function eventDetails(
  batch: SpanBatch,
  i: number,
  skeleton: Skeleton,
  row: number,
  texts: Texts,
): EventDetail[] {
  const first = batch.eventOffsets[i]!;
  const events: EventDetail[] = [];
  for (let e = first; e < batch.eventOffsets[i + 1]!; e++) {
    events.push({
      offsetNs: skeleton.eventNs[skeleton.eventOffsets[row]! + e - first]!,
      name: dictText(batch, batch.eventNameId[e]!),
      attributes: texts(batch.eventAttributes, e),
    });
  }
  return events;
}

function linkDetails(batch: SpanBatch, i: number, texts: Texts): LinkDetail[] {
  const links: LinkDetail[] = [];
  for (let l = batch.linkOffsets[i]!; l < batch.linkOffsets[i + 1]!; l++) {
    const attributes = texts(batch.linkAttributes, l);
    const kind = attributes.find(({ key }) => key === REF_TYPE_ATTRIBUTE)?.text ?? "";
    links.push({
      traceIdHex: toHex(batch.linkTraceId, l * 16, 16),
      spanIdHex: toHex(batch.linkSpanId, l * 8, 8),
      kind: REF_KINDS.get(kind) ?? "",
      attributes,
    });
  }
  return links;
}

function warningsOf(
  batch: SpanBatch,
  i: number,
): { readonly name: string; readonly texts: readonly string[] } {
  const wanted = storedWarningKey(batch);
  const { offsets, key, value } = batch.spanAttributes;
  const texts: string[] = [];
  for (let a = offsets[i]!; wanted !== -1 && a < offsets[i + 1]!; a++) {
    if (key[a] === wanted) texts.push(...storedWarnings(batch, value[a]!));
  }
  const name = wanted === -1 ? "" : dictText(batch, batch.keyNameId[wanted]!);
  return { name, texts };
}

function attributeTexts(
  batch: SpanBatch,
  table: AttributeTable,
  owner: number,
  adjusted: boolean,
): AttributeText[] {
  const texts: AttributeText[] = [];
  for (let a = table.offsets[owner]!; a < table.offsets[owner + 1]!; a++) {
    const type = batch.keyType[table.key[a]!]!;
    const key = attributeName(batch, table, a);
    let text = exactText(batch, table, a, type);
    if (adjusted && type === ATTRIBUTE_TYPE.INT && IPV4_KEYS.has(key)) {
      text = ipv4Text(Number(BigInt.asUintN(32, BigInt(text))));
    }
    texts.push({ key, type: TYPE_NAMES[type]!, text });
  }
  if (adjusted) texts.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0));
  return texts;
}

function exactText(batch: SpanBatch, table: AttributeTable, a: number, type: number): string {
  const value = attributeValue(batch, table, a);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (type !== ATTRIBUTE_TYPE.BYTES || !(value instanceof Uint8Array)) {
    return valueText(type, value);
  }
  let binary = "";
  for (const byte of value) binary += String.fromCharCode(byte);
  return btoa(binary);
}
