/** Writes an answer to the wire: whole bodies in one go, streams with back-pressure. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { LIMITS } from "../core/limits.ts";
import type { HttpAnswer } from "./http-message.ts";

/** Sends the answer; resolves when it is handed over. Never rejects because of the client. */
export async function sendAnswer(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpAnswer,
): Promise<void> {
  if (response.destroyed || response.socket?.destroyed === true) return;
  const body = answer.body ?? "";
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    await sendStream(message, response, answer, body);
    return;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const unread = !message.complete && hasBody(message);
  if (unread) response.shouldKeepAlive = false;
  response.writeHead(answer.status, withLength(answer, length));
  if (!unread) {
    response.end(body);
    return;
  }
  response.write(body.length === 0 ? "" : body);
  response.flushHeaders();
  await linger(message);
  response.end();
}

function withLength(answer: HttpAnswer, length: number): Record<string, string | number> {
  const headers: Record<string, string | number> = { ...answer.headers };
  if (answer.status !== 204 && answer.status !== 304) headers["content-length"] = length;
  return headers;
}

function hasBody(message: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": coding } = message.headers;
  return coding !== undefined || (length !== undefined && length !== "0");
}

/**
 * Throws away what a refused sender is still sending, for a short while: closing at once would
 * reset the connection and take the answer with it.
 */
function linger(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LIMITS.lingerMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    message.once("end", done);
    message.once("close", done);
    message.resume();
  });
}

async function sendStream(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpAnswer,
  body: AsyncIterable<Uint8Array | string>,
): Promise<void> {
  response.writeHead(answer.status, { ...answer.headers });
  if (message.method === "HEAD") {
    response.end();
    return;
  }
  for await (const chunk of body) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => response.destroy(), LIMITS.answerStallMs);
    const done = (): void => {
      clearTimeout(stalled);
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
