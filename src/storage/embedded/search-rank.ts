/** How a search ranks rows without bigints: approximate keys that exact ones confirm later. */

import type { Cursor } from "../../core/cursor.ts";
import type { FindQuery } from "../../core/store.ts";

/** Columns that rank rows; those of a batch and of a group's CORE look alike. */
export interface RankColumns {
  readonly startUs: Float64Array;
  readonly startNs: Uint16Array;
  readonly durationNs: Float64Array;
}

/** Least, greatest start and duration of some rows. */
export interface RankBounds {
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
}

/** Values beyond this may be rounded: such rows are always let through to the exact check. */
const EXACT = 2 ** 53;

/**
 * Ranks rows by (major, minor), greater first whatever the direction. Majors of equal exact
 * rank are equal; unequal ones order as the exact ranks do, up to rounding beyond 2^53.
 */
export class Ranking {
  readonly #duration: boolean;
  readonly #sign: number;
  readonly #lastMajor: number | undefined;
  readonly #lastMinor: number;

  constructor(query: FindQuery, cursor: Cursor | undefined) {
    this.#duration = query.order === "duration";
    this.#sign = (query.descending ?? true) ? 1 : -1;
    if (cursor === undefined || query.order === "spanCount") {
      this.#lastMajor = undefined;
      this.#lastMinor = 0;
    } else {
      const { rank } = cursor.last;
      this.#lastMajor = this.majorOfRank(rank);
      this.#lastMinor = this.#duration ? 0 : Number(((rank % 1000n) + 1000n) % 1000n) * this.#sign;
    }
  }

  /** Major of an exact rank (core/cursor.ts). */
  majorOfRank(rank: bigint): number {
    if (this.#duration) return Number(rank) * this.#sign;
    const us = rank >= 0n || rank % 1000n === 0n ? rank / 1000n : rank / 1000n - 1n;
    return Number(us) * this.#sign;
  }

  major(columns: RankColumns, row: number): number {
    return (this.#duration ? columns.durationNs[row]! : columns.startUs[row]!) * this.#sign;
  }

  minor(columns: RankColumns, row: number): number {
    return this.#duration ? 0 : columns.startNs[row]! * this.#sign;
  }

  /** No row within the bounds has a greater major. */
  bound(bounds: RankBounds): number {
    if (this.#duration) return this.#sign > 0 ? bounds.maxDurationNs : -bounds.minDurationNs;
    return this.#sign > 0 ? bounds.maxStartUs : -bounds.minStartUs;
  }

  /** Whether a row may come after the cursor. Rows of equal rank are told apart exactly later. */
  mayFollow(major: number, minor: number): boolean {
    const last = this.#lastMajor;
    if (last === undefined || Math.abs(major) >= EXACT) return true;
    return major < last || (major === last && minor <= this.#lastMinor);
  }
}

/** Whether a start may lie within the query's range (exactly so up to 2^53 µs). */
export function inRange(query: FindQuery, startUs: number): boolean {
  if (Math.abs(startUs) >= EXACT) return true;
  return startUs >= query.startMinUs && startUs <= query.startMaxUs;
}

/** Whether bounds may hold a start within the query's range. */
export function boundsInRange(query: FindQuery, bounds: RankBounds): boolean {
  if (bounds.maxStartUs >= EXACT || bounds.minStartUs <= -EXACT) return true;
  return bounds.maxStartUs >= query.startMinUs && bounds.minStartUs <= query.startMaxUs;
}
