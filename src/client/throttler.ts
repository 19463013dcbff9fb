// The throttler of tracers without another: who may start debug traces, which bypass every sampler.
import type { Throttler } from "./types.ts";

/** Allows every debug trace, or none. */
export class DefaultThrottler implements Throttler {
  readonly #throttleAll: boolean;

  constructor(throttleAll = false) {
    this.#throttleAll = throttleAll;
  }

  isAllowed(): boolean {
    return !this.#throttleAll;
  }

  close(callback?: () => void): void {
    callback?.();
  }
}
