/** The minimap: the whole trace in a strip, with the window as a brush and two scrubbers. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import type { TraceColumns } from "../data/trace-columns.ts";
import { drawMinimap, paintCells } from "../draw/minimap.ts";
import type { Palette } from "../draw/palette.ts";
import type { RowColors } from "../draw/row-colors.ts";
import { openSurface } from "../draw/surface.ts";
import { durationText, tickText } from "../layout/duration-text.ts";
import { minimapCells } from "../layout/minimap-cells.ts";
import { tickStep, ticksOf } from "../layout/ticks.ts";
import { follow } from "./follow.ts";
import { wholeOf } from "./trace-model.ts";
import type { TraceModel } from "./trace-model.ts";

const HEIGHT = 76;
/** Cells across: the strip is a guide, and each cell costs when a trace is opened. */
const CELLS = 1000;
const LINES = 56;
const TICK_APART = 140;
/** A shorter drag is a press. */
const MIN_DRAG = 3;
/** One press of an arrow key on a scrubber, of the whole. */
const SCRUB_STEP = 0.01;

export function TraceMinimap({ model }: { model: TraceModel }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => keepDrawn(model, box.current!, canvas.current!), [model]);
  useEffect(() => listenToBrush(model, box.current!), [model]);
  const columns = model.columns.value;
  const whole = columns === undefined ? 1 : wholeOf(columns);
  const { fromNs, toNs } = model.window.value;
  return (
    <div class="minimap" ref={box}>
      <canvas ref={canvas} aria-hidden="true" />
      <Scrubber
        label="Start of the window"
        whole={whole}
        ns={fromNs}
        onMove={(ns) => model.setWindow(Math.min(ns, toNs - 1), toNs)}
      />
      <Scrubber
        label="End of the window"
        whole={whole}
        ns={toNs}
        onMove={(ns) => model.setWindow(fromNs, Math.max(ns, fromNs + 1))}
      />
      {!(fromNs === 0 && toNs === whole) && (
        <button
          type="button"
          class="button minimap-reset"
          onPointerDown={(event) => event.stopPropagation()}
          onClick={() => model.resetWindow()}
        >
          Reset selection
        </button>
      )}
    </div>
  );
}

/** Draws again whenever what is shown changes; the cells only with the trace and its colours. */
function keepDrawn(model: TraceModel, box: HTMLElement, canvas: HTMLCanvasElement): () => void {
  const surface = openSurface(canvas, { opaque: true });
  let picture: HTMLCanvasElement | undefined;
  let madeOf: readonly unknown[] = [];
  let asked = 0;
  const draw = (): void => {
    asked = 0;
    const columns = model.columns.peek();
    const palette = model.palette.peek();
    const colors = model.colors.rows.peek();
    const width = box.clientWidth;
    if (columns === undefined || palette === undefined || colors === undefined) return;
    if (width === 0) return;
    // Once all rows are there: it is a pass over the spans, and some of them tell little.
    const parts = [columns, palette, colors, model.settled.peek()];
    if (parts.some((part, i) => part !== madeOf[i])) {
      picture = model.settled.peek() ? cellsOf(columns, palette, colors) : undefined;
      madeOf = parts;
    }
    const durationNs = wholeOf(columns);
    const ticksNs = ticksOf(0, durationNs, width, TICK_APART);
    const step = tickStep((durationNs * TICK_APART) / width);
    drawMinimap(surface, {
      width,
      height: HEIGHT,
      durationNs,
      ...model.window.peek(),
      cursorNs: model.cursorNs.peek(),
      ticksNs,
      tickText: (ns) => tickText(ns, step, durationNs),
      palette,
      picture,
    });
  };
  const ask = (): void => {
    if (asked === 0) asked = requestAnimationFrame(draw);
  };
  const resize = new ResizeObserver(ask);
  resize.observe(box);
  const stop = effect(() => {
    follow(model.columns.value, model.settled.value, model.palette.value);
    follow(model.window.value, model.cursorNs.value, model.colors.rows.value);
    ask();
  });
  return () => {
    stop();
    resize.disconnect();
    cancelAnimationFrame(asked);
  };
}

function cellsOf(
  columns: TraceColumns,
  palette: Palette,
  colors: RowColors,
): HTMLCanvasElement | undefined {
  return paintCells(minimapCells(columns, CELLS, LINES, colors.groups), palette, colors);
}

/** Drag chooses the window; a press without a drag moves it there. */
function listenToBrush(model: TraceModel, box: HTMLElement): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let start: { ns: number; x: number } | undefined;
  const timeOf = (event: PointerEvent): number => {
    const columns = model.columns.peek();
    const { left, width } = box.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - left) / Math.max(1, width)));
    return share * (columns === undefined ? 0 : wholeOf(columns));
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    box.setPointerCapture(event.pointerId);
    start = { ns: timeOf(event), x: event.clientX };
  };
  const move = (event: PointerEvent): void => {
    const ns = timeOf(event);
    model.cursorNs.value = ns;
    if (start === undefined || Math.abs(event.clientX - start.x) < MIN_DRAG) return;
    model.setWindow(Math.min(ns, start.ns), Math.max(ns, start.ns));
  };
  const up = (event: PointerEvent): void => {
    if (start !== undefined && Math.abs(event.clientX - start.x) < MIN_DRAG) {
      const { fromNs, toNs } = model.window.peek();
      const half = (toNs - fromNs) / 2;
      if (!model.showsWhole()) model.setWindow(start.ns - half, start.ns + half);
    }
    start = undefined;
  };
  const leave = (): void => {
    model.cursorNs.value = -1;
  };
  box.addEventListener("pointerdown", down, { signal });
  box.addEventListener("pointermove", move, { signal });
  box.addEventListener("pointerup", up, { signal });
  // The browser took the finger to scroll the page.
  const cancel = (): void => {
    start = undefined;
    leave();
  };
  box.addEventListener("pointerleave", leave, { signal });
  box.addEventListener("pointercancel", cancel, { signal });
  return () => stop.abort();
}

interface ScrubberProps {
  readonly label: string;
  readonly whole: number;
  readonly ns: number;
  readonly onMove: (ns: number) => void;
}

function Scrubber({ label, whole, ns, onMove }: ScrubberProps): JSX.Element {
  const share = ns / whole;
  return (
    <div
      class="scrubber"
      role="slider"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={durationText(ns)}
      tabIndex={0}
      style={{ left: `${share * 100}%` }}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const box = event.currentTarget.parentElement?.getBoundingClientRect();
        if (box === undefined) return;
        onMove(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * whole);
      }}
      onKeyDown={(event) => {
        const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (by === 0) return;
        event.preventDefault();
        onMove(Math.max(0, Math.min(whole, ns + by * SCRUB_STEP * whole)));
      }}
    />
  );
}
