/** A trace that could not be shown: why, and what to do next. */

import type { JSX } from "preact";
import type { TraceLoadError } from "../data/trace-source.ts";
import { hrefOf } from "./router.ts";

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
