/** SIGINT and SIGTERM: the first one drains, a later one quits. */

import { systemClock } from "../base/clock.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * npm passes a terminal's Ctrl-C on to its child, which has got it already: signals this close
 * together are one.
 */
const SAME_SIGNAL_MS = 500;

export interface StopHandlers {
  /** The first signal. */
  stop(): void;
  /** A second one, later: do not wait any longer. */
  quit(): void;
}

/** Calls the handlers on signals until the returned function is called. */
export function onStopSignals(
  handlers: StopHandlers,
  monotonicMs: () => number = () => systemClock.monotonicMs(),
): () => void {
  let firstMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = monotonicMs();
    if (firstMs === undefined) {
      firstMs = nowMs;
      handlers.stop();
    } else if (nowMs - firstMs > SAME_SIGNAL_MS) {
      handlers.quit();
    }
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  };
}
