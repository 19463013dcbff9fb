/** The skeleton of a trace: place, times, service, name and flags of every span, as columns. */

import { compareTexts, toHex } from "../../base/bytes.ts";
import { ATTRIBUTE_TYPE, STATUS_CODE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { dictText } from "../read.ts";
import { displayOrder } from "./display-order.ts";
import { eachInnerLink } from "./linked-from.ts";
import { orderByStart } from "./start-order.ts";
import { SpanIdIndex, treeOf } from "./tree.ts";
import type { TraceTree } from "./tree.ts";
import { storedWarningKey } from "./stored-warnings.ts";
import { addWarning } from "./view.ts";
import type { TraceView } from "./view.ts";

/** Bits of `SkeletonColumns.flags`. */
export const SKELETON_FLAG = {
  /** Its status is an error, or it has Jaeger's tag `error=true`. */
  ERROR: 1,
  /** It names a parent that is not in the trace. */
  ORPHAN: 2,
  LINKS: 4,
  EVENTS: 8,
  /** Warnings of the adjusters or of the stored span. */
  WARNINGS: 16,
  /** Its id is that of an earlier row. */
  DUPLICATE_ID: 32,
  /** Its status says that it went well. */
  OK: 64,
  /** Another span of the trace, none of its children, links to it. */
  LINKED: 128,
} as const;

/** A trace in display order: a row's subtree are the rows `row ..< end[row]`. */
export interface SkeletonColumns {
  /** 32 lower-case hex digits. */
  readonly traceIdHex: string;
  readonly spanCount: number;
  /** Earliest start, µs since 1970, and the ns (0..999) beyond it. */
  readonly startUs: number;
  readonly startNs: number;
  /** From the earliest start to the latest end, ns. */
  readonly durationNs: number;
  /** Row of the parent, -1 for a root. */
  readonly parent: Int32Array;
  /** 0 for a root. */
  readonly depth: Uint32Array;
  /** First row after the subtree. */
  readonly end: Uint32Array;
  /** Offset of the start from the trace's, ns. */
  readonly startOffsetNs: Float64Array;
  /** Negative durations are 0 here. */
  readonly spanDurationNs: Float64Array;
  /** Index into `services`. */
  readonly service: Uint16Array;
  /** Index into `names`. */
  readonly name: Uint32Array;
  /** SPAN_KIND of core/batch.ts. */
  readonly kind: Uint8Array;
  /** SKELETON_FLAG bits. */
  readonly flags: Uint8Array;
  /** 8 bytes a row. */
  readonly spanId: Uint8Array;
  /** Events of row r are `eventOffsets[r] ..< eventOffsets[r + 1]`. */
  readonly eventOffsets: Uint32Array;
  /** Offset of each event from the trace's start, ns. */
  readonly eventNs: Float64Array;
  /** Ascending by their bytes, so that colours and filters are the same for everybody. */
  readonly services: readonly string[];
  /** In order of first appearance. */
  readonly names: readonly string[];
  /** Says which state of a growing trace this is; details and find are asked about it. */
  readonly token: string;
}

/** The columns with the way back: row r shows span `order[r]` of the view. */
export interface Skeleton extends SkeletonColumns {
  readonly order: Uint32Array;
}

/** Services a trace may show; later ones (by bytes) share the last index. */
const MOST_SERVICES = 65_535;
const OTHER_SERVICES = "(other services)";
const STARTLESS_WARNING = "sent without a start; shown at its parent's";
const CIRCLE_WARNING = "parent ids form a circle; shown as a root";

/**
 * The skeleton of a view, adjusted or not, with at least one span. Every span is one row. Spans
 * that had to become roots because their parents form a circle get a warning in the view. The
 * tree is that of the view's ids, for who has it already.
 *
 * Columns are read in the order of the view, which is that of memory, and written by row.
 */
export function skeletonOf(view: TraceView, tree: TraceTree = treeOfView(view)): Skeleton {
  const n = view.spanCount;
  const times = timesOf(view, tree);
  const sorted = orderByStart(times.offsetNs, view.spanIds, n);
  const { order, rowOf, parent, depth, end, cut } = displayOrder(tree, sorted);
  for (const v of cut) addWarning(view, v, CIRCLE_WARNING);
  const startOffsetNs = new Float64Array(n);
  const spanDurationNs = new Float64Array(n);
  const ids = new Uint32Array(n * 2);
  for (let v = 0; v < n; v++) {
    const r = rowOf[v]!;
    startOffsetNs[r] = times.offsetNs[v]!;
    spanDurationNs[r] = times.durationNs[v]!;
    ids[r * 2] = view.spanIds[v * 2]!;
    ids[r * 2 + 1] = view.spanIds[v * 2 + 1]!;
  }
  const spanId = new Uint8Array(ids.buffer);
  return {
    order,
    traceIdHex: toHex(view.parts[view.part[0]!]!.traceId, view.row[0]! * 16, 16),
    spanCount: n,
    startUs: times.startUs,
    startNs: times.startNs,
    durationNs: times.traceNs,
    parent,
    depth,
    end,
    startOffsetNs,
    spanDurationNs,
    ...servicesOf(view, rowOf),
    ...namesOf(view, rowOf),
    kind: kindsOf(view, rowOf),
    flags: flagsOf(view, rowOf, tree),
    spanId,
    ...eventsOf(view, order, rowOf, times),
    token: tokenOf(spanId, startOffsetNs, spanDurationNs, parent, times),
  };
}

function treeOfView(view: TraceView): TraceTree {
  const ids = view.spanIds.subarray(0, view.spanCount * 2);
  return treeOf(ids, view.parentIds.subarray(0, view.spanCount * 2), new SpanIdIndex(ids));
}

/** Times of all spans, by span of the view. */
interface Times {
  readonly startUs: number;
  readonly startNs: number;
  readonly traceNs: number;
  readonly offsetNs: Float64Array;
  readonly durationNs: Float64Array;
}

function timesOf(view: TraceView, tree: TraceTree): Times {
  const n = view.spanCount;
  const us = new Float64Array(n);
  const ns = new Uint16Array(n);
  const durationNs = new Float64Array(n);
  const starts = view.parts.map((batch) => batch.startUs);
  const fractions = view.parts.map((batch) => batch.startNs);
  const durations = view.parts.map((batch) => batch.durationNs);
  const startless: number[] = [];
  for (let v = 0; v < n; v++) {
    const p = view.part[v]!;
    const i = view.row[v]!;
    if (starts[p]![i] === 0) startless.push(v);
    const shifted = fractions[p]![i]! + (view.shiftNs === undefined ? 0 : view.shiftNs[v]!);
    const carryUs = Math.floor(shifted / 1000);
    us[v] = starts[p]![i]! + carryUs;
    ns[v] = shifted - carryUs * 1000;
    const duration = durations[p]![i]!;
    durationNs[v] = duration > 0 ? duration : 0;
  }
  if (startless.length > 0) inheritStarts(view, tree, startless, us, ns);
  let minUs = Infinity;
  let minNs = 0;
  for (let v = 0; v < n; v++) {
    if (us[v]! > minUs || (us[v] === minUs && ns[v]! >= minNs)) continue;
    minUs = us[v]!;
    minNs = ns[v]!;
  }
  let traceNs = 0;
  for (let v = 0; v < n; v++) {
    us[v] = (us[v]! - minUs) * 1000 + (ns[v]! - minNs);
    const endNs = us[v]! + durationNs[v]!;
    if (endNs > traceNs) traceNs = endNs;
  }
  return { startUs: minUs, startNs: minNs, traceNs, offsetNs: us, durationNs };
}

/** A span sent without a start stands where its nearest ancestor with one does, as in Jaeger UI. */
function inheritStarts(
  view: TraceView,
  tree: TraceTree,
  startless: readonly number[],
  us: Float64Array,
  ns: Uint16Array,
): void {
  const open = new Set(startless);
  for (const first of startless) {
    const chain: number[] = [];
    let v = first;
    while (v !== -1 && open.delete(v)) {
      chain.push(v);
      v = tree.parent[v]!;
    }
    // Without such an ancestor, or in a circle, they stay as they are.
    if (v === -1 || us[v] === 0) continue;
    for (const child of chain) {
      us[child] = us[v]!;
      ns[child] = ns[v]!;
      addWarning(view, child, STARTLESS_WARNING);
    }
  }
}

function servicesOf(
  view: TraceView,
  rowOf: Uint32Array,
): { readonly services: readonly string[]; readonly service: Uint16Array } {
  const texts = view.parts.map((batch) =>
    Array.from(batch.resourceServiceId, (id) => dictText(batch, id)),
  );
  const used = view.parts.map((batch) => new Uint8Array(batch.resourceCount));
  const resources = view.parts.map((batch) => batch.resourceRow);
  for (let v = 0; v < view.spanCount; v++) {
    const p = view.part[v]!;
    used[p]![resources[p]![view.row[v]!]!] = 1;
  }
  const names = new Set<string>();
  texts.forEach((ofPart, p) => ofPart.forEach((text, r) => used[p]![r] === 1 && names.add(text)));
  let services = [...names].sort(compareTexts);
  if (services.length > MOST_SERVICES) {
    services = [...services.slice(0, MOST_SERVICES - 1), OTHER_SERVICES];
  }
  const last = services.length - 1;
  const indexOf = new Map(services.map((text, index) => [text, index]));
  const numbers = texts.map((ofPart) => ofPart.map((text) => indexOf.get(text) ?? last));
  const service = new Uint16Array(rowOf.length);
  for (let v = 0; v < rowOf.length; v++) {
    const p = view.part[v]!;
    service[rowOf[v]!] = numbers[p]![resources[p]![view.row[v]!]!]!;
  }
  return { services, service };
}

function namesOf(
  view: TraceView,
  rowOf: Uint32Array,
): { readonly names: readonly string[]; readonly name: Uint32Array } {
  const numberOfText = new Map<string, number>();
  const numbers = view.parts.map((batch) => new Int32Array(batch.dictCount).fill(-1));
  const ids = view.parts.map((batch) => batch.nameId);
  const name = new Uint32Array(rowOf.length);
  for (let v = 0; v < rowOf.length; v++) {
    const p = view.part[v]!;
    const id = ids[p]![view.row[v]!]!;
    let number = numbers[p]![id]!;
    if (number === -1) {
      const text = dictText(view.parts[p]!, id);
      number = numberOfText.get(text) ?? numberOfText.size;
      numberOfText.set(text, number);
      numbers[p]![id] = number;
    }
    name[rowOf[v]!] = number;
  }
  return { names: numberedByRow(name, [...numberOfText.keys()]), name };
}

/** Numbers the names anew by first appearance; the names in that order. */
function numberedByRow(name: Uint32Array, texts: readonly string[]): string[] {
  const renumbered = new Int32Array(texts.length).fill(-1);
  const names: string[] = [];
  for (let r = 0; r < name.length; r++) {
    const number = name[r]!;
    if (renumbered[number] === -1) renumbered[number] = names.push(texts[number]!) - 1;
    name[r] = renumbered[number]!;
  }
  return names;
}

function kindsOf(view: TraceView, rowOf: Uint32Array): Uint8Array {
  const kinds = view.parts.map((batch) => batch.kind);
  const kind = new Uint8Array(rowOf.length);
  for (let v = 0; v < rowOf.length; v++) {
    kind[rowOf[v]!] = kinds[view.part[v]!]![view.row[v]!]!;
  }
  return kind;
}

function flagsOf(view: TraceView, rowOf: Uint32Array, tree: TraceTree): Uint8Array {
  const ofPart = view.parts.map(flagsOfBatch);
  const flags = new Uint8Array(rowOf.length);
  for (let v = 0; v < rowOf.length; v++) {
    let bits = ofPart[view.part[v]!]![view.row[v]!]!;
    if (tree.orphan[v] === 1) bits |= SKELETON_FLAG.ORPHAN;
    if (tree.duplicate[v] === 1) bits |= SKELETON_FLAG.DUPLICATE_ID;
    flags[rowOf[v]!] = bits;
  }
  for (const v of view.warnings.keys()) flags[rowOf[v]!]! |= SKELETON_FLAG.WARNINGS;
  eachInnerLink(view, (_, target) => {
    flags[rowOf[target]!]! |= SKELETON_FLAG.LINKED;
  });
  return flags;
}

/** The flags that the stored spans of a batch have, by row. */
function flagsOfBatch(batch: SpanBatch): Uint8Array {
  const flags = new Uint8Array(batch.spanCount);
  const bits = flagsOfKeys(batch);
  const marked = bits.some((bit) => bit !== 0);
  const { offsets, key, value } = batch.spanAttributes;
  for (let i = 0; i < batch.spanCount; i++) {
    let flag = flagOfStatus(batch.status[i]!);
    if (batch.linkOffsets[i] !== batch.linkOffsets[i + 1]) flag |= SKELETON_FLAG.LINKS;
    if (batch.eventOffsets[i] !== batch.eventOffsets[i + 1]) flag |= SKELETON_FLAG.EVENTS;
    if (marked) {
      for (let a = offsets[i]!; a < offsets[i + 1]!; a++) {
        const bit = bits[key[a]!]!;
        if (bit !== 0 && (bit !== SKELETON_FLAG.ERROR || isTrue(batch, key[a]!, value[a]!))) {
          flag |= bit;
        }
      }
    }
    flags[i] = flag;
  }
  return flags;
}

function flagOfStatus(status: number): number {
  if (status === STATUS_CODE.ERROR) return SKELETON_FLAG.ERROR;
  return status === STATUS_CODE.OK ? SKELETON_FLAG.OK : 0;
}

/** What an attribute of each key may say about its span: ERROR, WARNINGS or nothing. */
function flagsOfKeys(batch: SpanBatch): Uint8Array {
  const bits = new Uint8Array(batch.keyCount);
  const warnings = storedWarningKey(batch);
  for (let k = 0; k < batch.keyCount; k++) {
    if (k === warnings) bits[k] = SKELETON_FLAG.WARNINGS;
    else if (dictText(batch, batch.keyNameId[k]!) === "error") bits[k] = SKELETON_FLAG.ERROR;
  }
  return bits;
}

function isTrue(batch: SpanBatch, key: number, value: number): boolean {
  const type = batch.keyType[key];
  if (type === ATTRIBUTE_TYPE.BOOL) return value !== 0;
  return type === ATTRIBUTE_TYPE.STRING && dictText(batch, value) === "true";
}

function eventsOf(
  view: TraceView,
  order: Uint32Array,
  rowOf: Uint32Array,
  times: Times,
): { readonly eventOffsets: Uint32Array; readonly eventNs: Float64Array } {
  const n = order.length;
  const eventOffsets = new Uint32Array(n + 1);
  const offsets = view.parts.map((batch) => batch.eventOffsets);
  for (let v = 0; v < n; v++) {
    const ofPart = offsets[view.part[v]!]!;
    const i = view.row[v]!;
    eventOffsets[rowOf[v]! + 1] = ofPart[i + 1]! - ofPart[i]!;
  }
  for (let r = 0; r < n; r++) eventOffsets[r + 1]! += eventOffsets[r]!;
  const eventNs = new Float64Array(eventOffsets[n]!);
  for (let r = 0; r < n; r++) {
    let at = eventOffsets[r]!;
    if (at === eventOffsets[r + 1]) continue;
    const v = order[r]!;
    const batch = view.parts[view.part[v]!]!;
    const i = view.row[v]!;
    const shiftNs = view.shiftNs === undefined ? 0 : view.shiftNs[v]!;
    for (let e = batch.eventOffsets[i]!; e < batch.eventOffsets[i + 1]!; e++) {
      const us = batch.eventUs[e]! - times.startUs;
      eventNs[at++] = us * 1000 + (batch.eventNs[e]! - times.startNs) + shiftNs;
    }
  }
  return { eventOffsets, eventNs };
}

/** A text that differs when spans, their times or their places do (53 bits of hash). */
function tokenOf(
  spanId: Uint8Array,
  startOffsetNs: Float64Array,
  spanDurationNs: Float64Array,
  parent: Int32Array,
  times: Times,
): string {
  const head = new Float64Array([times.startUs, times.startNs, parent.length]);
  const columns = [head, spanId, startOffsetNs, spanDurationNs, parent];
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (const column of columns) {
    const words = new Int32Array(column.buffer, column.byteOffset, column.byteLength >>> 2);
    for (let w = 0; w < words.length; w++) {
      low = Math.imul(low ^ words[w]!, 0x01000193);
      low ^= low >>> 15;
      high = Math.imul(high ^ words[w]!, 0x85ebca6b);
      high ^= high >>> 13;
    }
  }
  const hash = (high & 0x1fffff) * 4_294_967_296 + (low >>> 0);
  return `${parent.length.toString(36)}.${hash.toString(36)}`;
}
