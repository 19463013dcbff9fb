/** The plot of results: scatter or heat map on a canvas, hover, click to open, drag to brush. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { timeOfDay, instantText } from "../data/instants.ts";
import type { TraceResult } from "../data/trace-result.ts";
import { drawPlot } from "../draw/results-plot.ts";
import type { DrawnPlot, PlotColors } from "../draw/results-plot.ts";
import { clearSurface, openSurface } from "../draw/surface.ts";
import type { Surface } from "../draw/surface.ts";
import { durationText } from "../layout/duration-text.ts";
import { rangeOf, scaleOf, traceAt } from "../layout/plot-scale.ts";
import type { PlotRange, PlotScale } from "../layout/plot-scale.ts";
import { zone } from "./page-facts.ts";
import { basePath, goTo } from "./router.ts";
import { traceHref } from "./search-state.ts";
import type { PlotMode } from "./search-state.ts";
import { theme } from "./theme.ts";

interface ResultsPlotProps {
  readonly traces: ReadonlySignal<readonly TraceResult[]>;
  readonly mode: ReadonlySignal<PlotMode>;
  /** What is brushed; undefined for nothing. */
  readonly brush: Signal<PlotRange | undefined>;
  /** Told when a drag or a click has changed it. */
  readonly onBrushed: () => void;
}

interface Hover {
  readonly index: number;
  readonly x: number;
  readonly y: number;
}

const HEIGHT = 168;
/** A drag shorter than this is a click. */
const CLICK_PX = 4;

/** The canvas and what hovers over it. The table under it says the same to those who cannot see. */
export function ResultsPlot({ traces, mode, brush, onBrushed }: ResultsPlotProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<Surface | undefined>(undefined);
  const scale = useRef<PlotScale | undefined>(undefined);
  const width = useSignal(0);
  const hover = useSignal<Hover | undefined>(undefined);
  useSignalEffect(() => {
    const element = host.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  });
  useSignalEffect(() => {
    const element = canvas.current;
    if (element === null || width.value === 0) return;
    void theme.value;
    surface.current ??= openSurface(element);
    clearSurface(surface.current, width.value, HEIGHT);
    scale.current = scaleOf(traces.value, { width: width.value, height: HEIGHT });
    const drawn = drawPlot(surface.current, readColors(element), {
      traces: traces.value,
      scale: scale.current,
      mode: mode.value,
      hovered: hover.value?.index ?? -1,
      brush: brush.value,
      timeText: tickText(scale.current),
      durationText: (us) => durationText(us * 1000),
    });
    noteDrawn(drawn);
  });
  const point = (event: PointerEvent): { x: number; y: number } => {
    const box = canvas.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const hit = (at: { x: number; y: number }): number => {
    if (scale.current === undefined || mode.value !== "scatter") return -1;
    return traceAt(traces.value, scale.current, at.x, at.y);
  };
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || scale.current === undefined) return;
    const from = point(event);
    const before = brush.peek();
    const element = canvas.current;
    element?.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      const to = point(moved);
      const [dx, dy] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
      if (Math.hypot(dx, dy) < CLICK_PX || scale.current === undefined) return;
      // A finger that goes down the page means to scroll it: with fewer results it could not.
      if (moved.pointerType === "touch" && dy > dx && brush.peek() === before) return;
      hover.value = undefined;
      brush.value = rangeOf(scale.current, from, to);
    };
    const release = (): void => {
      element?.removeEventListener("pointermove", move);
      element?.removeEventListener("pointerup", stop);
      element?.removeEventListener("pointercancel", cancel);
    };
    // The browser took the finger to scroll the page.
    const cancel = (): void => {
      release();
      brush.value = before;
    };
    const stop = (ended: PointerEvent): void => {
      release();
      const to = point(ended);
      if (Math.hypot(to.x - from.x, to.y - from.y) >= CLICK_PX) return onBrushed();
      const trace = traces.value[hit(to)];
      if (trace !== undefined) openTrace(trace);
      else {
        brush.value = undefined;
        onBrushed();
      }
    };
    element?.addEventListener("pointermove", move);
    element?.addEventListener("pointerup", stop);
    element?.addEventListener("pointercancel", cancel);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (event.buttons !== 0) return;
    const at = point(event);
    const index = hit(at);
    if (index < 0) hover.value = undefined;
    else hover.value = { index, x: event.clientX, y: event.clientY };
  };
  const hovered = traces.value[hover.value?.index ?? -1];
  return (
    <div class="plot" ref={host}>
      <canvas
        ref={canvas}
        class={hovered === undefined ? "" : "over"}
        role="img"
        aria-label={labelOf(traces.value.length)}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => {
          hover.value = undefined;
        }}
      />
      {hovered !== undefined && hover.value !== undefined && (
        <PlotTip trace={hovered} at={hover.value} />
      )}
    </div>
  );
}

function PlotTip({ trace, at }: { readonly trace: TraceResult; readonly at: Hover }): JSX.Element {
  const right = at.x > innerWidth - 320;
  const place = right
    ? { right: `${innerWidth - at.x + 12}px`, top: `${at.y + 12}px` }
    : { left: `${at.x + 12}px`, top: `${at.y + 12}px` };
  return (
    <div class="tip" style={place}>
      <strong>
        {trace.rootService}: {trace.rootName}
      </strong>
      <br />
      {durationText(trace.durationUs * 1000)} · {trace.spanCount ?? "?"} spans
      {(trace.errorCount ?? 0) > 0 && <span class="bad"> · {trace.errorCount} errors</span>}
      <br />
      {trace.services.map(({ name }) => name).join(", ")}
      <br />
      <span class="soft">{instantText(trace.startUs, zone.value)}</span>
    </div>
  );
}

function openTrace(trace: TraceResult): void {
  goTo(traceHref(trace).slice(basePath().length), {
    state: { fromSearch: location.pathname.slice(basePath().length) + location.search },
  });
}

/** Time of day, as fine as the range needs; a date where a day is no more than a tick. */
function tickText({ fromUs, toUs }: PlotScale): (us: number) => string {
  const spanUs = toUs - fromUs;
  if (spanUs > 2 * 86_400e6) return (us) => instantText(us, zone.value).slice(5, 16);
  if (spanUs > 600e6) return (us) => timeOfDay(us, zone.value).slice(0, 5);
  return (us) => timeOfDay(us, zone.value).slice(0, spanUs > 5e6 ? 8 : 12);
}

/** Tokens say light-dark(…), which only the style of a real element resolves. */
function readColors(near: Element): PlotColors {
  const probe = document.createElement("span");
  near.parentElement?.append(probe);
  const style = getComputedStyle(probe);
  const token = (name: string): string => {
    probe.style.color = `var(${name})`;
    return style.color;
  };
  const colors = {
    ink: token("--ink"),
    soft: token("--soft"),
    line: token("--control"),
    grid: token("--grid"),
    dot: token("--service-12"),
    error: token("--bad-mark"),
    accent: token("--accent"),
    heatLow: token("--heat-0"),
    heatHigh: token("--heat-1"),
    fontFamily: style.fontFamily,
  };
  probe.remove();
  return colors;
}

function labelOf(count: number): string {
  return `Duration over start time of ${count} traces; the list below has them`;
}

/** Tests ask the page what it drew. */
function noteDrawn(drawn: DrawnPlot): void {
  Object.assign(globalThis, { __resultsPlot: drawn });
}
