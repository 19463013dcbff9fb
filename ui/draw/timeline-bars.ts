/** Draws a frame of the timeline: rows, guides, bars and what lies on them. Bench: ui-frames. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import { SPAN_KIND } from "../../src/core/batch.ts";
import type { DrawnRect } from "./drawn.ts";
import { beginDrawn } from "./drawn.ts";
import type { Surface } from "./surface.ts";
import { clearSurface, stripes } from "./surface.ts";
import type { Palette } from "./palette.ts";
import { colorOfRow } from "./row-colors.ts";
import { drawGuides } from "./timeline-guides.ts";
import { xOf } from "./timeline-frame.ts";
import type { RowSlot, TimelineFrame } from "./timeline-frame.ts";

/** Shorter spans are still this wide, px. */
const MIN_BAR = 2;
const LABEL_GAP = 5;
/** Events drawn on one bar; more than a bar has pixels cannot be told apart. */
const MAX_TICKS = 400;
/** Children of a collapsed client asked for a server span. */
const MAX_PEER_CHILDREN = 16;
const SHADOW = 10;
/** Spans of a chain whose critical path is drawn on its bar: they lie in each other. */
const MAX_CHAIN_DRAWN = 64;

/** What stays the same while the rows of one frame are drawn. */
interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly frame: TimelineFrame;
  readonly drawn: DrawnRect[] | undefined;
  readonly errorFill: CanvasPattern | null;
  readonly barHeight: number;
}

/** Draws everything of the body (not the ruler) onto the surface. */
export function drawTimeline(
  surface: Surface,
  frame: TimelineFrame,
  ticksNs: readonly number[],
): void {
  clearSurface(surface, frame.width, frame.height, frame.palette.surface);
  const { context } = surface;
  const pen: Pen = {
    context,
    frame,
    drawn: beginDrawn("timeline"),
    errorFill: errorStripes(context, frame.palette),
    barHeight: Math.round(frame.rowHeight / 2),
  };
  drawGrid(pen, ticksNs);
  context.font = `11px ${frame.palette.fontFamily}`;
  context.textBaseline = "middle";
  drawRows(
    pen,
    frame.slots.filter((slot) => !slot.sticky),
  );
  drawRows(
    pen,
    frame.slots.filter((slot) => slot.sticky),
  );
  drawOverlay(pen);
}

/** One pattern a palette: making it anew each frame costs more than drawing the rows. */
const stripesOf = new WeakMap<Palette, CanvasPattern | null>();

function errorStripes(context: CanvasRenderingContext2D, palette: Palette): CanvasPattern | null {
  let pattern = stripesOf.get(palette);
  if (pattern === undefined) {
    pattern = stripes(context, palette.error, palette.surface);
    stripesOf.set(palette, pattern);
  }
  return pattern;
}

function drawGrid(pen: Pen, ticksNs: readonly number[]): void {
  const { context, frame } = pen;
  if (!frame.bars) return;
  context.fillStyle = frame.palette.grid;
  for (const ns of ticksNs) {
    const x = xOf(frame, ns);
    if (x > frame.nameWidth && x < frame.width) context.fillRect(Math.round(x), 0, 1, frame.height);
  }
}

/** Grounds, then guides cut at the bars' edge, then bars cut at the names': two clips in all. */
function drawRows(pen: Pen, slots: readonly RowSlot[]): void {
  const { context, frame } = pen;
  if (slots.length === 0) return;
  for (const slot of slots) drawRowGround(pen, slot);
  context.save();
  context.beginPath();
  context.rect(0, 0, frame.nameWidth, frame.height);
  context.clip();
  for (const slot of slots) drawGuides(context, frame, slot);
  context.restore();
  if (!frame.bars) return;
  context.save();
  context.beginPath();
  context.rect(frame.nameWidth, 0, frame.width - frame.nameWidth, frame.height);
  context.clip();
  for (const slot of slots) {
    context.globalAlpha = slot.dim ? 0.3 : 1;
    drawSpan(pen, slot);
  }
  context.restore();
}

function drawRowGround(pen: Pen, slot: RowSlot): void {
  const { context, frame } = pen;
  const { palette } = frame;
  const { row } = slot;
  if (slot.sticky) {
    context.fillStyle = palette.raised;
    context.fillRect(0, slot.y, frame.width, frame.rowHeight);
    context.fillStyle = palette.line;
    context.fillRect(0, slot.y + frame.rowHeight - 1, frame.width, 1);
  }
  if (slot.match) {
    context.fillStyle = palette.found;
    context.globalAlpha = 0.5;
    context.fillRect(0, slot.y, frame.width, frame.rowHeight);
    context.globalAlpha = 1;
  }
  let fill = "";
  if (row === frame.hoverRow) fill = palette.hover;
  if (row === frame.selectedRow) fill = palette.selected;
  if (fill !== "") {
    context.fillStyle = fill;
    context.fillRect(0, slot.y, frame.width, frame.rowHeight);
  }
  if (row === frame.cursorRow || (palette.forced && row === frame.selectedRow)) {
    context.fillStyle = palette.accent;
    context.fillRect(0, slot.y, 3, frame.rowHeight);
  }
}

function drawSpan(pen: Pen, slot: RowSlot): void {
  const { context, frame } = pen;
  const { columns } = frame;
  const { row } = slot;
  const start = columns.startOffsetNs[row]!;
  const duration = columns.spanDurationNs[row]!;
  if (start + duration < frame.fromNs || start > frame.toNs) {
    drawOffscreen(pen, slot, start > frame.toNs);
    return;
  }
  const left = xOf(frame, start);
  const width = Math.max(MIN_BAR, xOf(frame, start + duration) - left);
  const top = Math.round(slot.y + (frame.rowHeight - pen.barHeight) / 2);
  const color = colorOfRow(frame.colors, row, frame.palette.soft);
  context.fillStyle = color;
  bar(context, left, top, width, pen.barHeight);
  note(pen, "bar", row, left, top, width, pen.barHeight, color, "");
  const inner = innerRow(frame, slot);
  if (inner >= 0) drawInner(pen, inner, top);
  if ((columns.flags[row]! & SPAN_FLAG.ERROR) !== 0) drawError(pen, row, left, top, width);
  drawEvents(pen, row, top);
  for (let i = 0; i < Math.min(slot.chain, MAX_CHAIN_DRAWN); i++) drawCritical(pen, row + i, top);
  drawClipping(pen, row, top, left, left + width);
  drawLabel(pen, slot, left, width);
}

/** A span outside the window is a small arrow at the side where it lies. */
function drawOffscreen(pen: Pen, slot: RowSlot, right: boolean): void {
  const { context, frame } = pen;
  const x = right ? frame.width - 8 : frame.nameWidth + 8;
  const y = slot.y + frame.rowHeight / 2;
  const step = right ? 4 : -4;
  context.fillStyle = frame.palette.soft;
  context.beginPath();
  context.moveTo(x + step, y);
  context.lineTo(x, y - 4);
  context.lineTo(x, y + 4);
  context.fill();
  note(pen, "offscreen", slot.row, x, y, 4, 8, frame.palette.soft, "");
}

function bar(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  if (width < 5) {
    context.fillRect(x, y, width, height);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, 2);
  context.fill();
}

/** Whose bar lies within the row's: a collapsed client's server, the last of a chain, or -1. */
function innerRow(frame: TimelineFrame, slot: RowSlot): number {
  if (slot.chain > 1) return slot.row + slot.chain - 1;
  return slot.collapsed ? serverChild(frame, slot.row) : -1;
}

/** A thin bar inside. */
function drawInner(pen: Pen, inner: number, top: number): void {
  const { context, frame } = pen;
  const { columns, palette } = frame;
  const start = columns.startOffsetNs[inner]!;
  const left = xOf(frame, start);
  const width = Math.max(MIN_BAR, xOf(frame, start + columns.spanDurationNs[inner]!) - left);
  const color = colorOfRow(frame.colors, inner, palette.ink);
  context.fillStyle = palette.surface;
  context.fillRect(left, top + pen.barHeight - 5, width, 4);
  context.fillStyle = color;
  context.fillRect(left, top + pen.barHeight - 4, width, 3);
  note(pen, "peer", inner, left, top + pen.barHeight - 4, width, 3, color, "");
}

/** The server span that answers this client span, or -1. */
export function serverChild(frame: Pick<TimelineFrame, "columns">, row: number): number {
  const { kind, end } = frame.columns;
  if (kind[row] !== SPAN_KIND.CLIENT) return -1;
  let child = row + 1;
  for (let n = 0; n < MAX_PEER_CHILDREN && child < end[row]!; n++, child = end[child]!) {
    if (kind[child] === SPAN_KIND.SERVER) return child;
  }
  return -1;
}

/** Stripes and an edge: an error is not told by colour alone. */
function drawError(pen: Pen, row: number, left: number, top: number, width: number): void {
  const { context, frame } = pen;
  const color = frame.palette.error;
  if (pen.errorFill !== null && width >= 5) {
    context.fillStyle = pen.errorFill;
    context.fillRect(left, top, width, pen.barHeight);
  }
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, Math.max(1, width - 1), pen.barHeight - 1);
  note(pen, "error", row, left, top, width, pen.barHeight, color, "");
}

function drawEvents(pen: Pen, row: number, top: number): void {
  const { context, frame } = pen;
  const { eventOffsets, eventNs } = frame.columns;
  const first = eventOffsets[row]!;
  const last = Math.min(eventOffsets[row + 1]!, first + MAX_TICKS);
  for (let i = first; i < last; i++) {
    const ns = eventNs[i]!;
    if (ns < frame.fromNs || ns > frame.toNs) continue;
    const x = Math.round(xOf(frame, ns));
    context.fillStyle = frame.palette.surface;
    context.fillRect(x - 1, top - 2, 3, pen.barHeight + 4);
    context.fillStyle = frame.palette.ink;
    context.fillRect(x, top - 2, 1, pen.barHeight + 4);
    note(pen, "event", row, x, top - 2, 1, pen.barHeight + 4, frame.palette.ink, "");
  }
}

function drawCritical(pen: Pen, row: number, top: number): void {
  const { context, frame } = pen;
  const { critical, palette } = frame;
  if (critical === undefined) return;
  const { path, offsets, order } = critical;
  // Beneath the bar: colour, stripes and events stay as they are.
  const y = top + pen.barHeight + 1;
  let drawnTo = -1;
  for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
    const at = order[i]!;
    if (path.toNs[at]! < frame.fromNs || path.fromNs[at]! > frame.toNs) continue;
    const left = Math.max(drawnTo, xOf(frame, path.fromNs[at]!));
    const right = Math.max(left + 1, xOf(frame, path.toNs[at]!));
    if (right - drawnTo < 0.5) continue;
    drawnTo = right;
    context.fillStyle = palette.critical;
    context.fillRect(left, y, right - left, 2);
    note(pen, "critical", row, left, y, right - left, 2, palette.critical, "");
  }
}

/** Shadows where a bar goes on beyond the window. */
function drawClipping(pen: Pen, row: number, top: number, left: number, right: number): void {
  const { context, frame } = pen;
  const { ink } = frame.palette;
  const edges: [boolean, number, number][] = [
    [left < frame.nameWidth, frame.nameWidth, frame.nameWidth + SHADOW],
    [right > frame.width, frame.width, frame.width - SHADOW],
  ];
  for (const [cut, from, to] of edges) {
    if (!cut) continue;
    context.fillStyle = ink;
    const alpha = context.globalAlpha;
    for (let i = 0; i < SHADOW; i += 2) {
      context.globalAlpha = alpha * 0.45 * (1 - i / SHADOW);
      const x = to > from ? from + i : from - i - 2;
      context.fillRect(x, top, 2, pen.barHeight);
    }
    context.globalAlpha = alpha;
    note(pen, "clipped", row, Math.min(from, to), top, SHADOW, pen.barHeight, ink, "");
  }
}

/** The duration, right of the bar, else left of it, else inside. */
function drawLabel(pen: Pen, slot: RowSlot, left: number, width: number): void {
  const { context, frame } = pen;
  const { palette, columns } = frame;
  let text = frame.durationText(columns.spanDurationNs[slot.row]!);
  if (slot.row === frame.hoverRow) text = `${text}  ${spanTitle(frame, slot.row)}`;
  const textWidth = widthOf(context, text);
  const shownLeft = Math.max(left, frame.nameWidth);
  const shownRight = Math.min(left + width, frame.width);
  let x = shownRight + LABEL_GAP;
  if (x + textWidth > frame.width - 4) x = shownLeft - LABEL_GAP - textWidth;
  const inside = x < frame.nameWidth + 2;
  if (inside) x = Math.max(shownLeft + 8, shownRight - textWidth - 12);
  const y = slot.y + frame.rowHeight / 2 + 0.5;
  if (inside) {
    context.fillStyle = palette.surface;
    context.beginPath();
    context.roundRect(x - 4, y - 7.5, textWidth + 8, 14, 3);
    context.fill();
  }
  context.fillStyle = inside || slot.row === frame.hoverRow ? palette.ink : palette.soft;
  context.fillText(text, x, y);
  note(pen, "label", slot.row, x, slot.y, textWidth, frame.rowHeight, palette.soft, text);
}

/** Widths of texts measured before; the font is always the same. */
const widths = new Map<string, number>();
const MAX_WIDTHS = 4000;

function widthOf(context: CanvasRenderingContext2D, text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size >= MAX_WIDTHS) widths.clear();
    width = context.measureText(text).width;
    widths.set(text, width);
  }
  return width;
}

function spanTitle(frame: TimelineFrame, row: number): string {
  const { columns, colors } = frame;
  const service = columns.services[columns.service[row]!] ?? "";
  const group = colors.labels?.[colors.groups[row]!];
  const told = group === undefined ? "" : `  ${group}`;
  return `${service}::${columns.names[columns.name[row]!] ?? ""}${told}`;
}

/** Cursor line, the chosen stretch, and the edge between names and bars. */
function drawOverlay(pen: Pen): void {
  const { context, frame } = pen;
  const { palette } = frame;
  if (!frame.bars) return;
  if (frame.range !== undefined) {
    const left = Math.max(frame.nameWidth, xOf(frame, frame.range.fromNs));
    const right = Math.min(frame.width, xOf(frame, frame.range.toNs));
    context.globalAlpha = 0.16;
    context.fillStyle = palette.accent;
    context.fillRect(left, 0, right - left, frame.height);
    context.globalAlpha = 1;
    context.fillRect(left, 0, 1, frame.height);
    context.fillRect(right - 1, 0, 1, frame.height);
    note(pen, "range", -1, left, 0, right - left, frame.height, palette.accent, "");
  }
  if (frame.cursorNs >= 0) {
    const x = Math.round(xOf(frame, frame.cursorNs));
    if (x >= frame.nameWidth) {
      context.fillStyle = palette.accent;
      context.fillRect(x, 0, 1, frame.height);
      note(pen, "cursor", -1, x, 0, 1, frame.height, palette.accent, "");
    }
  }
}

function note(
  pen: Pen,
  what: string,
  row: number,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
  text: string,
): void {
  pen.drawn?.push({ canvas: "timeline", what, row, x, y, width, height, color, text });
}
