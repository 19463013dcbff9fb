/** Sets of rows as short texts for an address: folded rows, rows left out, groups opened. */

import type { TraceColumns } from "../data/trace-columns.ts";
import { hashOfSpan, hashWidthFor, rowsOfHashes } from "./span-hashes.ts";
import { collapsedBelow } from "./visible-rows.ts";

/** What is folded: everything from a level on, but for single rows that differ. */
export interface Folds {
  /** Infinity: nothing is folded as a whole. */
  readonly level: number;
  /** Bit set over rows. */
  readonly bits: Uint8Array;
}

/** A longer text is not put into an address. */
export const MOST_IN_ADDRESS = 1200;
/** A longer text is not read. */
const MOST_READ = 1_000_000;

/**
 * Rows as text: `*`, the bytes of a hash, and hashes of their spans in base64url. Rows shift when
 * a trace grows, hashes do not. undefined when the text would be longer than `most`.
 */
export function rowsText(
  columns: TraceColumns,
  rows: Iterable<number>,
  most: number = MOST_IN_ADDRESS,
): string | undefined {
  const width = hashWidthFor(columns.spanCount);
  const bytes: number[] = [];
  for (const row of rows) {
    let hash = hashOfSpan(columns, row, width);
    for (let i = 0; i < width; i++) {
      bytes.push(hash % 256);
      hash = Math.floor(hash / 256);
    }
    if (bytes.length * 4 > most * 3) return undefined;
  }
  return bytes.length === 0 ? "" : `*${width}${base64Of(bytes)}`;
}

/** The rows of such a text, ascending, without those that are not there; undefined: malformed. */
export function rowsOfText(text: string, columns: TraceColumns): number[] | undefined {
  const [, width, encoded] = /^(?:\*([3-5]))?([\w-]*)$/.exec(text) ?? [];
  if (encoded === undefined || text.length > MOST_READ) return undefined;
  let bytes: string;
  try {
    bytes = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
  if (width === undefined) return rowsOfNumbers(bytes, columns.spanCount);
  const hashes = new Set<number>();
  const size = Number(width);
  for (let at = 0; at + size <= bytes.length; at += size) {
    let hash = 0;
    for (let i = size - 1; i >= 0; i--) hash = hash * 256 + bytes.charCodeAt(at + i);
    hashes.add(hash);
  }
  return rowsOfHashes(columns, hashes, size);
}

/** Links of earlier versions have rows by number: their differences as varints. */
function rowsOfNumbers(bytes: string, spanCount: number): number[] | undefined {
  const rows: number[] = [];
  let row = -1;
  let step = 0;
  let shift = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    step += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte > 127) continue;
    row += step;
    step = 0;
    shift = 0;
    if (row >= spanCount) return undefined;
    rows.push(row);
  }
  return rows;
}

function base64Of(bytes: readonly number[]): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Folds as text: `level.` unless nothing is folded as a whole, then the rows that differ from
 * it. A trace of a million spans folded to its third level is two letters. undefined when too
 * many rows differ.
 */
export function foldsText(
  columns: TraceColumns,
  { level, bits }: Folds,
  most: number = MOST_IN_ADDRESS,
): string | undefined {
  const rows = rowsText(columns, bitsOf(differing(columns, level, bits)), most);
  if (rows === undefined) return undefined;
  return level === Infinity ? rows : `${level}.${rows}`;
}

/** The folds of such a text; undefined when it is malformed or of another trace. */
export function foldsOfText(text: string, columns: TraceColumns): Folds | undefined {
  const [, levelText, rowsPart = ""] = /^(?:(\d{1,7})\.)?([*\w-]*)$/.exec(text) ?? [undefined];
  const level = levelText === undefined ? Infinity : Number(levelText);
  const rows = rowsOfText(rowsPart, columns);
  if (rows === undefined || (levelText === undefined && rowsPart !== text)) return undefined;
  return { level, bits: foldsWith(columns, level, rows) };
}

/** The rows whose fold is not what the level says. */
export function rowsUnlike(columns: TraceColumns, { level, bits }: Folds): Iterable<number> {
  return bitsOf(differing(columns, level, bits));
}

/** What a level folds, turned round at some rows. */
export function foldsWith(
  columns: TraceColumns,
  level: number,
  rows: readonly number[],
): Uint8Array {
  const bits = collapsedBelow(columns, level);
  for (const row of rows) bits[row >> 3] = bits[row >> 3]! ^ (1 << (row & 7));
  return bits;
}

function differing(columns: TraceColumns, level: number, bits: Uint8Array): Uint8Array {
  if (level === Infinity) return bits;
  const base = collapsedBelow(columns, level);
  for (let at = 0; at < base.length; at++) base[at] = base[at]! ^ bits[at]!;
  return base;
}

function* bitsOf(bits: Uint8Array): Iterable<number> {
  for (let at = 0; at < bits.length; at++) {
    for (let bit = 0; bits[at]! >> bit !== 0; bit++) {
      if (((bits[at]! >> bit) & 1) === 1) yield at * 8 + bit;
    }
  }
}
