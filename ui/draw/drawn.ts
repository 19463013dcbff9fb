/** What the canvases drew last, for tests: geometry is asserted, never images. */

/** One rectangle in CSS pixels of its canvas. `row` is a span's row or -1. */
export interface DrawnRect {
  readonly canvas: "timeline" | "minimap" | "ruler";
  readonly what: string;
  readonly row: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
  readonly text: string;
}

/** Tests set `__spoorDrawn` to an empty object before the page loads; else nothing is kept. */
interface Hook {
  __spoorDrawn?: { [canvas: string]: DrawnRect[] };
}

/** Where a canvas notes what it draws, emptied for a new frame; undefined when nobody looks. */
export function beginDrawn(canvas: DrawnRect["canvas"]): DrawnRect[] | undefined {
  const hook: Hook = globalThis as Hook;
  if (hook.__spoorDrawn === undefined) return undefined;
  const list: DrawnRect[] = [];
  hook.__spoorDrawn[canvas] = list;
  return list;
}
