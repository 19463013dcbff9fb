/** The page of `/v/<id>`: fetches a view that was shared, and shows the trace as it says. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { ServerError } from "../data/ask-server.ts";
import { addressOfView, loadView } from "../data/stored-views.ts";
import { FailureState } from "./failure-state.tsx";
import { follow } from "./follow.ts";
import { goTo } from "./router.ts";
import { Waiting } from "./waiting.tsx";

const HEADINGS: { readonly [code: string]: string } = {
  "not-found": "This view is not here",
  unsupported: "This server keeps no views",
};

export function StoredViewPage({ id }: { readonly id: string }): JSX.Element {
  const failure = useSignal<ServerError | undefined>(undefined);
  const attempt = useSignal(0);
  useSignalEffect(() => {
    const abort = new AbortController();
    follow(attempt.value);
    failure.value = undefined;
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
  const onRetry = (): void => {
    attempt.value++;
  };
  if (failure.value === undefined) return <Waiting label="Loading the view" onRetry={onRetry} />;
  const { code, message } = failure.value;
  const heading = HEADINGS[code] ?? "The view could not be loaded";
  return (
    <FailureState {...{ heading, message, onRetry }}>
      {code === "not-found" && (
        <p>
          Views are kept for 400 days after they were shared last, and the latest 2,000 of them.
        </p>
      )}
    </FailureState>
  );
}
