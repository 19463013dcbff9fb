// Posts batches with `fetch`, for browsers and other platforms without node:http.
import { authorization, resultOfStatus } from "./http-result.ts";
import type { HttpTransportOptions } from "./http-result.ts";
import type { SendResult, Transport } from "./span-queue.ts";

/** Browsers refuse to keep a bigger body alive when the page goes away. */
const KEEPALIVE_BYTES = 60_000;
const TIMEOUT_MS = 5_000;

export class FetchTransport implements Transport {
  readonly parallel: number = 2;
  readonly #endpoint: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;

  constructor(options: HttpTransportOptions) {
    this.#endpoint = options.endpoint;
    this.#timeoutMs = options.timeoutMs || TIMEOUT_MS;
    this.#headers = {
      "content-type": options.contentType,
      ...authorization(options, (text) => btoa(text)),
      ...options.headers,
    };
  }

  send(bytes: Uint8Array, done: (result: SendResult, reason?: string) => void): void {
    const sent = fetch(this.#endpoint, {
      method: "POST",
      headers: this.#headers,
      body: bytes.slice(),
      keepalive: bytes.length < KEEPALIVE_BYTES,
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    sent.then(
      ({ status }) => done(resultOfStatus(status), `status code ${status}`),
      (error) => done("retry", String(error)),
    );
  }

  close(callback: () => void): void {
    callback();
  }

  toString(): string {
    return `HTTPSender(${this.#endpoint})`;
  }
}
