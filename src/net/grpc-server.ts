/** gRPC server over node:http2, byte in, byte out. Bench: bench/grpc-ingest.ts. */

import * as http2 from "node:http2";
import type { CounterTable } from "../base/counters.ts";
import { isSpoorError, SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { GRPC_STATUS, grpcFailureOf } from "./grpc-status.ts";
import type { GrpcFailure, GrpcMethod, ServerStreamMethod } from "./grpc-status.ts";
import { MessageReader, readUnary } from "./grpc-messages.ts";
import {
  converse,
  ENCODINGS_HEADER,
  ignoreLostClient,
  percentEncoded,
  reply,
  StreamedReply,
} from "./grpc-reply.ts";
import { BodyMemory } from "./body-memory.ts";
import type { HttpServer } from "./http-server.ts";
import { ACCEPTED_ENCODINGS, bodyEncoding, inflate } from "./inflate.ts";
import { listen } from "./listen.ts";
import type { ListenOptions } from "./listen.ts";
import { contextSettings, serverTlsSettings } from "./tls.ts";
import type { TlsOptions } from "./tls.ts";

export interface GrpcServerOptions extends ListenOptions {
  /** Value of the `server` label of `spoor_grpc_failures_total`. */
  readonly name: string;
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly counters: CounterTable;
  readonly tls?: TlsOptions;
  /** Largest message as sent, and inflated; default LIMITS.grpcMessageBytes. */
  readonly messageBytes?: number;
  /** Default LIMITS.requestReceiveMs. */
  readonly receiveMs?: number;
  /**
   * Age at which a connection is told to go, within a tenth of it so that not all go at once,
   * so that its client finds new servers; and how long its calls may go on. Default: never.
   */
  readonly maxAgeMs?: number;
  readonly ageGraceMs?: number;
  /** Told of every error that is our own bug; the client gets a bare INTERNAL. */
  readonly onFault?: (error: unknown) => void;
}

/** Starts a server; rejects with SpoorError `in-use` or `config` when it cannot listen. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<HttpServer> {
  const calls = new Calls(options);
  const server = createServer(options.tls);
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(LIMITS.grpcConnectionWindowBytes);
    session.on("close", () => sessions.delete(session));
    if (options.maxAgeMs !== undefined) limitAge(session, options.maxAgeMs, options.ageGraceMs);
    session.on("error", ignoreLostClient);
  });
  server.on("sessionError", ignoreLostClient);
  server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    void calls.serve(stream, headers);
  });
  const port = await listen(server, options);
  let closed: Promise<void> | undefined;
  return {
    host: options.host,
    port,
    renewTls(tls) {
      if ("setSecureContext" in server) server.setSecureContext(contextSettings(tls));
    },
    close(drainMs = LIMITS.drainMs) {
      calls.stopping.abort();
      closed ??= drain(server, sessions, drainMs).finally(() => calls.stop());
      return closed;
    },
  };
}

function createServer(tls: TlsOptions | undefined): http2.Http2Server | http2.Http2SecureServer {
  const settings: http2.ServerOptions = {
    settings: {
      initialWindowSize: LIMITS.grpcWindowBytes,
      maxConcurrentStreams: LIMITS.grpcStreams,
      maxFrameSize: 1024 * 1024,
      enablePush: false,
    },
  };
  if (tls === undefined) return http2.createServer(settings);
  return http2.createSecureServer({ ...settings, ...serverTlsSettings(tls) });
}

/** Says good-bye to a session at an age, and cuts it after the grace when there is one. */
function limitAge(
  session: http2.ServerHttp2Session,
  ageMs: number,
  graceMs: number | undefined,
): void {
  const spread = 0.9 + Math.random() * 0.2;
  let timer = setTimeout(() => {
    session.close();
    if (graceMs !== undefined) timer = setTimeout(() => session.destroy(), graceMs);
  }, ageMs * spread);
  session.on("close", () => clearTimeout(timer));
}

async function drain(
  server: http2.Http2Server | http2.Http2SecureServer,
  sessions: ReadonlySet<http2.ServerHttp2Session>,
  drainMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const session of sessions) session.close();
  const cut = setTimeout(() => {
    for (const session of sessions) session.destroy();
  }, drainMs);
  await closed;
  clearTimeout(cut);
}

/** What all calls of one server share. */
class Calls {
  /** Ends the streams that would go on for ever. */
  readonly stopping = new AbortController();
  readonly #options: GrpcServerOptions;
  readonly #memory = new BodyMemory();
  readonly #messageBytes: number;
  /** Streams whose request is still arriving, and since when. */
  readonly #arriving = new Map<http2.ServerHttp2Stream, number>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#messageBytes = options.messageBytes ?? LIMITS.grpcMessageBytes;
    const receiveMs = options.receiveMs ?? LIMITS.requestReceiveMs;
    this.#sweep = setInterval(() => this.#cutSlow(receiveMs), Math.min(5000, receiveMs / 4));
    this.#sweep.unref();
  }

  stop(): void {
    clearInterval(this.#sweep);
  }

  /** Answers one call; never throws. */
  async serve(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
    stream.on("error", ignoreLostClient);
    const type = headers["content-type"] ?? "";
    if (headers[":method"] !== "POST" || !type.startsWith("application/grpc")) {
      const status = headers[":method"] === "POST" ? 415 : 405;
      stream.respond({ ":status": status }, { endStream: true });
      return;
    }
    const method = this.#options.methods.get(headers[":path"] ?? "");
    if (method === undefined) {
      const message = `unknown method ${headers[":path"] ?? ""}`;
      this.#fail(stream, { code: GRPC_STATUS.UNIMPLEMENTED, message });
      return;
    }
    const reader = new MessageReader(this.#messageBytes, this.#memory);
    if (method.stream === "both") {
      converse(stream, method, reader);
      return;
    }
    try {
      const request = await this.#request(stream, headers, method, reader);
      if (request === undefined) return;
      if (method.stream === "out") await this.#stream(stream, method, request);
      else await this.#call(stream, method, request);
    } finally {
      reader.release();
    }
  }

  async #call(
    stream: http2.ServerHttp2Stream,
    method: Exclude<GrpcMethod, ServerStreamMethod>,
    request: Uint8Array,
  ): Promise<void> {
    try {
      reply(stream, await method.handle(request));
    } catch (thrown) {
      if (!(thrown instanceof SpoorError)) this.#options.onFault?.(thrown);
      this.#fail(stream, (method.failure ?? grpcFailureOf)(thrown));
    }
  }

  async #stream(
    stream: http2.ServerHttp2Stream,
    method: ServerStreamMethod,
    request: Uint8Array,
  ): Promise<void> {
    const call = new StreamedReply(stream, this.stopping.signal);
    try {
      await method.handle(request, call);
      call.end();
    } catch (thrown) {
      if (!(thrown instanceof SpoorError)) this.#options.onFault?.(thrown);
      const failure = (method.failure ?? grpcFailureOf)(thrown);
      if (!stream.headersSent) this.#fail(stream, failure);
      else {
        this.#countFailure(failure.code);
        call.end(failure);
      }
    }
  }

  /** The request's message, inflated; undefined when the call was ended instead. */
  async #request(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    method: GrpcMethod,
    reader: MessageReader,
  ): Promise<Uint8Array | undefined> {
    const header = headers["grpc-encoding"];
    const encoding = bodyEncoding(typeof header === "string" ? header : undefined);
    if (encoding === undefined) {
      const message = `unknown grpc-encoding, supported: ${ACCEPTED_ENCODINGS}`;
      this.#fail(stream, { code: GRPC_STATUS.UNIMPLEMENTED, message });
      return undefined;
    }
    this.#arriving.set(stream, performance.now());
    try {
      const message = await readUnary(stream, reader);
      if (!message.compressed) return message.bytes;
      if (encoding === "identity") {
        throw new SpoorError("malformed", "a compressed message without grpc-encoding");
      }
      return await inflate(message.bytes, encoding, this.#messageBytes);
    } catch (thrown) {
      const failure = (method.failure ?? grpcFailureOf)(thrown);
      const code = isSpoorError(thrown, "too-large")
        ? GRPC_STATUS.RESOURCE_EXHAUSTED
        : failure.code;
      this.#fail(stream, { ...failure, code });
      return undefined;
    } finally {
      this.#arriving.delete(stream);
    }
  }

  #fail(stream: http2.ServerHttp2Stream, failure: GrpcFailure): void {
    if (stream.destroyed || stream.headersSent) return;
    const { code, message, details } = failure;
    this.#countFailure(code);
    const answer: http2.OutgoingHttpHeaders = {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(code),
      "grpc-message": percentEncoded(message),
      "grpc-accept-encoding": ENCODINGS_HEADER,
    };
    if (details !== undefined) {
      answer["grpc-status-details-bin"] = Buffer.from(details).toString("base64");
    }
    stream.respond(answer, { endStream: true });
    if (!stream.readableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR);
  }

  #countFailure(code: number): void {
    const help = "Calls ended with an error, by server and gRPC status code.";
    const values = [this.#options.name, String(code)];
    const labels = ["server", "code"];
    this.#options.counters.counter("spoor_grpc_failures_total", help, labels, values).value++;
  }

  #cutSlow(receiveMs: number): void {
    const before = performance.now() - receiveMs;
    for (const [stream, since] of this.#arriving) {
      if (since > before) continue;
      this.#arriving.delete(stream);
      const message = "the request did not arrive in time";
      this.#fail(stream, { code: GRPC_STATUS.DEADLINE_EXCEEDED, message });
    }
  }
}
