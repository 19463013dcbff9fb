/** Reads signals within an effect only to be called again when they change. */

/** Takes what was read; reading it was the point. */
export function follow(..._values: readonly unknown[]): void {
  // The effect that reads the values follows them from then on.
}
