/** How tests wait: for what is to become true, and as long as a machine with other work needs. */

import assert from "node:assert/strict";

/**
 * What has not come by then hangs. It is no measure of speed: with other work on the machine, a
 * process has been seen to stand still for ten seconds.
 */
export const PATIENCE_MS = 120_000;

/** Waits until it holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert(performance.now() < deadlineMs, `not in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits until `check` gives something. */
export async function eventually<T>(what: string, check: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    assert(performance.now() < deadlineMs, `not in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
