/** TraceFilters: find in the trace, and what leaves rows out: duration, errors, critical path. */

import { batch, computed, effect, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { hasBit, indexOfRow, setBit, withAncestors } from "../layout/visible-rows.ts";
import { announce } from "./announce.ts";
import { counted } from "./row-text.ts";
import type { TraceModel } from "./trace-model.ts";
import { STALL_MS } from "./waiting.tsx";

/** Typing pauses this long before a search is sent, ms. */
const FIND_DELAY_MS = 250;
/** An answer that comes sooner is not waited for on screen: that would be two pictures for one. */
const BUSY_AFTER_MS = 100;

export class TraceFilters {
  readonly text = signal("");
  /** Leaves out what was not found instead of dimming it. */
  readonly hideOthers = signal(false);
  /** Shares of the trace's duration, 0 keeps all. */
  readonly minShare = signal(0);
  readonly errorsOnly = signal(false);
  readonly criticalOnly = signal(false);
  readonly busy = signal(false);
  /** Why the last search failed. */
  readonly failure = signal("");
  readonly #model: TraceModel;
  readonly #stops: (() => void)[] = [];
  #showFirst = false;
  #timer = 0;
  #asked: AbortController | undefined;

  /** Rows found, ascending; undefined when nothing is searched. */
  readonly found: ReadonlySignal<Uint32Array | undefined> = computed(() => {
    const matches = this.#model.matches.value;
    return matches === undefined ? undefined : rowsOf(matches, this.#model.loadedRows.value);
  });

  /** Which of the found rows the cursor is on, from 1; 0 for none. */
  readonly place: ReadonlySignal<number> = computed(() => {
    const found = this.found.value;
    return found === undefined ? 0 : indexOfRow(found, this.#model.cursorRow.value) + 1;
  });

  constructor(model: TraceModel) {
    this.#model = model;
    this.#stops.push(
      effect(() => {
        const columns = model.columns.value;
        const whole = model.settled.value;
        const text = this.text.value.trim();
        this.#later(columns, whole, text);
      }),
      effect(() => {
        model.kept.value = this.#keptRows();
      }),
    );
  }

  close(): void {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
    this.#asked?.abort();
  }

  /** The first of what the search under way finds is shown: a link led here. */
  showFirst(): void {
    this.#showFirst = true;
  }

  /** Leaves nothing out any more; what is searched stays. */
  keepAll(): void {
    batch(() => {
      this.hideOthers.value = false;
      this.errorsOnly.value = false;
      this.criticalOnly.value = false;
      this.minShare.value = 0;
    });
  }

  /** Searches anew, giving up the search under way. */
  findAgain(): void {
    const text = this.text.peek().trim();
    this.failure.value = "";
    this.#later(this.#model.columns.peek(), this.#model.settled.peek(), text);
  }

  #later(columns: TraceColumns | undefined, whole: boolean, text: string): void {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    if (columns === undefined || !whole || text === "") {
      batch(() => {
        this.#model.matches.value = undefined;
        this.busy.value = false;
        this.failure.value = "";
      });
      return;
    }
    this.#timer = window.setTimeout(() => void this.#find(columns, text), FIND_DELAY_MS);
  }

  async #find(columns: TraceColumns, text: string): Promise<void> {
    const asked = new AbortController();
    this.#asked = asked;
    const slow = window.setTimeout(() => {
      this.busy.value = true;
    }, BUSY_AFTER_MS);
    const stalled = window.setTimeout(() => {
      this.failure.value = "No answer: Enter asks again";
    }, STALL_MS);
    try {
      const matches = await this.#model.source.find(columns, { text }, asked.signal);
      if (asked.signal.aborted) return;
      batch(() => {
        this.#model.matches.value = matches;
        this.busy.value = false;
        this.failure.value = "";
      });
      const found = this.found.peek();
      announce(`${counted(found?.length ?? 0, "span")} found`);
      const first = found?.[0];
      if (this.#showFirst && first !== undefined) this.#model.showRow(first);
      this.#showFirst = false;
    } catch (error) {
      if (asked.signal.aborted) return;
      batch(() => {
        this.busy.value = false;
        this.failure.value = error instanceof Error ? error.message : String(error);
      });
    } finally {
      clearTimeout(slow);
      clearTimeout(stalled);
    }
  }

  /** The rows that every set filter keeps; undefined when none is set. */
  #keptRows(): Uint8Array | undefined {
    const columns = this.#model.columns.value;
    const loaded = this.#model.loadedRows.value;
    if (columns === undefined) return undefined;
    const sets: Uint8Array[] = [];
    const matches = this.#model.matches.value;
    if (this.hideOthers.value && matches !== undefined) sets.push(matches);
    const least = this.minShare.value * columns.durationNs;
    if (least > 0) {
      sets.push(bitsWhere(columns, loaded, (row) => columns.spanDurationNs[row]! >= least));
    }
    if (this.errorsOnly.value) {
      const { flags } = columns;
      sets.push(bitsWhere(columns, loaded, (row) => (flags[row]! & SPAN_FLAG.ERROR) !== 0));
    }
    if (this.criticalOnly.value && this.#model.complete.value) {
      const bits = new Uint8Array((columns.spanCount + 7) >> 3);
      for (const row of columns.criticalPath.row) setBit(bits, row, true);
      sets.push(bits);
    }
    if (sets.length === 0) return undefined;
    const kept = sets[0]!.slice();
    for (const other of sets.slice(1)) {
      for (let i = 0; i < kept.length; i++) kept[i] = kept[i]! & other[i]!;
    }
    return kept;
  }

  /** Moves the cursor to the next found row, or the one before. */
  step(by: 1 | -1): void {
    const found = this.found.peek();
    if (found === undefined || found.length === 0) return;
    const row = nextOf(found, this.#model.cursorRow.peek(), by);
    this.#model.showRow(row);
    announce(`Match ${this.place.peek()} of ${found.length}`);
  }

  /** Folds everything but the way to what was found. */
  focusFound(): void {
    const model = this.#model;
    const columns = model.columns.peek();
    const matches = model.matches.peek();
    if (columns === undefined || matches === undefined) return;
    const open = withAncestors(columns, matches);
    const collapsed = new Uint8Array(open.length);
    for (let row = 0; row < columns.loaded; row++) {
      if (columns.end[row]! > row + 1 && (!hasBit(open, row) || isLastOpen(columns, open, row))) {
        setBit(collapsed, row, true);
      }
    }
    batch(() => {
      model.collapsed.value = collapsed;
      // Nearly all is folded: what is open is the shorter list.
      model.foldLevel.value = 0;
    });
    this.step(1);
  }

  /** Moves the cursor to the next span with an error, or the one before. */
  stepError(by: 1 | -1): void {
    const columns = this.#model.columns.peek();
    if (columns === undefined) return;
    const row = nextWhere(columns, this.#model.cursorRow.peek(), by);
    if (row < 0) {
      announce("No errors in this trace");
      return;
    }
    this.#model.showRow(row);
    announce(`Error: ${columns.names[columns.name[row]!] ?? ""}`);
  }

  /** Moves the cursor along the critical path, in the order of time. */
  stepCritical(): void {
    const columns = this.#model.columns.peek();
    if (columns === undefined) return;
    const { row, fromNs } = columns.criticalPath;
    if (row.length === 0) return;
    const at = row.indexOf(this.#model.cursorRow.peek());
    let next = (at + 1) % row.length;
    while (next !== at && row[next] === this.#model.cursorRow.peek())
      next = (next + 1) % row.length;
    this.#model.showRow(row[next]!);
    this.#model.cursorNs.value = fromNs[next]!;
  }
}

function rowsOf(bits: Uint8Array, count: number): Uint32Array {
  const rows = new Uint32Array(count);
  let n = 0;
  for (let at = 0; at < bits.length; at++) {
    for (let left = bits[at]!, row = at * 8; left !== 0; left >>= 1, row++) {
      if ((left & 1) === 1 && row < count) rows[n++] = row;
    }
  }
  return rows.slice(0, n);
}

function bitsWhere(
  columns: TraceColumns,
  loaded: number,
  holds: (row: number) => boolean,
): Uint8Array {
  const bits = new Uint8Array((columns.spanCount + 7) >> 3);
  for (let row = 0; row < loaded; row++) if (holds(row)) setBit(bits, row, true);
  return bits;
}

/** The first of ascending rows after (or before) one, going round. */
function nextOf(rows: Uint32Array, from: number, by: 1 | -1): number {
  if (by > 0) return rows.find((row) => row > from) ?? rows[0]!;
  return rows.findLast((row) => row < from) ?? rows.at(-1)!;
}

/** The next row with an error, going round; -1 when there is none. */
function nextWhere(columns: TraceColumns, from: number, by: 1 | -1): number {
  const { flags, loaded } = columns;
  for (let n = 1; n <= loaded; n++) {
    const row = (((from + by * n) % loaded) + loaded) % loaded;
    if ((flags[row]! & SPAN_FLAG.ERROR) !== 0) return row;
  }
  return -1;
}

/** Whether nothing below this row is to be seen. */
function isLastOpen(columns: TraceColumns, open: Uint8Array, row: number): boolean {
  for (let child = row + 1; child < columns.end[row]!; child = columns.end[child]!) {
    if (hasBit(open, child)) return false;
  }
  return true;
}
