/** Small byte operations shared by every room: hex, UTF-8, comparison, growth. */

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

const UTF8_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const UTF8_STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const UTF8_ENCODER = new TextEncoder();

/** Lower-case hex of `length` bytes of `bytes` from `start`. */
export function toHex(bytes: Uint8Array, start = 0, length = bytes.length - start): string {
  let text = "";
  for (let i = start; i < start + length; i++) text += HEX_OF_BYTE[bytes[i]!]!;
  return text;
}

/** Value of one hex digit's char code, or -1. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Writes the hex text into `out` at `start`, right-aligned in `length` bytes, zeros before it.
 * Returns false (and leaves `out` undefined there) for a non-hex digit or too many digits.
 */
export function fromHexInto(text: string, out: Uint8Array, start: number, length: number): boolean {
  if (text.length > length * 2) return false;
  out.fill(0, start, start + length);
  let nibble = length * 2 - text.length;
  for (let i = 0; i < text.length; i++, nibble++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return false;
    const at = start + (nibble >> 1);
    out[at] = (nibble & 1) === 0 ? digit << 4 : out[at]! | digit;
  }
  return true;
}

/** Decodes UTF-8, replacing what is malformed by U+FFFD. Works on shared memory too. */
export function utf8(bytes: Uint8Array): string {
  const own = bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
  return UTF8_DECODER.decode(own);
}

/** Decodes UTF-8, or undefined when the bytes are not UTF-8. */
export function utf8Strict(bytes: Uint8Array): string | undefined {
  try {
    return UTF8_STRICT.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
  } catch {
    return undefined;
  }
}

/** UTF-8 bytes of a string. */
export function utf8Bytes(text: string): Uint8Array {
  return UTF8_ENCODER.encode(text);
}

/** Orders bytes as unsigned, shorter first when one is a prefix of the other: -1, 0 or 1. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < common; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Orders texts by their UTF-8 bytes (JavaScript's own `<` differs beyond U+FFFF): -1, 0 or 1. */
export function compareTexts(a: string, b: string): number {
  const common = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < common; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Below the surrogates UTF-16 and UTF-8 order alike.
    if (x < 0xd800 && y < 0xd800) return x < y ? -1 : 1;
    return compareBytes(utf8Bytes(a), utf8Bytes(b));
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Whether `length` bytes are equal. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Whether `length` bytes from `start` are all zero. */
export function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * Gives the memory of bytes back at once, when it is all theirs; nobody may use them again. It lies
 * outside V8's heap, and until a collection megabytes of it are the price of every second.
 */
export function releaseBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
