/** The state of the search page: form, running search, results, selection; kept between pages. */

import { batch, computed, signal, untracked } from "@preact/signals";
import { ServerError } from "../data/ask-server.ts";
import { lookbackUs } from "../data/durations.ts";
import { countTraces, findTraces, findTracesById } from "../data/find-traces.ts";
import type { FoundTotals } from "../data/find-traces.ts";
import { fetchJaegerTrace } from "../data/jaeger-trace.ts";
import {
  ALL_OPERATIONS,
  ALL_SERVICES,
  CUSTOM_LOOKBACK,
  emptyForm,
  formProblems,
  readAddress,
  timesOf,
  writeAddress,
} from "../data/search-form.ts";
import type { SearchAddress, SearchForm } from "../data/search-form.ts";
import { readObject, readSetting, writeObject, writeSetting } from "../data/settings.ts";
import { summaryOfJaegerTrace } from "../data/summarize-trace.ts";
import { traceIdsOf } from "../data/trace-ids.ts";
import type { FindRequest, FoundTraces, TraceResult } from "../data/trace-result.ts";
import { rangeOfText, rangeText } from "../layout/plot-scale.ts";
import type { PlotRange } from "../layout/plot-scale.ts";
import { NEWEST_FIRST, orderOf } from "../layout/trace-order.ts";
import { serverFacts, uiConfig } from "./page-facts.ts";
import { goTo, hrefOf, place } from "./router.ts";

export type PlotMode = "scatter" | "heatmap";

/** Where the search of the address is. */
export type SearchProgress =
  | { readonly kind: "idle" }
  | { readonly kind: "loading"; readonly slow: boolean }
  | { readonly kind: "failed"; readonly error: ServerError }
  | { readonly kind: "done"; readonly elapsedMs: number };

/** A search that takes longer says so and offers to stop. */
const SLOW_MS = 2_000;
const NO_MORE = { busy: false, failure: "" } as const;
const LAST_SEARCH_KEY = "lastSearch";
const RESULTS_KEY = "jaeger.search-results.mode";
const ADJUST_KEY = "jaeger-ui/search-adjust-time-enabled";

export const form = signal<SearchForm>(rememberedForm());
export const progress = signal<SearchProgress>({ kind: "idle" });
/** What the server found, in its order; pages one after the other. */
export const found = signal<readonly TraceResult[]>([]);
export const nextCursor = signal<string | undefined>(undefined);
export const totals = signal<FoundTotals | undefined>(undefined);
/** Traces of files, above what the server found; cleared by the next search. */
export const uploaded = signal<readonly TraceResult[]>([]);
export const adjustsEnd = signal(readSetting(ADJUST_KEY) === "true");
export const orderKey = signal(textOf(readObject(RESULTS_KEY)?.["sortBy"]) || "MOST_RECENT");
export const viewMode = signal<"table" | "list">(
  readObject(RESULTS_KEY)?.["viewMode"] === "list" ? "list" : "table",
);
export const plotMode = signal<PlotMode>("scatter");
export const startTimeDisplay = signal<"absolute" | "relative">(
  readObject(RESULTS_KEY)?.["startTimeDisplay"] === "relative" ? "relative" : "absolute",
);
/** What of the plot is brushed: only its traces are listed. */
export const brush = signal<PlotRange | undefined>(undefined);
/** Ticked for comparing; kept across searches. */
export const ticked = signal<ReadonlyMap<string, TraceResult>>(new Map());

export const results = computed(() => [...uploaded.value, ...found.value]);
export const problems = computed(() =>
  formProblems(form.value, {
    needsService: !serverFacts.searchWithoutService,
    maxLimit: uiConfig.search.maxLimit,
  }),
);

/** Keys that say how results are shown, not which. */
const SHOWN_KEYS = ["sort", "plot", "view", "times", "brush", "tz"];
/** Those that go on when an address gets its times. */
const KEPT_KEYS = ["span", "sort", "plot", "view", "times"];

/** What was searched last, as `searchOf` has it. */
let shownSearch: string | undefined;
let running = new AbortController();
let lastRequest: FindRequest | undefined;

/** Changes fields of the form. */
export function edit(changes: Partial<SearchForm>): void {
  form.value = { ...form.value, ...changes };
}

/** Everything as it was at the first visit. */
export function resetForm(): void {
  form.value = emptyForm(uiConfig.search.defaultLookback);
}

/** Remembers how results are shown. */
function rememberResultsMode(): void {
  writeObject(RESULTS_KEY, {
    viewMode: viewMode.value,
    sortBy: orderKey.value,
    startTimeDisplay: startTimeDisplay.value,
  });
}

export function rememberAdjusting(on: boolean): void {
  adjustsEnd.value = on;
  writeSetting(ADJUST_KEY, String(on));
}

/** Searches for what the form says, under an address of its own. */
export function submitForm(): void {
  if (Object.keys(problems.value).length > 0) return;
  const wanted = form.value;
  writeObject(LAST_SEARCH_KEY, { service: wanted.service, operation: wanted.operation });
  const query = writeAddress(wanted, timesOf(wanted, Date.now() * 1000, endsEarlierUs()));
  query.set("sort", orderKey.value);
  if (plotMode.value === "heatmap") query.set("plot", "heatmap");
  if (viewMode.value === "list") query.set("view", "list");
  if (startTimeDisplay.value === "relative") query.set("times", "relative");
  keepEmbedding(query);
  if (searchOf(query) === shownSearch) {
    goTo(`/search?${query}`, { replace: true });
    void run(query);
  } else goTo(`/search?${query}`);
}

/** Two addresses with the same of these have the same results. */
function searchOf(query: URLSearchParams): string {
  const asked = new URLSearchParams(query);
  for (const key of SHOWN_KEYS) asked.delete(key);
  return asked.toString();
}

/** Shows what the present address asks for; what is shown already stays. */
export function followAddress(): void {
  const { path, query } = place.value;
  if (path !== "/search") return;
  const shown = searchOf(query) === shownSearch;
  followShown(query, shown);
  if (shown) return;
  const read = addressOf(query);
  if (read.searches) form.value = read.form;
  if (read.searches && !read.hasTimes && read.traceIds.length === 0) {
    // An address with a look-back only, as HotROD's links have it, gets its times now.
    const times = timesOf(read.form, Date.now() * 1000, endsEarlierUs());
    const written = writeAddress(read.form, times);
    for (const key of KEPT_KEYS) {
      for (const text of query.getAll(key)) written.append(key, text);
    }
    const filled = `/search?${keepEmbedding(written)}`;
    goTo(filled, { replace: true });
    return;
  }
  void run(query);
}

/** What an address asks; without a service all are meant, or the last where one is needed. */
function addressOf(query: URLSearchParams): SearchAddress {
  const read = readAddress(query, form.peek());
  if (read.form.service !== "" || serverFacts.searchWithoutService) return read;
  return { ...read, form: { ...read.form, service: form.peek().service } };
}

/**
 * Takes over how an address wants its results shown; without a word it stays as it is. Results
 * that are `there` are ordered anew, others will come in that order.
 */
function followShown(query: URLSearchParams, there: boolean): void {
  const sort = query.get("sort");
  if (sort !== null && orderOf(sort).key === sort && sort !== orderKey.peek()) {
    if (there) untracked(() => orderBy(sort));
    else orderKey.value = sort;
  }
  if (query.has("plot")) plotMode.value = query.get("plot") === "heatmap" ? "heatmap" : "scatter";
  const [view, times] = [query.get("view"), query.get("times")];
  if (view === "list" || view === "table") viewMode.value = view;
  if (times === "relative" || times === "absolute") startTimeDisplay.value = times;
  // What was brushed is a part of what this address finds, and of nothing else.
  brush.value = rangeOfText(query.get("brush") ?? "");
}

/** Writes how results are shown into the address, so that a link shows them so. */
function tellShown(key: "sort" | "plot" | "view" | "times" | "brush", text: string): void {
  const { path, query, state } = place.peek();
  const told = new URLSearchParams(query);
  if (text === "") told.delete(key);
  else told.set(key, text);
  goTo(`${path}?${told}`, { replace: true, state });
}

/** Runs the search of an address; the one before it is given up. */
async function run(query: URLSearchParams): Promise<void> {
  shownSearch = searchOf(query);
  const read = addressOf(query);
  uploaded.value = [];
  const ids = traceIdsOf(read.traceIds.join(" ")).ids;
  if (ids.length > 0) return await load((signal) => findByIds(ids, signal), undefined);
  const searched = read.searches ? read.form : form.peek();
  const canSearchAll = serverFacts.searchWithoutService;
  if (!canSearchAll && (searched.service === "" || searched.service === ALL_SERVICES)) {
    running.abort();
    progress.value = { kind: "idle" };
    found.value = [];
    return;
  }
  const times = read.hasTimes
    ? { startUs: read.form.startUs, endUs: read.form.endUs }
    : timesOf(searched, Date.now() * 1000, endsEarlierUs());
  const order = orderOf(orderKey.peek()).server ?? NEWEST_FIRST;
  const request: FindRequest = { form: searched, times, order };
  await load((signal) => findTraces(serverFacts.isSpoor, request, signal), request);
}

/** Gives up the running search. */
export function cancelSearch(): void {
  running.abort();
  progress.value = found.value.length > 0 ? { kind: "done", elapsedMs: 0 } : { kind: "idle" };
}

/** Runs the search of the present address again. */
export function searchAgain(): void {
  void run(place.value.query);
}

/** Orders the results: the server searches again where the order decides what is found. */
export function chooseOrder(key: string): void {
  orderBy(key);
  rememberResultsMode();
  tellShown("sort", key);
}

/** Shows a plot of the other kind. */
export function choosePlot(mode: PlotMode): void {
  plotMode.value = mode;
  tellShown("plot", mode);
}

/** Shows results as a table or a list. */
export function chooseView(mode: "table" | "list"): void {
  viewMode.value = mode;
  rememberResultsMode();
  tellShown("view", mode);
}

/** Shows when traces began, or how long ago. */
export function chooseTimes(display: "absolute" | "relative"): void {
  startTimeDisplay.value = display;
  rememberResultsMode();
  tellShown("times", display);
}

/** Writes what is brushed into the address. */
export function tellBrush(): void {
  const range = brush.peek();
  tellShown("brush", range === undefined ? "" : rangeText(range));
}

function orderBy(key: string): void {
  const before = orderOf(orderKey.value).server ?? NEWEST_FIRST;
  orderKey.value = key;
  const wanted = orderOf(key).server;
  const complete = nextCursor.value === undefined;
  const same = wanted?.by === before.by && wanted.descending === before.descending;
  if (wanted !== undefined && !complete && !same && lastRequest !== undefined) {
    const request: FindRequest = { ...lastRequest, order: wanted };
    void load((signal) => findTraces(serverFacts.isSpoor, request, signal), request);
  }
}

/** The next page being fetched, if it is, and why the last try failed. */
export const more = signal<{ readonly busy: boolean; readonly failure: string }>(NO_MORE);
let moreAsked = new AbortController();

/** Adds the next page to the results; a page under way is asked for anew. */
export async function loadMore(): Promise<void> {
  const cursor = nextCursor.value;
  if (cursor === undefined || lastRequest === undefined) return;
  moreAsked.abort();
  const own = new AbortController();
  moreAsked = own;
  more.value = { busy: true, failure: "" };
  try {
    const page = await findTraces(serverFacts.isSpoor, { ...lastRequest, cursor }, own.signal);
    if (own.signal.aborted) return;
    batch(() => {
      found.value = [...found.value, ...page.traces];
      nextCursor.value = page.cursor;
      more.value = NO_MORE;
    });
  } catch (error) {
    if (own.signal.aborted) return;
    more.value = { busy: false, failure: serverErrorOf(error).message };
  }
}

async function load(
  find: (signal: AbortSignal) => Promise<FoundTraces>,
  request: FindRequest | undefined,
): Promise<void> {
  running.abort();
  moreAsked.abort();
  const own = new AbortController();
  running = own;
  batch(() => {
    more.value = NO_MORE;
    progress.value = { kind: "loading", slow: false };
    totals.value = undefined;
  });
  const slow = setTimeout(() => {
    if (running === own) progress.value = { kind: "loading", slow: true };
  }, SLOW_MS);
  const startedMs = performance.now();
  try {
    const page = await find(own.signal);
    if (own.signal.aborted) return;
    lastRequest = request;
    batch(() => {
      found.value = page.traces;
      nextCursor.value = page.cursor;
      progress.value = { kind: "done", elapsedMs: performance.now() - startedMs };
    });
    if (page.cursor !== undefined && request !== undefined) void count(request, own.signal);
  } catch (error) {
    if (own.signal.aborted) return;
    found.value = [];
    nextCursor.value = undefined;
    progress.value = { kind: "failed", error: serverErrorOf(error) };
  } finally {
    clearTimeout(slow);
  }
}

/** The count is told when it is there; without it the results stand as they are. */
async function count(request: FindRequest, signal: AbortSignal): Promise<void> {
  try {
    const counted = await countTraces(serverFacts.isSpoor, request, signal);
    if (!signal.aborted) totals.value = counted;
  } catch {
    // Counting costs a scan and may run into the deadline.
  }
}

async function findByIds(ids: readonly string[], signal: AbortSignal): Promise<FoundTraces> {
  if (serverFacts.isSpoor) return await findTracesById(ids, signal);
  const traces: TraceResult[] = [];
  for (const id of ids) {
    try {
      const summary = summaryOfJaegerTrace(await fetchJaegerTrace(id, signal), false);
      if (summary !== undefined) traces.push(summary);
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== "not-found") throw error;
    }
  }
  return { traces, cursor: undefined };
}

/** Searches between two instants, as a brush over the plot asks for it. */
export function searchRange(startUs: number, endUs: number): void {
  edit({ lookback: CUSTOM_LOOKBACK, startUs: Math.floor(startUs), endUs: Math.ceil(endUs) });
  submitForm();
}

/** Ticks or unticks a trace for comparing. */
export function toggleTicked(trace: TraceResult): void {
  const next = new Map(ticked.value);
  if (!next.delete(trace.traceIdHex)) next.set(trace.traceIdHex, trace);
  ticked.value = next;
}

export function untickAll(): void {
  ticked.value = new Map();
}

/** What every result's address needs of the present one, read once for all rows. */
const resultAddress = computed(() => {
  const { path, query } = place.value;
  const kept = keepEmbedding(new URLSearchParams());
  const text = query.toString();
  return {
    from: text === "" ? path : `${path}?${text}`,
    kept: kept.toString(),
    spans: query.has("span") ? readAddress(query, form.peek()).spansOfTrace : undefined,
  };
});

/** Where results lead back to. */
export const resultsAddress = computed(() => resultAddress.value.from);

/** The address of a result; the span that matched is found first when the search named one. */
export function traceHref({ traceIdHex }: TraceResult): string {
  const { kept, spans } = resultAddress.value;
  const wanted = spans?.get(traceIdHex) ?? spans?.get(traceIdHex.replace(/^0{16}/, ""));
  const find = wanted === undefined ? "" : `uiFind=${encodeURIComponent(wanted)}`;
  const query = [find, kept].filter((part) => part !== "").join("&");
  return hrefOf(`/trace/${traceIdHex}${query === "" ? "" : `?${query}`}`);
}

/** Inside another page the way of embedding stays in every address. */
function keepEmbedding(query: URLSearchParams): URLSearchParams {
  for (const [name, value] of place.value.query) {
    if (/^(ui(Embed|Search|Timeline|Theme)|tz$)/.test(name)) query.set(name, value);
  }
  return query;
}

function endsEarlierUs(): number {
  const amount = lookbackUs(uiConfig.search.adjustEndTime) ?? 0;
  return adjustsEnd.value ? amount : 0;
}

function rememberedForm(): SearchForm {
  const last = readObject(LAST_SEARCH_KEY);
  return {
    ...emptyForm(uiConfig.search.defaultLookback),
    service: textOf(last?.["service"]),
    operation: textOf(last?.["operation"]) || ALL_OPERATIONS,
  };
}

function serverErrorOf(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  return new ServerError(String(error), "bad-answer", 0, { cause: error });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
