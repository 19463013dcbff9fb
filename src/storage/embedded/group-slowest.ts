/** How slow each service and operation was in each group: which groups a search can leave out. */

import type { SpanBatch } from "../../core/batch.ts";
import { groupsWhere, ALL_GROUPS } from "./group-set.ts";
import type { GroupSet } from "./group-set.ts";

/** With more services or operations than this a segment keeps no such table: 64 bytes each. */
export const SLOWEST_CODES = 1024;

const NUMBER = new Float64Array(1);
const WORDS = new Uint32Array(NUMBER.buffer);
/** The upper bits of 1.0: exponent and two bits of the fraction. */
const ONE = 1023 * 4;

/** Level of a duration: 1 below one nanosecond, then four to a doubling; 0 stands for no row. */
export function durationLevel(durationNs: number): number {
  if (!(durationNs >= 1)) return 1;
  NUMBER[0] = durationNs;
  return Math.min(2 + (WORDS[1]! >>> 18) - ONE, 255);
}

/** The services of a segment, numbered in order of first sight. */
export interface Services {
  readonly count: number;
  /** Number of each resource's service. */
  readonly of: Uint32Array;
  /** Name of each, as dictionary id of the tables. */
  readonly nameIds: readonly number[];
}

/** The services of a segment's tables. */
export function servicesOf(tables: SpanBatch): Services {
  const numbers = new Map<number, number>();
  const of = tables.resourceServiceId.map((id) => {
    const number = numbers.get(id) ?? numbers.size;
    numbers.set(id, number);
    return number;
  });
  return { count: numbers.size, of, nameIds: [...numbers.keys()] };
}

/** Collects the greatest duration by code, group by group. */
export class SlowestBuilder {
  readonly #count: number;
  readonly #longest: Float64Array;
  readonly #levels: Uint8Array;

  /** For codes below `count`. */
  constructor(count: number, groups: number) {
    this.#count = count <= SLOWEST_CODES ? count : 0;
    this.#longest = new Float64Array(this.#count);
    this.#levels = new Uint8Array(this.#count * groups);
  }

  /** Takes rows `from ..< to` of a group; `sourceOf` says where their columns are. */
  add(
    group: number,
    from: number,
    to: number,
    sourceOf: Uint32Array,
    codeOf: Uint32Array,
    durationNs: Float64Array,
  ): void {
    if (this.#count === 0) return;
    const longest = this.#longest.fill(-Infinity);
    for (let p = from; p < to; p++) {
      const g = sourceOf[p]!;
      const code = codeOf[g]!;
      // Zero for all that are less: they are of one level.
      const duration = Math.max(durationNs[g]!, 0);
      if (duration > longest[code]!) longest[code] = duration;
    }
    const at = group * this.#count;
    for (let code = 0; code < this.#count; code++) {
      if (longest[code] !== -Infinity) this.#levels[at + code] = durationLevel(longest[code]!);
    }
  }

  /** The levels of all groups as base64; empty when there are too many codes. */
  written(): string {
    return Buffer.from(this.#levels).toString("base64");
  }
}

/** Levels of a segment: `count` bytes a group; none when `levels` is empty. */
export interface Slowest {
  readonly count: number;
  readonly levels: Uint8Array;
}

/** Groups in which a code that matches has a row of this level or a higher one. */
export function groupsOfCodes(
  slowest: Slowest,
  matches: Uint8Array,
  level: number,
  groups: number,
): GroupSet {
  const { count, levels } = slowest;
  if (levels.length !== count * groups || levels.length === 0) return ALL_GROUPS;
  return groupsWhere(groups, (group) => {
    const at = group * count;
    for (let code = 0; code < count; code++) {
      if (matches[code] === 1 && levels[at + code]! >= level) return true;
    }
    return false;
  });
}
