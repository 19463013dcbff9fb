// What pages have in place of opentracing-classes.ts: classes with nothing in them.

export class OpenTracingSpan {}
export class OpenTracingSpanContext {}
export class OpenTracingTracer {}
