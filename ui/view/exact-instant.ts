/** Absolute times of a trace, exact to the nanosecond. */

import { instantText } from "../data/instants.ts";
import type { Zone } from "../data/instants.ts";
import type { TraceColumns } from "../data/trace-columns.ts";

/** `2026-11-22 20:15:03.123456789` of an offset from the trace's start. */
export function exactInstant(columns: TraceColumns, offsetNs: number, zone: Zone): string {
  const ns = columns.startNs + Math.round(offsetNs);
  const us = columns.startUs + Math.floor(ns / 1000);
  const below = (((us % 1000) + 1000) % 1000) * 1000 + (((ns % 1000) + 1000) % 1000);
  return instantText(us, zone) + String(below).padStart(6, "0");
}
