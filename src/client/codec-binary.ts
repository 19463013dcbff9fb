// The binary carrier: Jaeger's Go layout, big-endian, in `carrier.buffer`.
import { putBaggage } from "./codec-text-map.ts";
import { BAGGAGE_ITEMS, BAGGAGE_LENGTH } from "./limits.ts";
import { SpanContext } from "./span-context.ts";
import type { Metrics } from "./metrics.ts";
import type { Extractor, Injector } from "./types.ts";

/** Trace id 16 bytes, span id 8, parent id 8, flags 1, number of baggage items 4. */
const HEAD_BYTES = 37;

function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return Array.isArray(value) ? Uint8Array.from(value as number[]) : null;
}

function readItems(view: DataView, bytes: Uint8Array, into: Record<string, string>): boolean {
  const count = view.getUint32(33);
  if (count > BAGGAGE_ITEMS) return false;
  const decoder = new TextDecoder();
  let at = HEAD_BYTES;
  const texts: string[] = [];
  for (let i = 0; i < count * 2; i++) {
    if (at + 4 > bytes.length) return false;
    const length = view.getUint32(at);
    at += 4;
    if (length > BAGGAGE_LENGTH || at + length > bytes.length) return false;
    texts.push(decoder.decode(bytes.subarray(at, at + length)));
    at += length;
  }
  for (let i = 0; i < texts.length; i += 2) putBaggage(into, texts[i]!, texts[i + 1]!);
  return true;
}

export class BinaryCodec implements Injector, Extractor {
  readonly #metrics: Metrics | null;

  constructor(metrics: Metrics | null = null) {
    this.#metrics = metrics;
  }

  /** Null for an empty carrier and, counted, for one that is malformed. */
  extract(carrier: unknown): SpanContext | null {
    const holder = carrier as { buffer?: unknown } | null | undefined;
    const bytes = bytesOf(holder?.buffer);
    if (bytes === null || bytes.length === 0) return null;
    if (bytes.length < HEAD_BYTES) return this.#refused();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const words: number[] = [];
    for (let i = 0; i < 8; i++) words.push(view.getInt32(i * 4));
    const context = new SpanContext(
      words[0],
      words[1],
      words[2],
      words[3],
      words[4],
      words[5],
      words[6],
      words[7],
    );
    context.bits = bytes[32]!;
    const baggage: Record<string, string> = {};
    if (!context.isValid || !readItems(view, bytes, baggage)) return this.#refused();
    context.setExtra(baggage, "", "");
    return context;
  }

  #refused(): null {
    this.#metrics?.decodingErrors.increment(1);
    return null;
  }

  inject(context: SpanContext, carrier: unknown): void {
    if (typeof carrier !== "object" || carrier === null) return;
    const encoder = new TextEncoder();
    const items = Object.entries(context.baggage)
      .flat()
      .map((text) => encoder.encode(text));
    const size = items.reduce((sum, item) => sum + 4 + item.length, HEAD_BYTES);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    const { trace0, trace1, trace2, trace3, span0, span1, parent0, parent1 } = context;
    const words = [trace0, trace1, trace2, trace3, span0, span1, parent0, parent1];
    for (let i = 0; i < 8; i++) view.setInt32(i * 4, words[i]!);
    bytes[32] = context.flags;
    view.setUint32(33, items.length / 2);
    let at = HEAD_BYTES;
    for (const item of items) {
      view.setUint32(at, item.length);
      bytes.set(item, at + 4);
      at += 4 + item.length;
    }
    (carrier as { buffer?: unknown }).buffer = bytes;
  }
}
