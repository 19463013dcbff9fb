/** Short hashes of spans for links: what a link names is found again when the trace has grown. */

import type { TraceColumns } from "../data/trace-columns.ts";

/**
 * Bytes of a hash so that a span that was not meant answers to a set of a hundred hashes in at
 * most one link of 600: 16 bits more than telling the spans apart takes.
 */
export function hashWidthFor(spanCount: number): number {
  if (spanCount <= 256) return 3;
  return spanCount <= 65_536 ? 4 : 5;
}

/**
 * A whole number of `width` bytes from a span's id and kind: Zipkin's client and server share
 * an id. Spans that share both are one here.
 */
export function hashOfSpan(columns: TraceColumns, row: number, width: number): number {
  const low = lowHash(columns, row);
  if (width === 3) return low & 0xffffff;
  return width === 4 ? low >>> 0 : (low >>> 0) + highByte(columns, row) * 2 ** 32;
}

/** The rows, ascending, whose hash of `width` bytes is among these. */
export function rowsOfHashes(
  columns: TraceColumns,
  hashes: ReadonlySet<number>,
  width: number,
): number[] {
  const rows: number[] = [];
  // Most rows are none of them: a table of 16 bits says so without a look into the set.
  const ends = new Uint8Array(65_536);
  for (const hash of hashes) ends[hash % 65_536] = 1;
  for (let row = 0; hashes.size > 0 && row < columns.loaded; row++) {
    if (ends[lowHash(columns, row) & 0xffff] === 0) continue;
    if (hashes.has(hashOfSpan(columns, row, width))) rows.push(row);
  }
  return rows;
}

/** Names' hashes of 24 bits, for sets of services. */
export function hashOfName(name: string): number {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = mixed(hash ^ Math.imul(name.charCodeAt(i), PRIME));
  return hash & 0xffffff;
}

const PRIME = 0x9e3779b1;

function lowHash({ spanId, kind }: TraceColumns, row: number): number {
  const high = wordAt(spanId, row * 8);
  return mixed(wordAt(spanId, row * 8 + 4) ^ mixed(high ^ Math.imul(kind[row]! + 1, PRIME)));
}

function highByte({ spanId, kind }: TraceColumns, row: number): number {
  const low = wordAt(spanId, row * 8 + 4);
  return mixed(wordAt(spanId, row * 8) ^ mixed(low + kind[row]!)) & 255;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** The finish of MurmurHash3: every bit of the input moves every bit of the output. */
function mixed(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
