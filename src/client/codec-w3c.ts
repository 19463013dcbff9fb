// W3C Trace Context and Baggage: `traceparent`, `tracestate`, `baggage`.
import {
  headerText,
  percentDecoded,
  percentEncoded,
  putBaggage,
  textMap,
  type TextCodecOptions,
} from "./codec-text-map.ts";
import { BAGGAGE_LENGTH } from "./limits.ts";
import { SAMPLED, SpanContext } from "./span-context.ts";
import type { Metrics } from "./metrics.ts";
import type { Extractor, Injector } from "./types.ts";

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-|$)/;
/** Only later versions may have more. */
const LENGTH_OF_VERSION_00 = 55;
/** Characters of a tracestate that must be carried on; longer ones are dropped as a whole. */
const TRACE_STATE_LENGTH = 512;

/** Null for what the specification calls invalid: version ff, upper case, zero ids. */
export function readTraceparent(text: string): SpanContext | null {
  const longer = text.startsWith("00") && text.length > LENGTH_OF_VERSION_00;
  if (longer || !TRACEPARENT.test(text)) return null;
  const flags = Number.parseInt(text.slice(53, 55), 16) & SAMPLED;
  const context = SpanContext.withStringIds(text.slice(3, 35), text.slice(36, 52), null, flags);
  return context.isValid ? context : null;
}

/** Reads `k=v;property, k2=v2` into baggage; properties are left out. */
export function readW3cBaggage(baggage: Record<string, string>, text: string): void {
  for (const member of text.split(",")) {
    const pair = member.split(";", 1)[0]!;
    const equals = pair.indexOf("=");
    if (equals <= 0) continue;
    const key = pair.slice(0, equals).trim();
    putBaggage(baggage, percentDecoded(key), percentDecoded(pair.slice(equals + 1).trim()));
  }
}

function writeBaggage(baggage: Readonly<Record<string, string>>): string {
  let text = "";
  for (const key in baggage) {
    const member = `${percentEncoded(key)}=${percentEncoded(baggage[key]!)}`;
    if (text.length + member.length + 1 > BAGGAGE_LENGTH) break;
    text += text === "" ? member : `,${member}`;
  }
  return text;
}

export class W3CTraceContextCodec implements Injector, Extractor {
  readonly #metrics: Metrics | null;

  constructor(options: TextCodecOptions = {}) {
    this.#metrics = options.metrics ?? null;
  }

  extract(carrier: unknown): SpanContext | null {
    const headers = textMap(carrier);
    if (headers === null) return null;
    let parent: string | null = null;
    let state = "";
    const baggage: Record<string, string> = {};
    for (const key in headers) {
      const length = key.length;
      if (length !== 11 && length !== 10 && length !== 7) continue;
      const lowerKey = key.toLowerCase();
      const text = headerText(headers[key]);
      if (text === null) continue;
      if (lowerKey === "traceparent") parent = text.trim();
      else if (lowerKey === "tracestate") state = text.trim();
      else if (lowerKey === "baggage") readW3cBaggage(baggage, text);
    }
    const context = parent === null ? null : readTraceparent(parent);
    if (parent !== null && context === null) this.#metrics?.decodingErrors.increment(1);
    const found = context ?? new SpanContext();
    const kept = context === null || state.length > TRACE_STATE_LENGTH ? "" : state;
    found.setExtra(baggage, "", kept);
    return found;
  }

  inject(context: SpanContext, carrier: unknown): void {
    const headers = textMap(carrier);
    if (headers === null) return;
    const flags = context.isSampled() ? "01" : "00";
    headers["traceparent"] = `00-${context.traceIdHex}-${context.spanIdHex}-${flags}`;
    if (context.extra === null) return;
    if (context.traceState !== "") headers["tracestate"] = context.traceState;
    const baggage = writeBaggage(context.baggage);
    if (baggage !== "") headers["baggage"] = baggage;
  }
}
