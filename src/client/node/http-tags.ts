// The tags that spans of requests begin with: as few in number as methods and components are.
import type { FixedTags, Span } from "../span.ts";

/** Methods a process meets; names made up by callers are no reason to keep more. */
const METHODS = 64;

export class HttpTags {
  readonly #kind: string;
  readonly #component: string;
  readonly #known = new Map<string, FixedTags>();

  constructor(kind: string, component: string) {
    this.#kind = kind;
    this.#component = component;
  }

  #of(method: string): FixedTags {
    const known = this.#known.get(method);
    if (known !== undefined) return known;
    const kind = ["span.kind", this.#kind];
    const flat = [...kind, "component", this.#component, "http.method", method];
    const made = { flat, encodedBy: null, encoded: new Uint8Array(0) };
    if (this.#known.size < METHODS) this.#known.set(method, made);
    return made;
  }

  /** Puts them on a span that has none yet but, maybe, its sampler's and its kind. */
  describe(span: Span, method: string): void {
    const recording = span.record();
    if (recording === null) return;
    const fixed = this.#of(method);
    const { tags } = recording;
    if (tags.length === 0 && span.spanContext.samplingFinalized) {
      recording.fixed = fixed;
      return;
    }
    for (let i = tags.includes("span.kind") ? 2 : 0; i < fixed.flat.length; i += 2) {
      span.setTag(fixed.flat[i] as string, fixed.flat[i + 1]);
    }
  }
}
