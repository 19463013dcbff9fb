/** The column of names as real DOM rows of a treegrid: some sixty elements for any trace. */

import { FULL_INDENT_LEVELS, indentOf } from "../draw/timeline-frame.ts";
import type { RowSlot } from "../draw/timeline-frame.ts";

/** What a row says. Texts come from strangers and only ever become text nodes. */
export interface RowText {
  readonly service: string;
  readonly name: string;
  /** Service of the answering span, or "". */
  readonly peer: string;
  readonly children: number;
  /** Undefined for a row without children. */
  readonly expanded: boolean | undefined;
  /** "own", "below" (in the collapsed subtree) or "". */
  readonly error: string;
  readonly icon: string;
  readonly iconTitle: string;
  readonly marks: readonly RowMark[];
  readonly color: string;
  readonly depth: number;
  readonly setSize: number;
  readonly place: number;
  /** Cells that only screen readers see: start, duration, share, remarks. */
  readonly cells: readonly [string, string, string, string];
}

export interface RowMark {
  readonly text: string;
  /** "", "error", "warn": the pill's tone. */
  readonly tone: string;
}

const CELLS = 4;
/** Pills a row has room for when its name is to be read: one for each so many px. */
const MARK_WIDTH = 150;
const MAX_MARKS = 3;

/** One recycled row and the nodes that change in it. */
interface PooledRow {
  readonly element: HTMLElement;
  readonly cell: HTMLElement;
  /** Toggle, icons and names, one line of text: cheaper to lay out than boxes beside boxes. */
  readonly line: HTMLElement;
  readonly toggle: HTMLElement;
  readonly service: HTMLElement;
  readonly name: HTMLElement;
  readonly cells: readonly HTMLElement[];
  /** Made when first needed: every element of every row costs each frame. */
  depth?: HTMLElement;
  icon?: HTMLElement;
  error?: HTMLElement;
  marks?: HTMLElement;
  row: number;
  /** What was written last, so that writing it again costs nothing. */
  y: number;
  indent: number;
  color: string;
}

function child(parent: HTMLElement, tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

function newRow(id: string, forReaders: boolean): PooledRow {
  const element = document.createElement("div");
  element.className = "tl-row";
  if (id !== "") element.id = id;
  if (forReaders) element.setAttribute("role", "row");
  const cell = child(element, "div", "tl-cell");
  const line = child(cell, "span", "tl-line");
  const toggle = child(line, "span", "tl-toggle");
  toggle.setAttribute("aria-hidden", "true");
  const service = child(line, "span", "tl-service");
  const name = child(line, "span", "tl-name");
  const cells: HTMLElement[] = [];
  if (forReaders) {
    cell.setAttribute("role", "rowheader");
    const hidden = child(element, "div", "unseen");
    hidden.setAttribute("role", "presentation");
    for (let i = 0; i < CELLS; i++) {
      const one = child(hidden, "span", "");
      one.setAttribute("role", "gridcell");
      cells.push(one);
    }
  }
  const written = { row: -1, y: -1, indent: -1, color: "" };
  return { element, cell, line, toggle, service, name, cells, ...written };
}

/**
 * An element that only some rows have; none for an empty text. The icon comes with a span's
 * attributes, a moment after its name: it stands with the pills, where it moves nothing.
 */
function setOptional(
  pooled: PooledRow,
  key: "depth" | "icon" | "error",
  text: string,
): HTMLElement | undefined {
  const known = pooled[key];
  if (known !== undefined) known.hidden = text === "";
  if (text === "") return undefined;
  const element = known ?? document.createElement("span");
  if (known === undefined) {
    element.className = `tl-${key}`;
    if (key === "icon") pooled.cell.insertBefore(element, pooled.marks ?? null);
    else pooled.line.insertBefore(element, pooled.service);
    pooled[key] = element;
  }
  setText(element, text);
  return element;
}

function setText(element: HTMLElement, text: string): void {
  if (element.firstChild === null) {
    if (text !== "") element.append(text);
  } else if (element.firstChild.nodeValue !== text) element.firstChild.nodeValue = text;
}

function setAttribute(element: HTMLElement, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function fillMarks(pooled: PooledRow, shown: readonly RowMark[]): void {
  const marks = pooled.marks ?? child(pooled.cell, "span", "tl-marks");
  pooled.marks = marks;
  while (marks.childElementCount > shown.length) marks.lastElementChild?.remove();
  for (const [i, mark] of shown.entries()) {
    const pill = marks.children[i] ?? child(marks, "span", "tl-pill");
    if (!(pill instanceof HTMLElement)) continue;
    setText(pill, mark.text);
    setAttribute(pill, "data-tone", mark.tone === "" ? undefined : mark.tone);
  }
}

/** What the pool needs to know beside the slots. */
export interface PoolFrame {
  readonly slots: readonly RowSlot[];
  readonly rowHeight: number;
  readonly nameWidth: number;
  readonly cursorRow: number;
  readonly selectedRow: number;
  readonly textOf: (slot: RowSlot) => RowText;
}

/** Rows of one container, recycled while scrolling and always in reading order. */
export class RowPool {
  readonly #container: HTMLElement;
  readonly #forReaders: boolean;
  readonly #idPrefix: string;
  #rows: PooledRow[] = [];
  #made = 0;

  /** Rows with an `idPrefix` are a treegrid's; others (sticky ones) are hidden from readers. */
  constructor(container: HTMLElement, idPrefix: string) {
    this.#container = container;
    this.#idPrefix = idPrefix;
    this.#forReaders = idPrefix !== "";
  }

  /** Shows the slots; a row that stays on screen keeps its element, and with it the focus. */
  show(frame: PoolFrame): void {
    this.#resize(frame.slots.length);
    const { style } = this.#container;
    const height = `${frame.rowHeight}px`;
    if (style.getPropertyValue("--tl-row") !== height) style.setProperty("--tl-row", height);
    const width = `${frame.nameWidth}px`;
    if (style.width !== width) style.width = width;
    this.#rotate(frame.slots);
    for (const [i, slot] of frame.slots.entries()) this.#fill(this.#rows[i]!, slot, frame);
  }

  /** The element of a row on screen. */
  elementOf(row: number): HTMLElement | undefined {
    return this.#rows.find((pooled) => pooled.row === row)?.element;
  }

  /** The row an element (or what is in it) belongs to, or -1. */
  rowOf(target: EventTarget | null): number {
    if (!(target instanceof Element)) return -1;
    const element = target.closest(".tl-row");
    return this.#rows.find((pooled) => pooled.element === element)?.row ?? -1;
  }

  #resize(count: number): void {
    while (this.#rows.length > count) this.#rows.pop()?.element.remove();
    while (this.#rows.length < count) {
      const id = this.#forReaders ? `${this.#idPrefix}${this.#made++}` : "";
      const row = newRow(id, this.#forReaders);
      this.#container.append(row.element);
      this.#rows.push(row);
    }
  }

  /**
   * Moves elements from one end to the other, as many rows as were scrolled. When that is most of
   * them, writing all anew costs less than moving.
   */
  #rotate(slots: readonly RowSlot[]): void {
    const first = slots[0];
    if (first === undefined) return;
    const most = this.#rows.length / 3;
    const now = this.#rows.findIndex((pooled) => pooled.row === first.row);
    if (now > most) return;
    if (now > 0) {
      const moved = this.#rows.splice(0, now);
      this.#container.append(...moved.map((row) => row.element));
      this.#rows.push(...moved);
      return;
    }
    if (now === 0) return;
    const old = this.#rows[0]?.row ?? -1;
    const at = slots.findIndex((slot) => slot.row === old);
    if (at <= 0 || at > most) return;
    const moved = this.#rows.splice(this.#rows.length - at, at);
    this.#container.prepend(...moved.map((row) => row.element));
    this.#rows.unshift(...moved);
  }

  #fill(pooled: PooledRow, slot: RowSlot, frame: PoolFrame): void {
    const text = frame.textOf(slot);
    pooled.row = slot.row;
    const { element } = pooled;
    if (pooled.y !== slot.y) {
      pooled.y = slot.y;
      element.style.transform = `translateY(${slot.y}px)`;
    }
    const state = `${slot.dim ? " is-dim" : ""}${slot.match ? " is-match" : ""}${
      slot.row === frame.selectedRow ? " is-selected" : ""
    }`;
    const className = `tl-row${state}`;
    if (element.className !== className) element.className = className;
    const indent = indentOf(text.depth);
    if (pooled.indent !== indent) {
      pooled.indent = indent;
      pooled.cell.style.paddingLeft = `${indent}px`;
    }
    this.#fillName(pooled, slot, text, Math.floor(frame.nameWidth / MARK_WIDTH) - 1);
    if (this.#forReaders) this.#fillReaders(pooled, slot, text, frame);
  }

  #fillName(pooled: PooledRow, slot: RowSlot, text: RowText, room: number): void {
    const leaf = text.expanded === undefined;
    setAttribute(pooled.toggle, "data-state", leaf ? "leaf" : text.expanded ? "open" : "closed");
    const count = leaf ? "" : text.children > 999 ? "1k+" : String(text.children);
    setText(pooled.toggle, count);
    setOptional(pooled, "depth", text.depth > FULL_INDENT_LEVELS ? String(text.depth) : "");
    const error = setOptional(pooled, "error", text.error === "" ? "" : "!");
    if (error !== undefined) setAttribute(error, "data-kind", text.error);
    const icon = setOptional(pooled, "icon", text.icon);
    if (icon !== undefined) setAttribute(icon, "title", text.iconTitle);
    setText(pooled.service, text.peer === "" ? text.service : `${text.service} → ${text.peer}`);
    if (pooled.color !== text.color) {
      pooled.color = text.color;
      pooled.service.style.borderLeftColor = text.color;
    }
    setText(pooled.name, text.name);
    const shown = text.marks.slice(0, Math.max(0, Math.min(MAX_MARKS, room)));
    if (pooled.marks !== undefined || shown.length > 0) fillMarks(pooled, shown);
    setAttribute(pooled.element, "data-row", String(slot.row));
  }

  #fillReaders(pooled: PooledRow, slot: RowSlot, text: RowText, frame: PoolFrame): void {
    const { element } = pooled;
    // The header is row 1.
    setAttribute(element, "aria-rowindex", String(slot.index + 2));
    setAttribute(element, "aria-level", String(text.depth + 1));
    setAttribute(element, "aria-setsize", String(text.setSize));
    setAttribute(element, "aria-posinset", String(text.place));
    setAttribute(
      element,
      "aria-expanded",
      text.expanded === undefined ? undefined : String(text.expanded),
    );
    setAttribute(element, "aria-selected", String(slot.row === frame.selectedRow));
    setAttribute(element, "tabindex", slot.row === frame.cursorRow ? "0" : "-1");
    // Labels of empty cells: nobody sees them, so no text is laid out for them.
    for (const [i, cell] of pooled.cells.entries()) {
      setAttribute(cell, "aria-label", text.cells[i] ?? "");
    }
  }
}
