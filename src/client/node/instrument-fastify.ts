// Traces fastify: a plugin that names spans after routes.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isDisabled } from "../is-disabled.ts";
import { HttpTags } from "./http-tags.ts";
import { spanOfRequest, startServerSpan } from "./server-span.ts";
import type { Tracer } from "../tracer.ts";

const SERVED = new HttpTags("server", "fastify");

/** The parts of fastify that are used; its own types need not be installed. */
export interface FastifyLike {
  addHook(name: string, hook: (...args: never[]) => void): unknown;
}
interface RequestLike {
  raw: IncomingMessage;
  method: string;
  routeOptions?: { url?: string | undefined };
}
interface ReplyLike {
  raw: ServerResponse;
}

type Plugin = (fastify: FastifyLike, options: unknown, done: () => void) => void;

/** `app.register(fastifyTracing(tracer))`; it holds for every route registered after it. */
export function fastifyTracing(tracer: Tracer): Plugin {
  const plugin: Plugin = (fastify, _options, done) => {
    const onRequest = (request: RequestLike, reply: ReplyLike, next: () => void): void => {
      const known = spanOfRequest(request.raw);
      const span = known ?? startServerSpan(tracer, request.raw, reply.raw, SERVED);
      const url = request.routeOptions?.url;
      if (url) span.setOperationName(`${request.method} ${url}`);
      span.setTag("component", "fastify");
      tracer.withSpan(span, next);
    };
    const onError = (
      request: RequestLike,
      _reply: unknown,
      error: Error,
      next: () => void,
    ): void => {
      const span = spanOfRequest(request.raw);
      span?.setTag("error", true).log({ event: "error", "error.object": error });
      next();
    };
    if (!isDisabled(tracer)) {
      fastify.addHook("onRequest", onRequest);
      fastify.addHook("onError", onError);
    }
    done();
  };
  // Hooks shall hold for the application that registers the plugin, not for the plugin alone.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
