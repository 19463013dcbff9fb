/** Sets of rows as short texts for an address: folded rows, rows left out, groups opened. */

import type { TraceColumns } from "../data/trace-columns.ts";
import { collapsedBelow } from "./visible-rows.ts";

/** What is folded: everything from a level on, but for single rows that differ. */
export interface Folds {
  /** Infinity: nothing is folded as a whole. */
  readonly level: number;
  /** Bit set over rows. */
  readonly bits: Uint8Array;
}

/** A longer text is not put into an address. */
const MAX_TEXT = 1200;

/**
 * Ascending rows as text: their differences as varints in base64url; undefined when they are too
 * many for an address.
 */
export function rowsText(rows: Iterable<number>): string | undefined {
  const bytes: number[] = [];
  let last = -1;
  for (const row of rows) {
    let step = row - last;
    last = row;
    for (; step > 127; step >>>= 7) bytes.push((step & 127) | 128);
    bytes.push(step);
    if (bytes.length * 4 > MAX_TEXT * 3) return undefined;
  }
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** The rows of `rowsText`; undefined when it is malformed or names rows that are not there. */
export function rowsOfText(text: string, spanCount: number): number[] | undefined {
  if (text.length > MAX_TEXT * 2 || !/^[\w-]*$/.test(text)) return undefined;
  let bytes: string;
  try {
    bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
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

/**
 * Folds as text: `level.` unless nothing is folded as a whole, then the rows that differ from
 * it. A trace of a million spans folded to its third level is two letters. undefined when too
 * many rows differ.
 */
export function foldsText(columns: TraceColumns, { level, bits }: Folds): string | undefined {
  const rows = rowsText(bitsOf(differing(columns, level, bits)));
  if (rows === undefined) return undefined;
  return level === Infinity ? rows : `${level}.${rows}`;
}

/** The folds of such a text; undefined when it is malformed or of another trace. */
export function foldsOfText(text: string, columns: TraceColumns): Folds | undefined {
  const [, levelText, rowsPart = ""] = /^(?:(\d{1,7})\.)?([\w-]*)$/.exec(text) ?? [undefined];
  const level = levelText === undefined ? Infinity : Number(levelText);
  const rows = rowsOfText(rowsPart, columns.spanCount);
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
