// How instrumentations tell a tracer that does nothing, on every platform.

/** Registered, for a program may hold two copies of this library. */
export const DISABLED: unique symbol = Symbol.for("spoor-client.disabled") as never;

/** Instrumentations leave everything as it is with such a tracer; OpenTracing's own is one. */
export function isDisabled(tracer: object): boolean {
  return DISABLED in tracer || !("scopeManager" in tracer);
}
