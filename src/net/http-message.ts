/** What HTTP handlers get and give: request, answer, route, and failures as statuses. */

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { SpoorError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

/** A request with its whole body, inflated. */
export class HttpRequest {
  readonly method: string;
  /** Path without the query, as sent (percent-encoded). */
  readonly path: string;
  /** Query without its question mark, as sent. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Percent-decoded segments of the route's `:name`s, and the rest of a `*` under "*". */
  readonly params: Readonly<Record<string, string>>;
  /** Empty until it was read; its memory is used again once the handler's answer is there. */
  body: Uint8Array = EMPTY;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, target: Target, params: Readonly<Record<string, string>>) {
    this.#message = message;
    this.method = message.method ?? "GET";
    this.path = target.path;
    this.query = target.query;
    this.headers = message.headers;
    this.params = params;
  }

  /** Content-Type in lower case without its parameters, "" when absent. */
  get contentType(): string {
    const value = this.headers["content-type"] ?? "";
    const semicolon = value.indexOf(";");
    return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  }

  /** Aborts when the client goes away before the answer. Costs nothing until asked for. */
  get signal(): AbortSignal {
    const { socket } = this.#message;
    let abort = ABORT_OF_SOCKET.get(socket);
    if (abort === undefined) {
      const made = new AbortController();
      abort = made;
      ABORT_OF_SOCKET.set(socket, made);
      socket.once("close", () => made.abort());
    }
    return abort.signal;
  }
}

/** An answer. A streamed body is sent as it comes; text is UTF-8. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array | string>;
}

/** Why a request was not served: the status to answer with, and the error behind it. */
export interface HttpFailure {
  readonly status: number;
  readonly error: SpoorError;
}

/** Turns a failure into an answer in the endpoint's own form. */
export type FailureAnswer = (failure: HttpFailure, request: HttpRequest) => HttpAnswer;

/** What serves one path and method. */
export interface HttpRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Exact, or with `:name` segments, or ending in `/*`. Exact paths win. */
  readonly path: string;
  readonly handle: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;
  /** Content types taken (lower case, no parameters); others are answered 415. Default all. */
  readonly contentTypes?: readonly string[];
  /** Default: the text of the error as text/plain. */
  readonly failure?: FailureAnswer;
}

/** Path and query of a request line. */
export interface Target {
  readonly path: string;
  readonly query: string;
}

const EMPTY = new Uint8Array(0);

/** One for all requests of a connection: each would leave a listener. */
const ABORT_OF_SOCKET = new WeakMap<Socket, AbortController>();

const STATUS_OF_CODE: Readonly<Record<ErrorCode, number>> = {
  malformed: 400,
  "too-large": 413,
  "bad-query": 400,
  "not-found": 404,
  overloaded: 503,
  "disk-full": 503,
  changed: 409,
  rejected: 400,
  unsupported: 501,
  deadline: 504,
  cancelled: 503,
  corrupt: 500,
  io: 503,
  closed: 503,
  "in-use": 500,
  config: 400,
};

/** Status and error for whatever a handler threw; our own bugs become a bare 500. */
export function failureOf(thrown: unknown): HttpFailure {
  if (thrown instanceof SpoorError) return { status: STATUS_OF_CODE[thrown.code], error: thrown };
  const error = new SpoorError("io", "internal error", { cause: thrown });
  return { status: 500, error };
}

/** The answer to a failure when a route says nothing else: its text. */
export function plainFailure(failure: HttpFailure): HttpAnswer {
  return {
    status: failure.status,
    headers: { "content-type": "text/plain; charset=utf-8", ...retryAfter(failure) },
    body: `${failure.error.message}\n`,
  };
}

/** A Retry-After header (whole seconds, at least 1) when the error says when to come back. */
export function retryAfter(failure: HttpFailure): Readonly<Record<string, string>> {
  const { status, error } = failure;
  if (status !== 503 && status !== 429) return {};
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_MS) / 1000));
  return { "retry-after": String(seconds) };
}

const DEFAULT_RETRY_MS = 1000;
