/** Log lines on stderr through pino: JSON with the keys Jaeger's have, or text for people. */

import { writeSync } from "node:fs";
import { pino } from "pino";

const STDERR = 2;

/** What parts of run/ log with. Fields come first, as in pino. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Opens the log at a level of the `log-level` flag, in a form of `log-encoding`. Lines are written
 * at once, none is lost.
 */
export function openLog(level: string, encoding: string = "json"): Log {
  const destination =
    encoding === "console"
      ? { write: (line: string) => void writeSync(STDERR, consoleLine(line)) }
      : pino.destination({ fd: STDERR, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":${Date.now() / 1000}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** A line of JSON as Jaeger's console has it: time, level, message, other fields; tabs between. */
export function consoleLine(line: string): string {
  const parsed: unknown = JSON.parse(line);
  const { level, ts, msg, ...fields } = Object(parsed) as Record<string, unknown>;
  const texts = [
    new Date(Number(ts) * 1000).toISOString(),
    String(level),
    typeof msg === "string" ? msg : "",
  ];
  if (Object.keys(fields).length > 0) texts.push(JSON.stringify(fields));
  return `${texts.join("\t")}\n`;
}
