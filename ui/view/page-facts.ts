/** What every part of the UI asks of the page it is in: configuration, server, zone, embedding. */

import { signal } from "@preact/signals";
import { isZone } from "../data/instants.ts";
import type { Zone } from "../data/instants.ts";
import { readPageConfig, readServerFacts } from "../data/page-facts.ts";
import { onSettingChanged, readSetting, writeSetting } from "../data/settings.ts";

const read = readPageConfig();

/** The operator's configuration with its defaults. */
export const uiConfig = read.config;
/** What in the configuration could not be used, for the operator. */
export const configWarnings = read.warnings;
export const serverFacts = readServerFacts();

const ZONE_KEY = "spoor-time-zone";

/** The zone of every absolute time shown; an address's `tz` wins and is not remembered. */
export const zone = signal<Zone>(
  zoneOf(new URLSearchParams(location.search).get("tz") ?? readSetting(ZONE_KEY)),
);

/** Chooses and remembers a zone. */
export function chooseZone(name: Zone): void {
  zone.value = zoneOf(name);
  writeSetting(ZONE_KEY, zone.value);
}

onSettingChanged((key, text) => {
  if (key === ZONE_KEY) zone.value = zoneOf(text);
});

/** What the zone is called beside a time. */
export function zoneLabel(name: Zone): string {
  if (name !== "local") return name;
  browserZone ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  return browserZone;
}

let browserZone: string | undefined;

/** Jaeger's `uiEmbed=v0`: which parts a page inside another page leaves out. */
export interface Embedding {
  readonly embedded: boolean;
  readonly hideGraph: boolean;
  readonly collapseTitle: boolean;
  readonly hideMinimap: boolean;
  readonly hideSummary: boolean;
}

/** Reads the embedding keys of an address. */
export function embeddingOf(query: URLSearchParams): Embedding {
  const embedded = query.get("uiEmbed") === "v0";
  const on = (name: string): boolean => embedded && query.get(name) === "1";
  return {
    embedded,
    hideGraph: on("uiSearchHideGraph"),
    collapseTitle: on("uiTimelineCollapseTitle"),
    hideMinimap: on("uiTimelineHideMinimap"),
    hideSummary: on("uiTimelineHideSummary"),
  };
}

function zoneOf(text: string | undefined): Zone {
  if (text === undefined || text === "") return "local";
  return text === "local" || isZone(text) ? text : "local";
}
