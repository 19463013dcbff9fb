/** Ends a question after its deadline, or when its asker goes away, whatever the store does. */

import type { Clock } from "../base/clock.ts";
import { abortError } from "../core/cancel.ts";
import { SpoorError } from "../core/errors.ts";

/**
 * Asks with a signal that aborts with `deadline` after `deadlineMs` or with the caller's own;
 * rejects at once then, even when the answer is late. The question must not throw at once.
 */
export async function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  caller: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  controller.signal.addEventListener("abort", () => reject(abortError(controller.signal)));
  const onCallerGone = (): void => controller.abort(abortError(caller!));
  const cancelTimer = clock.after(deadlineMs, () => {
    const text = `the query ran longer than ${deadlineMs / 1000} s; ask for less`;
    controller.abort(new SpoorError("deadline", text));
  });
  if (caller?.aborted === true) onCallerGone();
  else caller?.addEventListener("abort", onCallerGone);
  try {
    return await Promise.race([ended, ask(controller.signal)]);
  } finally {
    cancelTimer();
    caller?.removeEventListener("abort", onCallerGone);
  }
}
