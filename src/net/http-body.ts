/** Reads a request's body into one buffer, within a size and the memory bodies may hold. */

import type { IncomingMessage } from "node:http";
import { SpoorError } from "../core/errors.ts";
import type { BodyMemory } from "./body-memory.ts";

/** A body and the memory it holds. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  readonly heldBytes: number;
  /** The lent buffer `bytes` lies in, when it does. */
  readonly lent?: Buffer;
}

const EMPTY: HeldBody = { bytes: new Uint8Array(0), heldBytes: 0 };

/** Gives back a body's memory: `bytes` must not be looked at any more. */
export function releaseBody(body: HeldBody, memory: BodyMemory): void {
  memory.release(body.heldBytes);
  if (body.lent !== undefined) memory.giveBack(body.lent);
}

/**
 * Reads the body. Rejects with `too-large` beyond `limitBytes`, `overloaded` beyond the memory,
 * `cancelled` when the client goes away; whatever was taken is given back then. The rest of a
 * refused body stays unread: the caller answers and closes.
 */
export function readBody(
  message: IncomingMessage,
  limitBytes: number,
  memory: BodyMemory,
): Promise<HeldBody> {
  const header = message.headers["content-length"];
  if (header !== undefined) return readDeclared(message, Number(header), limitBytes, memory);
  if (message.headers["transfer-encoding"] === undefined) return Promise.resolve(EMPTY);
  return readChunked(message, limitBytes, memory);
}

function readDeclared(
  message: IncomingMessage,
  declared: number,
  limitBytes: number,
  memory: BodyMemory,
): Promise<HeldBody> {
  if (declared === 0) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) => {
    if (declared > limitBytes) throw tooLarge(limitBytes);
    memory.hold(declared);
    let only: Buffer | undefined;
    let lent: Buffer | undefined;
    let received = 0;
    let open = true;
    message.on("data", (chunk: Buffer) => {
      if (chunk.length === declared) only = chunk;
      else {
        lent ??= memory.lend(declared);
        lent.set(chunk, received);
      }
      received += chunk.length;
    });
    message.on("end", () => {
      open = false;
      if (only !== undefined) resolve({ bytes: only, heldBytes: declared });
      else resolve({ bytes: lent!.subarray(0, declared), heldBytes: declared, lent: lent! });
    });
    onLost(message, () => {
      if (!open) return;
      open = false;
      memory.release(declared);
      reject(gone());
    });
  });
}

function readChunked(
  message: IncomingMessage,
  limitBytes: number,
  memory: BodyMemory,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let open = true;
    const fail = (error: unknown): void => {
      if (!open) return;
      open = false;
      chunks.length = 0;
      memory.release(received);
      reject(error);
    };
    message.on("data", (chunk: Buffer) => {
      if (!open) return;
      try {
        if (received + chunk.length > limitBytes) throw tooLarge(limitBytes);
        memory.hold(chunk.length);
        received += chunk.length;
        chunks.push(chunk);
      } catch (error) {
        message.pause();
        fail(error);
      }
    });
    message.on("end", () => {
      if (!open) return;
      open = false;
      resolve({
        bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received),
        heldBytes: received,
      });
    });
    onLost(message, () => fail(gone()));
  });
}

/** Runs when the connection ends before the message does (also after it: `close` comes last). */
function onLost(message: IncomingMessage, run: () => void): void {
  message.on("error", run);
  message.on("close", run);
}

function tooLarge(limitBytes: number): SpoorError {
  return new SpoorError("too-large", `the body is larger than ${limitBytes} bytes`);
}

function gone(): SpoorError {
  return new SpoorError("cancelled", "the client went away while sending its body");
}
