/** Draws the plot of results on a canvas: dots or heat, axes, the brush; says what it drew. */

import type { PlotRange, PlotScale } from "../layout/plot-scale.ts";
import { durationTicks, heatCells, radiusOf, timeTicks, xOf, yOf } from "../layout/plot-scale.ts";
import type { TraceResult } from "../data/trace-result.ts";
import type { Surface } from "./surface.ts";

export interface PlotColors {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly grid: string;
  readonly dot: string;
  readonly error: string;
  readonly accent: string;
  readonly heatLow: string;
  readonly heatHigh: string;
  readonly fontFamily: string;
}

export interface PlotPicture {
  readonly traces: readonly TraceResult[];
  readonly scale: PlotScale;
  readonly mode: "scatter" | "heatmap";
  /** Index of the trace under the pointer, -1 for none. */
  readonly hovered: number;
  readonly brush: PlotRange | undefined;
  readonly timeText: (us: number) => string;
  readonly durationText: (us: number) => string;
}

/** What was drawn, for tests: marks are dots (px) or cells with their counts. */
export interface DrawnPlot {
  readonly mode: PlotPicture["mode"];
  readonly marks: readonly { readonly x: number; readonly y: number; readonly n: number }[];
}

/** More dots are drawn without outlines: they lie over each other, and cost twice. */
const MOST_OUTLINED = 400;
/** What the scale leaves free at the right, px. */
const RIGHT_ROOM = 14;

/** Draws everything; the surface is cleared already. */
export function drawPlot(surface: Surface, colors: PlotColors, picture: PlotPicture): DrawnPlot {
  const { context } = surface;
  context.font = `11px ${colors.fontFamily}`;
  drawAxes(context, colors, picture);
  const marks =
    picture.mode === "heatmap"
      ? drawHeat(context, colors, picture)
      : drawDots(context, colors, picture);
  if (picture.brush !== undefined) drawBrush(context, colors, picture.scale, picture.brush);
  return { mode: picture.mode, marks };
}

function drawAxes(
  context: CanvasRenderingContext2D,
  colors: PlotColors,
  { scale, timeText, durationText }: PlotPicture,
): void {
  const { left, top, width, height } = scale;
  context.lineWidth = 1;
  context.fillStyle = colors.soft;
  context.textBaseline = "middle";
  context.textAlign = "right";
  let lastY = Infinity;
  for (const us of durationTicks(scale)) {
    const y = Math.round(yOf(scale, us)) + 0.5;
    if (lastY - y < 16) continue;
    lastY = y;
    line(context, colors.grid, left, y, left + width, y);
    context.fillText(durationText(us), left - 8, y);
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const us of timeTicks(scale, 96)) {
    const x = Math.round(xOf(scale, us)) + 0.5;
    line(context, colors.grid, x, top, x, top + height);
    const text = timeText(us);
    const half = context.measureText(text).width / 2;
    // Not cut off at the right edge.
    const at = Math.min(x, left + width + RIGHT_ROOM - half);
    context.fillText(text, at, top + height + 6);
  }
  line(context, colors.line, left, top + height + 0.5, left + width, top + height + 0.5);
}

function line(
  context: CanvasRenderingContext2D,
  color: string,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  context.strokeStyle = color;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function drawDots(
  context: CanvasRenderingContext2D,
  colors: PlotColors,
  { traces, scale, hovered }: PlotPicture,
): { x: number; y: number; n: number }[] {
  const marks: { x: number; y: number; n: number }[] = [];
  for (const [i, trace] of traces.entries()) {
    const x = xOf(scale, trace.startUs);
    const y = yOf(scale, trace.durationUs);
    const failed = (trace.errorCount ?? 0) > 0;
    const radius = radiusOf(trace);
    context.beginPath();
    // Not by colour alone: what failed is a diamond.
    if (failed) diamond(context, x, y, radius * 1.2);
    else context.arc(x, y, radius, 0, Math.PI * 2);
    context.globalAlpha = i === hovered ? 0.9 : 0.5;
    context.fillStyle = failed ? colors.error : colors.dot;
    context.fill();
    context.globalAlpha = 1;
    marks.push({ x, y, n: trace.spanCount ?? 1 });
    if (traces.length > MOST_OUTLINED && i !== hovered) continue;
    context.lineWidth = i === hovered ? 2 : 1;
    context.strokeStyle = i === hovered ? colors.ink : failed ? colors.error : colors.dot;
    context.stroke();
  }
  return marks;
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.closePath();
}

function drawHeat(
  context: CanvasRenderingContext2D,
  colors: PlotColors,
  { traces, scale }: PlotPicture,
): { x: number; y: number; n: number }[] {
  const cells = heatCells(traces, scale);
  const marks: { x: number; y: number; n: number }[] = [];
  const width = scale.width / cells.columns;
  const height = scale.height / cells.rows;
  for (let cell = 0; cell < cells.counts.length; cell++) {
    const n = cells.counts[cell]!;
    if (n === 0) continue;
    const x = scale.left + (cell % cells.columns) * width;
    const y = scale.top + Math.floor(cell / cells.columns) * height;
    // The square root lets single traces be seen beside crowds.
    const share = cells.most <= 1 ? 1 : Math.sqrt((n - 1) / (cells.most - 1));
    const percent = Math.round(share * 100);
    const [high, low] = [colors.heatHigh, colors.heatLow];
    context.fillStyle = `color-mix(in oklab, ${high} ${percent}%, ${low})`;
    context.fillRect(x + 0.5, y + 0.5, width - 1, height - 1);
    if (cells.errors[cell]! > 0) {
      context.fillStyle = colors.error;
      const bar = Math.max(2, (height - 1) * (cells.errors[cell]! / n));
      context.fillRect(x + width - 3, y + height - 0.5 - bar, 2.5, bar);
    }
    marks.push({ x, y, n });
  }
  return marks;
}

function drawBrush(
  context: CanvasRenderingContext2D,
  colors: PlotColors,
  scale: PlotScale,
  brush: PlotRange,
): void {
  const x0 = xOf(scale, brush.fromUs);
  const x1 = xOf(scale, brush.toUs);
  const y0 = yOf(scale, brush.highUs);
  const y1 = yOf(scale, brush.lowUs);
  context.globalAlpha = 0.12;
  context.fillStyle = colors.accent;
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  context.globalAlpha = 1;
  context.strokeStyle = colors.accent;
  context.lineWidth = 1;
  context.strokeRect(Math.round(x0) + 0.5, Math.round(y0) + 0.5, x1 - x0, y1 - y0);
}
