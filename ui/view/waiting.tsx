/** What is shown while an answer is waited for: a bar, and after some seconds what can be done. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";

/** Nothing came for so long: whoever waits is told. */
export const STALL_MS = 5_000;

/** Whether nothing came for some seconds; `arrived` is another value with all that comes. */
export function useStalled(waits: boolean, arrived: unknown): boolean {
  const stalled = useSignal(false);
  useEffect(() => {
    stalled.value = false;
    if (!waits) return undefined;
    const timer = setTimeout(() => {
      stalled.value = true;
    }, STALL_MS);
    return () => clearTimeout(timer);
  }, [waits, arrived]);
  return stalled.value && waits;
}

export interface WaitingProps {
  /** What is waited for, as "Loading the view". */
  readonly label: string;
  /** Asks anew; what was asked before is to be given up. */
  readonly onRetry: () => void;
}

/** The bar; when nothing comes, the reason it may have and a way to ask again. */
export function Waiting({ label, onRetry }: WaitingProps): JSX.Element {
  const tries = useSignal(0);
  const stalled = useStalled(true, tries.value);
  return (
    <>
      <div class="progress" role="status" aria-label={label} />
      {stalled && (
        <Notice>
          <p>
            <b>Not all has come after five seconds.</b> {MAY_BE}
          </p>
          <button
            type="button"
            class="button"
            onClick={() => {
              tries.value++;
              onRetry();
            }}
          >
            Try again
          </button>
        </Notice>
      )}
    </>
  );
}

export const STILL = "Nothing has come for five seconds.";
export const MAY_BE = "The server may be busy, or the connection slow, or stalled.";

/** A line across the page that something is the matter, with buttons. */
export function Notice({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="notice" role="alert">
      {children}
    </div>
  );
}
