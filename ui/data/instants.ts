/** Points in time as people read and write them, in a zone of their choice. */

/** "local", "UTC" or an IANA name. */
export type Zone = string;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(zone: Zone): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      hourCycle: "h23",
      ...(zone === "local" ? {} : { timeZone: zone }),
    });
    formats.set(zone, format);
  }
  return format;
}

/** Whether the browser knows a zone. */
export function isZone(zone: Zone): boolean {
  try {
    formatIn(zone);
    return true;
  } catch {
    return false;
  }
}

/** `2026-11-22 20:15:03.123` in the zone; a dash for what no calendar has. */
export function instantText(us: number, zone: Zone): string {
  const { date, time } = partsOf(us, zone);
  return date === "" ? "–" : `${date} ${time}`;
}

/** `20:15:03.123`. */
export function timeOfDay(us: number, zone: Zone): string {
  return partsOf(us, zone).time;
}

/** `2026-11-22` and `20:15:03.123`; empty for what no calendar has. */
export function partsOf(us: number, zone: Zone): { readonly date: string; readonly time: string } {
  const ms = Math.floor(us / 1000);
  if (!(Math.abs(ms) <= 8.64e15)) return { date: "", time: "–" };
  const parts: { [type: string]: string } = {};
  for (const { type, value } of formatIn(zone).formatToParts(ms)) parts[type] = value;
  const { year, month, day, hour, minute, second, fractionalSecond } = parts;
  return {
    date: `${year}-${month}-${day}`,
    time: `${hour}:${minute}:${second}.${fractionalSecond}`,
  };
}

/**
 * µs of a date and time as fields of a form have them, in the zone; undefined when they are none.
 * In the hour a clock is put back the earlier one is meant; one that is skipped moves on.
 */
export function instantOf(date: string, time: string, zone: Zone): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/.exec(
    `${date} ${time}`,
  );
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((text) => Number(text ?? 0));
  const milliseconds = Number((match[7] ?? "0").padEnd(3, "0"));
  const wanted = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!, milliseconds);
  if (Number.isNaN(wanted)) return undefined;
  // The offset at the guess may be that of the other side of a change: correct it twice.
  let guess = wanted;
  for (let i = 0; i < 2; i++) guess = wanted - offsetMs(guess, zone);
  return guess * 1000;
}

/** How far the zone is ahead of UTC at an instant. */
function offsetMs(ms: number, zone: Zone): number {
  const { date, time } = partsOf(ms * 1000, zone);
  return Date.parse(`${date}T${time}Z`) - ms;
}

const STEPS: readonly [seconds: number, name: string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** `3 min ago`, `in 2 h`, `now`. */
export function agoText(us: number, nowUs: number): string {
  const seconds = Math.round((nowUs - us) / 1e6);
  const size = Math.abs(seconds);
  for (const [step, name] of STEPS) {
    if (size < step) continue;
    const text = `${Math.floor(size / step)} ${name}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }
  return "now";
}
