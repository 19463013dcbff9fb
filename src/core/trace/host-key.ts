/** Which host a span ran on, as Jaeger tells: the resource attribute `ip`, as text. */

import { ATTRIBUTE_TYPE } from "../batch.ts";
import type { SpanBatch } from "../batch.ts";
import { attributeValue } from "../read.ts";

/** Host of a resource: its `ip` as dotted or colon text, "" when it has none. */
export function hostOf(batch: SpanBatch, resource: number): string {
  const table = batch.resourceAttributes;
  for (let a = table.offsets[resource]!; a < table.offsets[resource + 1]!; a++) {
    if (!isIp(batch, batch.keyNameId[table.key[a]!]!)) continue;
    const value = attributeValue(batch, table, a);
    if (typeof value === "string") return value;
    if (typeof value === "bigint") return ipv4Text(Number(BigInt.asUintN(32, value)));
    const isBytes = batch.keyType[table.key[a]!] === ATTRIBUTE_TYPE.BYTES;
    return isBytes && value instanceof Uint8Array ? ipText(value) : "";
  }
  return "";
}

/** Whether a dictionary entry is the text "ip". */
function isIp(batch: SpanBatch, id: number): boolean {
  const at = batch.dictOffsets[id]!;
  if (batch.dictOffsets[id + 1]! - at !== 2) return false;
  return batch.dictBytes[at] === 0x69 && batch.dictBytes[at + 1] === 0x70;
}

/** Dotted text of an IPv4 address in a number. */
export function ipv4Text(address: number): string {
  const byte = (shift: number): number => (address >>> shift) & 255;
  return `${byte(24)}.${byte(16)}.${byte(8)}.${byte(0)}`;
}

/** Text of an address of 4 or 16 bytes, "" for other lengths. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "";
  const mapped = bytes[10] === 0xff && bytes[11] === 0xff && !bytes.subarray(0, 10).some(Boolean);
  if (mapped) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
  let best = 0;
  let bestLength = 0;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [i, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestLength < 2) return hex.join(":");
  return `${hex.slice(0, best).join(":")}::${hex.slice(best + bestLength).join(":")}`;
}
