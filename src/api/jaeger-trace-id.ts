/** Trace ids as clients of Jaeger's APIs write them: hex, short or long, or base64. */

import { fromHexInto } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";
import { strconvError } from "../wire/go-number.ts";

/**
 * Bytes (16) of a trace id: up to 32 hex digits, zeros before them left out or not, or 8 or 16
 * bytes in base64 (either alphabet, with or without padding). Throws `bad-query` with Jaeger's
 * text otherwise.
 */
export function parseTraceId(text: string): Uint8Array {
  const id = new Uint8Array(16);
  if (text !== "" && fromHexInto(text, id, 0, 16)) return id;
  const decoded = base64Id(text);
  if (decoded !== undefined) {
    id.fill(0);
    id.set(decoded, 16 - decoded.length);
    return id;
  }
  if (text.length > 32) {
    const message = `TraceID cannot be longer than 32 hex characters: ${text}`;
    throw new SpoorError("bad-query", message);
  }
  const high = text.slice(0, Math.max(0, text.length - 16));
  const low = text.slice(high.length);
  const wrong = /^[0-9a-fA-F]+$/.test(high) ? low : high === "" ? low : high;
  throw new SpoorError("bad-query", strconvError("ParseUint", wrong, "invalid syntax").error);
}

function base64Id(text: string): Uint8Array | undefined {
  if (!/^([A-Za-z0-9+/_-]{22}(==)?|[A-Za-z0-9+/_-]{11}=?)$/.test(text)) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
