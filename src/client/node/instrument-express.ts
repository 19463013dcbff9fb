// Traces Express: a middleware that names spans after routes.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isDisabled } from "../is-disabled.ts";
import { HttpTags } from "./http-tags.ts";
import { spanOfRequest, startServerSpan } from "./server-span.ts";
import type { Span } from "../span.ts";
import type { Tracer } from "../tracer.ts";

const SERVED = new HttpTags("server", "express");

/** The part of an Express request that is looked at. */
interface ExpressRequest extends IncomingMessage {
  baseUrl?: string;
  route?: { path?: unknown };
}

/**
 * Express assigns `request.route` when it has found one. At that moment `baseUrl` is the router's;
 * at the end of a request that failed it no longer is.
 */
function nameAfterRoute(request: ExpressRequest, span: Span): void {
  let route = request.route;
  Object.defineProperty(request, "route", {
    configurable: true,
    enumerable: true,
    get: () => route,
    set(found: ExpressRequest["route"]) {
      route = found;
      if (typeof found?.path !== "string") return;
      span.setOperationName(`${request.method} ${request.baseUrl ?? ""}${found.path}`);
      span.setTag("component", "express");
    },
  });
}

type Next = (error?: unknown) => void;

/** `app.use(expressTracing(tracer))`, before every route. */
export function expressTracing(
  tracer: Tracer,
): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
  if (isDisabled(tracer)) return (_request, _response, next) => next();
  return (request, response, next) => {
    const known = spanOfRequest(request);
    const span = known ?? startServerSpan(tracer, request, response, SERVED);
    nameAfterRoute(request as ExpressRequest, span);
    tracer.withSpan(span, next);
  };
}

/** `app.use(expressErrors(tracer))`, after every route: logs what they throw and passes it on. */
export function expressErrors(
  tracer: Tracer,
): (error: unknown, request: IncomingMessage, response: ServerResponse, next: Next) => void {
  return (error, request, _response, next) => {
    const span = spanOfRequest(request) ?? tracer.activeSpan();
    span?.setTag("error", true).log({ event: "error", "error.object": error });
    next(error);
  };
}
