/** What Zipkin's texts hold: addresses, and the events and links OpenTelemetry puts into them. */

import { utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES } = ATTRIBUTE_TYPE;

/** A value of a tag; a text's bytes need not be UTF-8. */
export type ZipkinValue =
  | { readonly type: typeof STRING | typeof BYTES; readonly value: Uint8Array }
  | { readonly type: typeof BOOL; readonly value: boolean }
  | { readonly type: typeof INT; readonly value: bigint }
  | { readonly type: typeof DOUBLE; readonly value: number };

type Fields = (readonly [string, ZipkinValue])[];

/** A text's fields when it is a JSON object of plain values (else undefined), as clients log. */
export function objectFields(text: string): Fields | undefined {
  if (!text.startsWith("{")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const fields: Fields = [];
  for (const [key, value] of Object.entries(parsed)) {
    const plain = plainValue(value);
    if (plain === undefined) return undefined;
    fields.push([key, plain]);
  }
  return fields;
}

/** Name and attributes of an event as OpenTelemetry writes it: `name|{json}|dropped`. */
export function eventOf(text: string): { name: string; fields: Fields } | undefined {
  const match = /^([^|]*)\|(\{.*\})\|\d+$/s.exec(text);
  const fields = match === null ? undefined : objectFields(match[2]!);
  return fields === undefined ? undefined : { name: match![1]!, fields };
}

/** Ids of a link as OpenTelemetry writes it: `trace|span|state|{json}|dropped`. */
export function linkOf(text: string): { traceHex: string; spanHex: string } | undefined {
  const match = /^([0-9a-f]{32})\|([0-9a-f]{16})\|[^|]*\|\{.*\}\|\d+$/s.exec(text);
  return match === null ? undefined : { traceHex: match[1]!, spanHex: match[2]! };
}

function plainValue(value: unknown): ZipkinValue | undefined {
  if (typeof value === "string") return { type: STRING, value: utf8Bytes(value) };
  if (typeof value === "boolean") return { type: BOOL, value };
  if (typeof value !== "number") return undefined;
  return Number.isSafeInteger(value)
    ? { type: INT, value: BigInt(value) }
    : { type: DOUBLE, value };
}

/** The 4 bytes of a dotted address, or undefined. */
export function ipv4Bytes(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number);
  return bytes?.every((byte) => byte < 256) === true ? Uint8Array.from(bytes) : undefined;
}

/** The 16 bytes of an IPv6 address, or undefined. */
export function ipv6Bytes(text: string): Uint8Array | undefined {
  const last = text.lastIndexOf(":");
  const dotted = last === -1 ? undefined : ipv4Bytes(text.slice(last + 1));
  let plain = text;
  if (dotted !== undefined) {
    const hex = (at: number): string => ((dotted[at]! << 8) | dotted[at + 1]!).toString(16);
    plain = `${text.slice(0, last + 1)}${hex(0)}:${hex(2)}`;
  }
  const halves = plain.split("::");
  if (halves.length > 2 || plain.length > 45) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const known = groups.reduce((sum, half) => sum + half.length, 0);
  if (halves.length === 2 ? known > 7 : known !== 8) return undefined;
  const all = [...groups[0]!, ...Array<string>(8 - known).fill("0"), ...(groups[1] ?? [])];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const numbers = all.map((group) => parseInt(group, 16));
  return Uint8Array.from(numbers.flatMap((number) => [number >> 8, number & 255]));
}
