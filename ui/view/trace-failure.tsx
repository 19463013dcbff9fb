/** A trace that could not be shown, or not all of it: why, and what to do next. */

import type { JSX } from "preact";
import type { TraceLoadError } from "../data/trace-source.ts";
import { announce } from "./announce.ts";
import { FailureState } from "./failure-state.tsx";
import { counted } from "./row-text.ts";
import type { TraceModel } from "./trace-model.ts";
import { MAY_BE, Notice, STILL, useStalled } from "./waiting.tsx";

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
  const { code, message } = failure;
  const heading = HEADINGS[code] ?? "The trace could not be loaded";
  return (
    <FailureState {...{ heading, message, onRetry }}>
      {code === "not-found" && (
        <p>
          Spans may still be on their way, retention may have removed them, or the ID{" "}
          <code class="wrap">{traceId}</code> may be another system's.
        </p>
      )}
    </FailureState>
  );
}

/**
 * The line above a trace that is not all there: what is missing and why, and the way to it. It
 * comes when loading broke off, and while it loads when nothing came for some seconds.
 */
export function NotAllThere({ model }: { readonly model: TraceModel }): JSX.Element | null {
  const { loading } = model;
  const waits = loading.underWay.value;
  const stalled = useStalled(waits, loading.arrived.value);
  const failure = model.broken.value;
  if (failure === undefined && !stalled) return null;
  const again = async (): Promise<void> => {
    await loading.load();
    const all = model.columns.peek()?.spanCount ?? 0;
    if (model.complete.peek()) announce(`All ${counted(all, "span")} are here`);
  };
  return (
    <Notice>
      <p>
        <b>{stateText(model)}</b> {stalled ? `${STILL} ${MAY_BE}` : failure?.message}
      </p>
      <button
        type="button"
        class="button"
        disabled={waits && !stalled}
        onClick={() => void again()}
      >
        {waits && !stalled ? "Loading again…" : "Try again"}
      </button>
      {stalled && (
        <button type="button" class="button" onClick={() => loading.stop()}>
          Stop loading
        </button>
      )}
    </Notice>
  );
}

/** How much of the trace is there; "" of none and of one that is being loaded to grow. */
function stateText({ columns, complete }: TraceModel): string {
  const { loaded = 0, spanCount = 0 } = columns.value ?? {};
  if (complete.value || loaded === 0) return "";
  if (loaded === spanCount) return "The spans are all here, but not what the trace waited for.";
  return `Only ${loaded.toLocaleString("en")} of ${counted(spanCount, "span")} are shown.`;
}
