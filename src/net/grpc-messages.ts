/** gRPC's framing: five bytes before each message, collected from a stream within a limit. */

import type { ServerHttp2Stream } from "node:http2";
import { SpoorError } from "../core/errors.ts";
import type { BodyBudget } from "./http-body.ts";

const PREFIX_BYTES = 5;

/** One message as it came: still compressed when `compressed`. */
export interface GrpcMessage {
  readonly bytes: Uint8Array;
  readonly compressed: boolean;
}

/** The bytes that go before a message. */
export function messagePrefix(lengthBytes: number): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix[0] = 0;
  prefix.writeUInt32BE(lengthBytes, 1);
  return prefix;
}

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  readonly #limitBytes: number;
  readonly #budget: BodyBudget;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixLength = 0;
  #message: Buffer | undefined;
  #received = 0;
  #heldBytes = 0;

  constructor(limitBytes: number, budget: BodyBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
  }

  /** Whether the bytes so far end between messages. */
  get atBoundary(): boolean {
    return this.#prefixLength === 0;
  }

  /** Gives the messages that end in this chunk to `take`. Throws `too-large`, `malformed`. */
  push(chunk: Uint8Array, take: (message: GrpcMessage) => void): void {
    let at = 0;
    while (at < chunk.length) {
      while (this.#prefixLength < PREFIX_BYTES && at < chunk.length) {
        this.#prefix[this.#prefixLength++] = chunk[at++]!;
      }
      if (this.#prefixLength < PREFIX_BYTES) return;
      const message = (this.#message ??= this.#begin());
      const count = Math.min(message.length - this.#received, chunk.length - at);
      message.set(chunk.subarray(at, at + count), this.#received);
      this.#received += count;
      at += count;
      if (this.#received < message.length) return;
      this.#message = undefined;
      this.#received = 0;
      this.#prefixLength = 0;
      take({ bytes: message, compressed: this.#prefix[0] === 1 });
    }
  }

  /** Gives back what the budget lent for messages read so far and the one being read. */
  release(): void {
    this.#budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #begin(): Buffer {
    const p = this.#prefix;
    if (p[0]! > 1) throw new SpoorError("malformed", "gRPC message has unknown flags");
    const length = p[1]! * 16777216 + ((p[2]! << 16) | (p[3]! << 8) | p[4]!);
    if (length > this.#limitBytes) {
      throw new SpoorError("too-large", `the message is larger than ${this.#limitBytes} bytes`);
    }
    this.#budget.take(length);
    this.#heldBytes += length;
    return Buffer.allocUnsafeSlow(length);
  }
}

/**
 * Reads the one message of a unary request. Rejects with `malformed` when there is none, more
 * than one, or it is cut; `cancelled` when the client goes away.
 */
export function readUnary(stream: ServerHttp2Stream, reader: MessageReader): Promise<GrpcMessage> {
  return new Promise((resolve, reject) => {
    let message: GrpcMessage | undefined;
    let ended = false;
    const take = (one: GrpcMessage): void => {
      if (message !== undefined) throw new SpoorError("malformed", "more than one gRPC message");
      message = one;
    };
    stream.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk, take);
      } catch (error) {
        stream.pause();
        reject(error);
      }
    });
    stream.on("end", () => {
      ended = true;
      if (message !== undefined && reader.atBoundary) resolve(message);
      else reject(new SpoorError("malformed", "the gRPC message is missing or cut short"));
    });
    stream.on("close", () => {
      if (!ended) reject(new SpoorError("cancelled", "the client went away"));
    });
  });
}
