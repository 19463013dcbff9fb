/** Ends whatever hides a row: folds, groups, chains, filters, what was left out by hand. */

import { batch } from "@preact/signals";
import type { TraceColumns } from "../data/trace-columns.ts";
import { chainHead } from "../layout/chain-rows.ts";
import { hasBit, isOutside, setBit } from "../layout/visible-rows.ts";
import type { TraceModel } from "./trace-model.ts";

/** Makes a row visible; what hides others only stays as it is. */
export function uncover(model: TraceModel, columns: TraceColumns, row: number): void {
  const collapsed = model.collapsed.peek().slice();
  const skipped = new Set(model.skipped.peek());
  const hidden = model.hiddenServices.peek().slice();
  skipped.delete(row);
  hidden[columns.service[row]!] = 0;
  for (let above = columns.parent[row]!; above >= 0; above = columns.parent[above]!) {
    setBit(collapsed, above, false);
    skipped.delete(above);
    hidden[columns.service[above]!] = 0;
  }
  batch(() => {
    model.collapsed.value = collapsed;
    model.skipped.value = skipped;
    model.hiddenServices.value = hidden;
    if (isOutside(columns, model.within.peek(), row)) model.within.value = -1;
    if (model.grouped.peek()) {
      model.ungrouped.value = new Set(model.ungrouped.peek()).add(firstOfRun(columns, row));
    }
    const head = model.chained.peek() ? chainHead(columns, row) : row;
    if (head !== row) model.unchained.value = new Set(model.unchained.peek()).add(head);
    const kept = model.kept.peek();
    if (kept !== undefined && !hasBit(kept, row)) model.kept.value = undefined;
  });
}

/** The first row of the run of siblings alike that a row is in. */
function firstOfRun({ name, service, parent, end }: TraceColumns, row: number): number {
  let first = row;
  while (
    first > 0 &&
    parent[first - 1] === parent[row] &&
    name[first - 1] === name[row] &&
    service[first - 1] === service[row] &&
    end[first - 1]! <= first
  ) {
    first--;
  }
  return first;
}
