// The mark on the client's own requests, which instrumentations leave alone.

/** A key of request options; registered, for a process may hold two copies of this library. */
export const UNTRACED: unique symbol = Symbol.for("spoor-client.untraced");

const MAKING: unique symbol = Symbol.for("spoor-client.making");
const everywhere = globalThis as { [MAKING]?: boolean };

/**
 * Makes a request of the client's own. OpenTelemetry's instrumentations do not know the mark: they
 * would report each report, and that one, too.
 */
export function makeUntraced<T>(make: () => T): T {
  const outer = everywhere[MAKING];
  everywhere[MAKING] = true;
  try {
    return make();
  } finally {
    everywhere[MAKING] = outer === true;
  }
}

export function isMakingUntraced(): boolean {
  return everywhere[MAKING] === true;
}
