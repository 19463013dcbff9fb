/** Log lines: JSON on stderr through pino, with the keys Jaeger's have. */

import { pino } from "pino";

/** What parts of run/ log with. Fields come first, as in pino. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Opens the log at a level of the `log-level` flag. Lines are written at once, none is lost. */
export function openLog(level: string): Log {
  const destination = pino.destination({ fd: 2, sync: true });
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
