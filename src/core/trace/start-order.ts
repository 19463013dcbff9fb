/** Orders the spans of a trace by a time, in steps linear in their number. Bench: ui-data. */

/** Bits of a digit: the places that 2,048 values are written to stay in the nearest cache. */
const DIGIT_BITS = 11;
const DIGIT_VALUES = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGIT_VALUES - 1;
/** Below this a comparison sort is faster. */
const FEW = 1024;
/**
 * Numbers that ascend but for so few steps down are merged: a trace read from eight segments is
 * eight runs, and a million of them take 40 ms instead of 87 by digits.
 */
const FEW_RUNS = 32;
/** Runs of equal starts longer than this are ordered by digits of their ids too. */
const LONG_RUN = 64;
const TWO_TO_32 = 2 ** 32;

/**
 * Spans 0 ..< n ascending by `offsetNs` (finite, not negative), then by the bytes of the span id
 * (two words a span, in memory order), then by number.
 */
export function orderByStart(offsetNs: Float64Array, spanIds: Uint32Array, n: number): Uint32Array {
  const order = orderByNumber(offsetNs, n);
  let longest = 0;
  let from = 0;
  let number = n > 0 ? offsetNs[order[0]!] : 0;
  for (let i = 1; i <= n; i++) {
    const next = i < n ? offsetNs[order[i]!] : -1;
    if (next === number) continue;
    const length = i - from;
    if (length > longest) longest = length;
    if (length > 1 && length <= LONG_RUN) {
      order.subarray(from, i).sort((a, b) => compareIds(spanIds, a, b) || a - b);
    }
    from = i;
    number = next;
  }
  if (longest <= LONG_RUN) return order;
  const byId = identity(n);
  const words = new Uint32Array(n);
  for (let word = 1; word >= 0; word--) {
    for (let i = 0; i < n; i++) words[i] = swapped(spanIds[byId[i]! * 2 + word]!);
    new DigitSort(byId, words, undefined).sort();
  }
  return orderByNumber(offsetNs, n, byId);
}

/** Spans 0 ..< n ascending by a number that is finite and not negative; stable over `order`. */
export function orderByNumber(
  numbers: Float64Array,
  n: number,
  order: Uint32Array = identity(n),
): Uint32Array {
  let whole = true;
  let before = 0;
  const runs = [0];
  for (let i = 0; i < n; i++) {
    const number = numbers[order[i]!]!;
    if (number < before && runs.length <= FEW_RUNS) runs.push(i);
    if (number >= TWO_TO_32 * TWO_TO_32 || !Number.isInteger(number)) whole = false;
    before = number;
  }
  if (runs.length === 1) return order;
  if (runs.length <= FEW_RUNS) return mergeRuns(numbers, order, [...runs, n]);
  if (n < FEW || !whole) {
    const place = new Uint32Array(n);
    for (let i = 0; i < n; i++) place[order[i]!] = i;
    return order.sort((a, b) => numbers[a]! - numbers[b]! || place[a]! - place[b]!);
  }
  const low = new Uint32Array(n);
  const high = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const number = numbers[order[i]!]!;
    const above = Math.floor(number / TWO_TO_32);
    low[i] = number - above * TWO_TO_32;
    high[i] = above;
  }
  new DigitSort(order, low, high).sort();
  return order;
}

/**
 * Merges neighbouring runs, stably, until one is left. `bounds` are where the runs begin, and the
 * end of the last.
 */
function mergeRuns(
  numbers: Float64Array,
  order: Uint32Array,
  bounds: readonly number[],
): Uint32Array {
  const n = order.length;
  let keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = numbers[order[i]!]!;
  let from: Uint32Array = order;
  let to: Uint32Array = new Uint32Array(n);
  let otherKeys = new Float64Array(n);
  let runs = bounds;
  while (runs.length > 2) {
    const merged = [0];
    for (let r = 0; r + 1 < runs.length; r += 2) {
      const middle = runs[r + 1]!;
      const end = runs[r + 2] ?? middle;
      mergeTwo(from, keys, runs[r]!, middle, end, to, otherKeys);
      merged.push(end);
    }
    [from, to] = [to, from];
    [keys, otherKeys] = [otherKeys, keys];
    runs = merged;
  }
  if (from !== order) order.set(from);
  return order;
}

/** Merges `start ..< middle` with `middle ..< end`; of equal ones the first run's come first. */
function mergeTwo(
  from: Uint32Array,
  keys: Float64Array,
  start: number,
  middle: number,
  end: number,
  to: Uint32Array,
  toKeys: Float64Array,
): void {
  let a = start;
  let b = middle;
  for (let at = start; at < end; at++) {
    if (b >= end || (a < middle && keys[a]! <= keys[b]!)) {
      toKeys[at] = keys[a]!;
      to[at] = from[a++]!;
    } else {
      toKeys[at] = keys[b]!;
      to[at] = from[b++]!;
    }
  }
}

function identity(n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** Sorts stably by keys that move with the order, so that every pass reads in sequence. */
class DigitSort {
  readonly #result: Uint32Array;
  #order: Uint32Array;
  #low: Uint32Array;
  #high: Uint32Array | undefined;
  #otherOrder: Uint32Array;
  #otherLow: Uint32Array;
  #otherHigh: Uint32Array | undefined;

  /** `order` is sorted in place by `high` and `low`, whose entries are those of its places. */
  constructor(order: Uint32Array, low: Uint32Array, high: Uint32Array | undefined) {
    this.#result = order;
    this.#order = order;
    this.#low = low;
    this.#high = high;
    this.#otherOrder = new Uint32Array(order.length);
    this.#otherLow = new Uint32Array(order.length);
    this.#otherHigh = high === undefined ? undefined : new Uint32Array(order.length);
  }

  sort(): void {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) this.#pass(this.#low, shift);
    if (this.#high !== undefined) {
      for (let shift = 0; shift < 32; shift += DIGIT_BITS) this.#pass(this.#high, shift);
    }
    if (this.#order !== this.#result) this.#result.set(this.#order);
  }

  #pass(keys: Uint32Array, shift: number): void {
    const n = keys.length;
    const next = new Uint32Array(DIGIT_VALUES);
    for (let i = 0; i < n; i++) next[(keys[i]! >>> shift) & DIGIT_MASK]!++;
    if (next[(keys[0]! >>> shift) & DIGIT_MASK] === n) return;
    for (let digit = 0, sum = 0; digit < DIGIT_VALUES; digit++) {
      const count = next[digit]!;
      next[digit] = sum;
      sum += count;
    }
    const order = this.#order;
    const low = this.#low;
    const high = this.#high;
    const otherOrder = this.#otherOrder;
    const otherLow = this.#otherLow;
    const otherHigh = this.#otherHigh;
    for (let i = 0; i < n; i++) {
      const to = next[(keys[i]! >>> shift) & DIGIT_MASK]!++;
      otherOrder[to] = order[i]!;
      otherLow[to] = low[i]!;
      if (high !== undefined && otherHigh !== undefined) otherHigh[to] = high[i]!;
    }
    this.#order = otherOrder;
    this.#low = otherLow;
    this.#high = otherHigh;
    this.#otherOrder = order;
    this.#otherLow = low;
    this.#otherHigh = high;
  }
}

function compareIds(ids: Uint32Array, a: number, b: number): number {
  const high = swapped(ids[a * 2]!) - swapped(ids[b * 2]!);
  return high !== 0 ? high : swapped(ids[a * 2 + 1]!) - swapped(ids[b * 2 + 1]!);
}

/** The word with its bytes the other way round: words compare as their bytes do. */
function swapped(word: number): number {
  const low = (word << 24) | ((word << 8) & 0xff0000);
  return (low | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
