// The mark on the client's own requests, which instrumentations leave alone.

/** A key of request options; registered, for a process may hold two copies of this library. */
export const UNTRACED: unique symbol = Symbol.for("spoor-client.untraced");
