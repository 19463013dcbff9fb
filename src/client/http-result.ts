// What an HTTP answer means for a batch, and the credentials a request carries.
import type { SendResult } from "./span-queue.ts";

export interface HttpTransportOptions {
  endpoint: string;
  contentType: string;
  username?: string | undefined;
  password?: string | undefined;
  authToken?: string | undefined;
  headers?: Record<string, string> | undefined;
  timeoutMs?: number | undefined;
}

/** Overload and the server's own failures are worth another try; what it refuses is not. */
export function resultOfStatus(status: number): SendResult {
  if (status >= 200 && status < 300) return "sent";
  return status === 408 || status === 429 || status >= 500 ? "retry" : "refused";
}

/** The Authorization header: Basic before a bearer token, as in Jaeger's clients. */
export function authorization(
  options: HttpTransportOptions,
  base64: (text: string) => string,
): Record<string, string> {
  const { username, password, authToken } = options;
  if (username && password) {
    return { authorization: `Basic ${base64(`${username}:${password}`)}` };
  }
  return authToken ? { authorization: `Bearer ${authToken}` } : {};
}
