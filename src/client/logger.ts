// A logger that says nothing, and one that writes to the console.
import type { Logger } from "./types.ts";

export const NULL_LOGGER: Logger = { info() {}, error() {} };

/** Writes everything to the console, as jaeger-client's ConsoleLogger does. */
export class ConsoleLogger implements Logger {
  info(message: string): void {
    console.info(message);
  }

  error(message: string): void {
    console.error(message);
  }
}
