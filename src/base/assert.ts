/** Assertions for our own bugs; what the world does wrong is a SpoorError instead. */

/** Thrown when the program itself is wrong. Never caught to be answered as bad input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws AssertionError unless the condition holds. The message names what was violated. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
