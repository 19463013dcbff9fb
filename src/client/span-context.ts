// What of a span travels to its children: ids, sampling state, baggage.
import { OpenTracingSpanContext } from "./opentracing-classes.ts";
import { hex32, hexValue, parseHex, shortHex } from "./ids.ts";

/** The flag bits that travel. */
export const SAMPLED = 0x1;
export const DEBUG = 0x2;
export const FIREHOSE = 0x8;
/** Bits that stay in this process. */
export const FINAL = 0x100;
export const REMOTE = 0x200;
/** A remote parent that left the decision to us (B3 without a sampled header). */
export const UNDECIDED = 0x400;
const WIRE_FLAGS = 0xff;

/** What few contexts have. Shared by children and never written. */
export interface ContextExtra {
  readonly baggage: Readonly<Record<string, string>>;
  readonly debugId: string;
  readonly traceState: string;
}

const NO_BAGGAGE: Readonly<Record<string, string>> = Object.freeze({});

const words4 = new Int32Array(4);
const words2 = new Int32Array(2);

// Functions instead of private methods: those would cost each context eight bytes for a brand.

/** Hex digits of a 64-bit id without leading zeros; empty for zero. */
function shortId(high: number, low: number): string {
  return (high | low) === 0 ? "" : shortHex(high, hex32(high) + hex32(low));
}

/** Registered, for a program may hold this library twice: as an ES module and as CommonJS. */
const MARK = Symbol.for("spoor-client.context");

/** Whether a value is a context of this library, of whichever copy. */
export function isContext(value: unknown): value is SpanContext {
  return (
    value instanceof SpanContext || (typeof value === "object" && value !== null && MARK in value)
  );
}

function takeTrace(context: SpanContext): void {
  context.trace0 = words4[0]!;
  context.trace1 = words4[1]!;
  context.trace2 = words4[2]!;
  context.trace3 = words4[3]!;
}

const COLON = 58;

/**
 * One pass without tables or arrays: on a busy server those are out of the cache when they are
 * needed, and looking into them cost more than the digits did.
 */
function readText(text: string, context: SpanContext): boolean {
  let part = 0;
  let digits = 0;
  let word0 = 0;
  let word1 = 0;
  let word2 = 0;
  let word3 = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? COLON : text.charCodeAt(i);
    if (code === COLON) {
      if (part > 3 || digits === 0 || digits > (part === 0 ? 32 : 16)) return false;
      if (part === 0) {
        context.trace0 = word0;
        context.trace1 = word1;
        context.trace2 = word2;
        context.trace3 = word3;
      } else if (part === 1) {
        context.span0 = word2;
        context.span1 = word3;
      } else if (part === 2) {
        context.parent0 = word2;
        context.parent1 = word3;
      } else context.bits = word3 & WIRE_FLAGS;
      part++;
      digits = word0 = word1 = word2 = word3 = 0;
    } else {
      const digit = hexValue(code);
      if (digit < 0) return false;
      digits++;
      word0 = (word0 << 4) | (word1 >>> 28);
      word1 = (word1 << 4) | (word2 >>> 28);
      word2 = (word2 << 4) | (word3 >>> 28);
      word3 = (word3 << 4) | digit;
    }
  }
  return part === 4;
}

/**
 * Ids are int32 words, which V8 keeps without allocating. The sampling state of all local spans of
 * a trace is one: it lives in the `flags` of `root`, the context the trace began with here.
 */
export class SpanContext extends OpenTracingSpanContext {
  declare trace0: number;
  declare trace1: number;
  declare trace2: number;
  declare trace3: number;
  declare span0: number;
  declare span1: number;
  declare parent0: number;
  declare parent1: number;
  bits = 0;
  declare root: SpanContext;
  extra: ContextExtra | null = null;
  /** On a root: told once when a trace that was not to be sampled shall be after all. */
  late: (() => void) | null = null;

  /** Words from the most significant; `root` is null for the first context of a trace here. */
  constructor(
    trace0 = 0,
    trace1 = 0,
    trace2 = 0,
    trace3 = 0,
    span0 = 0,
    span1 = 0,
    parent0 = 0,
    parent1 = 0,
    root: SpanContext | null = null,
  ) {
    super();
    this.trace0 = trace0;
    this.trace1 = trace1;
    this.trace2 = trace2;
    this.trace3 = trace3;
    this.span0 = span0;
    this.span1 = span1;
    this.parent0 = parent0;
    this.parent1 = parent1;
    this.root = root === null ? this : root;
  }

  /** A context for ids given as hex text; ids that are no hex become zero, an invalid context. */
  static withStringIds(
    traceId: string,
    spanId: string,
    parentId: string | null,
    flags: number,
    baggage: Record<string, string> = {},
    debugId = "",
  ): SpanContext {
    const context = new SpanContext();
    if (parseHex(traceId, 0, traceId.length, words4)) takeTrace(context);
    if (parseHex(spanId, 0, spanId.length, words2)) {
      context.span0 = words2[0]!;
      context.span1 = words2[1]!;
    }
    if (parentId && parseHex(parentId, 0, parentId.length, words2)) {
      context.parent0 = words2[0]!;
      context.parent1 = words2[1]!;
    }
    context.bits = flags & WIRE_FLAGS;
    context.setExtra(baggage, debugId, "");
    return context;
  }

  /** Reads `{trace}:{span}:{parent}:{flags}`; null when any part is not what it should be. */
  static fromString(text: string): SpanContext | null {
    const context = new SpanContext();
    return readText(text, context) && context.isValid ? context : null;
  }

  setExtra(baggage: Record<string, string>, debugId: string, traceState: string): void {
    let empty = debugId === "" && traceState === "";
    if (empty) for (const _key in baggage) empty = false;
    this.extra = empty ? null : { baggage, debugId, traceState };
  }

  /** The same context with one baggage item more; this one stays as it is. */
  withBaggageItem(key: string, value: string): SpanContext {
    const { debugId, traceState, baggage } = this;
    const context = this.copy();
    context.extra = { baggage: { ...baggage, [key]: value }, debugId, traceState };
    return context;
  }

  /** Another context with the same ids, bits and extra. */
  copy(): SpanContext {
    const context = new SpanContext(
      this.trace0,
      this.trace1,
      this.trace2,
      this.trace3,
      this.span0,
      this.span1,
      this.parent0,
      this.parent1,
      this.root,
    );
    context.bits = this.bits;
    context.extra = this.extra;
    return context;
  }

  get [MARK](): boolean {
    return true;
  }

  get isValid(): boolean {
    return (
      (this.trace0 | this.trace1 | this.trace2 | this.trace3) !== 0 &&
      (this.span0 | this.span1) !== 0
    );
  }

  get is128Bit(): boolean {
    return (this.trace0 | this.trace1) !== 0;
  }

  /** 32 hex digits. */
  get traceIdHex(): string {
    return hex32(this.trace0) + hex32(this.trace1) + hex32(this.trace2) + hex32(this.trace3);
  }

  /** 16 hex digits. */
  get spanIdHex(): string {
    return hex32(this.span0) + hex32(this.span1);
  }

  /** 16 hex digits, empty without a parent. */
  get parentIdHex(): string {
    return (this.parent0 | this.parent1) === 0 ? "" : hex32(this.parent0) + hex32(this.parent1);
  }

  get traceIdStr(): string {
    return this.is128Bit
      ? shortHex(this.trace0, this.traceIdHex)
      : shortId(this.trace2, this.trace3);
  }

  get spanIdStr(): string {
    return shortId(this.span0, this.span1);
  }

  get parentIdStr(): string | null {
    return shortId(this.parent0, this.parent1) || null;
  }

  get flags(): number {
    return this.root.bits & WIRE_FLAGS;
  }

  set flags(flags: number) {
    this.setBit(WIRE_FLAGS, false);
    this.setBit(flags & WIRE_FLAGS, true);
  }

  get baggage(): Readonly<Record<string, string>> {
    return this.extra === null ? NO_BAGGAGE : this.extra.baggage;
  }

  get debugId(): string {
    return this.extra === null ? "" : this.extra.debugId;
  }

  get traceState(): string {
    return this.extra === null ? "" : this.extra.traceState;
  }

  setBit(bit: number, on: boolean): void {
    const { root } = this;
    root.bits = on ? root.bits | bit : root.bits & ~bit;
    if (root.late === null || (root.bits & SAMPLED) === 0) return;
    const { late } = root;
    root.late = null;
    late();
  }

  isSampled(): boolean {
    return (this.root.bits & SAMPLED) !== 0;
  }

  isDebug(): boolean {
    return (this.root.bits & DEBUG) !== 0;
  }

  isRemote(): boolean {
    return (this.bits & REMOTE) !== 0;
  }

  get samplingFinalized(): boolean {
    return (this.root.bits & FINAL) !== 0;
  }

  finalizeSampling(): void {
    this.root.bits |= FINAL;
  }

  isDebugIDContainerOnly(): boolean {
    return !this.isValid && this.debugId !== "";
  }

  override toTraceId(): string {
    return this.traceIdStr;
  }

  override toSpanId(): string {
    return this.spanIdStr;
  }

  /** The value of `uber-trace-id`. */
  override toString(): string {
    const parent = this.parentIdStr ?? "0";
    return `${this.traceIdStr}:${this.spanIdStr}:${parent}:${this.flags.toString(16)}`;
  }
}
