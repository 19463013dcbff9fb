/** TraceModel: the state of one trace's page as signals; panels and pictures follow it. */

import { batch, computed, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { criticalByRow } from "../draw/critical-rows.ts";
import type { CriticalRows } from "../draw/critical-rows.ts";
import type { Palette } from "../draw/palette.ts";
import { durationText, tickText } from "../layout/duration-text.ts";
import { heightOfRows, topOfRow } from "../layout/row-heights.ts";
import type { OpenRow } from "../layout/row-heights.ts";
import { countSiblings } from "../layout/siblings.ts";
import type { Siblings } from "../layout/siblings.ts";
import { tickStep, ticksOf } from "../layout/ticks.ts";
import { collapsedBelow, hasBit, indexOfRow, setBit, visibleRows } from "../layout/visible-rows.ts";
import type { VisibleRows } from "../layout/visible-rows.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { TraceLoadError, TraceSource } from "../data/trace-source.ts";
import { SpanDetails } from "./span-details.ts";
import { TraceColors } from "./trace-colors.ts";
import { TraceLoading } from "./trace-loading.ts";
import { uncover } from "./uncover.ts";
import { waitedMostFor } from "../layout/waited-for.ts";
import type { WaitedFor } from "../layout/waited-for.ts";
import { countTotals } from "./trace-totals.ts";
import type { TraceTotals } from "./trace-totals.ts";
import { buildFrame, nameWidthOf } from "./timeline-layout.ts";
import type { TimelineFrame } from "../draw/timeline-frame.ts";

/** A stretch of time, offsets from the trace's start in ns. */
export interface TimeWindow {
  readonly fromNs: number;
  readonly toNs: number;
}

const ROW_HEIGHT = 24;
const DENSE_ROW_HEIGHT = 18;
/** Ticks of the ruler are this far apart at least, px. */
const TICK_APART = 110;
/** Nobody zooms further in than this, ns: below one there is nothing. */
const MIN_WINDOW_NS = 1;
/** Rows with details open beneath at once; each holds DOM. */
const MAX_OPEN_ROWS = 12;
const NO_ROWS: VisibleRows = { rows: new Uint32Array(), groups: new Map(), pruned: new Map() };

export class TraceModel {
  readonly source: TraceSource;
  readonly details: SpanDetails;
  readonly colors: TraceColors = new TraceColors(this);
  readonly #abort = new AbortController();
  readonly loading: TraceLoading = new TraceLoading(this);

  readonly columns = signal<TraceColumns | undefined>(undefined);
  readonly failure = signal<TraceLoadError | undefined>(undefined);
  readonly complete = signal(false);
  /** Why loading ended before every row was there; those that came stay. */
  readonly broken = signal<TraceLoadError | undefined>(undefined);
  /** Whether the rows that are here stay as they are: all of them, or those of a broken load. */
  readonly settled = computed(() => this.complete.value || this.broken.value !== undefined);
  readonly lateSpans = signal(0);
  /** Grows with each whole load. */
  readonly version = signal(0);
  /** Rows taken into account; grows in leaps while a trace loads. */
  readonly loadedRows = signal(0);

  readonly window = signal<TimeWindow>({ fromNs: 0, toNs: 1 });
  readonly scrollTop = signal(0);
  readonly cursorRow = signal(-1);
  readonly selectedRow = signal(-1);
  /** Rows with their details open beneath them, the latest last. */
  readonly openRows = signal<readonly number[]>([]);
  readonly hoverRow = signal(-1);
  readonly guideRow = signal(-1);
  readonly cursorNs = signal(-1);
  readonly range = signal<TimeWindow | undefined>(undefined);

  readonly collapsed = signal<Uint8Array>(new Uint8Array());
  /** The level that was folded last as a whole; single rows of `collapsed` may differ. */
  readonly foldLevel = signal(Infinity);
  readonly hiddenServices = signal<Uint8Array>(new Uint8Array());
  /** Rows hidden by hand with what is below them. */
  readonly skipped = signal<ReadonlySet<number>>(new Set());
  /** Only this row, its ancestors and what is below it; -1 for all. */
  readonly within = signal(-1);
  readonly grouped = signal(false);
  readonly ungrouped = signal<ReadonlySet<number>>(new Set());
  readonly chained = signal(false);
  readonly unchained = signal<ReadonlySet<number>>(new Set());
  /** Found rows, undefined when nothing is searched. */
  readonly matches = signal<Uint8Array | undefined>(undefined);
  /** Rows that filters leave; undefined when none is set. */
  readonly kept = signal<Uint8Array | undefined>(undefined);

  readonly palette = signal<Palette | undefined>(undefined);
  readonly nameShare = signal(0.32);
  readonly barsShown = signal(true);
  readonly dense = signal(false);
  readonly criticalShown = signal(true);
  readonly sidePanel = signal(false);

  readonly body = signal({ width: 0, height: 0 });
  readonly #heights = signal<ReadonlyMap<number, number>>(new Map());

  readonly rowHeight = computed(() => (this.dense.value ? DENSE_ROW_HEIGHT : ROW_HEIGHT));

  readonly visible: ReadonlySignal<VisibleRows> = computed(() => {
    const columns = this.columns.value;
    if (columns === undefined || this.loadedRows.value === 0) return NO_ROWS;
    return visibleRows(columns, {
      collapsed: this.collapsed.value,
      hiddenServices: this.hiddenServices.value,
      skipped: this.skipped.value,
      within: this.within.value,
      kept: this.kept.value,
      grouped: this.grouped.value,
      ungrouped: this.ungrouped.value,
      chained: this.chained.value,
      unchained: this.unchained.value,
    });
  });

  readonly siblings: ReadonlySignal<Siblings | undefined> = computed(() => {
    const columns = this.columns.value;
    return columns === undefined || this.loadedRows.value === 0
      ? undefined
      : countSiblings(columns);
  });

  readonly critical: ReadonlySignal<CriticalRows | undefined> = computed(() => {
    const columns = this.columns.value;
    if (columns === undefined || !this.complete.value || !this.criticalShown.value) {
      return undefined;
    }
    return columns.criticalPath.row.length === 0 ? undefined : criticalByRow(columns);
  });

  readonly waited: ReadonlySignal<WaitedFor | undefined> = computed(() => {
    const columns = this.columns.value;
    return columns === undefined || !this.complete.value || !this.criticalShown.value
      ? undefined
      : waitedMostFor(columns);
  });

  readonly totals: ReadonlySignal<TraceTotals | undefined> = computed(() => {
    const columns = this.columns.value;
    if (columns === undefined || this.loadedRows.value === 0) return undefined;
    return countTotals(columns);
  });

  /** Details beneath visible rows, ascending; none while they are in the side panel. */
  readonly openHeights: ReadonlySignal<readonly OpenRow[]> = computed(() => {
    if (this.sidePanel.value) return [];
    const { rows } = this.visible.value;
    const heights = this.#heights.value;
    return this.openRows.value
      .map((row) => ({ index: indexOfRow(rows, row), height: heights.get(row) ?? 0 }))
      .filter((open) => open.index >= 0)
      .toSorted((a, b) => a.index - b.index);
  });

  /** Changes with everything that rows say, wherever they are. */
  readonly rowsSaid: ReadonlySignal<object> = computed(() => ({
    visible: this.visible.value,
    critical: this.critical.value,
    open: this.openHeights.value,
    rows: [this.cursorRow.value, this.selectedRow.value],
    found: this.matches.value,
    palette: this.palette.value,
    colors: this.colors.rows.value,
    sizes: [this.body.value, this.nameShare.value, this.barsShown.value, this.rowHeight.value],
    details: this.details.version,
  }));

  /** Changes with everything that rows say and where they are. */
  readonly rowsState: ReadonlySignal<object> = computed(() => ({
    said: this.rowsSaid.value,
    scrollTop: this.scrollTop.value,
  }));

  /** Changes with everything that is drawn. */
  readonly drawnState: ReadonlySignal<object> = computed(() => ({
    rows: this.rowsState.value,
    window: this.window.value,
    cursor: [this.cursorNs.value, this.guideRow.value, this.hoverRow.value, this.range.value],
  }));

  constructor(source: TraceSource) {
    this.source = source;
    this.details = new SpanDetails(source, this.#abort.signal);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  close(): void {
    this.#abort.abort();
  }

  /** The first load is over: all rows are there. */
  finish(): void {
    this.loadedRows.value = this.columns.peek()?.loaded ?? 0;
    this.complete.value = true;
    this.version.value++;
  }

  /** Takes rows into account at the first part, then whenever they doubled. */
  progress(columns: TraceColumns): void {
    if (this.columns.peek() !== columns) this.#setColumns(columns);
    if (columns.loaded >= this.loadedRows.peek() * 2) this.loadedRows.value = columns.loaded;
  }

  #setColumns(columns: TraceColumns): void {
    batch(() => {
      this.details.setColumns(columns);
      this.columns.value = columns;
      this.complete.value = false;
      this.loadedRows.value = 0;
      this.collapsed.value = new Uint8Array((columns.spanCount + 7) >> 3);
      this.foldLevel.value = Infinity;
      this.skipped.value = new Set();
      this.within.value = -1;
      this.ungrouped.value = new Set();
      this.unchained.value = new Set();
      this.hiddenServices.value = new Uint8Array(columns.services.length);
      this.window.value = { fromNs: 0, toNs: wholeOf(columns) };
      if (this.cursorRow.peek() < 0) this.cursorRow.value = 0;
    });
  }

  /** Columns of another state of the trace; not `whole` when they broke off. */
  replaceColumns(columns: TraceColumns, whole: boolean): void {
    this.#setColumns(columns);
    this.loadedRows.value = columns.loaded;
    this.complete.value = whole;
    this.lateSpans.value = 0;
    this.version.value++;
  }

  setBodySize(width: number, height: number): void {
    const { width: oldWidth, height: oldHeight } = this.body.peek();
    if (width !== oldWidth || height !== oldHeight) this.body.value = { width, height };
  }

  // Time

  /** Shows `fromNs` to `toNs`, moved and cut so that it lies within the trace. */
  setWindow(fromNs: number, toNs: number): void {
    const columns = this.columns.peek();
    if (columns === undefined || !(toNs > fromNs)) return;
    const whole = wholeOf(columns);
    const size = Math.min(whole, Math.max(MIN_WINDOW_NS, toNs - fromNs));
    const from = Math.max(0, Math.min(whole - size, fromNs));
    const now = this.window.peek();
    if (now.fromNs === from && now.toNs === from + size) return;
    this.window.value = { fromNs: from, toNs: from + size };
  }

  /** Zooms by `factor` (below 1: in) so that `atNs` stays where it is. */
  zoomAt(atNs: number, factor: number): void {
    const { fromNs, toNs } = this.window.peek();
    const size = Math.max(MIN_WINDOW_NS, (toNs - fromNs) * factor);
    const share = (atNs - fromNs) / (toNs - fromNs);
    this.setWindow(atNs - share * size, atNs + (1 - share) * size);
  }

  /** Moves the window by a share of itself. */
  pan(share: number): void {
    const { fromNs, toNs } = this.window.peek();
    const step = (toNs - fromNs) * share;
    this.setWindow(fromNs + step, toNs + step);
  }

  /** Whether the window is the whole trace. */
  showsWhole(): boolean {
    const columns = this.columns.peek();
    const { fromNs, toNs } = this.window.peek();
    return columns === undefined || (fromNs === 0 && toNs === wholeOf(columns));
  }

  resetWindow(): void {
    const columns = this.columns.peek();
    if (columns !== undefined) this.setWindow(0, wholeOf(columns));
  }

  /** Zooms to a span, with some room at its sides. */
  zoomToRow(row: number): void {
    const columns = this.columns.peek();
    if (columns === undefined || row < 0) return;
    const start = columns.startOffsetNs[row]!;
    const duration = Math.max(MIN_WINDOW_NS, columns.spanDurationNs[row]!);
    const room = duration * 0.05;
    this.setWindow(start - room, start + duration + room);
  }

  /** Time at `x` px of the body. */
  timeAt(x: number): number {
    const { fromNs, toNs } = this.window.peek();
    const { width } = this.body.peek();
    const left = nameWidthOf(this);
    return fromNs + ((x - left) / Math.max(1, width - left)) * (toNs - fromNs);
  }

  ticks(): number[] {
    const { fromNs, toNs } = this.window.peek();
    return ticksOf(fromNs, toNs, this.body.peek().width - nameWidthOf(this), TICK_APART);
  }

  tickText(ns: number): string {
    const { fromNs, toNs } = this.window.peek();
    const width = this.body.peek().width - nameWidthOf(this);
    return tickText(ns, tickStep(((toNs - fromNs) * TICK_APART) / Math.max(1, width)), toNs);
  }

  /** The pointer's time, told apart from its neighbours' a pixel away. */
  cursorText(ns: number): string {
    const { fromNs, toNs } = this.window.peek();
    const width = this.body.peek().width - nameWidthOf(this);
    const step = tickStep((toNs - fromNs) / Math.max(1, width));
    return tickText(Math.round(ns / step) * step, step, toNs);
  }

  // Rows

  indexOf(row: number): number {
    return indexOfRow(this.visible.peek().rows, row);
  }

  totalHeight(): number {
    const count = this.visible.peek().rows.length;
    return heightOfRows(count, this.rowHeight.peek(), this.openHeights.peek());
  }

  scrollTo(top: number): void {
    const most = Math.max(0, this.totalHeight() - this.body.peek().height);
    this.scrollTop.value = Math.round(Math.max(0, Math.min(most, top)));
  }

  scrollBy(pixels: number): void {
    this.scrollTo(this.scrollTop.peek() + pixels);
  }

  /** Scrolls as little as needed for a row to be seen whole, or to the middle from afar. */
  reveal(row: number): void {
    const index = this.indexOf(row);
    if (index < 0) return;
    const rowHeight = this.rowHeight.peek();
    const top = topOfRow(index, rowHeight, this.openHeights.peek());
    const { height } = this.body.peek();
    const scroll = this.scrollTop.peek();
    const above = rowHeight * 4;
    if (top >= scroll + above && top + rowHeight <= scroll + height) return;
    const near = Math.abs(top - scroll) < height * 1.5;
    if (near && top < scroll + above) this.scrollTo(top - above);
    else if (near) this.scrollTo(top + rowHeight - height + rowHeight);
    else this.scrollTo(top - height / 2);
  }

  /** Opens what hides a row (folds, groups, what was left out), then reveals it. */
  showRow(row: number): void {
    const columns = this.columns.peek();
    if (columns === undefined || row < 0 || row >= columns.loaded) return;
    if (this.indexOf(row) < 0) uncover(this, columns, row);
    this.cursorRow.value = row;
    this.reveal(row);
  }

  isCollapsed(row: number): boolean {
    return hasBit(this.collapsed.peek(), row);
  }

  hasChildren(row: number): boolean {
    const columns = this.columns.peek();
    return columns !== undefined && columns.end[row]! > row + 1;
  }

  setCollapsed(row: number, on: boolean): void {
    if (!this.hasChildren(row) || this.isCollapsed(row) === on) return;
    const bits = this.collapsed.peek().slice();
    setBit(bits, row, on);
    this.collapsed.value = bits;
  }

  /** Folds everything at `depth` and below; Infinity opens all. */
  collapseFrom(depth: number): void {
    const columns = this.columns.peek();
    if (columns === undefined) return;
    batch(() => {
      this.collapsed.value = collapsedBelow(columns, depth);
      this.foldLevel.value = depth;
    });
    this.keepCursor();
  }

  /** A cursor that is folded away moves to the ancestor that is seen. */
  keepCursor(): void {
    const columns = this.columns.peek();
    let row = this.cursorRow.peek();
    while (columns !== undefined && row >= 0 && this.indexOf(row) < 0) row = columns.parent[row]!;
    this.cursorRow.value = Math.max(0, row);
    this.scrollTo(this.scrollTop.peek());
  }

  // Details

  /** Opens or closes a row's details, and selects it. */
  toggleDetails(row: number): void {
    batch(() => {
      const open = this.openRows.peek();
      const closing = this.sidePanel.peek() ? this.selectedRow.peek() === row : open.includes(row);
      if (closing) this.closeDetails(row);
      else this.openDetails(row);
    });
  }

  openDetails(row: number): void {
    batch(() => {
      this.cursorRow.value = row;
      this.selectedRow.value = row;
      const others = this.openRows.peek().filter((other) => other !== row);
      this.openRows.value = [...others, row].slice(-MAX_OPEN_ROWS);
    });
    this.details.want([row]);
  }

  closeDetails(row: number): void {
    batch(() => {
      this.openRows.value = this.openRows.peek().filter((other) => other !== row);
      if (this.selectedRow.peek() === row) this.selectedRow.value = -1;
    });
  }

  /** How high a row's details are drawn, px. */
  setDetailHeight(row: number, height: number): void {
    if (this.#heights.peek().get(row) === height) return;
    this.#heights.value = new Map(this.#heights.peek()).set(row, height);
  }

  frame(): TimelineFrame | undefined {
    return buildFrame(this, durationText);
  }
}

/** A trace of no duration is shown as one of a nanosecond. */
export function wholeOf(columns: TraceColumns): number {
  return Math.max(MIN_WINDOW_NS, columns.durationNs);
}
