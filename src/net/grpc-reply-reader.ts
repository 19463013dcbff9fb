/** Reads the reply of a unary gRPC call off its stream: one message, then how the call ended. */

import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { GRPC_STATUS } from "./grpc-status.ts";

const PREFIX_BYTES = 5;
const EMPTY = new Uint8Array(0);

/** How a call ended. Anything but OK has a message a user can read and no body. */
export interface GrpcReply {
  /** google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  readonly body: Uint8Array;
  /**
   * Who says so: the server; or nobody, the connection having broken or time run out, so that
   * the server may have done it; or nobody, as nothing was sent.
   */
  readonly from: "server" | "nobody" | "unsent";
  /** Whether the whole message has gone out: its memory is the caller's again. */
  readonly isSent: boolean;
}

type Ending = Omit<GrpcReply, "isSent">;

/** A reply that no server gave. */
export function unanswered(code: number, message: string): GrpcReply {
  return { code, message, body: EMPTY, from: "nobody", isSent: false };
}

/** The reply to a call that was not made. */
export function unsent(message: string): GrpcReply {
  return { code: GRPC_STATUS.UNAVAILABLE, message, body: EMPTY, from: "unsent", isSent: false };
}

/** gRPC's codes for proxies and servers that answer in plain HTTP. */
const OF_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: GRPC_STATUS.INTERNAL,
  401: GRPC_STATUS.UNAUTHENTICATED,
  403: GRPC_STATUS.PERMISSION_DENIED,
  404: GRPC_STATUS.UNIMPLEMENTED,
  429: GRPC_STATUS.UNAVAILABLE,
  502: GRPC_STATUS.UNAVAILABLE,
  503: GRPC_STATUS.UNAVAILABLE,
  504: GRPC_STATUS.UNAVAILABLE,
};

/** Collects one stream's reply; `done` is called once, when the stream has closed. */
export class ReplyReader {
  readonly #limitBytes: number;
  readonly #done: (reply: GrpcReply) => void;
  #httpStatus = 0;
  #trailers: IncomingHttpHeaders | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #failure: Ending | undefined;

  constructor(stream: ClientHttp2Stream, limitBytes: number, done: (reply: GrpcReply) => void) {
    this.#limitBytes = limitBytes;
    this.#done = done;
    stream.on("response", (headers) => this.#takeHeaders(headers));
    stream.on("trailers", (headers) => {
      this.#trailers = headers;
    });
    stream.on("data", (chunk: Buffer) => this.#takeData(stream, chunk));
    stream.on("error", (error) => {
      this.#failure ??= unanswered(GRPC_STATUS.UNAVAILABLE, `connection lost: ${error.message}`);
    });
    stream.on("close", () => this.#done({ ...this.#ending(), isSent: stream.writableFinished }));
  }

  /** Ends the call from our side; what comes later is not looked at. */
  fail(reply: GrpcReply): void {
    this.#failure ??= reply;
  }

  #takeHeaders(headers: IncomingHttpHeaders): void {
    this.#httpStatus = Number(headers[":status"] ?? 0);
    if (headers["grpc-status"] !== undefined) this.#trailers = headers;
  }

  #takeData(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#limitBytes + PREFIX_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    const message = `the answer is larger than ${this.#limitBytes} bytes`;
    this.#failure ??= { ...unanswered(GRPC_STATUS.RESOURCE_EXHAUSTED, message), from: "server" };
    stream.destroy();
  }

  #ending(): Ending {
    const trailers = this.#trailers;
    if (trailers === undefined) return this.#failure ?? this.#withoutStatus();
    const code = Number(trailers["grpc-status"]);
    const message = percentDecoded(textOf(trailers["grpc-message"]));
    if (code !== GRPC_STATUS.OK) return { code, message, body: EMPTY, from: "server" };
    return this.#failure ?? this.#success();
  }

  #success(): Ending {
    const bytes = Buffer.concat(this.#chunks);
    const whole = bytes.length >= PREFIX_BYTES && bytes[0] === 0;
    if (!whole || bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES) {
      const message = "the answer is not one uncompressed gRPC message";
      return { code: GRPC_STATUS.INTERNAL, message, body: EMPTY, from: "server" };
    }
    const body = bytes.subarray(PREFIX_BYTES);
    return { code: GRPC_STATUS.OK, message: "", body, from: "server" };
  }

  /** A stream that closed without gRPC's trailers: a proxy spoke, or the connection went. */
  #withoutStatus(): Ending {
    const status = this.#httpStatus;
    if (status === 0 || status === 200) {
      return unanswered(GRPC_STATUS.UNAVAILABLE, "the connection closed before the answer");
    }
    const code = OF_HTTP_STATUS[status] ?? GRPC_STATUS.UNKNOWN;
    return { code, message: `HTTP status ${status}`, body: EMPTY, from: "server" };
  }
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === "string" ? header : "";
}

/** Undoes grpc-message's percent-encoding; a text that is not encoded rightly stays as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
