/** The search page: form at the left, results at the right, the line between them movable. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { ALL_OPERATIONS, ALL_SERVICES, CUSTOM_LOOKBACK } from "../data/search-form.ts";
import { readSetting, writeSetting } from "../data/settings.ts";
import { Icon } from "./icons.tsx";
import { embeddingOf, uiConfig } from "./page-facts.ts";
import { Resizer } from "./resizer.tsx";
import { place } from "./router.ts";
import { SearchFormPanel } from "./search-form-panel.tsx";
import { SearchResults } from "./search-results.tsx";
import { followAddress, form } from "./search-state.ts";
import { Tabs } from "./tabs.tsx";
import { UploadPanel } from "./upload-panel.tsx";

const WIDTH_KEY = "jaeger.search.panelWidth";
const COLLAPSED_KEY = "jaeger.search.panelCollapsed";
const LEAST_WIDTH = 240;
const WIDTH = 300;

/** Form and results. */
export function SearchPage(): JSX.Element {
  useSignalEffect(followAddress);
  useSignalEffect(() => {
    document.title = "Search — Spoor";
  });
  const { embedded } = embeddingOf(place.value.query);
  return (
    <div class="search-page">
      {!embedded && <SidePanel />}
      <SearchResults />
    </div>
  );
}

function SidePanel(): JSX.Element {
  const width = useSignal(widthOf(readSetting(WIDTH_KEY)));
  const collapsed = useSignal(isCollapsed(readSetting(COLLAPSED_KEY)));
  const tab = useSignal<"search" | "upload">("search");
  const collapse = (value: boolean): void => {
    collapsed.value = value;
    writeSetting(COLLAPSED_KEY, String(value));
  };
  if (collapsed.value) {
    return (
      <div class="side-strip">
        <button
          type="button"
          class="button quiet"
          aria-label={`Show the search form: ${formText()}`}
          title="Show the search form"
          onClick={() => collapse(false)}
        >
          <Icon name="search" />
          <span class="said">{formText()}</span>
        </button>
      </div>
    );
  }
  const tabs: readonly (readonly ["search" | "upload", string])[] =
    uiConfig.disableFileUploadControl
      ? [["search", "Search"]]
      : [
          ["search", "Search"],
          ["upload", "Upload"],
        ];
  return (
    <>
      <div class="side" style={{ width: `${width.value}px` }}>
        <div class="side-head">
          <Tabs
            label="Where traces come from"
            tabs={tabs}
            value={tab.value}
            onChange={(key) => {
              tab.value = key;
            }}
          />
          <button
            type="button"
            class="button quiet icon"
            aria-label="Hide the search form"
            title="Hide the search form"
            onClick={() => collapse(true)}
          >
            <Icon name="left" />
          </button>
        </div>
        <div
          class="side-body"
          role="tabpanel"
          id={`panel-${tab.value}`}
          aria-labelledby={`tab-${tab.value}`}
        >
          {tab.value === "search" ? <SearchFormPanel /> : <UploadPanel />}
        </div>
      </div>
      <Resizer
        label="Width of the search form"
        value={width.value}
        min={LEAST_WIDTH}
        max={Math.max(LEAST_WIDTH, Math.round(innerWidth * 0.55))}
        onChange={(value) => {
          width.value = value;
          writeSetting(WIDTH_KEY, String(value));
        }}
      />
    </>
  );
}

/** On a phone the results come first. */
function isCollapsed(text: string | undefined): boolean {
  return text === undefined ? innerWidth <= 720 : text === "true";
}

/** The form in a line. */
function formText(): string {
  const { service, operation, tags, lookback } = form.value;
  const parts = [
    service === "" || service === ALL_SERVICES ? "All services" : service,
    operation === ALL_OPERATIONS ? "" : operation,
    tags,
    lookback === CUSTOM_LOOKBACK ? "custom time" : `last ${lookback}`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

/** Jaeger keeps a share of the window (15–55 %), we keep px: both are read. */
function widthOf(text: string | undefined): number {
  const value = Number(text ?? WIDTH);
  const px = value > 0 && value <= 1 ? value * innerWidth : value;
  return px >= LEAST_WIDTH && px <= innerWidth * 0.55 ? Math.round(px) : WIDTH;
}
