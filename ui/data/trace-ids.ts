/** Trace ids as people paste them: hex of any case and length, or base64. */

import { toHex } from "../../src/base/bytes.ts";

/**
 * The id as 32 lower-case hex digits; undefined when the text is none. Hex wins where a text could
 * be either; base64 is standard or URL-safe, padded or not, of 8 or 16 bytes.
 */
export function traceIdOf(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{1,32}$/i.test(trimmed)) return trimmed.toLowerCase().padStart(32, "0");
  const base64 = trimmed.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  if (!/^([A-Za-z0-9+/]{11}|[A-Za-z0-9+/]{22})$/.test(base64)) return undefined;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return toHex(bytes).padStart(32, "0");
}

/** As Jaeger writes it: 16 digits when the upper half is zero. */
export function canonicalTraceId(traceIdHex: string): string {
  return traceIdHex.startsWith("0".repeat(16)) ? traceIdHex.slice(16) : traceIdHex;
}

/** Every id of a pasted text (blanks, commas and lines between them), and what is none. */
export function traceIdsOf(text: string): {
  readonly ids: readonly string[];
  readonly bad: readonly string[];
} {
  const ids = new Set<string>();
  const bad: string[] = [];
  for (const word of text.split(/[\s,;]+/)) {
    if (word === "") continue;
    const id = traceIdOf(word);
    if (id === undefined) bad.push(word);
    else ids.add(id);
  }
  return { ids: [...ids], bad };
}

/** Jaeger's animals: a trace is recognised in a row of tabs. */
const ANIMALS = Array.from(
  "🐶🐱🐭🐹🐰🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆🦅🦉🦇🐺🐗" +
    "🐴🦄🐝🐛🦋🐌🐞🐜🦗🦂🐢🐍🦎🐙🦑🦐🦀🐡🐠🐟🐬🐳🐋🦈🐊",
);

/** The animal of a trace id. */
export function animalOf(traceIdHex: string): string {
  return ANIMALS[parseInt(traceIdHex.slice(-4), 16) % ANIMALS.length] ?? "";
}
