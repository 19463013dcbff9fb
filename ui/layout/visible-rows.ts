/** Which rows of a trace are shown: collapse, hidden services, a filter, repetition, chains. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

/** Bit r (byte r >> 3, bit r & 7) of a bit set over rows. */
export function hasBit(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3]! >> (row & 7)) & 1) === 1;
}

export function setBit(bits: Uint8Array, row: number, on: boolean): void {
  const mask = 1 << (row & 7);
  if (on) bits[row >> 3] = bits[row >> 3]! | mask;
  else bits[row >> 3] = bits[row >> 3]! & ~mask;
}

/** What hides rows. */
export interface RowRules {
  /** Bit set: the row's subtree is folded into it. */
  readonly collapsed: Uint8Array;
  /** By service: 1 leaves its spans out with their subtrees. */
  readonly hiddenServices: Uint8Array;
  /** Rows left out with their subtrees. */
  readonly skipped: ReadonlySet<number>;
  /** Only this row, its ancestors and what is below it are shown; -1 for all. */
  readonly within: number;
  /** Bit set of rows to keep with their ancestors, undefined keeps all. */
  readonly kept: Uint8Array | undefined;
  /** Repeated siblings stand in one row. */
  readonly grouped: boolean;
  /** First rows of groups that are shown open all the same. */
  readonly ungrouped: ReadonlySet<number>;
  /** Spans that each have one child only stand in one row. */
  readonly chained: boolean;
  /** First rows of chains that are shown open all the same. */
  readonly unchained: ReadonlySet<number>;
}

/** Siblings that a group's first row stands for, itself included. */
export interface RowGroup {
  readonly count: number;
  readonly totalNs: number;
}

export interface VisibleRows {
  /** Ascending. */
  readonly rows: Uint32Array;
  readonly groups: ReadonlyMap<number, RowGroup>;
  /** By place, with chains only: how many spans the row stands for, 0 for its own alone. */
  readonly chains?: Uint32Array;
  /** By place, with chains only: how deep a row is when every chain is one level. */
  readonly depths?: Uint32Array;
  /** What hidden services and skipped rows take away below a row (-1: at the roots). */
  readonly pruned: ReadonlyMap<number, { readonly spans: number; readonly errors: number }>;
}

/** So many alike in a row are grouped; two are read as easily as one and a count. */
const MIN_GROUP = 3;

/** So many in a chain stand in one row. */
const MIN_CHAIN = 3;

/** The only child of a row, or -1 when it has none or several. */
export function onlyChild({ end, loaded }: TraceColumns, row: number): number {
  return row + 1 < loaded && end[row]! > row + 1 && end[row + 1] === end[row] ? row + 1 : -1;
}

/** One pass over the loaded rows that skips what is hidden. */
export function visibleRows(columns: TraceColumns, rules: RowRules): VisibleRows {
  if (hidesNothing(rules)) {
    return { rows: firstRows(columns.loaded), groups: new Map(), pruned: new Map() };
  }
  const { service, parent, loaded } = columns;
  const keep = rules.kept === undefined ? undefined : withAncestors(columns, rules.kept);
  const rows = new Uint32Array(loaded);
  const groups = new Map<number, RowGroup>();
  const pruned = new Map<number, { spans: number; errors: number }>();
  const chains = rules.chained ? new ChainFolds(columns, rules, keep) : undefined;
  let count = 0;
  for (let row = 0; row < loaded;) {
    const after = afterOf(columns, row);
    const out = isOutside(columns, rules.within, row);
    if (out || rules.hiddenServices[service[row]!] === 1 || rules.skipped.has(row)) {
      notePruned(columns, pruned, parent[row]!, row, after);
      row = after;
      continue;
    }
    if (keep !== undefined && !hasBit(keep, row)) {
      row = after;
      continue;
    }
    rows[count++] = row;
    const last = chains?.place(row, count - 1) ?? row;
    if (rules.grouped && after === row + 1) {
      const stop = endOfRun(columns, row, keep);
      if (stop - row >= MIN_GROUP) {
        groups.set(row, { count: stop - row, totalNs: sumDurations(columns, row, stop) });
        if (!rules.ungrouped.has(row)) {
          row = stop;
          continue;
        }
        while (++row < stop) {
          rows[count++] = row;
          chains?.place(row, count - 1);
        }
        continue;
      }
    }
    row = !hasBit(rules.collapsed, last) ? last + 1 : last === row ? after : afterOf(columns, last);
  }
  return { rows: rows.subarray(0, count), groups, pruned, ...chains?.columns(count) };
}

/** The first row after a subtree, of those that are loaded. */
function afterOf({ end, loaded }: TraceColumns, row: number): number {
  return Math.min(loaded, Math.max(row + 1, end[row]!));
}

/** Notes chains and depths while rows are placed in order. */
class ChainFolds {
  readonly #columns: TraceColumns;
  readonly #rules: RowRules;
  readonly #keep: Uint8Array | undefined;
  readonly #chains: Uint32Array;
  readonly #depths: Uint32Array;
  /** Chains around the row: where each ends, and how many levels all up to it take away. */
  readonly #ends: number[] = [];
  readonly #lifts: number[] = [];
  /** Rows up to here are a chain that is open. */
  #openTo = -1;

  constructor(columns: TraceColumns, rules: RowRules, keep: Uint8Array | undefined) {
    this.#columns = columns;
    this.#rules = rules;
    this.#keep = keep;
    this.#chains = new Uint32Array(columns.loaded);
    this.#depths = new Uint32Array(columns.loaded);
  }

  /** Places a row; the last row of the chain that it stands for, itself for none. */
  place(row: number, index: number): number {
    const { end, depth } = this.#columns;
    while (this.#ends.length > 0 && row >= this.#ends.at(-1)!) {
      this.#ends.pop();
      this.#lifts.pop();
    }
    const lift = this.#lifts.at(-1) ?? 0;
    this.#depths[index] = depth[row]! - lift;
    if (row <= this.#openTo) return row;
    const last = this.#lastOf(row);
    if (last - row + 1 < MIN_CHAIN) return row;
    if (this.#rules.unchained.has(row)) {
      this.#openTo = last;
      return row;
    }
    this.#chains[index] = last - row + 1;
    this.#ends.push(end[row]!);
    this.#lifts.push(lift + last - row);
    return last;
  }

  /** The end of the chain that begins at a row: nothing of it is hidden by a rule. */
  #lastOf(row: number): number {
    const { collapsed, hiddenServices, skipped } = this.#rules;
    let last = row;
    while (!hasBit(collapsed, last)) {
      const next = onlyChild(this.#columns, last);
      if (next < 0 || hiddenServices[this.#columns.service[next]!] === 1) break;
      if (skipped.has(next) || (this.#keep !== undefined && !hasBit(this.#keep, next))) break;
      last = next;
    }
    return last;
  }

  columns(count: number): { readonly chains: Uint32Array; readonly depths: Uint32Array } {
    return { chains: this.#chains.subarray(0, count), depths: this.#depths.subarray(0, count) };
  }
}

function hidesNothing(rules: RowRules): boolean {
  const { collapsed, hiddenServices, skipped, within, kept, grouped, chained } = rules;
  if (grouped || chained || kept !== undefined || within >= 0 || skipped.size > 0) return false;
  return !hiddenServices.includes(1) && collapsed.every((bits) => bits === 0);
}

/** 0, 1, 2 …: every trace begins so, and asking the rules of each row is 20 times the work. */
function firstRows(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

/** Whether a row is neither `within`, nor above nor below it; nothing is outside of -1. */
export function isOutside({ end }: TraceColumns, within: number, row: number): boolean {
  if (within < 0) return false;
  return row < within ? end[row]! <= within : row >= Math.max(within + 1, end[within]!);
}

/** First row after the siblings without children that have this row's service and name. */
function endOfRun(columns: TraceColumns, first: number, keep: Uint8Array | undefined): number {
  const { parent, service, name, end, loaded } = columns;
  let row = first + 1;
  while (
    row < loaded &&
    parent[row] === parent[first] &&
    service[row] === service[first] &&
    name[row] === name[first] &&
    end[row]! <= row + 1 &&
    (keep === undefined || hasBit(keep, row))
  ) {
    row++;
  }
  return row;
}

function sumDurations(columns: TraceColumns, from: number, to: number): number {
  let sum = 0;
  for (let row = from; row < to; row++) sum += columns.spanDurationNs[row]!;
  return sum;
}

function notePruned(
  columns: TraceColumns,
  pruned: Map<number, { spans: number; errors: number }>,
  parent: number,
  from: number,
  to: number,
): void {
  const sum = pruned.get(parent) ?? { spans: 0, errors: 0 };
  sum.spans += to - from;
  for (let row = from; row < to; row++) {
    if ((columns.flags[row]! & SPAN_FLAG.ERROR) !== 0) sum.errors++;
  }
  pruned.set(parent, sum);
}

/** The set with every ancestor of its members; each ancestor is walked once. */
export function withAncestors(columns: TraceColumns, kept: Uint8Array): Uint8Array {
  const all = kept.slice();
  for (let row = 0; row < columns.loaded; row++) {
    if (!hasBit(kept, row)) continue;
    let above = columns.parent[row]!;
    while (above >= 0 && !hasBit(all, above)) {
      setBit(all, above, true);
      above = columns.parent[above]!;
    }
  }
  return all;
}

/** Place of a row among ascending rows, or -1. */
export function indexOfRow(rows: Uint32Array, row: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = rows[middle]!;
    if (at === row) return middle;
    if (at < row) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The set of all rows with children at `fromDepth` or deeper: what collapsing to a level folds. */
export function collapsedBelow(columns: TraceColumns, fromDepth: number): Uint8Array {
  const { end, depth, loaded } = columns;
  const bits = new Uint8Array((columns.spanCount + 7) >> 3);
  for (let row = 0; row < loaded; row++) {
    if (depth[row]! >= fromDepth && end[row]! > row + 1) setBit(bits, row, true);
  }
  return bits;
}
