/** The shell: top bar, and the page that the address names. */

import type { ComponentType, JSX } from "preact";
import { useSignal, useSignalEffect } from "@preact/signals";
import { place } from "./router.ts";
import { SearchPage } from "./search-page.tsx";
import type { TracePageProps } from "./trace-page.tsx";

/** The whole page. */
export function App(): JSX.Element {
  const { path } = place.value;
  return (
    <div class="app">
      <main id="main">{pageOf(path)}</main>
    </div>
  );
}

function pageOf(path: string): JSX.Element {
  const trace = /^\/trace\/([^/]+)$/.exec(path)?.[1];
  if (trace !== undefined) return <LazyTracePage key={trace} traceIdHex={trace} />;
  return <SearchPage />;
}

/** The trace page's code is loaded when the first trace is opened. */
function LazyTracePage(props: TracePageProps): JSX.Element {
  const page = useSignal<ComponentType<TracePageProps> | undefined>(undefined);
  useSignalEffect(() => {
    void import("./trace-page.tsx").then(({ TracePage }) => {
      page.value = TracePage;
    });
  });
  const Page = page.value;
  return Page === undefined ? <div class="progress" /> : <Page {...props} />;
}
