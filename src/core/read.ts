/** Reading a SpanBatch: texts, values and exact times, for whoever is not on the hot path. */

import { toHex, utf8 } from "../base/bytes.ts";
import { arrayOrMapText } from "./any-value.ts";
import { ATTRIBUTE_TYPE } from "./batch.ts";
import type { AttributeTable, SpanBatch } from "./batch.ts";
import { isSpoorError } from "./errors.ts";

/** Bytes of a dictionary entry (a view). */
export function dictEntry(batch: SpanBatch, id: number): Uint8Array {
  return batch.dictBytes.subarray(batch.dictOffsets[id]!, batch.dictOffsets[id + 1]!);
}

/** Text of a dictionary entry; malformed UTF-8 shows U+FFFD. */
export function dictText(batch: SpanBatch, id: number): string {
  return id === 0 ? "" : utf8(dictEntry(batch, id));
}

/** The int64 of a dictionary entry. */
export function dictInt(batch: SpanBatch, id: number): bigint {
  return numberView(batch, id).getBigInt64(0, true);
}

/** The double of a dictionary entry. */
export function dictDouble(batch: SpanBatch, id: number): number {
  return numberView(batch, id).getFloat64(0, true);
}

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The entry's eight bytes, to be read at once: a view of each was a tenth of a range search. */
function numberView(batch: SpanBatch, id: number): DataView {
  const bytes = batch.dictBytes;
  const from = batch.dictOffsets[id]!;
  for (let b = 0; b < 8; b++) scratchBytes[b] = bytes[from + b]!;
  return scratch;
}

/** Service name of span `i`. */
export function serviceOf(batch: SpanBatch, i: number): string {
  return dictText(batch, batch.resourceServiceId[batch.resourceRow[i]!]!);
}

/** Name of the attribute entry `a`. */
export function attributeName(batch: SpanBatch, table: AttributeTable, a: number): string {
  return dictText(batch, batch.keyNameId[table.key[a]!]!);
}

/** A value as JavaScript sees it: arrays and maps stay encoded bytes, empty is undefined. */
export type PlainValue = string | boolean | bigint | number | Uint8Array | undefined;

/** Value of the attribute entry `a`; its type is `batch.keyType[table.key[a]]`. */
export function attributeValue(batch: SpanBatch, table: AttributeTable, a: number): PlainValue {
  const value = table.value[a]!;
  switch (batch.keyType[table.key[a]!]) {
    case ATTRIBUTE_TYPE.STRING:
      return dictText(batch, value);
    case ATTRIBUTE_TYPE.BOOL:
      return value !== 0;
    case ATTRIBUTE_TYPE.INT:
      return dictInt(batch, value);
    case ATTRIBUTE_TYPE.DOUBLE:
      return dictDouble(batch, value);
    case ATTRIBUTE_TYPE.EMPTY:
      return undefined;
    default:
      return dictEntry(batch, value);
  }
}

/**
 * The text that Jaeger's tag search compares with: strings as they are, true/false, decimal
 * integers, doubles as Go's %g with 10 digits, bytes as lower-case hex, arrays and maps as JSON
 * (malformed ones as bytes).
 */
export function valueText(type: number, value: PlainValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return doubleText(value);
  if (value === undefined) return "";
  if (type === ATTRIBUTE_TYPE.BYTES) return toHex(value);
  try {
    return arrayOrMapText(type, value);
  } catch (error) {
    if (isSpoorError(error, "malformed")) return toHex(value);
    throw error;
  }
}

/** A double as Go prints it with verb g and 10 significant digits. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const scientific = value.toExponential(9);
  const split = scientific.indexOf("e");
  const exponent = Number(scientific.slice(split + 1));
  if (exponent < -4 || exponent >= 10) {
    const digits = scientific.slice(0, split).replace(/\.?0+$/, "");
    const size = Math.abs(exponent);
    return `${digits}e${exponent < 0 ? "-" : "+"}${size < 10 ? "0" : ""}${size}`;
  }
  const plain = value.toFixed(9 - exponent);
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
}

/** Exact start of span `i`, ns since 1970. */
export function exactStartNs(batch: SpanBatch, i: number): bigint {
  return exactStartUs(batch, i) * 1000n + BigInt(batch.startNs[i]!);
}

/** Exact start of span `i`, whole µs since 1970. */
export function exactStartUs(batch: SpanBatch, i: number): bigint {
  const rare = batch.rare[i]!;
  if (rare !== 0 && batch.rareExact[rare - 1] === 1) return batch.rareStartUs[rare - 1]!;
  return BigInt(batch.startUs[i]!);
}

/** Exact duration of span `i`, ns, may be negative. */
export function exactDurationNs(batch: SpanBatch, i: number): bigint {
  const rare = batch.rare[i]!;
  if (rare !== 0 && batch.rareExact[rare - 1] === 1) {
    return batch.rareDurationUs[rare - 1]! * 1000n + BigInt(batch.rareDurationNs[rare - 1]!);
  }
  return BigInt(batch.durationNs[i]!);
}

/** Exact time of event `e`, ns since 1970. */
export function exactEventNs(batch: SpanBatch, e: number): bigint {
  const rows = batch.exactEventRow;
  for (let x = 0; x < rows.length; x++) {
    if (rows[x] === e) return batch.exactEventUs[x]! * 1000n + BigInt(batch.eventNs[e]!);
  }
  return BigInt(batch.eventUs[e]!) * 1000n + BigInt(batch.eventNs[e]!);
}
