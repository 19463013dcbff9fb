/** The pointer on the timeline: wheel, drag, click, double click, hover, fingers. */

import { hintAt } from "../draw/bar-hints.ts";
import type { BarHint } from "../draw/bar-hints.ts";
import { guideAt } from "../draw/timeline-guides.ts";
import { indentOf } from "../draw/timeline-frame.ts";
import type { TraceContext } from "./trace-context.ts";
import { Fling } from "./timeline-fling.ts";
import { nameWidthOf } from "./timeline-layout.ts";
import { listenToPinch } from "./timeline-pinch.ts";
import { toggleRow, toggleSiblings } from "./tree-folding.ts";
import type { TimelineElements, TimelineView } from "./timeline-view.ts";

/** Pixels a pointer moves before it is a drag and not a click. */
const DRAG_PX = 4;
/** Zoom of one px of wheel. */
const WHEEL_ZOOM = 0.0022;
/** A line and a page of wheel, px. */
const LINE_PX = 24;
const TOGGLE_WIDTH = 26;

/** Listens until the returned function is called. */
export function listenToPointer(
  context: TraceContext,
  view: TimelineView,
  elements: TimelineElements,
): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const { body, ruler } = elements;
  const rulerBox = ruler.parentElement ?? ruler;
  const wheel = (event: WheelEvent): void => onWheel(context, view, body, event);
  body.addEventListener("wheel", wheel, { signal, passive: false });
  rulerBox.addEventListener("wheel", wheel, { signal, passive: false });
  listenToHover(context, view, body, signal);
  listenToClicks(context, view, body, signal);
  listenToBodyDrag(context, body, signal);
  listenToPinch(context.model, body, signal);
  listenToRulerDrag(context, rulerBox, signal);
  listenToThumb(context, elements, signal);
  return () => stop.abort();
}

function onWheel(
  context: TraceContext,
  view: TimelineView,
  body: HTMLElement,
  event: WheelEvent,
): void {
  const { model } = context;
  event.preventDefault();
  const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? body.clientHeight : 1;
  const x = event.clientX - body.getBoundingClientRect().left;
  const across = Math.max(1, body.clientWidth - nameWidthOf(model));
  if (event.ctrlKey || event.metaKey) {
    const at = Math.max(nameWidthOf(model), x);
    model.zoomAt(model.timeAt(at), Math.exp(event.deltaY * unit * WHEEL_ZOOM));
    return;
  }
  if (event.shiftKey) {
    model.pan(((event.deltaY + event.deltaX) * unit) / across);
    return;
  }
  if (event.deltaX !== 0) model.pan((event.deltaX * unit) / across);
  if (event.deltaY !== 0) model.scrollBy(event.deltaY * unit);
  view.lookAhead();
  hoverAt(context, view, body, event);
}

function hoverAt(
  context: TraceContext,
  view: TimelineView,
  body: HTMLElement,
  event: MouseEvent,
): void {
  const { model } = context;
  const box = body.getBoundingClientRect();
  const x = event.clientX - box.left;
  const slot = view.slotAt(event.clientY - box.top);
  const frame = view.frame;
  model.hoverRow.value = slot?.row ?? -1;
  model.guideRow.value = slot === undefined || frame === undefined ? -1 : guideAt(frame, slot, x);
  const hint = slot && frame && hintAt(frame, slot, x, event.clientY - box.top);
  showHint(context, hint, event);
  const left = nameWidthOf(model);
  model.cursorNs.value = x >= left && model.barsShown.peek() ? model.timeAt(x) : -1;
}

/** The tooltip stays where it came up while the pointer is on the same thing. */
function showHint(
  { hint: shown }: TraceContext,
  hint: BarHint | undefined,
  { clientX: x, clientY: y }: MouseEvent,
): void {
  const old = shown.peek();
  const same = old?.row === hint?.row && String(old?.events) === String(hint?.events);
  if (!same) shown.value = hint === undefined ? undefined : { ...hint, x, y };
}

function listenToHover(
  context: TraceContext,
  view: TimelineView,
  body: HTMLElement,
  signal: AbortSignal,
): void {
  const { model } = context;
  body.addEventListener(
    "pointermove",
    (event) => {
      // Fingers hover over nothing.
      const inside = event.target instanceof Element && event.target.closest(".tl-detail") !== null;
      if (inside || event.pointerType === "touch") {
        context.hint.value = undefined;
        model.hoverRow.value = -1;
        model.cursorNs.value = -1;
        return;
      }
      hoverAt(context, view, body, event);
    },
    { signal },
  );
  body.addEventListener(
    "pointerleave",
    () => {
      context.hint.value = undefined;
      model.hoverRow.value = -1;
      model.guideRow.value = -1;
      model.cursorNs.value = -1;
    },
    { signal },
  );
}

function listenToClicks(
  context: TraceContext,
  view: TimelineView,
  body: HTMLElement,
  signal: AbortSignal,
): void {
  const { model } = context;
  const slotOf = (event: MouseEvent): ReturnType<TimelineView["slotAt"]> => {
    const inside = event.target instanceof Element && event.target.closest(".tl-detail") !== null;
    return inside ? undefined : view.slotAt(event.clientY - body.getBoundingClientRect().top);
  };
  body.addEventListener(
    "click",
    (event) => {
      const slot = slotOf(event);
      if (slot === undefined || draggedJustNow(body)) return;
      const x = event.clientX - body.getBoundingClientRect().left;
      const left = indentOf(slot.depth);
      model.cursorRow.value = slot.row;
      if (slot.sticky) model.showRow(slot.row);
      else if (event.altKey) toggleSiblings(model, slot.row);
      else if (canToggle(context, slot.row) && x >= left - 4 && x < left + TOGGLE_WIDTH) {
        toggleRow(model, slot.row);
      } else model.toggleDetails(slot.row);
      view.focusRow(slot.row);
    },
    { signal },
  );
  body.addEventListener(
    "dblclick",
    (event) => {
      const slot = slotOf(event);
      const x = event.clientX - body.getBoundingClientRect().left;
      if (slot === undefined || x < nameWidthOf(model)) return;
      model.zoomToRow(slot.row);
    },
    { signal },
  );
  body.addEventListener(
    "contextmenu",
    (event) => {
      const slot = slotOf(event);
      if (slot === undefined) return;
      event.preventDefault();
      model.cursorRow.value = slot.row;
      context.openMenu(slot.row, { x: event.clientX, y: event.clientY });
    },
    { signal },
  );
}

function canToggle({ model }: TraceContext, row: number): boolean {
  return model.hasChildren(row) || model.visible.peek().groups.has(row);
}

function draggedJustNow(body: HTMLElement): boolean {
  return body.dataset["dragged"] === "yes";
}

/** Mouse: a stretch of time is measured. One finger: rows scroll, time pans. */
function listenToBodyDrag(context: TraceContext, body: HTMLElement, signal: AbortSignal): void {
  const { model } = context;
  let start: { x: number; y: number; ns: number; detail: boolean } | undefined;
  let last = { x: 0, y: 0 };
  const fling = new Fling(model);
  const at = (event: PointerEvent): number => event.clientX - body.getBoundingClientRect().left;
  const down = (event: PointerEvent): void => {
    delete body.dataset["dragged"];
    // A finger that stops the rows means nothing more by it.
    if (fling.stop(event.timeStamp)) body.dataset["dragged"] = "yes";
    const inside = (selector: string): boolean =>
      event.target instanceof Element && event.target.closest(selector) !== null;
    const [touch, detail] = [event.pointerType === "touch", inside(".tl-detail")];
    if (event.button !== 0 || inside(".tl-scroll") || (detail && !touch)) return;
    const x = at(event);
    if (!touch && x < nameWidthOf(model)) return;
    start = { x: event.clientX, y: event.clientY, ns: model.timeAt(x), detail };
    last = { x: event.clientX, y: event.clientY };
  };
  const moved = (event: PointerEvent): void => {
    if (body.dataset["pinch"] !== undefined) start = undefined;
    if (start === undefined) return;
    const away = Math.max(Math.abs(event.clientX - start.x), Math.abs(event.clientY - start.y));
    if (away < DRAG_PX && body.dataset["dragged"] === undefined) return;
    if (body.dataset["dragged"] === undefined) body.setPointerCapture(event.pointerId);
    body.dataset["dragged"] = "yes";
    if (event.pointerType === "touch") {
      model.scrollBy(last.y - event.clientY);
      fling.moved(last.y - event.clientY, event.timeStamp);
      const across = Math.max(1, body.clientWidth - nameWidthOf(model));
      if (!start.detail) model.pan((last.x - event.clientX) / across);
    } else {
      const ns = model.timeAt(Math.max(nameWidthOf(model), at(event)));
      model.range.value = { fromNs: Math.min(ns, start.ns), toNs: Math.max(ns, start.ns) };
    }
    last = { x: event.clientX, y: event.clientY };
  };
  const up = (event: PointerEvent): void => {
    const dragged = body.dataset["dragged"] !== undefined;
    if (start !== undefined && !dragged) model.range.value = undefined;
    if (start !== undefined && dragged && event.pointerType === "touch") {
      fling.release(event.timeStamp);
    }
    start = undefined;
  };
  signal.addEventListener("abort", () => fling.stop(0));
  body.addEventListener("pointerdown", down, { signal });
  body.addEventListener("pointermove", moved, { signal });
  body.addEventListener("pointerup", up, { signal });
  body.addEventListener("pointercancel", up, { signal });
}

/** On the ruler: zoomed in, a drag pans; else, or with Shift, it chooses what to zoom to. */
function listenToRulerDrag(context: TraceContext, box: HTMLElement, signal: AbortSignal): void {
  const { model } = context;
  let start: { ns: number; panning: boolean; x: number } | undefined;
  const timeOf = (event: PointerEvent): number => {
    const left = box.getBoundingClientRect().left;
    return model.timeAt(nameWidthOf(model) + event.clientX - left);
  };
  box.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      box.setPointerCapture(event.pointerId);
      const zoomed = !model.showsWhole();
      start = { ns: timeOf(event), panning: zoomed && !event.shiftKey, x: event.clientX };
    },
    { signal },
  );
  box.addEventListener(
    "pointermove",
    (event) => {
      const ns = timeOf(event);
      model.cursorNs.value = ns;
      if (start === undefined) return;
      if (start.panning) {
        model.pan((start.x - event.clientX) / Math.max(1, box.clientWidth));
        start = { ...start, x: event.clientX };
      } else {
        model.range.value = { fromNs: Math.min(ns, start.ns), toNs: Math.max(ns, start.ns) };
      }
    },
    { signal },
  );
  box.addEventListener(
    "pointerup",
    (event) => {
      const chosen = model.range.peek();
      if (start !== undefined && !start.panning && Math.abs(event.clientX - start.x) >= DRAG_PX) {
        if (chosen !== undefined) model.setWindow(chosen.fromNs, chosen.toNs);
      }
      if (start !== undefined && !start.panning) model.range.value = undefined;
      start = undefined;
    },
    { signal },
  );
  box.addEventListener(
    "pointerleave",
    () => {
      model.cursorNs.value = -1;
    },
    { signal },
  );
  const cancel = (): void => {
    if (start !== undefined && !start.panning) model.range.value = undefined;
    start = undefined;
  };
  box.addEventListener("pointercancel", cancel, { signal });
}

function listenToThumb(
  context: TraceContext,
  { thumb, body }: TimelineElements,
  signal: AbortSignal,
): void {
  const { model } = context;
  const track = thumb.parentElement ?? thumb;
  let grabbed: { y: number; top: number } | undefined;
  const most = (): number => Math.max(1, model.totalHeight() - body.clientHeight);
  track.addEventListener(
    "pointerdown",
    (event) => {
      event.stopPropagation();
      track.setPointerCapture(event.pointerId);
      if (event.target !== thumb) {
        const box = track.getBoundingClientRect();
        const room = Math.max(1, box.height - thumb.offsetHeight);
        model.scrollTo(((event.clientY - box.top - thumb.offsetHeight / 2) / room) * most());
      }
      grabbed = { y: event.clientY, top: model.scrollTop.peek() };
    },
    { signal },
  );
  track.addEventListener(
    "pointermove",
    (event) => {
      if (grabbed === undefined) return;
      const room = Math.max(1, track.clientHeight - thumb.offsetHeight);
      model.scrollTo(grabbed.top + ((event.clientY - grabbed.y) / room) * most());
    },
    { signal },
  );
  const release = (): void => {
    grabbed = undefined;
  };
  track.addEventListener("pointerup", release, { signal });
  track.addEventListener("pointercancel", release, { signal });
  track.addEventListener("click", (event) => event.stopPropagation(), { signal });
}
