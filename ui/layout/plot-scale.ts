/** Where traces lie in the plot of results: time across, duration up; ticks, hits, bins. */

import type { TraceResult } from "../data/trace-result.ts";

/** The plot's inner area, px, and what its edges stand for. */
export interface PlotScale {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fromUs: number;
  readonly toUs: number;
  /** Durations at the lower and upper edge, µs; the axis is logarithmic. */
  readonly lowUs: number;
  readonly highUs: number;
}

/** A range of times and durations, µs. */
export interface PlotRange {
  readonly fromUs: number;
  readonly toUs: number;
  readonly lowUs: number;
  readonly highUs: number;
}

export interface PlotSize {
  readonly width: number;
  readonly height: number;
}

const LEFT = 60;
const RIGHT = 16;
const TOP = 10;
const BOTTOM = 22;

/** The scale that holds every trace, with a margin of a dot's size around them. */
export function scaleOf(traces: readonly TraceResult[], { width, height }: PlotSize): PlotScale {
  let fromUs = Infinity;
  let toUs = -Infinity;
  let lowUs = Infinity;
  let highUs = 1;
  for (const { startUs, durationUs } of traces) {
    fromUs = Math.min(fromUs, startUs);
    toUs = Math.max(toUs, startUs);
    lowUs = Math.min(lowUs, Math.max(1, durationUs));
    highUs = Math.max(highUs, durationUs);
  }
  if (!(fromUs <= toUs)) [fromUs, toUs, lowUs] = [0, 1, 1];
  const margin = Math.max((toUs - fromUs) * 0.02, 1000);
  return {
    left: LEFT,
    top: TOP,
    width: Math.max(1, width - LEFT - RIGHT),
    height: Math.max(1, height - TOP - BOTTOM),
    fromUs: fromUs - margin,
    toUs: toUs + margin,
    lowUs: Math.max(0.5, lowUs / 1.6),
    highUs: highUs * 1.6,
  };
}

/** Place of a time, px. */
export function xOf(scale: PlotScale, us: number): number {
  return scale.left + ((us - scale.fromUs) / (scale.toUs - scale.fromUs)) * scale.width;
}

/** Place of a duration, px. */
export function yOf(scale: PlotScale, us: number): number {
  const share = Math.log(Math.max(us, scale.lowUs) / scale.lowUs) / logSpan(scale);
  return scale.top + (1 - share) * scale.height;
}

function logSpan({ lowUs, highUs }: PlotScale): number {
  return Math.log(highUs / lowUs);
}

/** Radius of a trace's dot: its area grows with the number of spans. */
export function radiusOf({ spanCount }: TraceResult): number {
  return Math.max(3, Math.min(14, 2.2 + Math.sqrt(spanCount ?? 1) * 0.9));
}

/** Index of the trace whose dot is under a point, the smallest where several are; -1 for none. */
export function traceAt(
  traces: readonly TraceResult[],
  scale: PlotScale,
  x: number,
  y: number,
): number {
  let best = -1;
  let bestRadius = Infinity;
  for (const [i, trace] of traces.entries()) {
    const radius = radiusOf(trace) + 2;
    const distance = Math.hypot(xOf(scale, trace.startUs) - x, yOf(scale, trace.durationUs) - y);
    if (distance <= radius && radius < bestRadius) {
      best = i;
      bestRadius = radius;
    }
  }
  return best;
}

/** What a rectangle over the plot stands for, whichever corners it was drawn between. */
export function rangeOf(
  scale: PlotScale,
  from: { readonly x: number; readonly y: number },
  to: { readonly x: number; readonly y: number },
): PlotRange {
  const time = (x: number): number => {
    const share = clamp((x - scale.left) / scale.width);
    return scale.fromUs + share * (scale.toUs - scale.fromUs);
  };
  const duration = (y: number): number => {
    const share = clamp(1 - (y - scale.top) / scale.height);
    return scale.lowUs * Math.exp(share * logSpan(scale));
  };
  return {
    fromUs: time(Math.min(from.x, to.x)),
    toUs: time(Math.max(from.x, to.x)),
    lowUs: duration(Math.max(from.y, to.y)),
    highUs: duration(Math.min(from.y, to.y)),
  };
}

function clamp(share: number): number {
  return Math.max(0, Math.min(1, share));
}

/** Whether a trace lies in a range; its lowest durations are drawn at the lower edge. */
export function inRange({ startUs, durationUs }: TraceResult, range: PlotRange): boolean {
  const duration = Math.max(1, durationUs);
  if (startUs < range.fromUs || startUs > range.toUs) return false;
  return duration >= range.lowUs && duration <= range.highUs;
}

/** A range as text for an address: times to the µs, durations to a hundredth. */
export function rangeText({ fromUs, toUs, lowUs, highUs }: PlotRange): string {
  const durations = [lowUs, highUs].map((us) => Math.round(us * 100) / 100);
  return [Math.round(fromUs), Math.round(toUs), ...durations].join(",");
}

/** The range of such a text; undefined when it is malformed. */
export function rangeOfText(text: string): PlotRange | undefined {
  const numbers = text.split(",").map(Number);
  const [fromUs, toUs, lowUs, highUs] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return undefined;
  if (!(fromUs! <= toUs! && lowUs! <= highUs!)) return undefined;
  return { fromUs: fromUs!, toUs: toUs!, lowUs: lowUs!, highUs: highUs! };
}

/** Powers of ten between the edges, µs; with their 2 and 5 when there are few. */
export function durationTicks({ lowUs, highUs }: PlotScale): number[] {
  const powers: number[] = [];
  for (let power = 10 ** Math.ceil(Math.log10(lowUs)); power <= highUs; power *= 10) {
    powers.push(power);
  }
  if (powers.length > 1) return powers;
  const fine: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(lowUs)); power <= highUs; power *= 10) {
    for (const step of [1, 2, 5]) {
      if (power * step >= lowUs && power * step <= highUs) fine.push(power * step);
    }
  }
  return fine;
}

const TIME_STEPS_S = [
  0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Round times between the edges, at least `apart` px from each other. */
export function timeTicks({ fromUs, toUs, width }: PlotScale, apart: number): number[] {
  const least = ((toUs - fromUs) * apart) / width / 1e6;
  const step = (TIME_STEPS_S.find((seconds) => seconds >= least) ?? least) * 1e6;
  const ticks: number[] = [];
  for (let at = Math.ceil(fromUs / step) * step; at <= toUs; at += step) ticks.push(at);
  return ticks;
}

/** The traces counted in cells, row by row from the upper left. */
export interface HeatCells {
  readonly columns: number;
  readonly rows: number;
  readonly counts: Uint32Array;
  readonly errors: Uint32Array;
  readonly most: number;
}

const CELL_PX = 14;

/** Counts traces in cells of about 14 px. */
export function heatCells(traces: readonly TraceResult[], scale: PlotScale): HeatCells {
  const columns = Math.max(1, Math.floor(scale.width / CELL_PX));
  const rows = Math.max(1, Math.floor(scale.height / CELL_PX));
  const counts = new Uint32Array(columns * rows);
  const errors = new Uint32Array(columns * rows);
  let most = 0;
  for (const trace of traces) {
    const x = (xOf(scale, trace.startUs) - scale.left) / scale.width;
    const y = (yOf(scale, trace.durationUs) - scale.top) / scale.height;
    const column = Math.min(columns - 1, Math.max(0, Math.floor(x * columns)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(y * rows)));
    const cell = row * columns + column;
    counts[cell]!++;
    if ((trace.errorCount ?? 0) > 0) errors[cell]!++;
    most = Math.max(most, counts[cell]!);
  }
  return { columns, rows, counts, errors, most };
}
