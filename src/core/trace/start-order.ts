/** Orders the spans of a trace by start, then span id, in time linear in their number. */

const DIGIT_VALUES = 65_536;
/** Below this a comparison sort is faster than clearing the counts of digits. */
const FEW = 4096;
/** Runs of equal starts longer than this are ordered by digits of their ids too. */
const LONG_RUN = 64;

/**
 * Spans 0 ..< n ascending by `offsetNs` (finite, not negative), then by the bytes of the span id
 * (two words a span, in memory order), then by number.
 */
export function orderByStart(offsetNs: Float64Array, spanIds: Uint32Array, n: number): Uint32Array {
  const order = orderByNumber(offsetNs, n);
  let longest = 0;
  for (let from = 0; from < n;) {
    const to = runEnd(order, offsetNs, from);
    const length = to - from;
    if (length > longest) longest = length;
    if (length > 1 && length <= LONG_RUN) {
      order.subarray(from, to).sort((a, b) => compareIds(spanIds, a, b) || a - b);
    }
    from = to;
  }
  if (longest <= LONG_RUN) return order;
  const byId = identity(n);
  const words = new Uint32Array(n);
  for (let word = 1; word >= 0; word--) {
    for (let v = 0; v < n; v++) words[v] = swapped(spanIds[v * 2 + word]!);
    radixInto(byId, words, 1, 0);
  }
  return orderByNumber(offsetNs, n, byId);
}

/** Spans 0 ..< n ascending by a number that is finite and not negative; stable over `order`. */
export function orderByNumber(
  numbers: Float64Array,
  n: number,
  order: Uint32Array = identity(n),
): Uint32Array {
  let sorted = true;
  for (let i = 1; i < n && sorted; i++) sorted = numbers[order[i - 1]!]! <= numbers[order[i]!]!;
  if (sorted) return order;
  if (n < FEW) {
    const place = new Uint32Array(n);
    for (let i = 0; i < n; i++) place[order[i]!] = i;
    return order.sort((a, b) => numbers[a]! - numbers[b]! || place[a]! - place[b]!);
  }
  // The bits of doubles that are not negative ascend as the doubles do.
  const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length * 2);
  radixInto(order, words, 2, 0);
  radixInto(order, words, 2, 1);
  return order;
}

function identity(n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** Sorts `order` stably by the word `words[span * stride + at]`, 16 bits a pass. */
function radixInto(order: Uint32Array, words: Uint32Array, stride: number, at: number): void {
  const n = order.length;
  const other = new Uint32Array(n);
  const counts = new Uint32Array(DIGIT_VALUES);
  for (let shift = 0; shift < 32; shift += 16) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[(words[i * stride + at]! >>> shift) & 0xffff]!++;
    if (n > 0 && counts[(words[at]! >>> shift) & 0xffff] === n) continue;
    for (let digit = 0, sum = 0; digit < DIGIT_VALUES; digit++) {
      const count = counts[digit]!;
      counts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const v = order[i]!;
      other[counts[(words[v * stride + at]! >>> shift) & 0xffff]!++] = v;
    }
    order.set(other);
  }
}

function runEnd(order: Uint32Array, numbers: Float64Array, from: number): number {
  const number = numbers[order[from]!];
  let to = from + 1;
  while (to < order.length && numbers[order[to]!] === number) to++;
  return to;
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
