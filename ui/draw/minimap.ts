/** Draws the minimap: the trace's cells, ticks, the window and what lies outside it. */

import type { MinimapCells } from "../layout/minimap-cells.ts";
import { beginDrawn } from "./drawn.ts";
import type { Palette } from "./palette.ts";
import type { RowColors } from "./row-colors.ts";
import { clearSurface } from "./surface.ts";
import type { Surface } from "./surface.ts";

export interface MinimapFrame {
  readonly width: number;
  readonly height: number;
  readonly durationNs: number;
  readonly fromNs: number;
  readonly toNs: number;
  /** -1 for none. */
  readonly cursorNs: number;
  readonly ticksNs: readonly number[];
  readonly tickText: (ns: number) => string;
  readonly palette: Palette;
  /** The cells as `paintCells` made them. */
  readonly picture: HTMLCanvasElement | undefined;
}

/** Height of the line of ticks above the cells. */
const TICKS_HEIGHT = 16;

/** What recedes keeps so much of its colour, of 255. */
const RECEDING = 70;

/** The cells as a picture one pixel a cell, made once a trace, theme and choice of colours. */
export function paintCells(
  cells: MinimapCells,
  palette: Palette,
  { fills, lit }: Pick<RowColors, "fills" | "lit">,
): HTMLCanvasElement | undefined {
  const canvas = document.createElement("canvas");
  canvas.width = cells.width;
  canvas.height = cells.height;
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  const image = context.createImageData(cells.width, cells.height);
  const pixels = new Uint32Array(image.data.buffer);
  const bad = pixelOf(palette.error, 255);
  // By cell: nobody, then the groups (those without spans have no colour), then their errors.
  const count = fills.length + 1;
  const colors = new Uint32Array(count * 2);
  fills.forEach((color, group) => {
    const shown = lit < 0 || lit === group;
    colors[group + 1] = pixelOf(color, shown ? 255 : RECEDING);
    colors[count + group + 1] = shown ? bad : colors[group + 1]!;
  });
  const { group, error } = cells;
  for (let i = 0; i < pixels.length; i++) pixels[i] = colors[group[i]! + error[i]! * count]!;
  context.putImageData(image, 0, 0);
  return canvas;
}

/** `rgb(r, g, b)`, as computed styles have it, as the four bytes of a pixel. */
function pixelOf(color: string, alpha: number): number {
  const [red = 128, green = 128, blue = 128] = (color.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function drawMinimap(surface: Surface, frame: MinimapFrame): void {
  clearSurface(surface, frame.width, frame.height, frame.palette.surface);
  const { context } = surface;
  const { palette, width, height } = frame;
  const drawn = beginDrawn("minimap");
  const x = (ns: number): number => (frame.durationNs > 0 ? (ns / frame.durationNs) * width : 0);
  const note = (what: string, left: number, right: number, text = ""): void => {
    const size = { x: left, y: 0, width: right - left, height };
    drawn?.push({ canvas: "minimap", what, row: -1, ...size, color: "", text });
  };
  context.font = `11px ${palette.fontFamily}`;
  context.textBaseline = "middle";
  for (const ns of frame.ticksNs) {
    const at = Math.round(x(ns));
    context.fillStyle = palette.grid;
    context.fillRect(at, 0, 1, height);
    const text = frame.tickText(ns);
    const textWidth = context.measureText(text).width;
    const left = Math.min(at + 4, width - textWidth - 4);
    if (left < at + 4 && left < at) continue;
    context.fillStyle = palette.soft;
    context.fillText(text, left, TICKS_HEIGHT / 2);
    note("tick", at, at + 1, text);
  }
  if (frame.picture !== undefined) drawCells(context, frame, frame.picture);
  const from = x(frame.fromNs);
  const to = x(frame.toNs);
  context.fillStyle = palette.raised;
  context.globalAlpha = 0.72;
  context.fillRect(0, 0, from, height);
  context.fillRect(to, 0, width - to, height);
  context.globalAlpha = 1;
  note("window", from, to);
  context.fillStyle = palette.accent;
  if (frame.cursorNs >= 0) context.fillRect(Math.round(x(frame.cursorNs)), 0, 1, height);
}

function drawCells(
  context: CanvasRenderingContext2D,
  frame: MinimapFrame,
  picture: HTMLCanvasElement,
): void {
  const room = frame.height - TICKS_HEIGHT - 2;
  // Few spans keep bars of a few pixels instead of becoming blocks.
  const height = Math.min(room, picture.height * 4);
  context.imageSmoothingEnabled = picture.height > room;
  context.drawImage(picture, 0, TICKS_HEIGHT, frame.width, height);
}
