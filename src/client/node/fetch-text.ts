// Fetches what samplers, throttlers and baggage restrictions poll, with a bound on time and size.
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { CONTROL_RESPONSE_BYTES } from "../limits.ts";
import { UNTRACED, makeUntraced } from "./untraced.ts";
import type { IncomingMessage, RequestOptions } from "node:http";

const TIMEOUT_MS = 5_000;

function collect(
  response: IncomingMessage,
  done: (error: Error | null, body: string) => void,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  response.on("data", (part: Buffer) => {
    size += part.length;
    if (size > CONTROL_RESPONSE_BYTES) response.destroy(new Error("response too large"));
    else parts.push(part);
  });
  response.on("error", (error) => done(error, ""));
  response.on("end", () => {
    const body = Buffer.concat(parts).toString("utf8");
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) done(null, body);
    else done(new Error(`status code ${status}: ${body.slice(0, 200)}`), "");
  });
}

/** Calls back exactly once. The request does not keep the process alive. */
export function fetchText(url: string, done: (error: Error | null, body: string) => void): void {
  let open = true;
  const once = (error: Error | null, body: string): void => {
    if (open) done(error, body);
    open = false;
  };
  try {
    const options: RequestOptions & { [UNTRACED]: true } = {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      [UNTRACED]: true,
    };
    const get = url.startsWith("https:") ? httpsGet : httpGet;
    const request = makeUntraced(() => get(url, options, (response) => collect(response, once)));
    request.on("socket", (socket) => socket.unref());
    request.on("error", (error) => once(error, ""));
  } catch (error) {
    once(error as Error, "");
  }
}
