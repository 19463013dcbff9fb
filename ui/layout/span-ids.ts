/** From span ids to rows, and back: what a link names is an id, what the page works with a row. */

import { fromHexInto, toHex } from "../../src/base/bytes.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

const ID_DIGITS = 16;

/** 16 lower-case hex digits. */
export function spanIdHexOf(columns: TraceColumns, row: number): string {
  return toHex(columns.spanId, row * 8, 8);
}

/**
 * What a link calls a span: its id, and of spans that share it the which it is, from the second.
 * Looked for among all rows once: for the few spans that links name.
 */
export function linkIdOf(columns: TraceColumns, row: number): string {
  let known = knownLinkIds.get(columns);
  if (known === undefined) knownLinkIds.set(columns, (known = new Map()));
  let id = known.get(row);
  if (id === undefined) known.set(row, (id = namedAmongTwins(columns, row)));
  return id;
}

const knownLinkIds = new WeakMap<TraceColumns, Map<number, string>>();

function namedAmongTwins({ spanId }: TraceColumns, row: number): string {
  const key = keyOf(spanId, row * 8);
  let place = 1;
  for (let other = 0; other < row; other++) {
    if (keyOf(spanId, other * 8) !== key) continue;
    if (sameId(spanId, other * 8, spanId, row * 8)) place++;
  }
  const hex = toHex(spanId, row * 8, 8);
  return place === 1 ? hex : `${hex}-${place}`;
}

/** The row of each span id or `linkIdOf`, an id's first; -1 for "" and those not there. */
export function rowsOfSpanIds(columns: TraceColumns, hexes: readonly string[]): number[] {
  const wanted = new Map<number, number[]>();
  const ids = new Uint8Array(hexes.length * 8);
  const rows = new Array<number>(hexes.length).fill(-1);
  /** How many spans of the same id come first. */
  const before = new Uint32Array(hexes.length);
  let open = 0;
  for (const [i, hex] of hexes.entries()) {
    if (hex === "" || !fromHexInto(hex.slice(0, ID_DIGITS), ids, i * 8, 8)) continue;
    if (hex.length > ID_DIGITS) before[i] = Number(hex.slice(ID_DIGITS + 1)) - 1;
    const key = keyOf(ids, i * 8);
    const alike = wanted.get(key);
    if (alike === undefined) wanted.set(key, [i]);
    else alike.push(i);
    open++;
  }
  for (let row = 0; row < columns.loaded && open > 0; row++) {
    const candidates = wanted.get(keyOf(columns.spanId, row * 8));
    if (candidates === undefined) continue;
    for (const i of candidates) {
      if (rows[i]! >= 0 || !sameId(ids, i * 8, columns.spanId, row * 8)) continue;
      if (before[i]! > 0) {
        before[i]!--;
        continue;
      }
      rows[i] = row;
      open--;
    }
  }
  return rows;
}

/** The last four bytes: random in every tracer that makes ids as it should. */
function keyOf(ids: Uint8Array, at: number): number {
  return ((ids[at + 4]! << 24) | (ids[at + 5]! << 16) | (ids[at + 6]! << 8) | ids[at + 7]!) >>> 0;
}

function sameId(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
  for (let i = 0; i < 8; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
