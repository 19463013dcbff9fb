/** Writes gRPC responses: one message with its trailers, or one for each of a stream. */

import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { messagePrefix } from "./grpc-messages.ts";
import type { MessageReader } from "./grpc-messages.ts";
import { grpcFailureOf } from "./grpc-status.ts";
import type { GrpcCall, GrpcFailure, GrpcMethod } from "./grpc-status.ts";

/** What may be sent to us compressed, as the header grpc-accept-encoding tells. */
export const ENCODINGS_HEADER = "identity,gzip,deflate,zstd";

const RESPONSE_HEADERS: OutgoingHttpHeaders = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": ENCODINGS_HEADER,
};
const OK_TRAILERS: OutgoingHttpHeaders = { "grpc-status": "0" };

/** Ends a unary call with its response. */
export function reply(stream: ServerHttp2Stream, response: Uint8Array): void {
  if (stream.destroyed) return;
  stream.on("wantTrailers", () => stream.sendTrailers(OK_TRAILERS));
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  stream.end(framed(response));
}

/** Serves a streaming method: each message is answered by one, in order, until the client ends. */
export function converse(
  stream: ServerHttp2Stream,
  method: Extract<GrpcMethod, { stream: "both" }>,
  reader: MessageReader,
): void {
  let trailers = OK_TRAILERS;
  let waiting = 0;
  let turn = Promise.resolve();
  const fail = (thrown: unknown): void => {
    if (trailers !== OK_TRAILERS) return;
    const { code, message } = grpcFailureOf(thrown);
    trailers = { "grpc-status": String(code), "grpc-message": percentEncoded(message) };
    stream.end();
  };
  const answer = async (request: Uint8Array): Promise<void> => {
    try {
      const response = await method.handle(request);
      if (!stream.destroyed && trailers === OK_TRAILERS) stream.write(framed(response));
    } catch (thrown) {
      fail(thrown);
    }
    if (--waiting === 0) reader.release();
  };
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk, ({ bytes, compressed }) => {
        if (compressed) throw new SpoorError("unsupported", "compressed messages in a stream");
        waiting++;
        turn = turn.then(() => answer(bytes));
      });
    } catch (thrown) {
      stream.pause();
      fail(thrown);
    }
  });
  stream.on("end", () => {
    turn = turn.then(() => {
      if (!stream.destroyed && trailers === OK_TRAILERS) stream.end();
    });
  });
  stream.on("close", () => {
    turn = turn.then(() => reader.release());
  });
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
}

/** A server stream's answers; its headers go with the first of them, or with the end. */
export class StreamedReply implements GrpcCall {
  readonly signal: AbortSignal;
  readonly #stream: ServerHttp2Stream;
  #trailers = OK_TRAILERS;

  constructor(stream: ServerHttp2Stream, stopping: AbortSignal) {
    this.#stream = stream;
    const gone = new AbortController();
    stream.once("close", () => gone.abort());
    this.signal = AbortSignal.any([gone.signal, stopping]);
  }

  async send(message: Uint8Array): Promise<void> {
    const stream = this.#stream;
    if (stream.destroyed) return;
    this.#begin();
    if (stream.write(framed(message))) return;
    await drained(stream);
  }

  /** Ends the stream well, or with the failure. */
  end(failure?: GrpcFailure): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (failure !== undefined) {
      const message = percentEncoded(failure.message);
      this.#trailers = { "grpc-status": String(failure.code), "grpc-message": message };
    }
    this.#begin();
    stream.end();
  }

  #begin(): void {
    const stream = this.#stream;
    if (stream.headersSent) return;
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
    stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  }
}

/** Resolves when more can be written. A client that reads nothing for too long is cut. */
function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => stream.destroy(), LIMITS.answerStallMs);
    const done = (): void => {
      clearTimeout(stalled);
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

function framed(message: Uint8Array): Uint8Array {
  const prefix = messagePrefix(message.length);
  return message.length === 0 ? prefix : Buffer.concat([prefix, message]);
}

/** grpc-message: printable ASCII but %, all else percent-encoded UTF-8. */
export function percentEncoded(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    const hex = byte.toString(16).toUpperCase().padStart(2, "0");
    encoded += plain ? String.fromCharCode(byte) : `%${hex}`;
  }
  return encoded;
}

/** A client that hangs up is no error of ours. */
export function ignoreLostClient(): void {}
