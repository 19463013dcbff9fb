/** Draws the ruler: times at the ticks of the window, and the time under the pointer. */

import { beginDrawn } from "./drawn.ts";
import type { DrawnRect } from "./drawn.ts";
import type { Palette } from "./palette.ts";
import { clearSurface } from "./surface.ts";
import type { Surface } from "./surface.ts";

export interface RulerFrame {
  readonly width: number;
  readonly height: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly ticksNs: readonly number[];
  /** -1 for none. */
  readonly cursorNs: number;
  readonly palette: Palette;
  readonly tickText: (ns: number) => string;
  /** The text of the pointer's time, as exact as the window allows. */
  readonly cursorText: (ns: number) => string;
}

export function drawRuler(surface: Surface, frame: RulerFrame): void {
  clearSurface(surface, frame.width, frame.height, frame.palette.bg);
  const { context } = surface;
  const drawn = beginDrawn("ruler");
  const { palette } = frame;
  const scale = frame.width / (frame.toNs - frame.fromNs);
  context.font = `11px ${palette.fontFamily}`;
  context.textBaseline = "middle";
  const middle = frame.height / 2 + 0.5;
  let freeFrom = 4;
  for (const ns of frame.ticksNs) {
    const x = Math.round((ns - frame.fromNs) * scale);
    if (x < 0 || x > frame.width) continue;
    const text = frame.tickText(ns);
    const width = context.measureText(text).width;
    context.fillStyle = palette.line;
    context.fillRect(x, 0, 1, frame.height);
    const at = Math.min(x + 5, frame.width - width - 4);
    if (at < freeFrom) continue;
    freeFrom = at + width + 8;
    context.fillStyle = palette.soft;
    context.fillText(text, at, middle);
    note(drawn, "tick", x, width, frame.height, text);
  }
  if (frame.cursorNs >= 0) drawCursor(surface, frame, scale, drawn);
}

function drawCursor(
  surface: Surface,
  frame: RulerFrame,
  scale: number,
  drawn: DrawnRect[] | undefined,
): void {
  const { context } = surface;
  const x = Math.round((frame.cursorNs - frame.fromNs) * scale);
  const text = frame.cursorText(frame.cursorNs);
  const width = context.measureText(text).width + 10;
  const left = Math.max(0, Math.min(frame.width - width, x - width / 2));
  context.fillStyle = frame.palette.accent;
  context.beginPath();
  context.roundRect(left, 4, width, frame.height - 8, 3);
  context.fill();
  context.fillRect(x, frame.height - 4, 1, 4);
  context.fillStyle = frame.palette.onAccent;
  context.fillText(text, left + 5, frame.height / 2 + 0.5);
  note(drawn, "cursor", x, width, frame.height, text);
}

function note(
  drawn: DrawnRect[] | undefined,
  what: string,
  x: number,
  width: number,
  height: number,
  text: string,
): void {
  drawn?.push({ canvas: "ruler", what, row: -1, x, y: 0, width, height, color: "", text });
}
