// Jaeger's propagation: `uber-trace-id`, `uberctx-*`, `jaeger-debug-id` and `jaeger-baggage`.
import { baggageIsFull } from "./baggage.ts";
import { BAGGAGE_HEADERS, HEADER_LENGTH } from "./limits.ts";
import { SpanContext } from "./span-context.ts";
import type { Metrics } from "./metrics.ts";
import type { Extractor, Injector } from "./types.ts";

export interface TextCodecOptions {
  urlEncoding?: boolean | undefined;
  contextKey?: string | undefined;
  baggagePrefix?: string | undefined;
  metrics?: Metrics | null | undefined;
}

/** A carrier as a map of text; null when it is none. */
export function textMap(carrier: unknown): Record<string, unknown> | null {
  return typeof carrier === "object" && carrier !== null
    ? (carrier as Record<string, unknown>)
    : null;
}

/** A header's text: the first of several, nothing when it is no text or hostile in length. */
export function headerText(value: unknown): string | null {
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first !== "string" || first.length > HEADER_LENGTH) return null;
  return first;
}

/** Percent-decoded text; as it is when it cannot be decoded. */
export function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Percent-encoded text; lone surrogates, which cannot be encoded, become U+FFFD. */
export function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
  }
}

/** Adds an item unless its key is hostile or the baggage is full. */
export function putBaggage(baggage: Record<string, string>, key: string, value: string): void {
  if (key === "" || key === "__proto__" || baggageIsFull(baggage, key, value)) return;
  baggage[key] = value;
}

/** Reads `k1=v1, k2=v2`, leaving out what is malformed. */
export function readJaegerBaggage(baggage: Record<string, string>, text: string): void {
  for (const pair of text.split(",")) {
    const parts = pair.trim().split("=");
    if (parts.length === 2) putBaggage(baggage, parts[0]!, parts[1]!);
  }
}

/** The part every codec with Jaeger's baggage headers shares. */
export class JaegerBaggageHeaders {
  readonly prefix: string;
  readonly #urlEncoding: boolean;

  constructor(prefix: string | undefined, urlEncoding: boolean) {
    this.prefix = (prefix || "uberctx-").toLowerCase();
    this.#urlEncoding = urlEncoding;
  }

  decode(text: string): string {
    return this.#urlEncoding ? percentDecoded(text) : text;
  }

  /** Takes a header into `baggage` when it is one of Jaeger's baggage headers. */
  take(baggage: Record<string, string>, key: string, lowerKey: string, value: unknown): void {
    if (lowerKey === "jaeger-baggage") {
      const text = headerText(value);
      if (text !== null) readJaegerBaggage(baggage, this.decode(text));
    } else if (lowerKey.startsWith(this.prefix)) {
      const text = headerText(value);
      if (text !== null) putBaggage(baggage, key.slice(this.prefix.length), this.decode(text));
    }
  }

  inject(context: SpanContext, carrier: Record<string, unknown>): void {
    const { baggage } = context;
    for (const key in baggage) {
      const value = baggage[key]!;
      carrier[this.prefix + key] = this.#urlEncoding ? percentEncoded(value) : value;
    }
  }
}

/** A key's first two letters, whatever their case: most headers are known not to be ours by it. */
function opening(key: string): number {
  return ((key.charCodeAt(0) | 32) << 16) | key.charCodeAt(1) | 32;
}

const JAEGER = opening("jaeger-");

export class TextMapCodec implements Injector, Extractor {
  readonly contextKey: string;
  readonly #contextOpening: number;
  readonly #baggageOpening: number;
  readonly #baggage: JaegerBaggageHeaders;
  readonly #metrics: Metrics | null;

  constructor(options: TextCodecOptions = {}) {
    this.contextKey = (options.contextKey || "uber-trace-id").toLowerCase();
    this.#baggage = new JaegerBaggageHeaders(options.baggagePrefix, options.urlEncoding === true);
    this.#contextOpening = opening(this.contextKey);
    this.#baggageOpening = opening(this.#baggage.prefix);
    this.#metrics = options.metrics ?? null;
  }

  extract(carrier: unknown): SpanContext | null {
    const headers = textMap(carrier);
    if (headers === null) return null;
    let context: SpanContext | null = null;
    let baggage: Record<string, string> | null = null;
    let looked = 0;
    let debugId = "";
    for (const key in headers) {
      if (!this.concerns(key) || !Object.hasOwn(headers, key)) continue;
      const lowerKey = key.toLowerCase();
      if (lowerKey === this.contextKey) {
        context = this.readIds(headers[key]);
      } else if (lowerKey === "jaeger-debug-id") {
        debugId = this.#baggage.decode(headerText(headers[key]) ?? "");
      } else if (++looked <= BAGGAGE_HEADERS) {
        baggage ??= {};
        this.#baggage.take(baggage, key, lowerKey, headers[key]);
      }
    }
    const found = context ?? new SpanContext();
    if (baggage !== null || debugId !== "") found.setExtra(baggage ?? {}, debugId, "");
    return found;
  }

  /** Whether a header may be one that is read here. */
  concerns(key: string): boolean {
    const found = opening(key);
    return found === this.#contextOpening || found === this.#baggageOpening || found === JAEGER;
  }

  /** The ids in a header; decoding errors are counted. */
  readIds(value: unknown): SpanContext | null {
    const text = headerText(value) ?? "";
    // Ids need no decoding, unless somebody encoded the colons between them.
    const context =
      SpanContext.fromString(text) ?? SpanContext.fromString(this.#baggage.decode(text));
    if (context === null) this.#metrics?.decodingErrors.increment(1);
    return context;
  }

  inject(context: SpanContext, carrier: unknown): void {
    const headers = textMap(carrier);
    if (headers === null) return;
    headers[this.contextKey] = context.toString();
    if (context.extra !== null) this.#baggage.inject(context, headers);
  }
}
