/** Where a ruler's ticks lie: at round numbers, so far apart that their texts fit. */

const STEPS = [1, 2, 5, 10];

/** The smallest of 1, 2 or 5 × 10ⁿ ns (at least 1) that is no less than `leastNs`. */
export function tickStep(leastNs: number): number {
  if (!(leastNs > 1)) return 1;
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
