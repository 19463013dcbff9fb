/** The search form and its address: Jaeger's parameters, read leniently, written canonically. */

import { lookbackUs, parseDurationNs } from "./durations.ts";
import { parseTags, tagsText } from "./logfmt.ts";

/** Jaeger UI's words for "any" in addresses. */
export const ALL_SERVICES = "__all_services__";
export const ALL_OPERATIONS = "__all_operations__";
/** The look-back of a search between two given times. */
export const CUSTOM_LOOKBACK = "custom";
export const DEFAULT_LIMIT = 20;

/** What the form holds; texts are as written. */
export interface SearchForm {
  /** "" when none is chosen yet. */
  readonly service: string;
  readonly operation: string;
  /** logfmt. */
  readonly tags: string;
  /** "1h", or `CUSTOM_LOOKBACK`. */
  readonly lookback: string;
  /** µs since 1970, of a custom look-back. */
  readonly startUs: number;
  readonly endUs: number;
  readonly minDuration: string;
  readonly maxDuration: string;
  readonly limit: number;
}

/** What of an address is a search. */
export interface SearchAddress {
  readonly form: SearchForm;
  /** Whether it asks for anything, rather than for the page. */
  readonly searches: boolean;
  /** Whether `start` and `end` were there; an address with a look-back only gets them. */
  readonly hasTimes: boolean;
  /** Ids to show instead of searching. */
  readonly traceIds: readonly string[];
  /** Spans to find first in a trace that is opened, by trace id. */
  readonly spansOfTrace: ReadonlyMap<string, string>;
}

/** Choices of the look-back, up to the configured maximum. */
export const LOOKBACKS: readonly (readonly [value: string, label: string])[] = [
  ["5m", "Last 5 Minutes"],
  ["15m", "Last 15 Minutes"],
  ["30m", "Last 30 Minutes"],
  ["1h", "Last Hour"],
  ["2h", "Last 2 Hours"],
  ["3h", "Last 3 Hours"],
  ["6h", "Last 6 Hours"],
  ["12h", "Last 12 Hours"],
  ["24h", "Last 24 Hours"],
  ["2d", "Last 2 Days"],
  ["3d", "Last 3 Days"],
  ["5d", "Last 5 Days"],
  ["7d", "Last 7 Days"],
  ["2w", "Last 2 Weeks"],
  ["3w", "Last 3 Weeks"],
  ["4w", "Last 4 Weeks"],
];

/** The choices not longer than the maximum, which is one of them with its own label. */
export function lookbackChoices(max: {
  readonly label: string;
  readonly value: string;
}): readonly (readonly [value: string, label: string])[] {
  const most = lookbackUs(max.value) ?? lookbackUs("2d")!;
  const shorter = LOOKBACKS.filter(([value]) => (lookbackUs(value) ?? 0) < most);
  const label = /^last /i.test(max.label) ? max.label : `Last ${max.label}`;
  return [...shorter, [max.value, label]];
}

/** An empty form. */
export function emptyForm(lookback: string): SearchForm {
  return {
    service: "",
    operation: ALL_OPERATIONS,
    tags: "",
    lookback,
    startUs: 0,
    endUs: 0,
    minDuration: "",
    maxDuration: "",
    limit: DEFAULT_LIMIT,
  };
}

/** An address with one of these is a search; the others say how its results are shown. */
const SEARCH_KEYS: readonly string[] = [
  "service",
  "operation",
  "start",
  "end",
  "lookback",
  "minDuration",
  "maxDuration",
  "tags",
  "tag",
  "traceID",
  "limit",
];

/** Reads an address; members that make no sense are as if they were not there. */
export function readAddress(query: URLSearchParams, defaults: SearchForm): SearchAddress {
  const text = (name: string): string => query.get(name) ?? "";
  const startUs = wholeNumber(text("start"));
  const endUs = wholeNumber(text("end"));
  const hasTimes = startUs !== undefined && endUs !== undefined;
  const asked = text("lookback");
  const known = asked === CUSTOM_LOOKBACK ? hasTimes : lookbackUs(asked) !== undefined;
  const operation = text("operation");
  const lookback = known ? asked : hasTimes ? CUSTOM_LOOKBACK : defaults.lookback;
  const limit = wholeNumber(text("limit"));
  return {
    form: {
      service: text("service"),
      operation: operation === "" || operation === "all" ? ALL_OPERATIONS : operation,
      tags: tagsText(tagsOfAddress(query)),
      lookback,
      startUs: startUs ?? 0,
      endUs: endUs ?? 0,
      minDuration: text("minDuration"),
      maxDuration: text("maxDuration"),
      limit: limit === undefined || limit < 1 ? defaults.limit : limit,
    },
    searches: SEARCH_KEYS.some((key) => query.has(key)),
    hasTimes,
    traceIds: query.getAll("traceID").filter((id) => id !== ""),
    spansOfTrace: new Map(query.getAll("span").flatMap(spansAt)),
  };
}

/** The form as the query of an address; `times` are those of the search, µs. */
export function writeAddress(
  form: SearchForm,
  times: { readonly startUs: number; readonly endUs: number },
): URLSearchParams {
  const query = new URLSearchParams();
  query.set("service", form.service === "" ? ALL_SERVICES : form.service);
  if (form.operation !== ALL_OPERATIONS && form.operation !== "") {
    query.set("operation", form.operation);
  }
  query.set("start", String(times.startUs));
  query.set("end", String(times.endUs));
  query.set("limit", String(form.limit));
  query.set("lookback", form.lookback);
  if (form.minDuration !== "") query.set("minDuration", form.minDuration);
  if (form.maxDuration !== "") query.set("maxDuration", form.maxDuration);
  const parsed = parseTags(form.tags);
  if ("tags" in parsed && parsed.tags.length > 0) {
    query.set("tags", JSON.stringify(Object.fromEntries(parsed.tags)));
  }
  return query;
}

/** The bounds a search of the form has now. */
export function timesOf(
  form: SearchForm,
  nowUs: number,
  endsEarlierUs: number,
): { readonly startUs: number; readonly endUs: number } {
  if (form.lookback === CUSTOM_LOOKBACK) return { startUs: form.startUs, endUs: form.endUs };
  const endUs = nowUs - endsEarlierUs;
  return { startUs: endUs - (lookbackUs(form.lookback) ?? 3600e6), endUs };
}

/** What is wrong with a field, in a few words. */
export type FormProblems = { readonly [field in keyof SearchForm]?: string };

/** What stops the form from being searched, by field; empty when nothing does. */
export function formProblems(
  form: SearchForm,
  options: { readonly needsService: boolean; readonly maxLimit: number },
): FormProblems {
  const problems: { -readonly [field in keyof SearchForm]?: string } = {};
  if (options.needsService && (form.service === "" || form.service === ALL_SERVICES)) {
    problems.service = "Choose a service";
  }
  const tags = parseTags(form.tags);
  if ("error" in tags) problems.tags = `Not logfmt: ${tags.error}`;
  const min = form.minDuration === "" ? undefined : parseDurationNs(form.minDuration);
  const max = form.maxDuration === "" ? undefined : parseDurationNs(form.maxDuration);
  const example = "A number and a unit, as 1.2s, 100ms or 500us";
  if (form.minDuration !== "" && min === undefined) problems.minDuration = example;
  if (form.maxDuration !== "" && max === undefined) problems.maxDuration = example;
  if (min !== undefined && max !== undefined && max < min) {
    problems.maxDuration = "Shorter than the minimum";
  }
  if (!(form.limit >= 1 && form.limit <= options.maxLimit)) {
    problems.limit = `1 to ${options.maxLimit}`;
  }
  if (form.lookback === CUSTOM_LOOKBACK && !(form.endUs > form.startUs)) {
    problems.endUs = "The end must be after the start";
  }
  return problems;
}

/** `tags={"k":"v"}`, repeatable, and the old `tag=k:v`. */
function tagsOfAddress(query: URLSearchParams): Map<string, string> {
  const tags = new Map<string, string>();
  for (const text of query.getAll("tags")) {
    try {
      const json: unknown = JSON.parse(text);
      if (typeof json !== "object" || json === null) continue;
      for (const [key, value] of Object.entries(json)) tags.set(key, String(value));
    } catch {
      // As if it were not there.
    }
  }
  for (const text of query.getAll("tag")) {
    const colon = text.indexOf(":");
    if (colon > 0) tags.set(text.slice(0, colon), text.slice(colon + 1));
  }
  return tags;
}

/** `span=<ids>@<trace id>`. */
function spansAt(text: string): [traceId: string, spanIds: string][] {
  const at = text.lastIndexOf("@");
  return at > 0 ? [[text.slice(at + 1), text.slice(0, at)]] : [];
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
