/** TimelineView: the timeline's pictures, kept in step with the model, a frame at a time. */

import { effect } from "@preact/signals";
import { drawRuler } from "../draw/ruler.ts";
import { openSurface } from "../draw/surface.ts";
import type { Surface } from "../draw/surface.ts";
import { drawTimeline, serverChild } from "../draw/timeline-bars.ts";
import type { RowSlot, TimelineFrame } from "../draw/timeline-frame.ts";
import { topOfRow } from "../layout/row-heights.ts";
import { follow } from "./follow.ts";
import { RowPool } from "./row-pool.ts";
import type { RowReading, RowText } from "./row-pool.ts";
import type { TraceModel } from "./trace-model.ts";
import { rowReadingOf, rowTextOf } from "./row-text.ts";

/** The elements the timeline draws on; trace-timeline.tsx makes them. */
export interface TimelineElements {
  readonly body: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly ruler: HTMLCanvasElement;
  readonly rows: HTMLElement;
  readonly sticky: HTMLElement;
  readonly details: HTMLElement;
  readonly thumb: HTMLElement;
}

/** Scrolling pauses this long before rows are fetched their attributes and told to readers. */
const REST_MS = 120;
/** As trace.css has it: asking the element would force a layout each frame. */
const RULER_HEIGHT = 31;
/** Width of the scroll bar, as trace.css has it. */
const SCROLL_BAR = 12;
/** Fewer px than this cannot be grabbed. */
const MIN_THUMB = 28;

export class TimelineView {
  readonly #model: TraceModel;
  readonly #elements: TimelineElements;
  readonly #surface: Surface;
  readonly #ruler: Surface;
  readonly #rows: RowPool;
  readonly #sticky: RowPool;
  readonly #stop: () => void;
  readonly #resize: ResizeObserver;
  #frameAsked = 0;
  #restTimer = 0;
  /** What the ruler was drawn of last. */
  #ruled: readonly unknown[] = [];
  /** What attributes were fetched for last: the columns and their rows. */
  #asked: readonly unknown[] = [];
  #frame: TimelineFrame | undefined;
  #focusRow = -1;
  /** The state that the rows show: the pointer's moves change only pictures. */
  #shownState: object | undefined;

  constructor(model: TraceModel, elements: TimelineElements) {
    this.#model = model;
    this.#elements = elements;
    this.#surface = openSurface(elements.canvas, { opaque: true });
    this.#ruler = openSurface(elements.ruler, { opaque: true });
    this.#rows = new RowPool(elements.rows, "span-row-");
    this.#sticky = new RowPool(elements.sticky, "");
    this.#resize = new ResizeObserver(() => this.#measure());
    this.#resize.observe(elements.body);
    this.#measure();
    this.#stop = effect(() => {
      // Reading it here makes every change of what is drawn ask for a frame.
      follow(model.drawnState.value);
      this.#ask();
    });
  }

  close(): void {
    this.#stop();
    this.#resize.disconnect();
    cancelAnimationFrame(this.#frameAsked);
    clearTimeout(this.#restTimer);
  }

  /** The frame on screen: what the pointer's hits are judged by. */
  get frame(): TimelineFrame | undefined {
    return this.#frame;
  }

  /** Takes the frame that is drawn next: after a scroll the pointer is on another row. */
  lookAhead(): void {
    this.#frame = this.#model.frame() ?? this.#frame;
  }

  /** The slot at a height of the body, sticky rows first. */
  slotAt(y: number): RowSlot | undefined {
    const frame = this.#frame;
    if (frame === undefined) return undefined;
    const inside = (slot: RowSlot): boolean => y >= slot.y && y < slot.y + frame.rowHeight;
    return (
      frame.slots.find((slot) => slot.sticky && inside(slot)) ??
      frame.slots.find((slot) => inside(slot))
    );
  }

  /** Moves the focus to the row of the cursor once it is drawn. */
  focusRow(row: number): void {
    this.#focusRow = row;
    this.#shownState = undefined;
    this.#ask();
  }

  rowOf(target: EventTarget | null): number {
    const row = this.#rows.rowOf(target);
    return row >= 0 ? row : this.#sticky.rowOf(target);
  }

  #measure(): void {
    const { body } = this.#elements;
    this.#model.setBodySize(body.clientWidth - SCROLL_BAR, body.clientHeight);
  }

  #ask(): void {
    if (this.#frameAsked !== 0) return;
    this.#frameAsked = requestAnimationFrame(() => {
      this.#frameAsked = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const model = this.#model;
    const frame = model.frame();
    this.#frame = frame;
    if (frame === undefined) {
      return;
    }
    const ticks = model.ticks();
    drawTimeline(this.#surface, frame, ticks);
    this.#drawRuler(frame, ticks);
    const rowsState = model.rowsState.peek();
    if (rowsState === this.#shownState) return;
    this.#shownState = rowsState;
    this.#showRows(frame);
    this.#placeDetails(frame);
    this.#placeThumb();
    clearTimeout(this.#restTimer);
    this.#restTimer = window.setTimeout(() => this.#rest(), REST_MS);
  }

  /** Scrolling leaves it as it is. */
  #drawRuler(frame: TimelineFrame, ticksNs: readonly number[]): void {
    const { fromNs, toNs, cursorNs, palette } = frame;
    const width = Math.max(1, frame.width - frame.nameWidth);
    const parts = [width, fromNs, toNs, cursorNs, palette, globalThis.devicePixelRatio];
    if (parts.every((part, i) => part === this.#ruled[i])) return;
    this.#ruled = parts;
    drawRuler(this.#ruler, {
      width,
      height: RULER_HEIGHT,
      fromNs,
      toNs,
      ticksNs,
      cursorNs,
      palette,
      tickText: (ns) => this.#model.tickText(ns),
      cursorText: (ns) => this.#model.cursorText(ns),
    });
  }

  /** What nobody reads of rows that rush past is fetched and written once they stand still. */
  #rest(): void {
    this.#rows.tellReaders();
    if (!this.#model.settled.peek()) return;
    const rows = this.#frame?.slots.map(({ row }) => row) ?? [];
    // Once for the same rows: an answer, or the lack of one, is another picture of them.
    const asked = [this.#model.columns.peek(), rows.join()];
    if (asked.every((part, i) => part === this.#asked[i])) return;
    this.#asked = asked;
    this.#model.details.want(rows);
  }

  #showRows(frame: TimelineFrame): void {
    const model = this.#model;
    const textOf = (slot: RowSlot): RowText =>
      rowTextOf(model, slot, slot.collapsed ? serverChild(frame, slot.row) : -1);
    const { rowHeight, cursorRow, selectedRow } = frame;
    const nameWidth = frame.bars ? frame.nameWidth : frame.width;
    const said = model.rowsSaid.peek();
    const readingOf = (slot: RowSlot): RowReading => rowReadingOf(model, slot);
    const shared = { rowHeight, nameWidth, cursorRow, selectedRow, said, textOf, readingOf };
    const hadFocus = this.#elements.rows.contains(document.activeElement);
    this.#rows.show({ ...shared, slots: frame.slots.filter((slot) => !slot.sticky) });
    this.#sticky.show({ ...shared, slots: frame.slots.filter((slot) => slot.sticky) });
    this.#keepFocus(hadFocus);
  }

  /** The focus follows its row; when that is scrolled away the grid itself has it. */
  #keepFocus(hadFocus: boolean): void {
    const grid = this.#elements.rows;
    if (this.#focusRow >= 0) {
      const element = this.#rows.elementOf(this.#focusRow);
      this.#focusRow = -1;
      (element ?? grid).focus({ preventScroll: true });
      return;
    }
    if (!hadFocus) return;
    const element = this.#rows.elementOf(this.#model.cursorRow.peek());
    if (element === undefined) {
      if (document.activeElement !== grid) grid.focus({ preventScroll: true });
    } else if (!element.contains(document.activeElement)) element.focus({ preventScroll: true });
  }

  /** Open details scroll with the rows above them. */
  #placeDetails(frame: TimelineFrame): void {
    const model = this.#model;
    for (const element of this.#elements.details.children) {
      if (!(element instanceof HTMLElement)) continue;
      const index = model.indexOf(Number(element.dataset["row"]));
      const gone = index < 0;
      element.hidden = gone;
      if (gone) continue;
      const top = topOfRow(index, frame.rowHeight, model.openHeights.peek()) + frame.rowHeight;
      element.style.transform = `translateY(${top - model.scrollTop.peek()}px)`;
    }
  }

  #placeThumb(): void {
    const { thumb } = this.#elements;
    const model = this.#model;
    const total = model.totalHeight();
    const view = model.body.peek().height;
    const needed = total > view;
    thumb.parentElement?.toggleAttribute("hidden", !needed);
    if (!needed) return;
    const height = Math.max(MIN_THUMB, (view * view) / total);
    const share = model.scrollTop.peek() / Math.max(1, total - view);
    thumb.style.height = `${height}px`;
    thumb.style.transform = `translateY(${share * (view - height)}px)`;
  }
}
