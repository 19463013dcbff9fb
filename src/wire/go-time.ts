/** Times as protobuf writes them and Go holds them: what of the one fits the other. */

const NANOS_A_SECOND = 1_000_000_000;
/** Seconds of the years 1 and 9999, all a Timestamp may be of. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;
/** Go's durations are 64 bits of nanoseconds: whole seconds of the longest, and what is left. */
const MOST_SECONDS = 9_223_372_036;
const MOST_NANOS = 854_775_807;

export const FIRST_TIMESTAMP_NS = totalNs(FIRST_SECOND, 0);
export const LAST_TIMESTAMP_NS = totalNs(LAST_SECOND, NANOS_A_SECOND - 1);
export const LEAST_DURATION_NS = -(2n ** 63n);
export const MOST_DURATION_NS = 2n ** 63n - 1n;

export function isTimestamp(seconds: number, nanos: number): boolean {
  return seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanos >= 0 && nanos < NANOS_A_SECOND;
}

/** Whether Go reads it as a duration: seconds and nanoseconds of one sign, and not too long. */
export function isDuration(seconds: number, nanos: number): boolean {
  const long = Math.abs(seconds);
  if (long > MOST_SECONDS || Math.abs(nanos) >= NANOS_A_SECOND) return false;
  if (seconds * nanos < 0) return false;
  // The shortest is one nanosecond further from zero than the longest.
  return long < MOST_SECONDS || Math.abs(nanos) <= MOST_NANOS + (seconds < 0 ? 1 : 0);
}

export function totalNs(seconds: number, nanos: number): bigint {
  return BigInt(seconds) * BigInt(NANOS_A_SECOND) + BigInt(nanos);
}
