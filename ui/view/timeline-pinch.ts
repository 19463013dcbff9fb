/** Two fingers on the timeline: they zoom around what is between them, and move it. */

import { nameWidthOf } from "./timeline-layout.ts";
import type { TraceModel } from "./trace-model.ts";

/** Fingers closer than this tell no direction, px. */
const LEAST_APART = 8;

/** Listens until the signal aborts; the body's `data-pinch` says that two fingers are on it. */
export function listenToPinch(model: TraceModel, body: HTMLElement, signal: AbortSignal): void {
  const fingers = new Map<number, number>();
  /** What lay between the fingers as they came down: it stays between them. */
  let start: { readonly ns: number; readonly sizeNs: number; readonly apart: number } | undefined;
  const measure = (): { readonly centre: number; readonly apart: number } | undefined => {
    const [a, b] = [...fingers.values()];
    if (a === undefined || b === undefined) return undefined;
    return { centre: (a + b) / 2, apart: Math.max(LEAST_APART, Math.abs(a - b)) };
  };
  const at = (event: PointerEvent): number => event.clientX - body.getBoundingClientRect().left;
  const down = (event: PointerEvent): void => {
    if (event.pointerType !== "touch" || fingers.size === 2) return;
    fingers.set(event.pointerId, at(event));
    const now = measure();
    if (now === undefined) return;
    const { fromNs, toNs } = model.window.peek();
    start = { ns: model.timeAt(now.centre), sizeNs: toNs - fromNs, apart: now.apart };
    body.dataset["pinch"] = "yes";
    // No click comes of it.
    body.dataset["dragged"] = "yes";
  };
  const move = (event: PointerEvent): void => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, at(event));
    const now = measure();
    if (start === undefined || now === undefined) return;
    const left = nameWidthOf(model);
    const share = (now.centre - left) / Math.max(1, model.body.peek().width - left);
    const sizeNs = (start.sizeNs * start.apart) / now.apart;
    model.setWindow(start.ns - share * sizeNs, start.ns + (1 - share) * sizeNs);
  };
  const up = (event: PointerEvent): void => {
    if (!fingers.delete(event.pointerId)) return;
    start = undefined;
    if (fingers.size === 0) delete body.dataset["pinch"];
  };
  body.addEventListener("pointerdown", down, { signal });
  body.addEventListener("pointermove", move, { signal });
  body.addEventListener("pointerup", up, { signal });
  body.addEventListener("pointercancel", up, { signal });
}
