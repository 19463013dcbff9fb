/** Sets of a segment's groups as 64 bits, and the filters that leave them to be looked at. */

/** Bit g of `low` (g < 32) or of `high` says whether group g is in. */
export interface GroupSet {
  readonly low: number;
  readonly high: number;
}

/** A filter that knows a segment. */
export interface SegmentFilter {
  /** Groups that may have a matching row: never one too few. */
  readonly groups: GroupSet;
  /** 1 for each row of the group that matches; owned by the caller. */
  rows(group: number): Uint8Array;
}

export const NO_GROUPS: GroupSet = { low: 0, high: 0 };
export const ALL_GROUPS: GroupSet = { low: 0xffffffff, high: 0xffffffff };

/** The groups for which `holds` is true. */
export function groupsWhere(count: number, holds: (group: number) => boolean): GroupSet {
  let low = 0;
  let high = 0;
  for (let group = 0; group < count; group++) {
    if (!holds(group)) continue;
    if (group < 32) low |= 1 << group;
    else high |= 1 << (group - 32);
  }
  return { low: low >>> 0, high: high >>> 0 };
}

export function union(a: GroupSet, b: GroupSet): GroupSet {
  return { low: (a.low | b.low) >>> 0, high: (a.high | b.high) >>> 0 };
}

export function intersection(a: GroupSet, b: GroupSet): GroupSet {
  return { low: (a.low & b.low) >>> 0, high: (a.high & b.high) >>> 0 };
}

export function isIn(set: GroupSet, group: number): boolean {
  const bit = group < 32 ? set.low >>> group : set.high >>> (group - 32);
  return (bit & 1) === 1;
}

export function isEmpty(set: GroupSet): boolean {
  return set.low === 0 && set.high === 0;
}

/** How many of the 64 are in. */
export function sizeOf(set: GroupSet): number {
  return ones(set.low) + ones(set.high);
}

function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
