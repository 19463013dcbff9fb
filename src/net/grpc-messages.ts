/** gRPC's framing: five bytes before each message, collected from a stream within a limit. */

import type { ServerHttp2Stream } from "node:http2";
import { SpoorError } from "../core/errors.ts";
import type { BodyMemory } from "./body-memory.ts";

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
  readonly #memory: BodyMemory;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixLength = 0;
  #message: Buffer | undefined;
  #received = 0;
  #heldBytes = 0;
  /** Buffers of whole messages; one that is being filled is not given back. */
  readonly #lent: Buffer[] = [];
  #length = 0;

  constructor(limitBytes: number, memory: BodyMemory) {
    this.#limitBytes = limitBytes;
    this.#memory = memory;
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
      const count = Math.min(this.#length - this.#received, chunk.length - at);
      message.set(chunk.subarray(at, at + count), this.#received);
      this.#received += count;
      at += count;
      if (this.#received < this.#length) return;
      this.#message = undefined;
      this.#received = 0;
      this.#prefixLength = 0;
      this.#lent.push(message);
      take({ bytes: message.subarray(0, this.#length), compressed: this.#prefix[0] === 1 });
    }
  }

  /** Gives back the memory of the messages read so far: nobody may look at them any more. */
  release(): void {
    this.#memory.release(this.#heldBytes);
    this.#heldBytes = 0;
    for (const buffer of this.#lent) this.#memory.giveBack(buffer);
    this.#lent.length = 0;
  }

  #begin(): Buffer {
    const p = this.#prefix;
    if (p[0]! > 1) throw new SpoorError("malformed", "gRPC message has unknown flags");
    const length = p[1]! * 16777216 + ((p[2]! << 16) | (p[3]! << 8) | p[4]!);
    if (length > this.#limitBytes) {
      throw new SpoorError("too-large", `the message is larger than ${this.#limitBytes} bytes`);
    }
    this.#memory.hold(length);
    this.#heldBytes += length;
    this.#length = length;
    return this.#memory.lend(length);
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
