/** From span ids to rows, and back: what a link names is an id, what the page works with a row. */

import { fromHexInto, toHex } from "../../src/base/bytes.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

/** 16 lower-case hex digits. */
export function spanIdHexOf(columns: TraceColumns, row: number): string {
  return toHex(columns.spanId, row * 8, 8);
}

/** The first row of each span id, ids as 16 hex digits; -1 for "" and those that are not there. */
export function rowsOfSpanIds(columns: TraceColumns, hexes: readonly string[]): number[] {
  const wanted = new Map<number, number[]>();
  const ids = new Uint8Array(hexes.length * 8);
  const rows = new Array<number>(hexes.length).fill(-1);
  let open = 0;
  for (const [i, hex] of hexes.entries()) {
    if (hex === "" || !fromHexInto(hex, ids, i * 8, 8)) continue;
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
