// Posts batches over HTTP or HTTPS on kept connections, marked so that they are never traced.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { authorization, resultOfStatus } from "../http-result.ts";
import { UNTRACED, makeUntraced } from "./untraced.ts";
import type { HttpTransportOptions } from "../http-result.ts";
import type { SendResult, Transport } from "../span-queue.ts";

const TIMEOUT_MS = 5_000;

export class HttpTransport implements Transport {
  readonly parallel: number = 1;
  readonly #url: URL;
  readonly #timeoutMs: number;
  readonly #headers: Record<string, string>;
  readonly #agent: HttpAgent;

  constructor(options: HttpTransportOptions) {
    this.#url = new URL(options.endpoint);
    this.#timeoutMs = options.timeoutMs || TIMEOUT_MS;
    this.#headers = {
      "content-type": options.contentType,
      ...authorization(options, (text) => Buffer.from(text).toString("base64")),
      ...options.headers,
    };
    const Agent = this.#url.protocol === "https:" ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true });
  }

  send(bytes: Uint8Array, done: (result: SendResult, reason?: string) => void): void {
    let open = true;
    const settle = (result: SendResult, reason?: string): void => {
      if (open) done(result, reason);
      open = false;
    };
    const options: RequestOptions & { [UNTRACED]: true } = {
      method: "POST",
      agent: this.#agent,
      headers: { ...this.#headers, "content-length": bytes.length },
      signal: AbortSignal.timeout(this.#timeoutMs),
      [UNTRACED]: true,
    };
    try {
      const secure = this.#url.protocol === "https:";
      const make = secure ? httpsRequest : httpRequest;
      const request = makeUntraced(() => make(this.#url, options));
      this.#await(request, settle);
      request.end(bytes);
    } catch (error) {
      settle("refused", String(error));
    }
  }

  #await(request: ClientRequest, settle: (result: SendResult, reason?: string) => void): void {
    request.on("response", (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      response.resume();
      // The body is awaited, for only then is the connection free again.
      response.on("end", () => settle(resultOfStatus(status), `HTTPSender status code ${status}`));
      response.on("error", (error) => settle("retry", String(error)));
    });
    request.on("error", (error) => settle("retry", `sending spans over HTTP: ${error.message}`));
  }

  close(callback: () => void): void {
    this.#agent.destroy();
    callback();
  }

  toString(): string {
    return `HTTPSender(${this.#url.origin}${this.#url.pathname})`;
  }
}
