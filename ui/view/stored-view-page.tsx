/** The page of `/v/<id>`: fetches a view that was shared, and shows the trace as it says. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { ServerError } from "../data/ask-server.ts";
import { addressOfView, loadView } from "../data/stored-views.ts";
import { goTo, hrefOf } from "./router.ts";

const HEADINGS: { readonly [code: string]: string } = {
  "not-found": "This view is not here",
  unsupported: "This server keeps no views",
};

export function StoredViewPage({ id }: { readonly id: string }): JSX.Element {
  const failure = useSignal<ServerError | undefined>(undefined);
  const attempt = useSignal(0);
  useSignalEffect(() => {
    const abort = new AbortController();
    if (attempt.value > 0) failure.value = undefined;
    loadView(id, abort.signal).then(
      (view) => goTo(addressOfView(id, view), { replace: true }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        failure.value =
          error instanceof ServerError ? error : new ServerError(String(error), "failed");
      },
    );
    return () => abort.abort();
  });
  if (failure.value === undefined) {
    return <div class="progress" role="status" aria-label="Loading the view" />;
  }
  const { code, message } = failure.value;
  return (
    <section class="state" role="alert">
      <h1>{HEADINGS[code] ?? "The view could not be loaded"}</h1>
      <p>{message}</p>
      {code === "not-found" && (
        <p>
          Views are kept for 400 days after they were shared last, and the latest 2,000 of them.
        </p>
      )}
      <div class="actions">
        <button
          type="button"
          class="button primary"
          onClick={() => {
            attempt.value++;
          }}
        >
          Try again
        </button>
        <a class="button" href={hrefOf("/search")}>
          Search traces
        </a>
      </div>
    </section>
  );
}
