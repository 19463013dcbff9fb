/** TraceUi: what is open around the timeline, and what a person set for every trace. */

import { computed, effect, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { readSetting, writeSetting } from "../data/settings.ts";
import { actionsIn, boundKeys, keyMapOf } from "./key-maps.ts";
import type { PlacedHint } from "./bar-hint.tsx";
import { uiConfig } from "./page-facts.ts";
import type { TraceAction } from "./trace-actions.ts";
import type { DetailTab, TraceViewName } from "./trace-context.ts";
import type { TraceModel } from "./trace-model.ts";

/** On a phone names get half of the width: it is little. */
const NARROW_PX = 700;
const NARROW_SHARE = 0.5;
const KEY_MAP = "spoor-key-map";

export class TraceUi {
  readonly view = signal<TraceViewName>("timeline");
  readonly hint = signal<PlacedHint | undefined>(undefined);
  readonly detailTab = signal<DetailTab>("span");
  readonly help = signal(false);
  readonly menu = signal<{ row: number; x: number; y: number } | undefined>(undefined);
  readonly skew = signal<"" | "on" | "off">("");
  readonly keyMap = signal(keyMapOf(readSetting(KEY_MAP)).name);
  /** What can be done here, with its keys. */
  readonly actions = computed(() => actionsIn(keyMapOf(this.keyMap.value)).filter(isThere));
  readonly keys = computed(() => boundKeys(this.actions.value));
  readonly singleKeys = signal(readSetting("spoor-single-keys") !== "off");
  /** Width of the side panel, px. */
  readonly panelWidth = signal(widthOf(readSetting("sidePanelWidth")));
  /** Whether details are at the side when the address does not say. */
  readonly panelAtFirst: boolean;

  constructor() {
    const { enableSidePanel, defaultDetailPanelMode } = uiConfig.traceTimeline;
    const mode = readSetting("detailPanelMode") ?? defaultDetailPanelMode;
    this.panelAtFirst = enableSidePanel && mode === "sidepanel";
  }

  /** Remembers what a person sets, under Jaeger's keys. */
  remember(model: TraceModel): () => void {
    const share = Number(readSetting("spanNameColumnWidth") ?? "");
    if (innerWidth < NARROW_PX) model.nameShare.value = NARROW_SHARE;
    if (share >= 0.15 && share <= 0.85) model.nameShare.value = share;
    model.sidePanel.value = this.panelAtFirst;
    model.criticalShown.value = uiConfig.criticalPathEnabled;
    const stops = [
      keepChanges("spanNameColumnWidth", model.nameShare),
      keepChanges("sidePanelWidth", this.panelWidth),
      effect(() => {
        writeSetting(KEY_MAP, this.keyMap.value === "jaeger" ? undefined : this.keyMap.value);
      }),
      effect(() => {
        writeSetting("spoor-single-keys", this.singleKeys.value ? undefined : "off");
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }
}

/** Keeps what a person makes of it; as it is at first it may suit another screen better. */
function keepChanges(key: string, value: ReadonlySignal<number>): () => void {
  let kept = value.peek();
  return effect(() => {
    if (value.value === kept) return;
    kept = value.value;
    writeSetting(key, String(kept));
  });
}

/** Whether the operator's configuration leaves an action to do. */
function isThere({ title }: TraceAction): boolean {
  return (
    (uiConfig.criticalPathEnabled || !title.includes("ritical path")) &&
    !(uiConfig.disableJsonView && title === "Trace JSON")
  );
}

function widthOf(text: string | undefined): number {
  const width = Number(text ?? "");
  return width >= 200 && width <= 2000 ? width : 420;
}
