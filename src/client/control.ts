// How samplers, throttlers and baggage restrictions reach their server: a GET and a callback.

/** Fetches a URL's text; calls back once, never throws, and gives up by itself. */
export type FetchText = (url: string, done: (error: Error | null, body: string) => void) => void;

/** `host:port`, a URL or nothing, as a base URL without a trailing slash. */
export function baseUrlOf(
  hostPort: string | undefined,
  host: string | undefined,
  port: number | undefined,
  defaults: { host: string; port: number },
): string {
  if (hostPort) {
    const url = new URL(/^https?:/.test(hostPort) ? hostPort : `http://${hostPort}`);
    const known = url.port !== "" || url.protocol === "https:";
    return `${url.protocol}//${url.hostname || defaults.host}${
      known ? (url.port ? `:${url.port}` : "") : `:${defaults.port}`
    }`;
  }
  return `http://${host || defaults.host}:${port || defaults.port}`;
}
