/** Reads a request's body into one buffer, within a size and a budget shared by all requests. */

import type { IncomingMessage } from "node:http";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/** Bytes of bodies in memory at once, over all requests of a process or server. */
export class BodyBudget {
  readonly limitBytes: number;
  #used = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Takes `bytes`, or throws `overloaded` when that much is not free. One alone always fits. */
  take(bytes: number): void {
    if (this.#used > 0 && this.#used + bytes > this.limitBytes) {
      throw new SpoorError("overloaded", "too many request bodies at once", {
        retryAfterMs: LIMITS.retryAfterMs,
      });
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** A body and what to give back to the budget once it is no longer held. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  readonly heldBytes: number;
}

const EMPTY: HeldBody = { bytes: new Uint8Array(0), heldBytes: 0 };

/**
 * Reads the body. Rejects with `too-large` beyond `limitBytes`, `overloaded` beyond the budget,
 * `cancelled` when the client goes away; whatever was taken is given back then. The rest of a
 * refused body stays unread: the caller answers and closes.
 */
export function readBody(
  message: IncomingMessage,
  limitBytes: number,
  budget: BodyBudget,
): Promise<HeldBody> {
  const header = message.headers["content-length"];
  if (header !== undefined) return readDeclared(message, Number(header), limitBytes, budget);
  if (message.headers["transfer-encoding"] === undefined) return Promise.resolve(EMPTY);
  return readChunked(message, limitBytes, budget);
}

function readDeclared(
  message: IncomingMessage,
  declared: number,
  limitBytes: number,
  budget: BodyBudget,
): Promise<HeldBody> {
  if (declared === 0) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) => {
    if (declared > limitBytes) throw tooLarge(limitBytes);
    budget.take(declared);
    let whole: Buffer | undefined;
    let received = 0;
    let open = true;
    message.on("data", (chunk: Buffer) => {
      if (chunk.length === declared) whole = chunk;
      else {
        whole ??= Buffer.allocUnsafeSlow(declared);
        whole.set(chunk, received);
      }
      received += chunk.length;
    });
    message.on("end", () => {
      open = false;
      resolve({ bytes: whole!, heldBytes: declared });
    });
    onLost(message, () => {
      if (!open) return;
      open = false;
      budget.give(declared);
      reject(gone());
    });
  });
}

function readChunked(
  message: IncomingMessage,
  limitBytes: number,
  budget: BodyBudget,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let open = true;
    const fail = (error: unknown): void => {
      if (!open) return;
      open = false;
      chunks.length = 0;
      budget.give(received);
      reject(error);
    };
    message.on("data", (chunk: Buffer) => {
      if (!open) return;
      try {
        if (received + chunk.length > limitBytes) throw tooLarge(limitBytes);
        budget.take(chunk.length);
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
