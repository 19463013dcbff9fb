// The scope manager of platforms without asynchronous context: a stack of synchronous calls.
import type { Span } from "./span.ts";
import type { ScopeManager } from "./types.ts";

export class StackScopeManager implements ScopeManager {
  #active: Span | null = null;

  active(): Span | null {
    return this.#active;
  }

  run<T>(span: Span | null, action: () => T): T {
    const outer = this.#active;
    this.#active = span;
    try {
      return action();
    } finally {
      this.#active = outer;
    }
  }
}
