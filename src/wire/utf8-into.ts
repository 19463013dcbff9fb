// Writes a string as UTF-8 at a place in a byte array; short ASCII text without leaving JavaScript.

/** Below this many characters a loop beats the call into the platform's encoder (measured: ~50). */
const LOOP_LENGTH = 48;

const encoder = new TextEncoder();

/**
 * Writes `text` at `start`; the caller has reserved three bytes a UTF-16 unit. Returns the end.
 * Lone surrogates become U+FFFD. Bench: bench/client-span.ts.
 */
export function writeUtf8Into(bytes: Uint8Array, start: number, text: string): number {
  const length = text.length;
  if (length > LOOP_LENGTH) return start + encodeInto(bytes, start, text);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return start + encodeInto(bytes, start, text);
    bytes[start + i] = unit;
  }
  return start + length;
}

function encodeInto(bytes: Uint8Array, start: number, text: string): number {
  return encoder.encodeInto(text, bytes.subarray(start)).written;
}
