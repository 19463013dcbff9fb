// The scope manager of Node: the active span follows awaits, timers and callbacks.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Span } from "../span.ts";
import type { ScopeManager } from "../types.ts";

export class AsyncScopeManager implements ScopeManager {
  readonly #storage = new AsyncLocalStorage<Span | null>();

  active(): Span | null {
    return this.#storage.getStore() ?? null;
  }

  run<T>(span: Span | null, action: () => T): T {
    return this.#storage.run(span, action);
  }
}
