/** What a group's least and greatest number tell of a comparison before the group is read. */

import type { Leaf } from "../../core/trace/condition.ts";

/** Whether a number in [least, greatest] may satisfy an ordered comparison of the leaf. */
export function mayContain(leaf: Leaf, least: number, greatest: number): boolean {
  // Bounds may have been rounded on the way into a double: allow for one part in 2^50.
  const low = least - Math.abs(least) * 2 ** -50;
  const high = greatest + Math.abs(greatest) * 2 ** -50;
  if (leaf.op === "in") {
    return leaf.values.some((value) => inside(value, low, high));
  }
  if (leaf.op === "exists" || leaf.op === "regex" || leaf.untyped === true) return true;
  const { value } = leaf;
  if (typeof value !== "number" && typeof value !== "bigint") return true;
  switch (leaf.op) {
    case "=":
      return inside(value, low, high);
    case "<":
    case "<=":
      return low <= value;
    case ">":
    case ">=":
      return high >= value;
    default:
      return true;
  }
}

function inside(value: unknown, low: number, high: number): boolean {
  if (typeof value !== "number" && typeof value !== "bigint") return true;
  return low <= value && value <= high;
}
