/** Integers, numbers and booleans as Go's strconv reads them, with Go's error texts. */

/** A parsed value, or the text of Go's error. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

/** Parses as strconv.ParseInt(text, 10, bits). */
export function parseGoInt(text: string, bits: 32 | 64): Parsed<bigint> {
  if (!/^[+-]?[0-9]+$/.test(text)) return strconvError("ParseInt", text, "invalid syntax");
  const value = text.length > 40 ? 2n ** 64n : BigInt(text.replace(/^\+/, ""));
  const limit = 1n << BigInt(bits - 1);
  if (value >= limit || value < -limit) {
    return strconvError("ParseInt", text, "value out of range");
  }
  return { value };
}

/** Parses as strconv.ParseBool: 1, t, T, TRUE, true, True and their opposites. */
export function parseGoBool(text: string): Parsed<boolean> {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return { value: true };
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return { value: false };
  return strconvError("ParseBool", text, "invalid syntax");
}

/** Parses as strconv.ParseFloat(text, 64), without hexadecimal forms and underscores. */
export function parseGoFloat(text: string): Parsed<number> {
  if (/^[+-]?(inf|infinity)$/i.test(text)) {
    return { value: text.startsWith("-") ? -Infinity : Infinity };
  }
  if (/^nan$/i.test(text)) return { value: NaN };
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
    return strconvError("ParseFloat", text, "invalid syntax");
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return strconvError("ParseFloat", text, "value out of range");
  return { value };
}

/** An error of strconv: `strconv.ParseInt: parsing "abc": invalid syntax`. */
export function strconvError(call: string, text: string, reason: string): { error: string } {
  return { error: `strconv.${call}: parsing ${quoteGo(text)}: ${reason}` };
}

/** A text as Go's %q prints it, near enough: printable characters stay as they are. */
export function quoteGo(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === '"' || character === "\\") quoted += `\\${character}`;
    else if (code >= 0x20 && code !== 0x7f) quoted += character;
    else quoted += GO_ESCAPES[character] ?? `\\x${code.toString(16).padStart(2, "0")}`;
  }
  return `${quoted}"`;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};
