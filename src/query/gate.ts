/** The capability gate: what a store cannot answer is refused here, or marked to be completed. */

import { SpoorError } from "../core/errors.ts";
import type { Filter } from "../core/filter.ts";
import { LIMITS } from "../core/limits.ts";
import type { FindQuery, StoreCapabilities } from "../core/store.ts";
import { checkFilter } from "../core/trace/filter-check.ts";

/** How a search is answered: by the store alone, or by the query room over the store. */
export type FindPlan =
  | { readonly by: "store"; readonly query: FindQuery }
  | { readonly by: "room"; readonly pushed: FindQuery };

/** Plans a search, or throws `bad-query` or `unsupported`. */
export function planFind(can: StoreCapabilities, query: FindQuery): FindPlan {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > LIMITS.findTraces) {
    throw new SpoorError("bad-query", `limit is 1 to ${LIMITS.findTraces}`);
  }
  if (query.filter !== undefined) checkFilter(query.filter);
  refuseUnless(can.orders.includes(query.order), can, `order traces by ${query.order}`);
  refuseUnless(can.totals || query.totals !== true, can, "count all that matches");
  const parts = conjunction(query.filter);
  const pushed = parts.filter(isSimple);
  const known = can.allServices || pushed.some(isService);
  refuseUnless(known, can, "search without a service");
  const simple = pushed.length === 0 ? {} : { filter: { op: "and", all: pushed } as const };
  if (can.filters || pushed.length === parts.length) {
    refuseUnless(can.cursor || query.cursor === undefined, can, "go on where a page ended");
    if (can.filters) return { by: "store", query };
    const { filter: _, ...rest } = query;
    return { by: "store", query: { ...rest, ...simple } };
  }
  refuseUnless(can.cursor, can, "evaluate this filter");
  refuseUnless(query.totals !== true, can, "count all that matches this filter");
  const ranked = query.order !== "spanCount";
  refuseUnless(ranked, can, "order by span count what this filter matches");
  const { filter: _, cursor: __, ...rest } = query;
  return { by: "room", pushed: { ...rest, ...simple } };
}

/** Throws `unsupported` in the store's name unless it can. */
export function refuseUnless(possible: boolean, can: StoreCapabilities, what: string): void {
  if (!possible) throw new SpoorError("unsupported", `the ${can.name} store cannot ${what}`);
}

/** The parts of an and-ed filter. */
function conjunction(filter: Filter | undefined): readonly Filter[] {
  if (filter === undefined) return [];
  return filter.op === "and" ? filter.all.flatMap(conjunction) : [filter];
}

/** What every store takes: equality, bounds on duration and start, kinds. */
function isSimple(filter: Filter): boolean {
  switch (filter.op) {
    case "=":
      return true;
    case "<=":
    case ">=":
      return (
        "field" in filter.target &&
        (filter.target.field === "duration" || filter.target.field === "start")
      );
    default:
      return false;
  }
}

function isService(filter: Filter): boolean {
  return filter.op === "=" && "field" in filter.target && filter.target.field === "service";
}
