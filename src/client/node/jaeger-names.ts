// What jaeger-client's spans and contexts have besides OpenTracing's API, for programs that look.
// On Node only: tests of applications read these, and every byte counts in a page.
import { OneDecision } from "../samplers.ts";
import { Span } from "../span.ts";
import { FIREHOSE, SpanContext } from "../span-context.ts";
import type { Reference } from "opentracing";
import type { Tag } from "../types.ts";

interface SpanNames {
  readonly _operationName: string;
  readonly _spanContext: SpanContext;
  /** Milliseconds since the epoch. */
  readonly _startTime: number;
  /** Milliseconds; undefined until the span is finished. */
  readonly _duration: number | undefined;
  readonly _tags: Tag[];
  readonly _logs: { timestamp: number; fields: Tag[] }[];
  readonly _references: readonly Reference[];
}

interface ContextNames {
  /** 8 or 16 bytes. */
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentId: Buffer | null;
  isFirehose(): boolean;
}

interface SamplerNames {
  /** The interface of older samplers, for applications that ask one themselves. */
  isSampled(operation: string, outTags: Record<string, unknown>): boolean;
}

declare module "../samplers.ts" {
  interface OneDecision extends SamplerNames {}
}
declare module "../span.ts" {
  interface Span extends SpanNames {}
}
declare module "../span-context.ts" {
  interface SpanContext extends ContextNames {}
  namespace SpanContext {
    /** Makes a context of ids given as big-endian bytes. */
    function withBinaryIds(
      traceId: Uint8Array,
      spanId: Uint8Array,
      parentId: Uint8Array | null,
      flags: number,
      baggage?: Record<string, string>,
      debugId?: string,
    ): SpanContext;
  }
}

function asTags(flat: readonly unknown[]): Tag[] {
  const tags: Tag[] = [];
  for (let i = 0; i < flat.length; i += 2) tags.push({ key: String(flat[i]), value: flat[i + 1] });
  return tags;
}

const spanNames: { [Name in keyof SpanNames]: (span: Span) => SpanNames[Name] } = {
  _operationName: (span) => span.operationName,
  _spanContext: (span) => span.spanContext,
  _startTime: (span) => span.startMs,
  _duration: (span) => {
    const duration = span.recording?.durationMs ?? -1;
    return duration < 0 ? undefined : duration;
  },
  _tags: (span) => asTags(span.recording?.allTags() ?? []),
  _logs: (span) =>
    (span.recording?.orderedLogs() ?? []).map(({ timestampMs, fields }) => ({
      timestamp: timestampMs,
      fields: asTags(fields),
    })),
  _references: (span) => span.recording?.references ?? [],
};

const contextNames: Readonly<Record<string, (context: SpanContext) => Buffer | null>> = {
  traceId: (context) =>
    Buffer.from(context.is128Bit ? context.traceIdHex : context.traceIdHex.slice(16), "hex"),
  spanId: (context) => Buffer.from(context.spanIdHex, "hex"),
  parentId: ({ parentIdHex }) => (parentIdHex === "" ? null : Buffer.from(parentIdHex, "hex")),
};

function hexOf(bytes: Uint8Array | null): string {
  return bytes === null ? "" : Buffer.from(bytes).toString("hex");
}

function withBinaryIds(
  traceId: Uint8Array,
  spanId: Uint8Array,
  parentId: Uint8Array | null,
  flags: number,
  baggage: Record<string, string> = {},
  debugId = "",
): SpanContext {
  const parent = hexOf(parentId);
  return SpanContext.withStringIds(hexOf(traceId), hexOf(spanId), parent, flags, baggage, debugId);
}

function addGetters<T extends object>(
  prototype: T,
  getters: Readonly<Record<string, (self: T) => unknown>>,
): void {
  for (const [name, read] of Object.entries(getters)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: T) {
        return read(this);
      },
    });
  }
}

addGetters(Span.prototype, spanNames);
addGetters(SpanContext.prototype, contextNames);
Object.assign(SpanContext, { withBinaryIds });
Object.assign(SpanContext.prototype, {
  isFirehose(this: SpanContext): boolean {
    return (this.flags & FIREHOSE) !== 0;
  },
});

function randomWord(): number {
  return (Math.random() * 2 ** 32) | 0;
}

Object.assign(OneDecision.prototype, {
  isSampled(this: OneDecision, operationName: string, outTags: Record<string, unknown>): boolean {
    const ids = { traceLow0: randomWord(), traceLow1: randomWord() };
    const { sample, tags } = this.decide({ operationName, ...ids });
    Object.assign(outTags, tags);
    return sample;
  },
});
