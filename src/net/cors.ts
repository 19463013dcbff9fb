/** CORS for endpoints that browsers send to: which origins, which headers, and preflights. */

import type { IncomingHttpHeaders } from "node:http";

/** Allowed origins (`*` alone for all, or within an origin) and headers (`*` for all). */
export interface CorsOptions {
  readonly origins: readonly string[];
  readonly headers: readonly string[];
}

/** Answers for one server: headers to add to a response, and the whole preflight. */
export interface Cors {
  /** Headers for an ordinary response to a request from `origin`; none when not allowed. */
  responseHeaders(origin: string): Readonly<Record<string, string>>;
  /** Headers of the 204 to an OPTIONS request. */
  preflightHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
}

/** Browsers allow these without asking; the last is what libraries add by habit. */
const USUAL_HEADERS = ["accept", "accept-language", "content-language", "content-type", "origin"];
const ALWAYS_HEADERS = new Set([...USUAL_HEADERS, "x-requested-with"]);
const METHODS = "GET, POST, HEAD";

/** CORS answers for the options; undefined when no origin is allowed (then CORS is off). */
export function makeCors(options: CorsOptions | undefined): Cors | undefined {
  if (options === undefined || options.origins.length === 0) return undefined;
  const everyOrigin = options.origins.includes("*");
  const everyHeader = options.headers.includes("*");
  const allowedHeaders = new Set(options.headers.map((name) => name.toLowerCase()));
  const patterns = options.origins.map((origin) => origin.toLowerCase().split("*"));
  const allowed = (origin: string): boolean => {
    const asked = origin.toLowerCase();
    return everyOrigin || patterns.some((parts) => matches(parts, asked));
  };
  const originHeader = (origin: string): string => (everyOrigin ? "*" : origin);
  const headerAllowed = (name: string): boolean =>
    everyHeader || ALWAYS_HEADERS.has(name) || allowedHeaders.has(name);
  return {
    responseHeaders(origin) {
      if (!allowed(origin)) return { vary: "Origin" };
      return { "access-control-allow-origin": originHeader(origin), vary: "Origin" };
    },
    preflightHeaders(headers) {
      const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
      const origin = headers.origin;
      const asked = (headers["access-control-request-headers"] ?? "")
        .split(",")
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== "");
      const method = headers["access-control-request-method"] ?? "";
      const fine = METHODS.split(", ").includes(method) && asked.every(headerAllowed);
      if (origin === undefined || !allowed(origin) || !fine) return { vary };
      return {
        vary,
        "access-control-allow-origin": originHeader(origin),
        "access-control-allow-methods": method,
        ...(asked.length === 0 ? {} : { "access-control-allow-headers": asked.join(", ") }),
      };
    },
  };
}

/** Whether `text` begins with the first part, ends with the last, and has the rest in order. */
function matches(parts: readonly string[], text: string): boolean {
  if (parts.length === 1) return text === parts[0];
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
