// Tag values that have no type of their own on the wire, as text.

/** JSON for objects, the stack for errors; never throws. */
export function textOfValue(value: unknown): string {
  try {
    if (value instanceof Error) return value.stack ?? String(value);
    if (typeof value === "object") return JSON.stringify(value) ?? String(value);
    return String(value);
  } catch (error) {
    return `[unserialisable: ${error instanceof Error ? error.message : "unknown"}]`;
  }
}

/** Bytes of any binary value; null for everything else. */
export function bytesOfValue(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return null;
}

/** Cut at a limit of UTF-16 units, never in the middle of a surrogate pair. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit);
}

/** An operation's name, which plain JavaScript does not hold to be text. */
export function nameText(name: unknown): string {
  return typeof name === "string" ? name : textOfValue(name);
}
