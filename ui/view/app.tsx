/** The shell: top bar, and the page that the address names. */

import { computed, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { canonicalTraceId, traceIdOf } from "../data/trace-ids.ts";
import { readSetting, writeSetting } from "../data/settings.ts";
import { loadView } from "../data/stored-views.ts";
import { announcement } from "./announce.ts";
import { CommandPalette } from "./command-palette.tsx";
import { configWarnings, embeddingOf, uiConfig } from "./page-facts.ts";
import { goTo, hrefOf, place } from "./router.ts";
import { SearchPage } from "./search-page.tsx";
import { HandedOverPage } from "./handed-over-page.tsx";
import { StoredViewPage } from "./stored-view-page.tsx";
import { Toasts, say } from "./toasts.tsx";
import { TopBar } from "./top-bar.tsx";
import { filesOver, listenToDrops } from "./uploads.ts";
import type { TracePageProps } from "./trace-page.tsx";
import { Waiting } from "./waiting.tsx";

/** Jaeger's pages that are not here yet: their addresses say so instead of nothing. */
const TO_COME: Readonly<Record<string, string>> = {
  "/dependencies": "The service map",
  "/deep-dependencies": "The deep dependency graph",
  "/monitor": "The monitor",
  "/quality-metrics": "Trace quality",
};

/** Parts of the place by themselves: its query changes as a trace is looked through. */
const pathShown = computed(() => place.value.path);
const isEmbedded = computed(() => embeddingOf(place.value.query).embedded);

/** The whole page. */
export function App(): JSX.Element {
  const path = pathShown.value;
  const embedded = isEmbedded.value;
  useSignalEffect(() => {
    tellConfigWarnings();
    if (!uiConfig.disableFileUploadControl && !isEmbedded.peek()) return listenToDrops();
    return undefined;
  });
  return (
    <div class={embedded ? "app embedded" : "app"}>
      {!embedded && (
        <a class="skip" href="#main">
          Skip to content
        </a>
      )}
      {!embedded && <TopBar />}
      <main id="main" tabIndex={-1}>
        <Page key={pageKey(path)} path={path} />
      </main>
      {embedded && <Standalone />}
      <p class="unseen" role="status" aria-live="polite">
        {announcement}
      </p>
      {filesOver.value && <p class="drop-here popup">Drop the files to show their traces</p>}
      <CommandPalette />
      <Toasts />
    </div>
  );
}

/** They are for the operator: a browser is told once, and again when they change. */
function tellConfigWarnings(): void {
  const text = configWarnings.length === 0 ? undefined : configWarnings.join("\n");
  if (text === readSetting(WARNED_KEY)) return;
  writeSetting(WARNED_KEY, text);
  for (const warning of configWarnings) say(`UI configuration: ${warning}`, { bad: true });
}

const WARNED_KEY = "spoor.configWarnings";

/** An error of ours must not leave a blank page. */
function Page({ path }: { readonly path: string }): JSX.Element {
  const [error, reset] = useErrorBoundary();
  if (error === undefined) return pageOf(path);
  return (
    <div class="state" role="alert">
      <h1>This page failed</h1>
      <p>
        That is a bug of the UI, not of your traces. What it said: <code>{String(error)}</code>
      </p>
      <div class="actions">
        <button type="button" class="button primary" onClick={reset}>
          Try again
        </button>
        <a class="button" href={hrefOf("/search")}>
          Search
        </a>
      </div>
    </div>
  );
}

/** Pages of one kind stay as their address changes. */
function pageKey(path: string): string {
  return path === "/" ? "/search" : path;
}

function pageOf(path: string): JSX.Element {
  if (path === "/" || path === "/search") return path === "/" ? <ToSearch /> : <SearchPage />;
  const id = /^\/trace\/([^/]+)$/.exec(path)?.[1];
  if (id !== undefined) return traceOf(decoded(id));
  if (path === "/embed") return <HandedOverPage />;
  const view = /^\/v\/([^/]+)$/.exec(path)?.[1];
  if (view !== undefined) return <StoredViewPage key={view} id={view} />;
  const coming = TO_COME[path];
  if (coming !== undefined) return <Coming what={coming} />;
  return <NotFound what={path} />;
}

function traceOf(id: string): JSX.Element {
  if (id.includes("...")) return <Coming what="Comparing traces" />;
  const traceIdHex = traceIdOf(id);
  if (traceIdHex === undefined) return <NotFound what={`a trace ${id}`} />;
  return <LazyTracePage traceIdHex={traceIdHex} address={id} />;
}

/** The trace page's code is loaded when the first trace is opened. */
function LazyTracePage(props: TracePageProps & { readonly address: string }): JSX.Element {
  const { address, ...rest } = props;
  const page = useSignal<ComponentType<TracePageProps> | undefined>(undefined);
  const failed = useSignal(false);
  useSignalEffect(() => {
    // Pasted in capitals or base64: the address becomes the one everybody else has.
    const canonical = canonicalTraceId(rest.traceIdHex);
    if (address !== canonical && address !== rest.traceIdHex) {
      const { query, state } = place.peek();
      const text = query.toString();
      goTo(`/trace/${canonical}${text === "" ? "" : `?${text}`}`, { replace: true, state });
    }
    Promise.all([import("./trace-page.tsx"), moreOf(place.peek().query.get("more"))]).then(
      ([{ TracePage }]) => {
        page.value = TracePage;
      },
      () => {
        failed.value = true;
      },
    );
  });
  const Found = page.value;
  if (failed.value) return <Reload />;
  if (Found !== undefined) return <Found {...rest} />;
  return <Waiting label="Loading the page" onRetry={() => location.reload()} />;
}

/** The stored view that an address goes on in; the trace is shown without it if need be. */
async function moreOf(id: string | null): Promise<void> {
  if (id === null) return;
  try {
    await loadView(id, AbortSignal.timeout(VIEW_WAIT_MS));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`What the link shows folded or hidden could not be loaded: ${why}`, { bad: true });
  }
}

/** A trace is not kept back for longer than this by what is to be folded in it. */
const VIEW_WAIT_MS = 10_000;

function ToSearch(): JSX.Element {
  useSignalEffect(() => {
    const text = place.peek().query.toString();
    goTo(`/search${text === "" ? "" : `?${text}`}`, { replace: true });
  });
  return <div class="progress" />;
}

function Reload(): JSX.Element {
  return (
    <div class="state" role="alert">
      <h1>Part of the page could not be loaded</h1>
      <p>The server may be down, or it was updated since this page was opened.</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    </div>
  );
}

function Coming({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="state">
      <h1>{what} is to come</h1>
      <p>
        This version has search and the trace view; the address will work once the page is there.
      </p>
      <div class="actions">
        <a class="button primary" href={hrefOf("/search")}>
          Search
        </a>
      </div>
    </div>
  );
}

function NotFound({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="state">
      <h1>Page not found</h1>
      <p>
        There is no <code>{what}</code> here.
      </p>
      <div class="actions">
        <a class="button primary" href={hrefOf("/search")}>
          Search
        </a>
      </div>
    </div>
  );
}

/** In somebody else's page: a way to the whole one. */
function Standalone(): JSX.Element {
  const { path, query } = place.value;
  const own = new URLSearchParams([...query].filter(([name]) => !name.startsWith("ui")));
  return (
    <a class="standalone" href={hrefOf(`${path}?${own}`)} target="_blank" rel="noopener">
      Open in Spoor
    </a>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
