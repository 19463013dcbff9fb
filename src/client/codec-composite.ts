// Several propagation formats as one: every one is written, the first that is found is read.
import type { SpanContext } from "./span-context.ts";
import type { Extractor, Injector } from "./types.ts";

export class CompositeCodec implements Injector, Extractor {
  readonly #codecs: readonly (Injector & Extractor)[];

  /** In order of preference. */
  constructor(codecs: readonly (Injector & Extractor)[]) {
    this.#codecs = codecs;
  }

  inject(context: SpanContext, carrier: unknown): void {
    for (const codec of this.#codecs) codec.inject(context, carrier);
  }

  /** Ids come from the first codec that finds some; baggage and debug id from all of them. */
  extract(carrier: unknown): SpanContext | null {
    let found: SpanContext | null = null;
    let debugId = "";
    let baggage: Record<string, string> = {};
    for (const codec of this.#codecs) {
      const context = codec.extract(carrier);
      if (context === null) continue;
      if (found === null || (!found.isValid && context.isValid)) found = context;
      if (debugId === "") debugId = context.debugId;
      baggage = { ...context.baggage, ...baggage };
    }
    if (found !== null) found.setExtra(baggage, debugId, found.traceState);
    return found;
  }
}
