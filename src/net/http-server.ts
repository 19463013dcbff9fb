/** HTTP server for every endpoint: routes, limits, inflating, drain. Bench: grpc-ingest. */

import type * as http from "node:http";
import type * as https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CounterTable } from "../base/counters.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { BodyMemory } from "./body-memory.ts";
import { makeCors } from "./cors.ts";
import type { Cors, CorsOptions } from "./cors.ts";
import { sendAnswer } from "./http-answer.ts";
import { readBody, releaseBody } from "./http-body.ts";
import type { HeldBody } from "./http-body.ts";
import type { ObserveRequest } from "./http-durations.ts";
import { failureOf, HttpRequest, plainFailure } from "./http-message.ts";
import type { FailureAnswer, HttpAnswer, HttpRoute, Target } from "./http-message.ts";
import { makeRouter } from "./http-router.ts";
import type { Router } from "./http-router.ts";
import { ACCEPTED_ENCODINGS, bodyEncoding, inflate } from "./inflate.ts";
import { listen } from "./listen.ts";
import type { ListenOptions } from "./listen.ts";
import { contextSettings, serverTlsSettings } from "./tls.ts";
import type { RenewableTls, TlsOptions } from "./tls.ts";

// Importing node:http reads all it exports, undici behind WebSocket among it: 50 ms and 13 MB more
// than taking the module without its facade.
const { createServer: createHttpServer, STATUS_CODES } = process.getBuiltinModule("node:http");

export interface HttpServerOptions extends ListenOptions {
  /** Value of the `server` label of `spoor_http_failures_total`. */
  readonly name: string;
  readonly routes: readonly HttpRoute[];
  readonly counters: CounterTable;
  readonly cors?: CorsOptions;
  readonly tls?: TlsOptions;
  /** Default LIMITS.requestBytes. */
  readonly bodyBytes?: number;
  /** Default LIMITS.inflatedBytes. */
  readonly inflatedBytes?: number;
  /** Default LIMITS.requestReceiveMs. */
  readonly receiveMs?: number;
  /** How long the head of a request may take; default `receiveMs`. */
  readonly headersMs?: number;
  /** How long an idle connection is kept; default LIMITS.keepAliveMs. */
  readonly idleMs?: number;
  /** False closes every connection after its answer. Default true. */
  readonly keepAlive?: boolean;
  /** Failures no route answers: unknown paths, wrong methods. Default: plain text. */
  readonly failure?: FailureAnswer;
  /** Told of every request once it is answered. */
  readonly observe?: ObserveRequest;
  /** Told of every error that is our own bug; the client gets a bare 500. */
  readonly onFault?: (error: unknown) => void;
}

/** A listening server. `renewTls` is for one that was started with TLS. */
export interface HttpServer extends RenewableTls {
  readonly host: string;
  /** The actual port. */
  readonly port: number;
  /**
   * Stops accepting, lets running requests finish for at most `drainMs` (default
   * LIMITS.drainMs), then cuts what is left. Idempotent.
   */
  close(drainMs?: number): Promise<void>;
}

/** Starts a server; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const endpoint = new Endpoint(options);
  const server = createServer(options, endpoint);
  const unused = trackUnused(server, options.tls === undefined ? "connection" : "secureConnection");
  const port = await listen(server, options);
  let closed: Promise<void> | undefined;
  return {
    host: options.host,
    port,
    renewTls(tls) {
      if ("setSecureContext" in server) server.setSecureContext(contextSettings(tls));
    },
    close(drainMs = LIMITS.drainMs) {
      endpoint.closing = true;
      closed ??= drain(server, unused, drainMs);
      return closed;
    },
  };
}

function createServer(options: HttpServerOptions, endpoint: Endpoint): http.Server | https.Server {
  const receiveMs = options.receiveMs ?? LIMITS.requestReceiveMs;
  const headersMs = Math.min(receiveMs, options.headersMs ?? receiveMs);
  const settings: http.ServerOptions = {
    maxHeaderSize: LIMITS.headerBytes,
    requestTimeout: receiveMs,
    headersTimeout: headersMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5000, headersMs / 4)),
    keepAliveTimeout: options.idleMs ?? LIMITS.keepAliveMs,
    noDelay: true,
  };
  const listener = (message: http.IncomingMessage, response: http.ServerResponse): void => {
    void endpoint.serve(message, response);
  };
  const tls = options.tls;
  const server =
    tls === undefined
      ? createHttpServer(settings, listener)
      : process
          .getBuiltinModule("node:https")
          .createServer({ ...settings, ...serverTlsSettings(tls) }, listener);
  server.on("clientError", (error, socket) => {
    endpoint.refuseConnection(error, socket);
  });
  return server;
}

/** Connections that have sent no request yet: Node does not count them as idle. */
function trackUnused(server: http.Server, event: string): ReadonlySet<Socket> {
  const unused = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  server.on("request", (message: http.IncomingMessage) => unused.delete(message.socket));
  return unused;
}

function drain(server: http.Server, unused: ReadonlySet<Socket>, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
    for (const socket of unused) socket.destroy();
  });
}

/** What all requests of one server share. */
class Endpoint {
  /** Whether connections end with the answer under way. */
  closing: boolean;
  readonly #router: Router;
  readonly #cors: Cors | undefined;
  readonly #memory = new BodyMemory();
  readonly #bodyBytes: number;
  readonly #inflatedBytes: number;
  readonly #failure: FailureAnswer;
  readonly #options: HttpServerOptions;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.closing = options.keepAlive === false;
    this.#router = makeRouter(options.routes);
    this.#cors = makeCors(options.cors);
    this.#bodyBytes = options.bodyBytes ?? LIMITS.requestBytes;
    this.#inflatedBytes = options.inflatedBytes ?? LIMITS.inflatedBytes;
    this.#failure = options.failure ?? plainFailure;
  }

  /** Answers one request; never throws. */
  async serve(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const target = targetOf(message.url ?? "/");
    response.on("error", ignoreLostClient);
    const startMs = performance.now();
    try {
      const answer = await this.#answer(message, target);
      if (this.closing) response.shouldKeepAlive = false;
      await sendAnswer(message, response, this.#withCors(message, answer));
      const { observe } = this.#options;
      observe?.(message.method ?? "GET", target.path, answer.status, performance.now() - startMs);
    } catch (error) {
      this.#fault(error);
      response.destroy();
    }
  }

  /** Answers bytes that are no HTTP request, or came too slowly. */
  refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const status = STATUS_OF_PARSER_ERROR[error.code ?? ""] ?? 400;
    this.#count(status);
    const reason = STATUS_CODES[status] ?? "";
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }

  #answer(message: http.IncomingMessage, target: Target): HttpAnswer | Promise<HttpAnswer> {
    const method = message.method ?? "GET";
    const match = this.#router(method, target.path);
    if (match !== undefined && "route" in match) {
      return this.#serveRoute(match.route, message, new HttpRequest(message, target, match.params));
    }
    const request = new HttpRequest(message, target, {});
    if (match === undefined) {
      const error = new SpoorError("not-found", "404 page not found");
      return this.#refuse(404, error, this.#failure, request);
    }
    if (method === "OPTIONS" && this.#cors !== undefined) {
      return { status: 204, headers: this.#cors.preflightHeaders(message.headers) };
    }
    const allow = [...new Set(match.allow)].join(", ");
    const error = new SpoorError("unsupported", `405 method not allowed, supported: [${allow}]`);
    const answer = this.#refuse(405, error, this.#failure, request);
    return { ...answer, headers: { ...answer.headers, allow } };
  }

  async #serveRoute(
    route: HttpRoute,
    message: http.IncomingMessage,
    request: HttpRequest,
  ): Promise<HttpAnswer> {
    const failure = route.failure ?? this.#failure;
    let held: HeldBody | undefined;
    try {
      const types = route.contentTypes;
      if (types !== undefined && !types.includes(request.contentType)) {
        const text = `415 unsupported media type, supported: [${types.join(", ")}]`;
        return this.#refuse(415, new SpoorError("unsupported", text), failure, request);
      }
      const encoding = bodyEncoding(message.headers["content-encoding"]);
      if (encoding === undefined) {
        const text = `415 unsupported content encoding, supported: [${ACCEPTED_ENCODINGS}]`;
        return this.#refuse(415, new SpoorError("unsupported", text), failure, request);
      }
      if (route.method !== "GET") {
        held = await readBody(message, this.#bodyBytes, this.#memory);
        const plain = inflate(held.bytes, encoding, this.#inflatedBytes);
        request.body = plain instanceof Promise ? await plain : plain;
      }
      return await route.handle(request);
    } catch (thrown) {
      const { status, error } = failureOf(thrown);
      if (!(thrown instanceof SpoorError)) this.#fault(thrown);
      return this.#refuse(status, error, failure, request);
    } finally {
      if (held !== undefined) releaseBody(held, this.#memory);
    }
  }

  #refuse(
    status: number,
    error: SpoorError,
    failure: FailureAnswer,
    request: HttpRequest,
  ): HttpAnswer {
    this.#count(status);
    return failure({ status, error }, request);
  }

  #count(status: number): void {
    const help = "Requests answered with an error, by server and HTTP status.";
    const values = [this.#options.name, String(status)];
    const labels = ["server", "status"];
    this.#options.counters.counter("spoor_http_failures_total", help, labels, values).value++;
  }

  #withCors(message: http.IncomingMessage, answer: HttpAnswer): HttpAnswer {
    const origin = message.headers.origin;
    if (this.#cors === undefined || origin === undefined || message.method === "OPTIONS") {
      return answer;
    }
    return { ...answer, headers: { ...answer.headers, ...this.#cors.responseHeaders(origin) } };
  }

  #fault(error: unknown): void {
    this.#options.onFault?.(error);
  }
}

const STATUS_OF_PARSER_ERROR: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

function targetOf(url: string): Target {
  const mark = url.indexOf("?");
  if (mark < 0) return { path: url, query: "" };
  return { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** A client that hangs up while it is being answered is no error of ours. */
function ignoreLostClient(): void {}
