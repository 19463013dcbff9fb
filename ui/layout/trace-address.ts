/** TraceAddress: what of a trace's page stands in its address, so that a link shows the same. */

import { colorByOf } from "./color-groups.ts";
import type { ColorBy } from "./color-groups.ts";

/** Everything a person set; what is left out is as at first. */
export interface TraceAddress {
  readonly view: "timeline" | "json" | "json-raw";
  /** Offsets from the trace's start, ns; undefined: the whole trace. */
  readonly window: { readonly fromNs: number; readonly toNs: number } | undefined;
  /** When the trace began as the link was made; undefined in links that do not say. */
  readonly start: TraceStart | undefined;
  /** 16 lower-case hex digits, and the place among spans of this id; or "". */
  readonly selectedHex: string;
  /** Spans with open details. */
  readonly openHex: readonly string[];
  /** `foldsText` of the folded rows. */
  readonly collapsed: string;
  /** `rowsText` of the rows left out by hand with what is below them. */
  readonly skipped: string;
  /** `rowsText` of the groups of repeated siblings that are open. */
  readonly ungrouped: string;
  /** `rowsText` of the chains of single children that are open. */
  readonly unchained: string;
  /** The span that alone is shown with its ancestors and what is below it, or "". */
  readonly withinHex: string;
  /** The first row on screen, or "" for the first of all. */
  readonly topHex: string;
  /** Jaeger's key `uiFind`. */
  readonly find: string;
  readonly hideOthers: boolean;
  readonly errorsOnly: boolean;
  readonly criticalOnly: boolean;
  /** Share of the trace's duration that spans must last. */
  readonly minShare: number;
  readonly grouped: boolean;
  readonly chained: boolean;
  readonly critical: boolean;
  readonly colorBy: ColorBy;
  /** Label of the group of colours that stands out, or "". */
  readonly lit: string;
  /** Which tab the details of calls to models show. */
  readonly detailTab: "span" | "genai";
  readonly panel: boolean | undefined;
  readonly bars: boolean;
  readonly dense: boolean;
  /** Clock skew as stored, when the user asked for that. */
  readonly skew: "" | "on" | "off";
  /** Jaeger's key `svcFilter`. */
  readonly services: string;
  /** `hiddenNamesText`: for when the trace has got more services. */
  readonly hiddenNames: string;
  /** Id of a stored view that has what is too long for the address, or "". */
  readonly more: string;
}

/** µs since 1970, and ns beyond them. */
export interface TraceStart {
  readonly us: number;
  readonly ns: number;
}

/** Spans told as open at most: an address has a longest length. */
const MAX_OPEN = 12;
/** As `linkIdOf` has it. */
const SPAN_ID = /^[0-9a-f]{16}(-[1-9]\d{0,4})?$/;
const VIEWS: readonly string[] = ["timeline", "json", "json-raw"];
/** Keys that this file writes; all others of an address are left as they are. */
const KEYS = ["v", "t", "t0", "sel", "open", "at", "f", "min", "cp", "panel", "bars", "dense"];
const COLOR_KEYS = ["color", "lit", "tab"];
const TREE_KEYS = ["c", "x", "within", "g", "go", "ch", "cho"];
const OTHER_KEYS = ["skew", "uiFind", "svcFilter", "hs", "more"];
const OWN_KEYS = [...KEYS, ...TREE_KEYS, ...COLOR_KEYS, ...OTHER_KEYS];

/** Reads an address; what is malformed counts as left out. */
export function readTraceAddress(query: URLSearchParams): TraceAddress {
  const flags = query.get("f") ?? "";
  const view = query.get("v") ?? "timeline";
  const spanIdOf = (key: string): string => {
    const hex = query.get(key) ?? "";
    return SPAN_ID.test(hex) ? hex : "";
  };
  const min = Number(query.get("min") ?? 0);
  const panel = query.get("panel");
  const skew = query.get("skew");
  return {
    view: VIEWS.includes(view) ? (view as TraceAddress["view"]) : "timeline",
    window: windowOf(query.get("t")),
    start: startOf(query.get("t0")),
    selectedHex: spanIdOf("sel"),
    openHex: (query.get("open") ?? "")
      .split(",")
      .filter((hex) => SPAN_ID.test(hex))
      .slice(0, MAX_OPEN),
    collapsed: query.get("c") ?? "",
    skipped: query.get("x") ?? "",
    ungrouped: query.get("go") ?? "",
    unchained: query.get("cho") ?? "",
    withinHex: spanIdOf("within"),
    topHex: spanIdOf("at"),
    find: query.get("uiFind") ?? "",
    hideOthers: flags.includes("h"),
    errorsOnly: flags.includes("e"),
    criticalOnly: flags.includes("c"),
    minShare: min > 0 && min <= 1 ? min : 0,
    grouped: query.get("g") === "1",
    chained: query.get("ch") === "1",
    critical: query.get("cp") !== "0",
    colorBy: colorByOf(query.get("color") ?? ""),
    lit: query.get("lit") ?? "",
    detailTab: query.get("tab") === "genai" ? "genai" : "span",
    panel: panel === "1" ? true : panel === "0" ? false : undefined,
    bars: query.get("bars") !== "0",
    dense: query.get("dense") === "1",
    skew: skew === "on" || skew === "off" ? skew : "",
    services: query.get("svcFilter") ?? "",
    hiddenNames: query.get("hs") ?? "",
    more: /^[\w-]{22}$/.exec(query.get("more") ?? "")?.[0] ?? "",
  };
}

function windowOf(text: string | null): TraceAddress["window"] {
  const [from, to] = (text ?? "").split(",").map(Number);
  if (from === undefined || to === undefined || !(from >= 0) || !(to > from)) return undefined;
  return Number.isFinite(to) ? { fromNs: from, toNs: to } : undefined;
}

/** µs to the base of 36, a dot, ns. */
function startOf(text: string | null): TraceStart | undefined {
  const [, us, ns] = /^(-?[0-9a-z]{1,11})\.(\d{1,3})$/.exec(text ?? "") ?? [];
  if (us === undefined || !Number.isSafeInteger(Number.parseInt(us, 36))) return undefined;
  return { us: Number.parseInt(us, 36), ns: Number(ns) };
}

/** The query with the address's keys set anew and all others kept. */
export function writeTraceAddress(
  address: Partial<TraceAddress>,
  old: URLSearchParams,
): URLSearchParams {
  const query = new URLSearchParams(old);
  for (const key of OWN_KEYS) query.delete(key);
  const set = (key: string, text: string | undefined): void => {
    if (text !== undefined && text !== "") query.set(key, text);
  };
  const { window: shown, start } = address;
  const flags =
    (address.hideOthers === true ? "h" : "") +
    (address.errorsOnly === true ? "e" : "") +
    (address.criticalOnly === true ? "c" : "");
  set("v", address.view === "timeline" ? "" : address.view);
  set("t", shown === undefined ? "" : `${exact(shown.fromNs)},${exact(shown.toNs)}`);
  set("t0", start === undefined ? "" : `${start.us.toString(36)}.${start.ns}`);
  set("sel", address.selectedHex);
  set("open", address.openHex?.slice(-MAX_OPEN).join(","));
  set("at", address.topHex);
  set("c", address.collapsed);
  set("x", address.skipped);
  set("within", address.withinHex);
  set("uiFind", address.find);
  set("f", flags);
  set("min", (address.minShare ?? 0) > 0 ? String(address.minShare) : "");
  set("g", address.grouped === true ? "1" : "");
  set("go", address.ungrouped);
  set("ch", address.chained === true ? "1" : "");
  set("cho", address.unchained);
  set("cp", address.critical === false ? "0" : "");
  set("color", address.colorBy === "service" ? "" : address.colorBy);
  set("lit", address.lit);
  set("tab", address.detailTab === "genai" ? "genai" : "");
  set("panel", address.panel === undefined ? "" : address.panel ? "1" : "0");
  set("bars", address.bars === false ? "0" : "");
  set("dense", address.dense === true ? "1" : "");
  set("skew", address.skew);
  set("svcFilter", address.services);
  set("hs", address.hiddenNames);
  set("more", address.more);
  return query;
}

/** Tenths of a nanosecond are finer than any screen shows. */
function exact(ns: number): string {
  return String(Math.round(ns * 10) / 10);
}
