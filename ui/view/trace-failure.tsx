/** A trace that could not be shown, or not all of it: why, and what to do next. */

import type { JSX } from "preact";
import type { TraceLoadError } from "../data/trace-source.ts";
import { announce } from "./announce.ts";
import { hrefOf } from "./router.ts";
import { counted } from "./row-text.ts";
import type { TraceModel } from "./trace-model.ts";

export interface TraceFailureProps {
  readonly failure: TraceLoadError;
  readonly traceId: string;
  readonly onRetry: () => void;
}

const HEADINGS: { readonly [code: string]: string } = {
  "not-found": "This trace is not here",
  "not-available": "The trace could not be loaded",
  "cut-short": "The trace broke off",
  "bad-answer": "The answer could not be read",
};

export function TraceFailure({ failure, traceId, onRetry }: TraceFailureProps): JSX.Element {
  const missing = failure.code === "not-found";
  return (
    <section class="state" role="alert">
      <h1>{HEADINGS[failure.code] ?? "The trace could not be loaded"}</h1>
      <p>{failure.message}</p>
      {missing && (
        <p>
          Spans may still be on their way, retention may have removed them, or the ID{" "}
          <code class="wrap">{traceId}</code> may be another system's.
        </p>
      )}
      <div class="actions">
        <button type="button" class="button primary" onClick={onRetry}>
          Try again
        </button>
        <a class="button" href={hrefOf("/search")}>
          Search traces
        </a>
      </div>
    </section>
  );
}

/** The line above a trace of which only some came: how much, why, and the way to the rest. */
export function BrokenOff({ model }: { readonly model: TraceModel }): JSX.Element | null {
  const failure = model.broken.value;
  const columns = model.columns.value;
  if (failure === undefined || columns === undefined) return null;
  const again = model.loadingAgain.value;
  const { loaded, spanCount } = columns;
  const loadAgain = async (): Promise<void> => {
    await model.loadAgain();
    if (model.complete.peek()) announce(`All ${counted(spanCount, "span")} are here`);
  };
  return (
    <div class="trace-broken" role="alert">
      <p>
        <b>
          {loaded < spanCount
            ? `Only ${loaded.toLocaleString("en")} of ${counted(spanCount, "span")} are shown.`
            : "The spans are all here, but not what the trace waited for."}
        </b>{" "}
        {failure.message}
      </p>
      <button type="button" class="button" disabled={again} onClick={() => void loadAgain()}>
        {again ? "Loading again…" : "Try again"}
      </button>
    </div>
  );
}
