// The classes that OpenTracing's users test with `instanceof`. Everything in them is overridden, so
// the package's `browser` map puts opentracing-classes-page.ts in their place: a kilobyte less.
// Single files of `opentracing`: its index would bring its mock tracer along.
import { Span } from "opentracing/lib/span.js";
import { SpanContext } from "opentracing/lib/span_context.js";
import { Tracer } from "opentracing/lib/tracer.js";

export const OpenTracingSpan: typeof Span = Span;
export const OpenTracingSpanContext: typeof SpanContext = SpanContext;
export const OpenTracingTracer: typeof Tracer = Tracer;
