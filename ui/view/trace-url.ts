/** Keeps the address and the page in step: links show the same, back and forward walk. */

import { batch, computed, effect, untracked } from "@preact/signals";
import type { ReadonlySignal, Signal } from "@preact/signals";
import {
  MOST_IN_ADDRESS,
  foldsOfText,
  foldsText,
  rowsOfText,
  rowsText,
} from "../layout/row-texts.ts";
import { rowAtHeight, topOfRow } from "../layout/row-heights.ts";
import {
  hiddenNamesText,
  namesHidden,
  servicesHidden,
  servicesText,
} from "../layout/service-texts.ts";
import { readTraceAddress, writeTraceAddress } from "../layout/trace-address.ts";
import type { TraceAddress } from "../layout/trace-address.ts";
import { linkIdOf, rowsOfSpanIds, spanIdHexOf } from "../layout/span-ids.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { longPartsOf } from "../data/stored-views.ts";
import { hiddenByDefault } from "./hidden-services.ts";
import { uiConfig } from "./page-facts.ts";
import { goTo, place } from "./router.ts";
import type { TraceFilters } from "./trace-filters.ts";
import type { TimeWindow, TraceModel } from "./trace-model.ts";
import type { TraceUi } from "./trace-ui.ts";
import { wholeOf } from "./trace-model.ts";

/** Changes that follow each other within this are one step of back and forward, ms. */
const SETTLE_MS = 350;
/** Characters of one set of rows in a stored view: the server takes 64 KiB for all. */
const MOST_IN_VIEW = 56_000;

/** The address of a page that is followed. */
export interface FollowedAddress {
  /** Writes what was changed this moment; false when not all of it fits into an address. */
  readonly tell: () => boolean;
  /** All that is shown, of any length a server keeps; undefined beyond that. */
  readonly whole: () => URLSearchParams | undefined;
  readonly stop: () => void;
}

/** Follows both ways until it is stopped. */
export function followAddress(
  model: TraceModel,
  filters: TraceFilters,
  ui: TraceUi,
): FollowedAddress {
  const follower = new AddressFollower(model, filters, ui);
  const stops = [follower.writing(), follower.reading(), follower.loading()];
  return {
    tell: () => follower.tell(),
    whole: () => follower.whole(),
    stop: () => {
      for (const stop of stops) stop();
      follower.stop();
    },
  };
}

class AddressFollower {
  readonly #model: TraceModel;
  readonly #filters: TraceFilters;
  readonly #ui: TraceUi;
  readonly #path = place.peek().path;
  readonly #rowTexts: ReadonlySignal<RowTexts>;
  #written = place.peek().query.toString();
  #timer = 0;
  #ready = false;
  #more: { readonly id: string; readonly sets: readonly unknown[] } = { id: "", sets: [] };
  /** What a trace that broke off was asked to show, and what of it that could be. */
  #half: { readonly asked: TraceAddress; readonly shown: TraceAddress } | undefined;

  constructor(model: TraceModel, filters: TraceFilters, ui: TraceUi) {
    this.#model = model;
    this.#filters = filters;
    this.#ui = ui;
    this.#rowTexts = rowTextsOf(model);
  }

  /** Writes what changes, when it has settled. */
  writing(): () => void {
    return effect(() => {
      addressOf(this.#model, this.#filters, this.#ui, this.#rowTexts.value);
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#write(), SETTLE_MS);
    });
  }

  /** Shows what back, forward and links lead to. */
  reading(): () => void {
    return effect(() => {
      const now = place.value;
      const text = now.query.toString();
      if (now.path !== this.#path || (this.#ready && text === this.#written)) return;
      // With other clocks it is another trace, which the page opens: not one to write over.
      if (readTraceAddress(now.query).skew !== this.#ui.skew.peek()) return;
      this.#written = text;
      this.#half = undefined;
      this.#show();
    });
  }

  /** Shows what the address asks for once the trace is there, or has broken off. */
  loading(): () => void {
    return effect(() => {
      const complete = this.#model.complete.value;
      const broken = this.#model.broken.value !== undefined;
      if (this.#ready || (!complete && (!broken || this.#half !== undefined))) return;
      this.#show();
    });
  }

  tell(): boolean {
    this.#write();
    return this.#ready && (this.#rowTexts.peek().whole || this.#moreNow() !== "");
  }

  whole(): URLSearchParams | undefined {
    const { whole, ...texts } = untracked(() => rowTextsOf(this.#model, MOST_IN_VIEW).value);
    if (!whole || !this.#ready) return undefined;
    const address = { ...this.#state(), ...texts, more: "" };
    return writeTraceAddress(address, place.peek().query);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #state(): TraceAddress {
    const state = untracked(() =>
      addressOf(this.#model, this.#filters, this.#ui, this.#rowTexts.peek()),
    );
    const more = this.#moreNow();
    return more === "" ? state : { ...state, ...NO_ROW_TEXTS, more };
  }

  /** The stored view that this page was opened with, while it still tells what is folded. */
  #moreNow(): string {
    const { id, sets } = this.#more;
    const now = setsOf(this.#model);
    return now.every((set, i) => set === sets[i]) ? id : "";
  }

  #write(always: "replace" | "step" = "step"): void {
    clearTimeout(this.#timer);
    const now = place.peek();
    if (!this.#ready || now.path !== this.#path) return;
    const query = writeTraceAddress(this.#state(), now.query);
    const text = query.toString();
    if (text === now.query.toString()) return;
    this.#written = text;
    const step = always === "step" && isStep(readTraceAddress(now.query), readTraceAddress(query));
    goTo(text === "" ? this.#path : `${this.#path}?${text}`, { replace: !step, state: now.state });
  }

  #show(): void {
    const address = readTraceAddress(place.peek().query);
    if (this.#model.complete.peek()) {
      if (this.#half === undefined) this.#apply(address);
      else this.#takeUp(this.#half.asked, this.#half.shown);
      this.#half = undefined;
      this.#ready = true;
      // What was asked for, in this version's words.
      this.#write("replace");
    } else if (this.#model.broken.peek() !== undefined) {
      this.#apply(address);
      this.#half = { asked: address, shown: this.#state() };
    }
  }

  /** The rest of a trace came: what needed its rows is shown, what was done since stays. */
  #takeUp(asked: TraceAddress, shown: TraceAddress): void {
    const now = this.#state();
    const wanted = { ...asked, ...changesOf(shown, now) };
    if (Object.keys(changesOf(now, wanted)).length > 0) this.#apply(wanted);
  }

  #apply(address: TraceAddress): void {
    const { more } = address;
    const { traceIdHex = "" } = this.#model.columns.peek() ?? {};
    const long = longPartsOf(more, traceIdHex);
    applyAddress(this.#model, this.#filters, this.#ui, {
      ...address,
      collapsed: address.collapsed || (long?.["c"] ?? ""),
      skipped: address.skipped || (long?.["x"] ?? ""),
      ungrouped: address.ungrouped || (long?.["go"] ?? ""),
      unchained: address.unchained || (long?.["cho"] ?? ""),
    });
    this.#more = { id: long === undefined ? "" : more, sets: setsOf(this.#model) };
  }
}

/** What a stored view holds for an address, to see whether it has changed. */
function setsOf(model: TraceModel): readonly unknown[] {
  const { collapsed, foldLevel, skipped, ungrouped, unchained } = model;
  return [collapsed, foldLevel, skipped, ungrouped, unchained].map((set) => set.peek());
}

/** The members that differ, as `now` has them. */
function changesOf(old: TraceAddress, now: TraceAddress): Partial<TraceAddress> {
  const same = (key: string): boolean =>
    JSON.stringify(Reflect.get(old, key)) === JSON.stringify(Reflect.get(now, key));
  return Object.fromEntries(Object.entries(now).filter(([key]) => !same(key)));
}

/** Whether going back should undo this: another view, window, selection, folds or colours. */
function isStep(old: TraceAddress, now: TraceAddress): boolean {
  return (
    old.view !== now.view ||
    old.window?.fromNs !== now.window?.fromNs ||
    old.window?.toNs !== now.window?.toNs ||
    old.selectedHex !== now.selectedHex ||
    old.collapsed !== now.collapsed ||
    old.more !== now.more ||
    old.colorBy !== now.colorBy ||
    old.grouped !== now.grouped ||
    old.chained !== now.chained
  );
}

/** What of the tree is told by rows: worked out when it changes, not with every move. */
interface RowTexts {
  readonly collapsed: string;
  readonly skipped: string;
  readonly ungrouped: string;
  readonly unchained: string;
  /** False when a set was too large for an address and is left out of it. */
  readonly whole: boolean;
}

const NO_ROW_TEXTS = { collapsed: "", skipped: "", ungrouped: "", unchained: "" };

function rowTextsOf(model: TraceModel, most: number = MOST_IN_ADDRESS): ReadonlySignal<RowTexts> {
  const textOf = (rows: ReadonlySet<number>): string | undefined => {
    const columns = model.columns.value;
    return columns === undefined ? "" : rowsText(columns, rows, most);
  };
  const folds = computed(() => {
    const columns = model.columns.value;
    const now = { level: model.foldLevel.value, bits: model.collapsed.value };
    return columns === undefined ? "" : foldsText(columns, now, most);
  });
  const hidden = computed(() => textOf(model.skipped.value));
  const opened = computed(() => textOf(model.ungrouped.value));
  const chains = computed(() => textOf(model.unchained.value));
  return computed(() => {
    const texts = [folds.value, hidden.value, opened.value, chains.value];
    const [collapsed = "", skipped = "", ungrouped = "", unchained = ""] = texts;
    return { collapsed, skipped, ungrouped, unchained, whole: !texts.includes(undefined) };
  });
}

function addressOf(
  model: TraceModel,
  filters: TraceFilters,
  ui: TraceUi,
  rowTexts: RowTexts,
): TraceAddress {
  const columns = model.columns.value;
  const { fromNs, toNs } = model.window.value;
  const hexOf = (row: number): string =>
    columns === undefined || row < 0 ? "" : linkIdOf(columns, row);
  const top = firstRowOf(model);
  const hidden = (textOf: typeof servicesText): string =>
    columns === undefined ? "" : textOf(columns.services, model.hiddenServices.value);
  const whole = columns === undefined || (fromNs === 0 && toNs === wholeOf(columns));
  return {
    view: ui.view.value,
    window: whole ? undefined : { fromNs, toNs },
    start: whole ? undefined : { us: columns.startUs, ns: columns.startNs },
    selectedHex: hexOf(model.selectedRow.value),
    openHex: model.sidePanel.value ? [] : model.openRows.value.map(hexOf),
    collapsed: rowTexts.collapsed,
    skipped: rowTexts.skipped,
    ungrouped: rowTexts.ungrouped,
    unchained: rowTexts.unchained,
    withinHex: hexOf(model.within.value),
    // Changes with every scroll: whether a twin is meant is not looked for.
    topHex: columns === undefined || top < 0 ? "" : spanIdHexOf(columns, top),
    find: filters.text.value,
    hideOthers: filters.hideOthers.value,
    errorsOnly: filters.errorsOnly.value,
    criticalOnly: filters.criticalOnly.value,
    minShare: filters.minShare.value,
    grouped: model.grouped.value,
    chained: model.chained.value,
    critical: model.criticalShown.value || !uiConfig.criticalPathEnabled,
    colorBy: model.colors.by.value,
    lit: model.colors.lit.value,
    detailTab: ui.detailTab.value,
    panel: model.sidePanel.value === ui.panelAtFirst ? undefined : model.sidePanel.value,
    bars: model.barsShown.value,
    dense: model.dense.value,
    skew: ui.skew.value,
    more: "",
    services: hidden(servicesText),
    hiddenNames: hidden(hiddenNamesText),
  };
}

/** The first row on screen once a person has scrolled, else -1. */
function firstRowOf(model: TraceModel): number {
  const top = model.scrollTop.value;
  const { rows } = model.visible.value;
  if (top <= 0 || rows.length === 0) return -1;
  const open = model.openHeights.value;
  return rows[rowAtHeight(top, model.rowHeight.value, open, rows.length)] ?? -1;
}

function applyAddress(
  model: TraceModel,
  filters: TraceFilters,
  ui: TraceUi,
  address: TraceAddress,
): void {
  const columns = model.columns.peek();
  if (columns === undefined) return;
  batch(() => {
    ui.view.value = address.view;
    const { fromNs, toNs } = windowOf(address, columns);
    model.setWindow(fromNs, toNs);
    const { selectedHex, withinHex, topHex, openHex } = address;
    const [selected = -1, within = -1, top = -1, ...open] = rowsOfSpanIds(columns, [
      selectedHex,
      withinHex,
      topHex,
      ...openHex,
    ]);
    if (address.collapsed !== "" || isFolded(model)) {
      const folds = foldsOfText(address.collapsed, columns);
      model.collapsed.value = folds?.bits ?? model.collapsed.peek();
      model.foldLevel.value = folds?.level ?? model.foldLevel.peek();
    }
    const setRows = (rows: Signal<ReadonlySet<number>>, text: string): void => {
      if (text !== "" || rows.peek().size > 0) rows.value = new Set(rowsOfText(text, columns));
    };
    setRows(model.skipped, address.skipped);
    setRows(model.ungrouped, address.ungrouped);
    setRows(model.unchained, address.unchained);
    model.within.value = within;
    model.openRows.value = open.filter((row) => row >= 0);
    model.selectedRow.value = selected;
    filters.text.value = address.find;
    filters.hideOthers.value = address.hideOthers;
    filters.errorsOnly.value = address.errorsOnly;
    filters.criticalOnly.value = address.criticalOnly && uiConfig.criticalPathEnabled;
    filters.minShare.value = address.minShare;
    model.grouped.value = address.grouped;
    model.chained.value = address.chained;
    model.criticalShown.value = address.critical && uiConfig.criticalPathEnabled;
    model.colors.by.value = address.colorBy;
    model.colors.lit.value = address.lit;
    ui.detailTab.value = address.detailTab;
    model.sidePanel.value = address.panel ?? ui.panelAtFirst;
    model.barsShown.value = address.bars;
    model.dense.value = address.dense;
    const hidden = hiddenOf(address, columns);
    const before = model.hiddenServices.peek();
    if (hidden.some((hide, i) => hide !== before[i])) model.hiddenServices.value = hidden;
    const index = model.indexOf(top);
    if (index >= 0) {
      if (selected >= 0) model.cursorRow.value = selected;
      model.scrollTo(topOfRow(index, model.rowHeight.peek(), model.openHeights.peek()));
    } else if (selected >= 0) {
      if (model.indexOf(selected) >= 0 || !hidesRows(address)) model.showRow(selected);
    } else if (address.find !== "") filters.showFirst();
  });
}

/** Whether anything is: new sets of the same rows would have all rows worked out again. */
function isFolded({ foldLevel, collapsed }: TraceModel): boolean {
  return foldLevel.peek() !== Infinity || collapsed.peek().some((bits) => bits !== 0);
}

/** Whether an address hides rows itself: then what it selects may be among them. */
function hidesRows(address: TraceAddress): boolean {
  const { collapsed, skipped, withinHex, services, hideOthers, minShare } = address;
  const filtered = hideOthers || address.errorsOnly || address.criticalOnly || minShare > 0;
  const inOne = address.grouped || address.chained;
  return filtered || inOne || collapsed + skipped + withinHex + services !== "";
}

/** The window of an address, which an earlier span may have moved since. */
function windowOf({ window: shown, start }: TraceAddress, columns: TraceColumns): TimeWindow {
  if (shown === undefined) return { fromNs: 0, toNs: wholeOf(columns) };
  if (start === undefined) return shown;
  const moved = (start.us - columns.startUs) * 1000 + (start.ns - columns.startNs);
  return { fromNs: shown.fromNs + moved, toNs: shown.toNs + moved };
}

/** By service: 1 for those an address hides, or else a person always. The root's is shown. */
function hiddenOf({ services, hiddenNames }: TraceAddress, columns: TraceColumns): Uint8Array {
  const names = columns.services;
  const hidden =
    servicesHidden(services, names) ??
    namesHidden(hiddenNames, names) ??
    (services === "" ? hiddenByDefault(names) : new Uint8Array(names.length));
  hidden[columns.service[0] ?? 0] = 0;
  return hidden;
}
