/** Keeps the address and the page in step: links show the same, back and forward walk. */

import { batch, computed, effect } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { foldsOfText, foldsText, rowsOfText, rowsText } from "../layout/row-texts.ts";
import { rowAtHeight, topOfRow } from "../layout/row-heights.ts";
import {
  readTraceAddress,
  servicesHidden,
  servicesText,
  writeTraceAddress,
} from "../layout/trace-address.ts";
import type { TraceAddress } from "../layout/trace-address.ts";
import { rowsOfSpanIds, spanIdHexOf } from "../layout/span-ids.ts";
import { readSetting } from "../data/settings.ts";
import { uiConfig } from "./page-facts.ts";
import { goTo, place } from "./router.ts";
import type { TraceFilters } from "./trace-filters.ts";
import type { TraceModel } from "./trace-model.ts";
import type { TraceUi } from "./trace-ui.ts";
import { wholeOf } from "./trace-model.ts";

/** Changes that follow each other within this are one step of back and forward, ms. */
const SETTLE_MS = 350;

/** The address of a page that is followed. */
export interface FollowedAddress {
  /** Writes what was changed this moment; false when not all of it fits into an address. */
  readonly tell: () => boolean;
  readonly stop: () => void;
}

/** Follows both ways until it is stopped. */
export function followAddress(
  model: TraceModel,
  filters: TraceFilters,
  ui: TraceUi,
): FollowedAddress {
  let written = place.peek().query.toString();
  let timer = 0;
  let ready = false;
  const path = place.peek().path;
  const rowTexts = rowTextsOf(model);
  const write = (): void => {
    timer = 0;
    const now = place.peek();
    if (!ready || now.path !== path) return;
    const query = writeTraceAddress(addressOf(model, filters, ui, rowTexts.value), now.query);
    const text = query.toString();
    if (text === now.query.toString()) return;
    written = text;
    goTo(text === "" ? path : `${path}?${text}`, {
      replace: !isStep(readTraceAddress(now.query), readTraceAddress(query)),
      state: now.state,
    });
  };
  const stopWriting = effect(() => {
    addressOf(model, filters, ui, rowTexts.value);
    clearTimeout(timer);
    timer = window.setTimeout(write, SETTLE_MS);
  });
  const stopReading = effect(() => {
    const now = place.value;
    const text = now.query.toString();
    if (now.path !== path || (ready && text === written)) return;
    written = text;
    if (model.complete.peek()) applyAddress(model, filters, ui, readTraceAddress(now.query));
  });
  const stopLoading = effect(() => {
    if (!model.complete.value || ready) return;
    ready = true;
    applyAddress(model, filters, ui, readTraceAddress(place.peek().query));
  });
  return {
    tell: () => {
      clearTimeout(timer);
      write();
      return rowTexts.peek().whole;
    },
    stop: () => {
      stopWriting();
      stopReading();
      stopLoading();
      clearTimeout(timer);
    },
  };
}

/** Whether going back should undo this: another view, window, selection or search. */
function isStep(old: TraceAddress, now: TraceAddress): boolean {
  return (
    old.view !== now.view ||
    old.window?.fromNs !== now.window?.fromNs ||
    old.window?.toNs !== now.window?.toNs ||
    old.selectedHex !== now.selectedHex ||
    old.collapsed !== now.collapsed
  );
}

/** What of the tree is told by rows: worked out when it changes, not with every move. */
interface RowTexts {
  readonly collapsed: string;
  readonly skipped: string;
  readonly ungrouped: string;
  /** False when a set was too large for an address and is left out of it. */
  readonly whole: boolean;
}

function rowTextsOf(model: TraceModel): ReadonlySignal<RowTexts> {
  const ascending = (rows: ReadonlySet<number>): string | undefined =>
    rowsText([...rows].toSorted((a, b) => a - b));
  const folds = computed(() => {
    const columns = model.columns.value;
    const now = { level: model.foldLevel.value, bits: model.collapsed.value };
    return columns === undefined ? "" : foldsText(columns, now);
  });
  const hidden = computed(() => ascending(model.skipped.value));
  const opened = computed(() => ascending(model.ungrouped.value));
  return computed(() => {
    const texts = [folds.value, hidden.value, opened.value];
    const [collapsed = "", skipped = "", ungrouped = ""] = texts;
    return { collapsed, skipped, ungrouped, whole: !texts.includes(undefined) };
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
    columns === undefined || row < 0 ? "" : spanIdHexOf(columns, row);
  const whole = columns === undefined || (fromNs === 0 && toNs === wholeOf(columns));
  return {
    view: ui.view.value,
    window: whole ? undefined : { fromNs, toNs },
    selectedHex: hexOf(model.selectedRow.value),
    openHex: model.sidePanel.value ? [] : model.openRows.value.map(hexOf),
    collapsed: rowTexts.collapsed,
    skipped: rowTexts.skipped,
    ungrouped: rowTexts.ungrouped,
    withinHex: hexOf(model.within.value),
    topHex: hexOf(firstRowOf(model)),
    find: filters.text.value,
    hideOthers: filters.hideOthers.value,
    errorsOnly: filters.errorsOnly.value,
    criticalOnly: filters.criticalOnly.value,
    minShare: filters.minShare.value,
    grouped: model.grouped.value,
    critical: model.criticalShown.value || !uiConfig.criticalPathEnabled,
    panel: model.sidePanel.value === ui.panelAtFirst ? undefined : model.sidePanel.value,
    bars: model.barsShown.value,
    dense: model.dense.value,
    skew: ui.skew.value,
    services:
      columns === undefined ? "" : servicesText(columns.services, model.hiddenServices.value),
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
    const { fromNs, toNs } = address.window ?? { fromNs: 0, toNs: wholeOf(columns) };
    model.setWindow(fromNs, toNs);
    const { selectedHex, withinHex, topHex, openHex } = address;
    const [selected = -1, within = -1, top = -1, ...open] = rowsOfSpanIds(columns, [
      selectedHex,
      withinHex,
      topHex,
      ...openHex,
    ]);
    const folds = foldsOfText(address.collapsed, columns);
    model.collapsed.value = folds?.bits ?? model.collapsed.peek();
    model.foldLevel.value = folds?.level ?? model.foldLevel.peek();
    const setOf = (text: string): Set<number> => new Set(rowsOfText(text, columns.spanCount));
    model.skipped.value = setOf(address.skipped);
    model.ungrouped.value = setOf(address.ungrouped);
    model.within.value = within;
    model.openRows.value = open.filter((row) => row >= 0);
    model.selectedRow.value = selected;
    filters.text.value = address.find;
    filters.hideOthers.value = address.hideOthers;
    filters.errorsOnly.value = address.errorsOnly;
    filters.criticalOnly.value = address.criticalOnly && uiConfig.criticalPathEnabled;
    filters.minShare.value = address.minShare;
    model.grouped.value = address.grouped;
    model.criticalShown.value = address.critical && uiConfig.criticalPathEnabled;
    model.sidePanel.value = address.panel ?? ui.panelAtFirst;
    model.barsShown.value = address.bars;
    model.dense.value = address.dense;
    model.hiddenServices.value =
      servicesHidden(address.services, columns.services) ??
      (address.services === "" ? hiddenByDefault(columns.services) : model.hiddenServices.peek());
    const index = model.indexOf(top);
    if (index >= 0) {
      if (selected >= 0) model.cursorRow.value = selected;
      model.scrollTo(topOfRow(index, model.rowHeight.peek(), model.openHeights.peek()));
    } else if (selected >= 0) model.showRow(selected);
    else if (address.find !== "") filters.showFirst();
  });
}

/** Services that were left out when a person pressed "Save as default". */
function hiddenByDefault(services: readonly string[]): Uint8Array {
  let names: unknown;
  try {
    names = JSON.parse(readSetting("svcFilter.defaults") ?? "[]");
  } catch {
    names = [];
  }
  const hidden = new Set(Array.isArray(names) ? names : []);
  return Uint8Array.from(services, (name) => Number(hidden.has(name)));
}
