/** Failures of Spoor's own API as JSON: `{"error":{"code","message"}}`. */

import type { HttpAnswer, HttpFailure } from "../net/http-message.ts";
import { retryAfter } from "../net/http-message.ts";

/** The answer to a failure. */
export function spoorFailure(failure: HttpFailure): HttpAnswer {
  const { code, message } = failure.error;
  return {
    status: failure.status,
    headers: { "content-type": "application/json", ...retryAfter(failure) },
    body: JSON.stringify({ error: { code, message } }),
  };
}
