/** Jaeger UI's inventory, line by line, for search and trace: each line has a test of its name. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openPage, withoutChromium } from "./browser.ts";
import { shopBatch } from "./trace-fixtures.ts";
import type { TraceFixture, UiServer } from "./ui-server.ts";
import { uiSuite } from "./ui-suite.ts";

/** Lines by section: 1.1 shell and addresses, 1.2 search, 1.3 header, 1.4 timeline, 1.11 config. */
export const PARITY = {
  "1.1.1": "/ leads to /search",
  "1.1.2": "/search is form and results",
  "1.1.3": "/trace/:id is one trace",
  "1.1.4": "addresses of Jaeger's other pages say that they come",
  "1.1.5": "anything else is not found",
  "1.1.6": "lookup takes hex of 16 to 32 digits and base64, and leads to the canonical id",
  "1.1.7": "the menu About names server, version and commit",
  "1.1.8": "light, dark, as the system: chosen and kept",
  "1.1.9": "the title has the trace's animal, short id, name and service",
  "1.1.10": "/search: service, operation, start, end, limit, durations, tags as a JSON object",
  "1.1.11": "/search: the old tag=k:v, several times",
  "1.1.12": "/search: traceID, several times",
  "1.1.13": "/search: span=ids@trace finds the spans in what is opened",
  "1.1.14": "/search: a look-back alone gets its times and the address is replaced",
  "1.1.15": "/search: the words for all services and operations, old and new",
  "1.1.16": "/trace: uiFind is text or a span's id",
  "1.1.17": "/trace: svcFilter in Jaeger's form is read and written",
  "1.1.18": "embedded search has no bar, form or ticks, and a way out",
  "1.1.19": "uiSearchHideGraph hides the plot",
  "1.1.20": "embedded trace: collapsed title, no minimap, no summary, views or archive",
  "1.1.21": "uiTheme wins over everything and is not stored",
  "1.1.22": "a trace opened from a search has the way back",
  "1.1.23": "what is remembered is under Jaeger's keys",
  "1.1.24": "blocked storage is survived",
  "1.2.1": "the panel is resized within bounds, collapsed to a strip, and has two tabs",
  "1.2.2": "service: a counted, searchable list; the last choice remembered",
  "1.2.3": "operation: searchable, free text, without doubles, reset with the service",
  "1.2.4": "attributes: logfmt with quotes, all of them, as texts",
  "1.2.5": "look-back: Jaeger's sixteen cut at the configured most, an hour at first",
  "1.2.6": "custom range: dates and times to the minute, the zone named",
  "1.2.7": "the end time is moved back on demand where configured",
  "1.2.8": "durations in Jaeger's form, sent as written",
  "1.2.9": "limit: 20 at first, one to the configured most",
  "1.2.10": "reset, and find that is off while something is wrong",
  "1.2.11": "upload: several files of Jaeger's JSON join the results, until the next search",
  "1.2.12": "upload: OTLP as one object and one a line",
  "1.2.13": "the title counts traces and says how long it took",
  "1.2.14": "the plot: a dot a trace, larger with spans, red with errors, hover, click",
  "1.2.15": "the table's columns, services with counts and errors, time of either kind",
  "1.2.16": "columns that the backend does not fill are hidden",
  "1.2.17": "the list: bar, name, short id, tags, services, date",
  "1.2.18": "ten orders, remembered",
  "1.2.19": "compare: ticks kept across searches, deselected, led to the page",
  "1.2.20": "download: every trace whole, in traces-<ms>.json",
  "1.2.21": "a trace without all parents is incomplete",
  "1.2.22": "loading, empty and failed say so",
  "1.3.1": "links of the operator's trace patterns",
  "1.3.2": "the title collapses and copies the id",
  "1.3.3": "find is debounced and in the address",
  "1.3.4": "find: terms are or-ed",
  "1.3.5": "find: an exact phrase",
  "1.3.6": "find: service, name, span id, key, value, key=value, event and resource",
  "1.3.7": "find: -key leaves a key out",
  "1.3.8": "find counts, goes to next and previous, and focuses",
  "1.3.9": "views: timeline, JSON, JSON as stored",
  "1.3.10": "gear: the timeline is hidden, and the minimap with it",
  "1.3.11": "gear: details at the side",
  "1.3.12": "gear: the keys",
  "1.3.13": "archive, and what became of it",
  "1.3.14": "summary: start, duration, services, depth, spans, incomplete",
  "1.3.15": "minimap: all spans and four ticks",
  "1.3.16": "minimap: drag selects, two scrubbers, reset",
  "1.3.17": "embedded: open standalone",
  "1.4.1": "header: a level or all are folded and opened",
  "1.4.2": "header: the column of names is resized from 15 to 85 %",
  "1.4.3": "header: ticks; a drag over them zooms",
  "1.4.4": "guides in the ancestors' colours; hover shows one whole",
  "1.4.5": "a box with the number of children folds",
  "1.4.6": "icons by kind of call",
  "1.4.7": "errors of the span, and below a folded one",
  "1.4.8": "peer service of a folded pair and of what is not instrumented",
  "1.4.9": "pills: status, method, database",
  "1.4.10": "spans with links are marked",
  "1.4.11": "bars by service with duration; hover names service and span",
  "1.4.12": "ticks of events, and what they are",
  "1.4.13": "the server's part within a folded client",
  "1.4.14": "the critical path, on and off",
  "1.4.15": "bars beyond the window are clipped",
  "1.4.16": "a click opens details, another closes them",
  "1.4.17": "service filter: subtrees are pruned, told with errors, the root stays",
  "1.4.18": "service filter: saved as default",
  "1.4.19": "side panel: resized, the root's while nothing is selected",
  "1.4.20": "detail: name, service, duration, start",
  "1.4.21": "detail: attributes and resource",
  "1.4.22": "detail: events of the window, the first three, times from the trace's start",
  "1.4.23": "detail: warnings, of doubled tags too",
  "1.4.24": "detail: links to this trace jump, to others open a tab",
  "1.4.25": "detail: the span's id, and a link to the span",
  "1.4.26": "values: JSON as a tree, copied as value and as JSON",
  "1.4.27": "values: links of patterns, several of them",
  "1.4.28": "spans that share an id are all there",
  "1.4.29": "colours of services are the same each time",
  "1.4.30": "keys s and w scroll by 0.95 of a page",
  "1.4.31": "keys f and b go to the next and previous span, or match",
  "1.4.32": "keys a, d, left and right pan by 0.5 %, with Shift 5 %",
  "1.4.33": "keys up and down zoom by 0.5 % a side, with Shift 5 %",
  "1.4.34": "keys ] and [ fold and open all",
  "1.4.35": "keys p and o fold and open a level",
  "1.4.36": "Ctrl+B goes to find, Escape clears it",
  "1.4.37": "Enter and Space act on a focused row",
  "1.11.1": "archiveEnabled",
  "1.11.2": "criticalPathEnabled",
  "1.11.3": "menu replaces the default",
  "1.11.4": "search is merged: look-backs, limit, adjusted end",
  "1.11.5": "scripts",
  "1.11.6": "traceIdDisplayLength",
  "1.11.7": "topTagPrefixes",
  "1.11.8": "tracking asks nothing of anybody",
  "1.11.9": "linkPatterns: every type, functions of the parameters",
  "1.11.10": "linkPatterns of a script: RegExp, list and function",
  "1.11.11": "disableFileUploadControl",
  "1.11.12": "disableJsonView",
  "1.11.13": "forbidNewPage",
  "1.11.14": "themes.enabled",
  "1.11.15": "traceTimeline: side panel first, or none",
  "1.11.16": "traceTimeline: pills",
  "1.11.17": "useOpenTelemetryTerms",
  "1.11.18": "deprecated and unknown keys are told",
} as const;

export type ParityLine = keyof typeof PARITY;

/** Lines of the same sections that are other pages' or issues', and why. */
export const LATER: { readonly [line: string]: string } = {
  "1.1 ask box and chat dock": "the assistant: a later issue",
  "1.1 compare, dependencies, monitor and quality pages": "later issues; 1.1.4 says so to users",
  "1.2 deep dependency graph of the results": "with the graphs",
  "1.3 graph, statistics, spans table, flame graph, logs": "other views: a later issue",
  "1.11 dependencies, monitor, traceGraph, pathAgnosticDecorations, …": "of pages to come",
};

/** What a test of a line works with. */
export interface ParityPage {
  readonly page: Page;
  readonly ui: UiServer;
  readonly browser: Browser;
  /** Goes to a place below the server's base and waits until it is there. */
  readonly open: (path: string) => Promise<void>;
}

type Run = (given: ParityPage) => Promise<void>;

export interface SuiteOptions {
  /** Traces beside the shop's. */
  readonly traces?: readonly TraceFixture[];
  readonly prepare?: (ui: UiServer) => Promise<void>;
}

/** Runs the tests of a file in one browser before one server; pages are new for each. */
export function paritySuite(
  options: SuiteOptions,
  tests: (parity: (line: ParityLine, run: Run) => void) => void,
): void {
  describe("parity", { skip: withoutChromium() }, () => {
    const suite = uiSuite(async (ui) => {
      await ui.store.write(shopBatch());
      await ui.write(options.traces ?? []);
      await options.prepare?.(ui);
    });
    tests((line, run) => {
      it(`parity ${line} ${PARITY[line]}`, async () => {
        await onPage(suite.browser, suite.ui, run);
      });
    });
  });
}

/** Runs a test on a new page; scripts' errors and requests to elsewhere fail it. */
export async function onPage(browser: Browser, ui: UiServer, run: Run): Promise<void> {
  const { page, errors, close } = await openPage(browser);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.addInitScript(() => {
    (globalThis as { __spoorDrawn?: object }).__spoorDrawn = {};
  });
  const open = async (path: string): Promise<void> => {
    await page.goto(ui.url + path);
    await page.locator("main h1").first().waitFor();
    await page.locator(".trace > .progress").waitFor({ state: "detached" });
  };
  await run({ page, ui, browser, open });
  assert.deepEqual(
    errors.filter((text) => !/Failed to load resource/.test(text)),
    [],
  );
  await close();
}

/** The text of the clipboard. */
export function copied(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

/** A member of the address. */
export function queryOf(page: Page, key: string): string | null {
  return new URL(page.url()).searchParams.get(key);
}
