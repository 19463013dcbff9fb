/** Stopping work that nobody waits for any more. */

import { SpoorError } from "./errors.ts";

/**
 * Throws when the signal is aborted: its reason when that is a SpoorError (a deadline), else
 * `cancelled`.
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** What to reject with once the signal is aborted. */
export function abortError(signal: AbortSignal): SpoorError {
  const reason: unknown = signal.reason;
  if (reason instanceof SpoorError) return reason;
  return new SpoorError("cancelled", "the caller went away", { cause: reason });
}
