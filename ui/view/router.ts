/** Where the page is: the path below the base and its query as a signal; links change it. */

import { effect, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

/** A place within the UI. */
export interface Place {
  /** Below the base path, decoded by nobody: `/search`, `/trace/1a2b`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What `goTo` was given to remember with the entry of the history. */
  readonly state: Readonly<Record<string, unknown>>;
}

export interface GoOptions {
  /** Changes the present entry of the history instead of adding one. */
  readonly replace?: boolean;
  readonly state?: Readonly<Record<string, unknown>>;
}

/** "" or `/prefix`: what the server put into the page. */
export function basePath(): string {
  return new URL(document.baseURI).pathname.replace(/\/+$/, "");
}

const current = signal<Place>(readPlace());

/** The place shown; changes with links, `goTo`, and back and forward. */
export const place: ReadonlySignal<Place> = current;

/** The address of a place, for `href`. */
export function hrefOf(pathAndQuery: string): string {
  return basePath() + pathAndQuery;
}

/** Shows another place: a path below the base with its query, `/search?service=a`. */
export function goTo(pathAndQuery: string, { replace = false, state = {} }: GoOptions = {}): void {
  const href = hrefOf(pathAndQuery);
  if (replace) history.replaceState(state, "", href);
  else history.pushState(state, "", href);
  current.value = readPlace();
}

/** Keeps a key with a text in every place's address, and out of it while the text is "". */
export function keepInAddress(key: string, text: ReadonlySignal<string>): void {
  effect(() => {
    const { path, query, state } = current.value;
    if ((query.get(key) ?? "") === text.value) return;
    const told = new URLSearchParams(query);
    if (text.value === "") told.delete(key);
    else told.set(key, text.value);
    const all = told.toString();
    goTo(all === "" ? path : `${path}?${all}`, { replace: true, state });
  });
}

/** Follows back and forward, and clicks on links to places of the UI. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    current.value = readPlace();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target.closest("a") : null;
    if (target === null || target.target !== "" || target.hasAttribute("download")) return;
    const url = new URL(target.href);
    const base = basePath();
    if (url.origin !== location.origin || !url.pathname.startsWith(`${base}/`)) return;
    const path = url.pathname.slice(base.length);
    if (path.startsWith("/api/") || path.startsWith("/static/")) return;
    event.preventDefault();
    goTo(path + url.search, { state: stateOf(target) });
  });
}

/** `data-from="/search?…"` of a link is what the next page's way back leads to. */
function stateOf(link: HTMLAnchorElement): Readonly<Record<string, unknown>> {
  const from = link.dataset["from"];
  return from === undefined ? {} : { fromSearch: from };
}

function readPlace(): Place {
  const base = basePath();
  const { pathname, search } = location;
  const path = pathname.startsWith(base) ? pathname.slice(base.length) : pathname;
  const state: unknown = history.state;
  return {
    path: path === "" ? "/" : path,
    query: new URLSearchParams(search),
    state: isRecord(state) ? state : {},
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
