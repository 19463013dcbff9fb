// Traces calls of the platform's `fetch`, on Node and in browsers.
import { isDisabled } from "./is-disabled.ts";
import { FORMAT_HTTP_HEADERS } from "./opentracing-names.ts";
import type { Tracer } from "./tracer.ts";

export interface FetchInstrumentationOptions {
  /** Where the trace may be carried on to; browsers ask other origins for leave first (CORS). */
  propagateTo?: ((url: URL) => boolean) | undefined;
}

type Fetch = typeof globalThis.fetch;

function ownOrigin(): string | null {
  const { location } = globalThis as { location?: { origin?: string } };
  return location?.origin ?? null;
}

/**
 * Null for what is no URL, which the platform says best, and for what calls nobody (`data:`).
 */
function urlOf(input: unknown): URL | null {
  const text = input instanceof Request ? input.url : String(input);
  try {
    const url = new URL(text, ownOrigin() ?? undefined);
    return url.origin === "null" ? null : url;
  } catch {
    return null;
  }
}

/** A `fetch` that reports a client span a call and carries the trace on. */
export function tracedFetch(
  tracer: Tracer,
  original: Fetch,
  options: FetchInstrumentationOptions = {},
): Fetch {
  if (isDisabled(tracer)) return original;
  const origin = ownOrigin();
  const propagateTo = options.propagateTo ?? ((url) => origin === null || url.origin === origin);
  return async (input, init) => {
    const url = urlOf(input);
    if (url === null) return original(input, init);
    const request = input instanceof Request ? input : null;
    const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
    const span = tracer.startSpan(`HTTP ${method}`, {
      childOf: tracer.activeSpan(),
      tags: {
        "span.kind": "client",
        component: "fetch",
        "http.method": method,
        "http.url": url.origin + url.pathname,
        "peer.hostname": url.hostname,
      },
    });
    try {
      const headers = new Headers(init?.headers ?? request?.headers);
      if (propagateTo(url)) {
        const carrier: Record<string, string> = {};
        tracer.inject(span, FORMAT_HTTP_HEADERS, carrier);
        for (const name in carrier) headers.set(name, carrier[name]!);
      }
      const response = await original(input, { ...init, headers });
      span.setTag("http.status_code", response.status);
      if (response.status >= 500) span.setTag("error", true);
      return response;
    } catch (error) {
      span.setTag("error", true).log({ event: "error", "error.object": error });
      throw error;
    } finally {
      span.finish();
    }
  };
}

/** Puts the traced `fetch` in place of the platform's; the answer takes it out again. */
export function instrumentFetch(
  tracer: Tracer,
  options: FetchInstrumentationOptions = {},
): () => void {
  const original = globalThis.fetch;
  const traced = tracedFetch(tracer, original, options);
  globalThis.fetch = traced;
  return () => {
    if (globalThis.fetch === traced) globalThis.fetch = original;
  };
}
