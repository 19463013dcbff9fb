/** Where a ruler's ticks lie: at round numbers, so far apart that their texts fit. */

const STEPS = [1, 2, 5, 10];
const SECOND_NS = 1e9;
const MINUTE_NS = 60 * SECOND_NS;
const HOUR_NS = 60 * MINUTE_NS;
const DAY_NS = 24 * HOUR_NS;
/** Beyond seconds, what clocks count in. */
const LONG_STEPS = [
  ...[10, 15, 30].map((seconds) => seconds * SECOND_NS),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_NS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_NS),
];

/**
 * The smallest round step that is no less than `leastNs`: 1, 2 or 5 × 10ⁿ ns (at least 1), from
 * 5 s on what clocks count in, from a day on 1, 2 or 5 × 10ⁿ days.
 */
export function tickStep(leastNs: number): number {
  if (!(leastNs > 1)) return 1;
  if (leastNs > 5 * SECOND_NS) {
    const long = LONG_STEPS.find((step) => step >= leastNs);
    return long ?? DAY_NS * decimalStep(leastNs / DAY_NS);
  }
  return decimalStep(leastNs);
}

function decimalStep(leastNs: number): number {
  const power = 10 ** Math.floor(Math.log10(leastNs));
  for (const step of STEPS) if (power * step >= leastNs) return power * step;
  return power * 10;
}

/** Ticks in `fromNs ..= toNs` for `width` px at least `apart` px apart. */
export function ticksOf(fromNs: number, toNs: number, width: number, apart: number): number[] {
  const spanNs = toNs - fromNs;
  if (!(spanNs > 0) || !(width > 0)) return [];
  const step = tickStep((spanNs * apart) / width);
  const ticks: number[] = [];
  for (let n = Math.ceil(fromNs / step); n * step <= toNs; n++) ticks.push(n * step);
  return ticks;
}
