/** What a row of the column of names says, to eyes and to screen readers. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { SpanDetail } from "../data/trace-source.ts";
import { colorOfRow } from "../draw/row-colors.ts";
import type { RowSlot } from "../draw/timeline-frame.ts";
import { chainName } from "../layout/chain-rows.ts";
import { durationText } from "../layout/duration-text.ts";
import { childrenOf, setSizeOf } from "../layout/siblings.ts";
import type { RowMark, RowReading, RowText } from "./row-pool.ts";
import { peerService, spanPills, spanSign } from "./span-marks.ts";
import { uiConfig } from "./page-facts.ts";
import type { TraceModel } from "./trace-model.ts";

/** Spans below a collapsed row that are asked for errors. */
const MAX_LOOKED = 50_000;
/** More children than a toggle tells are not counted. */
const MAX_CHILDREN = 1000;

/** `server`: the row of the server span that answers a collapsed client, or -1. */
export function rowTextOf(model: TraceModel, slot: RowSlot, server: number): RowText {
  const columns = model.columns.peek()!;
  const { row } = slot;
  const colors = model.colors.rows.peek();
  const detail = model.details.peek(row);
  const sign = spanSign(detail);
  const leaf = columns.end[row]! <= row + 1;
  const chain = slot.chain > 1 ? slot.row + slot.chain - 1 : -1;
  return {
    service: serviceOf(columns, row),
    name: chainName(columns, row, slot.chain),
    peer: leaf ? peerService(detail) : peerOf(columns, row, server, chain),
    children: childrenIn(model, columns, slot),
    expanded: expandedOf(model, columns, slot),
    error: errorOf(columns, slot),
    icon: sign?.icon ?? "",
    iconTitle: sign?.title ?? "",
    marks: [...groupMarks(model, slot), ...rowMarks(model, columns, slot), ...pillsOf(detail)],
    color: colors === undefined ? "" : colorOfRow(colors, row, ""),
    depth: slot.depth,
  };
}

/** What is only told to screen readers. */
export function rowReadingOf(model: TraceModel, slot: RowSlot): RowReading {
  const columns = model.columns.peek()!;
  const siblings = model.siblings.peek();
  const { row } = slot;
  return {
    level: slot.depth + 1,
    setSize: siblings === undefined ? 1 : setSizeOf(siblings, columns, row),
    place: siblings?.place[row] ?? 1,
    expanded: expandedOf(model, columns, slot),
    cells: cellsOf(model, columns, row),
  };
}

/** How many spans the row's toggle opens: children, repetitions or the links of a chain. */
function childrenIn(model: TraceModel, columns: TraceColumns, slot: RowSlot): number {
  const { row, chain } = slot;
  const leaf = columns.end[row]! <= row + 1;
  if (leaf) return model.visible.peek().groups.get(row)?.count ?? 0;
  return chain > 1 ? chain : childrenOf(columns, row, MAX_CHILDREN);
}

/** Undefined for a row that has nothing to open. */
function expandedOf(model: TraceModel, columns: TraceColumns, slot: RowSlot): boolean | undefined {
  if (slot.chain > 1) return false;
  if (columns.end[slot.row]! > slot.row + 1) return !slot.collapsed;
  return model.visible.peek().groups.has(slot.row) ? slot.repeats === 0 : undefined;
}

function pillsOf(detail: SpanDetail | undefined): RowMark[] {
  return uiConfig.traceTimeline.spanPillsEnabled ? spanPills(detail) : [];
}

/** The service that answers a collapsed client, or that a chain ends in when it is another. */
function peerOf(columns: TraceColumns, row: number, server: number, last: number): string {
  if (server >= 0) return serviceOf(columns, server);
  const other = last >= 0 && columns.service[last] !== columns.service[row];
  return other ? serviceOf(columns, last) : "";
}

function serviceOf(columns: TraceColumns, row: number): string {
  return columns.services[columns.service[row]!] ?? "";
}

/** Its own error, or one in the subtree or chain that is folded into it. */
function errorOf(columns: TraceColumns, slot: RowSlot): string {
  const { row } = slot;
  if ((columns.flags[row]! & SPAN_FLAG.ERROR) !== 0) return "own";
  if (!slot.collapsed && slot.chain === 1) return "";
  const end = slot.collapsed ? columns.end[row]! : row + slot.chain;
  const last = Math.min(end, row + MAX_LOOKED);
  for (let below = row + 1; below < last; below++) {
    if ((columns.flags[below]! & SPAN_FLAG.ERROR) !== 0) return "below";
  }
  return "";
}

function groupMarks(model: TraceModel, slot: RowSlot): RowMark[] {
  if (slot.chain > 1) return [{ text: counted(slot.chain, "span"), tone: "group" }];
  if (slot.repeats === 0) return [];
  const group = model.visible.peek().groups.get(slot.row);
  if (group === undefined) return [];
  return [{ text: `×${group.count}  Σ ${durationText(group.totalNs)}`, tone: "group" }];
}

function rowMarks(model: TraceModel, columns: TraceColumns, slot: RowSlot): RowMark[] {
  const { row } = slot;
  const marks: RowMark[] = [];
  const flags = columns.flags[row]!;
  const pruned = model.visible.peek().pruned.get(row + slot.chain - 1);
  if (pruned !== undefined) {
    const errors = pruned.errors === 0 ? "" : `, ${counted(pruned.errors, "error")}`;
    marks.push({ text: `${counted(pruned.spans, "span")} pruned${errors}`, tone: "warn" });
  }
  if ((flags & SPAN_FLAG.ORPHAN) !== 0) marks.push({ text: "parent missing", tone: "warn" });
  if ((flags & SPAN_FLAG.WARNINGS) !== 0) marks.push({ text: "warning", tone: "warn" });
  if ((flags & SPAN_FLAG.LINKS) !== 0) marks.push({ text: "links", tone: "" });
  if ((flags & SPAN_FLAG.LINKED) !== 0) marks.push({ text: "linked from", tone: "" });
  return marks;
}

function cellsOf(
  model: TraceModel,
  columns: TraceColumns,
  row: number,
): readonly [string, string, string, string] {
  const duration = columns.spanDurationNs[row]!;
  const whole = columns.durationNs;
  const share = whole === 0 ? 100 : (duration / whole) * 100;
  const critical = model.critical.peek();
  const onPath = critical !== undefined && critical.offsets[row]! < critical.offsets[row + 1]!;
  const remarks: string[] = [];
  if ((columns.flags[row]! & SPAN_FLAG.ERROR) !== 0) remarks.push("error");
  if (onPath) remarks.push("on critical path");
  const events = columns.eventOffsets[row + 1]! - columns.eventOffsets[row]!;
  if (events > 0) remarks.push(counted(events, "event"));
  const colored = model.colors.remarkOf(row);
  if (colored !== "") remarks.push(colored);
  return [
    durationText(columns.startOffsetNs[row]!),
    durationText(duration),
    `${share.toFixed(1)} %`,
    remarks.join(", "),
  ];
}

/** `1 span`, `2 spans`. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
