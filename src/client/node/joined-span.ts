// The server span of a request whose caller does not sample: until somebody asks, only a text.
import { Span } from "../span.ts";
import { childText, usualContext } from "./context-text.ts";
import type { ClientRequest } from "node:http";
import type { TextMapCodec } from "../codec-text-map.ts";
import type { SpanContext } from "../span-context.ts";
import type { Tracer } from "../tracer.ts";

/**
 * Reading the ids, a context for them and writing them again were a third of what a request costs
 * whose trace is not sampled. Bench: bench/client-server.ts.
 */
export class JoinedSpan extends Span {
  declare readonly line: string;
  declare readonly codec: TextMapCodec;
  /** Called when the trace is sampled after all. */
  late: (() => void) | null = null;

  constructor(tracer: Tracer, codec: TextMapCodec, line: string, name: string) {
    super(tracer, null, tracer.ids.next(), tracer.ids.next() || 1, name, tracer.now());
    this.codec = codec;
    this.line = line;
  }

  /** Its ids are not the trace's: they are its own until there is a context. */
  override materialize(bits: number): SpanContext {
    const context = usualContext(this.line)!;
    context.parent0 = context.span0;
    context.parent1 = context.span1;
    context.span0 = this.traceLow0;
    context.span1 = this.traceLow1;
    context.bits = bits;
    context.late = this.late;
    this.lazyContext = context;
    return context;
  }

  /** Carries the trace on in a call that nobody will see. */
  passOn(request: ClientRequest): void {
    const { ids } = this.owner;
    const text = childText(this.line, this, ids.next(), ids.next() || 1);
    request.setHeader(this.codec.contextKey, text);
  }
}
