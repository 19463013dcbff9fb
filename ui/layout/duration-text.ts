/** Durations as people read them, down to single nanoseconds. */

/** Units by size in ns; a duration is told in the largest it reaches. */
const UNITS: readonly (readonly [number, string])[] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];
const MINUTE_NS = 60e9;
const HOUR_NS = 3600e9;
const DAY_NS = 24 * HOUR_NS;
const CLOCK_UNITS: readonly (readonly [number, string])[] = [
  [DAY_NS, "d"],
  [HOUR_NS, "h"],
  [MINUTE_NS, "m"],
  [1e9, "s"],
];

/** Four significant digits: `532ns`, `12.35µs`, `1.2s`, `2m 3.5s`, `1h 4m`, `3d 2h`. */
export function durationText(ns: number): string {
  const size = Math.abs(ns);
  const sign = ns < 0 ? "-" : "";
  if (size >= DAY_NS) return sign + pair(size, DAY_NS, "d", HOUR_NS, "h");
  if (size >= HOUR_NS) return sign + pair(size, HOUR_NS, "h", MINUTE_NS, "m");
  if (size >= MINUTE_NS) {
    // Rounded as a whole first, so that 119.99 s is 2m and not 1m 60s.
    const tenths = Math.round(size / 1e8);
    const seconds = (tenths % 600) / 10;
    return `${sign}${Math.floor(tenths / 600)}m${seconds === 0 ? "" : ` ${seconds}s`}`;
  }
  return sign + inUnit(size);
}

function pair(size: number, large: number, big: string, small: number, little: string): string {
  const total = Math.round(size / small);
  const each = large / small;
  const rest = total % each;
  return `${Math.floor(total / each)}${big}${rest === 0 ? "" : ` ${rest}${little}`}`;
}

function inUnit(size: number): string {
  for (const [unit, name] of UNITS) {
    if (size < unit) continue;
    const rounded = Number((size / unit).toPrecision(4));
    // 999.99 µs is 1ms.
    if (rounded >= 1000 && unit < 1e9) return inUnit(unit * 1000);
    return `${rounded}${name}`;
  }
  return size === 0 ? "0ns" : `${Number(size.toPrecision(3))}ns`;
}

/**
 * A time at ticks `stepNs` apart: as many decimals as tell neighbours apart, in one unit; where
 * ticks are 10 s or more apart, in minutes, hours and days.
 */
export function tickText(ns: number, stepNs: number, spanNs: number): string {
  if (stepNs >= 10e9) return clockText(ns);
  const [unit, name] = UNITS.find(([size]) => spanNs >= size) ?? [1, "ns"];
  const decimals = Math.max(0, Math.ceil(Math.log10(unit / stepNs) - 1e-9));
  const text = (ns / unit).toFixed(Math.min(decimals, 9));
  return `${decimals > 0 ? text.replace(/\.?0+$/, "") : text}${name}`;
}

/** Whole seconds without rounding: `0s`, `1m 15s`, `1h 15s`, `50d`. */
function clockText(ns: number): string {
  const parts: string[] = [];
  let rest = ns;
  for (const [unit, name] of CLOCK_UNITS) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) parts.push(`${count}${name}`);
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}
