// Zipkin's B3 propagation, as several headers or as a single one.
import {
  JaegerBaggageHeaders,
  headerText,
  textMap,
  type TextCodecOptions,
} from "./codec-text-map.ts";
import { parseHex } from "./ids.ts";
import { DEBUG, SAMPLED, SpanContext, UNDECIDED } from "./span-context.ts";
import { BAGGAGE_HEADERS } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import type { Extractor, Injector } from "./types.ts";

const scratch = new Int32Array(4);

/** 16 or 32 digits: B3 knows no shorter ids. */
function traceHex(context: SpanContext): string {
  return context.is128Bit ? context.traceIdHex : context.traceIdHex.slice(16);
}

function isHex(text: string, digits: number): boolean {
  return text === "" || (text.length <= digits && parseHex(text, 0, text.length, scratch));
}

function flagsOf(sampled: string | null, debug: boolean): number {
  if (debug) return SAMPLED | DEBUG;
  if (sampled === "1" || sampled === "true") return SAMPLED;
  return sampled === null ? UNDECIDED : 0;
}

interface B3Fields {
  traceId: string;
  spanId: string;
  parentId: string;
  flags: number;
}

/** An invalid context where ids are absent or no hex; the latter is counted. */
function contextFrom(fields: B3Fields, metrics: Metrics | null): SpanContext {
  const { traceId, spanId, parentId, flags } = fields;
  if (!isHex(traceId, 32) || !isHex(spanId, 16) || !isHex(parentId, 16)) {
    metrics?.decodingErrors.increment(1);
    return new SpanContext();
  }
  const context = SpanContext.withStringIds(traceId, spanId, parentId, flags);
  context.bits |= flags & UNDECIDED;
  return context;
}

/** `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled`, `x-b3-flags`. */
export class ZipkinB3TextMapCodec implements Injector, Extractor {
  readonly #baggage: JaegerBaggageHeaders;
  readonly #metrics: Metrics | null;

  constructor(options: TextCodecOptions = {}) {
    this.#baggage = new JaegerBaggageHeaders(options.baggagePrefix, options.urlEncoding === true);
    this.#metrics = options.metrics ?? null;
  }

  extract(carrier: unknown): SpanContext | null {
    const headers = textMap(carrier);
    if (headers === null) return null;
    const baggage: Record<string, string> = {};
    const found: Record<string, string> = {};
    let looked = 0;
    for (const key in headers) {
      if (!Object.hasOwn(headers, key)) continue;
      const lowerKey = key.toLowerCase();
      if (lowerKey.startsWith("x-b3-") || lowerKey === "jaeger-debug-id") {
        const text = headerText(headers[key]);
        if (text !== null) found[lowerKey] = this.#baggage.decode(text);
      } else if (++looked <= BAGGAGE_HEADERS) {
        this.#baggage.take(baggage, key, lowerKey, headers[key]);
      }
    }
    const flags = flagsOf(found["x-b3-sampled"] ?? null, found["x-b3-flags"] === "1");
    const traceId = found["x-b3-traceid"] ?? "";
    const spanId = found["x-b3-spanid"] ?? "";
    const parentId = found["x-b3-parentspanid"] ?? "";
    const context = contextFrom({ traceId, spanId, parentId, flags }, this.#metrics);
    context.setExtra(baggage, found["jaeger-debug-id"] ?? "", "");
    return context;
  }

  inject(context: SpanContext, carrier: unknown): void {
    const headers = textMap(carrier);
    if (headers === null) return;
    headers["x-b3-traceid"] = traceHex(context);
    headers["x-b3-spanid"] = context.spanIdHex;
    if (context.parentIdHex !== "") headers["x-b3-parentspanid"] = context.parentIdHex;
    // Debug implies sampled, which is then not sent.
    if (context.isDebug()) headers["x-b3-flags"] = "1";
    else headers["x-b3-sampled"] = context.isSampled() ? "1" : "0";
    if (context.extra !== null) this.#baggage.inject(context, headers);
  }
}

/** `b3: {trace}-{span}-{sampled}-{parent}`, or only a decision. */
export class B3SingleCodec implements Injector, Extractor {
  readonly #metrics: Metrics | null;

  constructor(options: TextCodecOptions = {}) {
    this.#metrics = options.metrics ?? null;
  }

  extract(carrier: unknown): SpanContext | null {
    const headers = textMap(carrier);
    if (headers === null) return null;
    let text: string | null = null;
    for (const key in headers) {
      if (key.toLowerCase() === "b3") text = headerText(headers[key]);
    }
    if (text === null) return null;
    const parts = text.split("-");
    if (parts.length < 2 || parts.length > 4) {
      // A decision alone ("0", "1", "d") is legal and carries no context.
      if (parts.length !== 1 || !/^[01d]$/.test(text)) this.#metrics?.decodingErrors.increment(1);
      return null;
    }
    const [traceId, spanId, sampled, parentId] = parts;
    const flags = flagsOf(sampled ?? null, sampled === "d");
    const fields = { traceId: traceId!, spanId: spanId!, parentId: parentId ?? "", flags };
    const context = contextFrom(fields, this.#metrics);
    return context.isValid ? context : null;
  }

  inject(context: SpanContext, carrier: unknown): void {
    const headers = textMap(carrier);
    if (headers === null) return;
    const decision = context.isDebug() ? "d" : context.isSampled() ? "1" : "0";
    const parent = context.parentIdHex === "" ? "" : `-${context.parentIdHex}`;
    headers["b3"] = `${traceHex(context)}-${context.spanIdHex}-${decision}${parent}`;
  }
}
