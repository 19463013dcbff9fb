// The scope manager of Node: the active span follows awaits, timers and callbacks.
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { Span } from "../span.ts";
import type { ScopeManager } from "../types.ts";

/** True where what is entered in a callback ends with it: Node 24, unless an option says no. */
function endsWithCallback(): boolean {
  const storage = new AsyncLocalStorage<boolean>();
  const resource = new AsyncResource("spoor-client");
  resource.runInAsyncScope(() => storage.enterWith(true));
  const left = resource.runInAsyncScope(() => storage.getStore());
  return left === undefined;
}

export class AsyncScopeManager implements ScopeManager {
  readonly #storage = new AsyncLocalStorage<Span | null>();
  /**
   * Makes a span the active one until the callback at work ends, where Node allows that; `run`
   * costs twice as much there, for it makes one context to begin with and another to go back to.
   */
  readonly enter: ((span: Span) => void) | undefined = endsWithCallback()
    ? (span) => this.#storage.enterWith(span)
    : undefined;

  active(): Span | null {
    return this.#storage.getStore() ?? null;
  }

  run<T>(span: Span | null, action: () => T): T {
    return this.#storage.run(span, action);
  }
}
