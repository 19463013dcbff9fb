/** Keeps the address and the page in step: links show the same, back and forward walk. */

import { batch, effect } from "@preact/signals";
import {
  collapsedBits,
  collapsedText,
  readTraceAddress,
  servicesHidden,
  servicesText,
  writeTraceAddress,
} from "../layout/trace-address.ts";
import type { TraceAddress } from "../layout/trace-address.ts";
import { rowsOfSpanIds, spanIdHexOf } from "../layout/span-ids.ts";
import { readSetting } from "../data/settings.ts";
import { goTo, place } from "./router.ts";
import type { TraceFilters } from "./trace-filters.ts";
import type { TraceModel } from "./trace-model.ts";
import type { TraceUi } from "./trace-ui.ts";
import { wholeOf } from "./trace-model.ts";

/** Changes that follow each other within this are one step of back and forward, ms. */
const SETTLE_MS = 350;

/** Follows both ways until the returned function is called. */
export function followAddress(model: TraceModel, filters: TraceFilters, ui: TraceUi): () => void {
  let written = place.peek().query.toString();
  let timer = 0;
  let ready = false;
  const path = place.peek().path;
  const write = (): void => {
    timer = 0;
    const now = place.peek();
    if (!ready || now.path !== path) return;
    const query = writeTraceAddress(addressOf(model, filters, ui), now.query);
    const text = query.toString();
    if (text === now.query.toString()) return;
    written = text;
    goTo(text === "" ? path : `${path}?${text}`, {
      replace: !isStep(readTraceAddress(now.query), readTraceAddress(query)),
      state: now.state,
    });
  };
  const stopWriting = effect(() => {
    addressOf(model, filters, ui);
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
  return () => {
    stopWriting();
    stopReading();
    stopLoading();
    clearTimeout(timer);
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

function addressOf(model: TraceModel, filters: TraceFilters, ui: TraceUi): TraceAddress {
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
    collapsed: collapsedText(model.collapsed.value),
    find: filters.text.value,
    hideOthers: filters.hideOthers.value,
    errorsOnly: filters.errorsOnly.value,
    criticalOnly: filters.criticalOnly.value,
    minShare: filters.minShare.value,
    grouped: model.grouped.value,
    critical: model.criticalShown.value,
    panel: model.sidePanel.value === ui.panelAtFirst ? undefined : model.sidePanel.value,
    bars: model.barsShown.value,
    dense: model.dense.value,
    skew: ui.skew.value,
    services:
      columns === undefined ? "" : servicesText(columns.services, model.hiddenServices.value),
  };
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
    const rows = rowsOfSpanIds(columns, [address.selectedHex, ...address.openHex]);
    const selected = rows[0] ?? -1;
    model.collapsed.value =
      collapsedBits(address.collapsed, columns.spanCount) ?? model.collapsed.peek();
    model.openRows.value = rows.slice(1).filter((row) => row >= 0);
    model.selectedRow.value = selected;
    filters.text.value = address.find;
    filters.hideOthers.value = address.hideOthers;
    filters.errorsOnly.value = address.errorsOnly;
    filters.criticalOnly.value = address.criticalOnly;
    filters.minShare.value = address.minShare;
    model.grouped.value = address.grouped;
    model.criticalShown.value = address.critical;
    model.sidePanel.value = address.panel ?? ui.panelAtFirst;
    model.barsShown.value = address.bars;
    model.dense.value = address.dense;
    model.hiddenServices.value =
      servicesHidden(address.services, columns.services) ??
      (address.services === "" ? hiddenByDefault(columns.services) : model.hiddenServices.peek());
    if (selected >= 0) model.showRow(selected);
    if (address.find !== "") filters.showFirst();
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
