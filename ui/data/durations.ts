/** Durations as people write them into the search form. */

import { parseGoDuration } from "../../src/wire/go-duration.ts";

/** Jaeger's test for the fields of the search form. */
const FIELD = /^\d[\d.]*\s*(us|µs|ms|s|m|h)$/;

/** The ns of a duration field; undefined when it is none. */
export function parseDurationNs(text: string): number | undefined {
  const trimmed = text.trim();
  if (!FIELD.test(trimmed)) return undefined;
  const parsed = parseGoDuration(trimmed.replaceAll(/\s+/g, ""));
  return "error" in parsed ? undefined : Number(parsed.ns);
}

/** µs of a look-back like "5m", "2d", "3w"; undefined when it is none. */
export function lookbackUs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|h|d|w)$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * (UNIT_US[match[2] ?? ""] ?? 0);
}

const UNIT_US: Readonly<Record<string, number>> = {
  s: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
  w: 604_800e6,
};
