/** Durations as Go reads them ("1h2m3.5s", "15ms", "-1.5µs"), with Go's error texts. */

import { utf8Bytes } from "../base/bytes.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n, // U+00B5, micro sign
  μs: 1000n, // U+03BC, Greek mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const MAX_NS = 2n ** 63n;

/** A parsed duration in ns, or the text of Go's error. */
export type ParsedDuration = { readonly ns: bigint } | { readonly error: string };

/** Parses as Go's time.ParseDuration does: sign, then number and unit, once or more. */
export function parseGoDuration(text: string): ParsedDuration {
  const invalid = { error: `time: invalid duration ${quoted(text)}` };
  let rest = text;
  const negative = rest.startsWith("-");
  if (negative || rest.startsWith("+")) rest = rest.slice(1);
  if (rest === "0") return { ns: 0n };
  if (rest === "") return invalid;
  let total = 0n;
  while (rest !== "") {
    const number = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest)!;
    const whole = number[1]!;
    const fraction = number[2] ?? "";
    if (whole === "" && fraction === "") return invalid;
    rest = rest.slice(number[0].length);
    const name = /^[^0-9.]*/.exec(rest)![0];
    if (name === "") return { error: `time: missing unit in duration ${quoted(text)}` };
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    if (unit === undefined) {
      return { error: `time: unknown unit ${quoted(name)} in duration ${quoted(text)}` };
    }
    rest = rest.slice(name.length);
    // Go keeps as many digits of the fraction as an int64 holds: 18 are always enough.
    const digits = fraction.slice(0, 18);
    total += BigInt(whole === "" ? "0" : whole.slice(0, 40)) * unit;
    if (digits !== "") total += (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
    if (total > MAX_NS) return invalid;
  }
  if (negative) return { ns: -total };
  return total === MAX_NS ? invalid : { ns: total };
}

/** Go's package time quotes on its own: everything that is not ASCII as bytes in hex. */
function quoted(text: string): string {
  let out = '"';
  for (const byte of utf8Bytes(text)) {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, "0")}`;
    else out += character === '"' || character === "\\" ? `\\${character}` : character;
  }
  return `${out}"`;
}
