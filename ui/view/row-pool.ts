/** The column of names as real DOM rows of a treegrid: some sixty elements for any trace. */

import { FULL_INDENT_LEVELS, indentOf } from "../draw/timeline-frame.ts";
import type { RowSlot } from "../draw/timeline-frame.ts";

/** What a row shows. Texts come from strangers and only ever become text nodes. */
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
}

/** What only screen readers are told of a row. */
export interface RowReading {
  readonly level: number;
  readonly setSize: number;
  readonly place: number;
  readonly expanded: boolean | undefined;
  /** Start, duration, share, remarks. */
  readonly cells: readonly [string, string, string, string];
}

export interface RowMark {
  readonly text: string;
  /** "", "error", "warn": the pill's tone. */
  readonly tone: string;
}

/** Pills a row has room for when its name is to be read: one for each so many px. */
const MARK_WIDTH = 150;
const MAX_MARKS = 3;
/** Rows lie at most so many px from where their container is: beyond, positions are rounded. */
const FAR = 1e6;

/** An element of one text, and the text it has: asking the DOM for it makes a string each time. */
interface TextBox {
  readonly element: HTMLElement;
  readonly node: Text;
  text: string;
}

/** One recycled row and the nodes that change in it. What was written last is not written again. */
interface PooledRow {
  readonly element: HTMLElement;
  readonly cell: HTMLElement;
  /** Toggle, icons and names, one line of text: cheaper to lay out than boxes beside boxes. */
  readonly line: HTMLElement;
  readonly toggle: TextBox;
  readonly service: TextBox;
  readonly name: TextBox;
  /** Made when first needed: every element of every row costs each frame. */
  depth?: TextBox;
  icon?: TextBox;
  error?: TextBox;
  marks?: HTMLElement;
  /** Those that only screen readers see. */
  cells?: readonly HTMLElement[];
  slot: RowSlot | undefined;
  /** Top within the container, px. */
  y: number;
  className: string;
  toggleState: string;
  indent: number;
  color: string;
  stop: boolean;
  /** By attribute and cell; undefined before the first and for attributes left out. */
  readonly read: (string | undefined)[];
  /** The attributes are of another span. */
  unread: boolean;
}

function child(parent: HTMLElement, tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  parent.append(element);
  return element;
}

function textBox(element: HTMLElement): TextBox {
  const node = document.createTextNode("");
  element.append(node);
  return { element, node, text: "" };
}

function setText(box: TextBox, text: string): void {
  if (box.text === text) return;
  box.text = text;
  box.node.data = text;
}

function newRow(id: string): PooledRow {
  const element = document.createElement("div");
  element.className = "tl-row";
  const cell = child(element, "div", "tl-cell");
  const line = child(cell, "span", "tl-line");
  const toggle = child(line, "span", "tl-toggle");
  toggle.setAttribute("aria-hidden", "true");
  const service = child(line, "span", "tl-service");
  const name = child(line, "span", "tl-name");
  if (id !== "") {
    element.id = id;
    element.setAttribute("role", "row");
    element.setAttribute("tabindex", "-1");
    cell.setAttribute("role", "rowheader");
  }
  return {
    element,
    cell,
    line,
    toggle: textBox(toggle),
    service: textBox(service),
    name: textBox(name),
    slot: undefined,
    y: NaN,
    className: "tl-row",
    toggleState: "",
    indent: -1,
    color: "",
    stop: false,
    read: [],
    unread: true,
  };
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
  let box = pooled[key];
  if (box === undefined) {
    if (text === "") return undefined;
    const element = document.createElement("span");
    element.className = `tl-${key}`;
    if (key === "icon") pooled.cell.insertBefore(element, pooled.marks ?? null);
    else pooled.line.insertBefore(element, pooled.service.element);
    box = textBox(element);
    pooled[key] = box;
  }
  if (box.text === text) return text === "" ? undefined : box.element;
  if ((box.text === "") !== (text === "")) box.element.hidden = text === "";
  setText(box, text);
  return text === "" ? undefined : box.element;
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
    if (pill.textContent !== mark.text) pill.textContent = mark.text;
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
  /** Another object whenever rows may say something else than before. */
  readonly said: object;
  readonly textOf: (slot: RowSlot) => RowText;
  readonly readingOf: (slot: RowSlot) => RowReading;
}

/** Rows of one container, recycled while scrolling and always in reading order. */
export class RowPool {
  readonly #container: HTMLElement;
  /** Holds the rows and is what moves: a row that stays on screen is not touched. */
  readonly #moving: HTMLElement;
  readonly #idPrefix: string;
  #rows: PooledRow[] = [];
  #made = 0;
  #shift = 0;
  #frame: PoolFrame | undefined;

  /** Rows with an `idPrefix` are a treegrid's; others (sticky ones) are hidden from readers. */
  constructor(container: HTMLElement, idPrefix: string) {
    this.#container = container;
    this.#moving = child(container, "div", "tl-moving");
    this.#idPrefix = idPrefix;
    if (idPrefix !== "") this.#moving.setAttribute("role", "rowgroup");
  }

  /**
   * Shows the slots; a row that stays on screen keeps its element, and with it the focus. What
   * readers are told of rows that have just come waits for `tellReaders`, but for the cursor's.
   */
  show(frame: PoolFrame): void {
    const before = this.#frame;
    this.#frame = frame;
    this.#resize(frame.slots.length);
    const { style } = this.#container;
    if (before?.rowHeight !== frame.rowHeight) {
      style.setProperty("--tl-row", `${frame.rowHeight}px`);
    }
    if (before?.nameWidth !== frame.nameWidth) style.width = `${frame.nameWidth}px`;
    this.#rotate(frame.slots);
    this.#place(frame.slots);
    const unchanged = before?.said === frame.said;
    for (const [i, slot] of frame.slots.entries()) {
      const pooled = this.#rows[i]!;
      if (unchanged && pooled.slot?.row === slot.row) continue;
      if (pooled.slot?.row !== slot.row) pooled.unread = true;
      pooled.slot = slot;
      this.#fill(pooled, slot, frame);
    }
  }

  /** Brings what screen readers are told of the rows up to what is shown. */
  tellReaders(): void {
    for (const pooled of this.#rows) if (pooled.unread) this.#fillReaders(pooled);
  }

  /** The element of a row on screen. */
  elementOf(row: number): HTMLElement | undefined {
    return this.#rows.find((pooled) => pooled.slot?.row === row)?.element;
  }

  /** The row an element (or what is in it) belongs to, or -1. */
  rowOf(target: EventTarget | null): number {
    if (!(target instanceof Element)) return -1;
    const element = target.closest(".tl-row");
    return this.#rows.find((pooled) => pooled.element === element)?.slot?.row ?? -1;
  }

  #resize(count: number): void {
    while (this.#rows.length > count) this.#rows.pop()?.element.remove();
    while (this.#rows.length < count) {
      const row = newRow(this.#idPrefix === "" ? "" : `${this.#idPrefix}${this.#made++}`);
      this.#moving.append(row.element);
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
    const now = this.#rows.findIndex((pooled) => pooled.slot?.row === first.row);
    if (now > most) return;
    if (now > 0) {
      const moved = this.#rows.splice(0, now);
      this.#moving.append(...moved.map((row) => row.element));
      this.#rows.push(...moved);
      return;
    }
    if (now === 0) return;
    const old = this.#rows[0]?.slot?.row ?? -1;
    const at = slots.findIndex((slot) => slot.row === old);
    if (at <= 0 || at > most) return;
    const moved = this.#rows.splice(this.#rows.length - at, at);
    this.#moving.prepend(...moved.map((row) => row.element));
    this.#rows.unshift(...moved);
  }

  /** The container goes to where the first row belongs; rows move where others came between. */
  #place(slots: readonly RowSlot[]): void {
    const first = this.#rows[0];
    if (first === undefined) return;
    if (!(Math.abs(first.y) < FAR)) setTop(first, 0);
    const shift = slots[0]!.y - first.y;
    for (const [i, slot] of slots.entries()) setTop(this.#rows[i]!, slot.y - shift);
    if (shift === this.#shift) return;
    this.#shift = shift;
    this.#moving.style.transform = `translateY(${shift}px)`;
  }

  #fill(pooled: PooledRow, slot: RowSlot, frame: PoolFrame): void {
    const text = frame.textOf(slot);
    const className = `tl-row${slot.dim ? " is-dim" : ""}${slot.match ? " is-match" : ""}${
      slot.row === frame.selectedRow ? " is-selected" : ""
    }`;
    if (pooled.className !== className) {
      pooled.className = className;
      pooled.element.className = className;
    }
    const indent = indentOf(text.depth);
    if (pooled.indent !== indent) {
      pooled.indent = indent;
      pooled.cell.style.paddingLeft = `${indent}px`;
    }
    fillName(pooled, text);
    const room = Math.floor(frame.nameWidth / MARK_WIDTH) - 1;
    const shown = text.marks.slice(0, Math.max(0, Math.min(MAX_MARKS, room)));
    if (pooled.marks !== undefined || shown.length > 0) fillMarks(pooled, shown);
    if (this.#idPrefix === "") return;
    pooled.element.dataset["row"] = String(slot.row);
    const stop = slot.row === frame.cursorRow;
    if (pooled.stop !== stop) {
      pooled.stop = stop;
      pooled.element.tabIndex = stop ? 0 : -1;
    }
    // What keeps its span has only few attributes changed, and a key may just have done that.
    if (stop || !pooled.unread) this.#fillReaders(pooled);
  }

  #fillReaders(pooled: PooledRow): void {
    const frame = this.#frame;
    const { element, slot, read } = pooled;
    if (frame === undefined || slot === undefined) return;
    pooled.unread = false;
    const { level, setSize, place, expanded, cells } = frame.readingOf(slot);
    const values = [
      // The header is row 1.
      String(slot.index + 2),
      String(level),
      String(setSize),
      String(place),
      expanded === undefined ? undefined : String(expanded),
      String(slot.row === frame.selectedRow),
    ];
    for (const [i, value] of values.entries()) {
      if (read[i] === value) continue;
      read[i] = value;
      setAttribute(element, READ_ATTRIBUTES[i]!, value);
    }
    const boxes = (pooled.cells ??= newCells(element, cells.length));
    // Labels of empty cells: nobody sees them, so no text is laid out for them.
    for (const [i, text] of cells.entries()) {
      const at = values.length + i;
      if (read[at] === text) continue;
      read[at] = text;
      boxes[i]!.setAttribute("aria-label", text);
    }
  }
}

const READ_ATTRIBUTES = [
  "aria-rowindex",
  "aria-level",
  "aria-setsize",
  "aria-posinset",
  "aria-expanded",
  "aria-selected",
];

/** Empty, so nothing of them is seen: a box that hides them would be one more layer to paint. */
function newCells(row: HTMLElement, count: number): HTMLElement[] {
  return Array.from({ length: count }, () => {
    const cell = child(row, "span", "");
    cell.setAttribute("role", "gridcell");
    return cell;
  });
}

function setTop(pooled: PooledRow, y: number): void {
  if (pooled.y === y) return;
  pooled.y = y;
  pooled.element.style.top = `${y}px`;
}

function fillName(pooled: PooledRow, text: RowText): void {
  const leaf = text.expanded === undefined;
  const state = leaf ? "leaf" : text.expanded ? "open" : "closed";
  if (pooled.toggleState !== state) {
    pooled.toggleState = state;
    pooled.toggle.element.dataset["state"] = state;
  }
  setText(pooled.toggle, leaf ? "" : text.children > 999 ? "1k+" : String(text.children));
  setOptional(pooled, "depth", text.depth > FULL_INDENT_LEVELS ? String(text.depth) : "");
  const error = setOptional(pooled, "error", text.error === "" ? "" : "!");
  if (error !== undefined) setAttribute(error, "data-kind", text.error);
  const icon = setOptional(pooled, "icon", text.icon);
  if (icon !== undefined) setAttribute(icon, "title", text.iconTitle);
  setText(pooled.service, text.peer === "" ? text.service : `${text.service} → ${text.peer}`);
  if (pooled.color !== text.color) {
    pooled.color = text.color;
    pooled.service.element.style.borderLeftColor = text.color;
  }
  setText(pooled.name, text.name);
}
