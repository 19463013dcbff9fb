// An OpenTracing span of this client seen as an OpenTelemetry span.
import { followsFrom } from "opentracing";
import type * as Api from "@opentelemetry/api";
import { REMOTE, SAMPLED, SpanContext } from "../span-context.ts";
import type { Span } from "../span.ts";

const STATUS_OK = 1;
const STATUS_ERROR = 2;
const SPAN_KINDS = ["internal", "server", "client", "producer", "consumer"] as const;

/** The value of the `span.kind` tag; OpenTelemetry's default, internal, is not tagged. */
export function kindTag(kind: number | undefined): string | null {
  return kind === undefined || kind === 0 ? null : (SPAN_KINDS[kind] ?? null);
}

/** Milliseconds since the epoch of a Date, a pair of seconds and nanoseconds, or a number. */
export function millisecondsOf(time: Api.TimeInput | undefined): number | undefined {
  if (time === undefined) return undefined;
  if (Array.isArray(time)) return time[0] * 1_000 + time[1] / 1e6;
  if (typeof time === "number") {
    // Numbers below the start of the process are readings of performance.now().
    return time < performance.timeOrigin ? time + performance.timeOrigin : time;
  }
  return time.getTime();
}

/** A context of any OpenTelemetry implementation as one of ours. */
export function fromOpenTelemetry(context: Api.SpanContext): SpanContext {
  const flags = context.traceFlags & SAMPLED;
  const made = SpanContext.withStringIds(context.traceId, context.spanId, null, flags);
  made.setExtra({}, "", context.traceState?.serialize() ?? "");
  made.bits |= REMOTE;
  return made;
}

function isTime(value: unknown): value is Api.TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}

export class OpenTelemetrySpan implements Api.Span {
  readonly span: Span;
  readonly #api: typeof Api;
  #ended = false;

  constructor(span: Span, api: typeof Api) {
    this.span = span;
    this.#api = api;
  }

  spanContext(): Api.SpanContext {
    const context = this.span.context();
    const made: Api.SpanContext = {
      traceId: context.traceIdHex,
      spanId: context.spanIdHex,
      traceFlags: context.isSampled() ? 1 : 0,
    };
    if (context.traceState === "") return made;
    return { ...made, traceState: this.#api.createTraceState(context.traceState) };
  }

  setAttribute(key: string, value: Api.AttributeValue): this {
    this.span.setTag(key, value);
    return this;
  }

  setAttributes(attributes: Api.Attributes): this {
    for (const key in attributes) this.span.setTag(key, attributes[key]);
    return this;
  }

  addEvent(name: string, second?: Api.Attributes | Api.TimeInput, time?: Api.TimeInput): this {
    const attributes = isTime(second) ? {} : second;
    const at = isTime(second) ? second : time;
    this.span.log({ event: name, ...attributes }, millisecondsOf(at));
    return this;
  }

  addLink(link: Api.Link): this {
    const recording = this.span.record();
    if (recording !== null) {
      const reference = followsFrom(fromOpenTelemetry(link.context));
      recording.references = [...(recording.references ?? []), reference];
    }
    return this;
  }

  addLinks(links: Api.Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: Api.SpanStatus): this {
    if (status.code === STATUS_ERROR) {
      this.span.setTag("error", true);
      if (status.message) this.span.setTag("otel.status_description", status.message);
    } else if (status.code === STATUS_OK) this.span.setTag("otel.status_code", "OK");
    return this;
  }

  updateName(name: string): this {
    this.span.setOperationName(name);
    return this;
  }

  end(endTime?: Api.TimeInput): void {
    if (this.#ended) return;
    this.#ended = true;
    this.span.finish(millisecondsOf(endTime));
  }

  isRecording(): boolean {
    return !this.#ended && this.span.record() !== null;
  }

  recordException(exception: Api.Exception, time?: Api.TimeInput): void {
    const fields: Record<string, unknown> = { event: "exception" };
    if (typeof exception === "string") fields["exception.message"] = exception;
    else {
      fields["exception.type"] = exception.code?.toString() ?? exception.name;
      fields["exception.message"] = exception.message;
      fields["exception.stacktrace"] = exception.stack;
    }
    this.span.log(fields, millisecondsOf(time));
  }
}
