/** Text of a duration as Go prints it ("1m0.5s", "15ms"), for warnings Jaeger words so. */

/** Text of a duration as Go's %v prints it. */
export function formatGoDuration(ns: number | bigint): string {
  if (typeof ns === "number" && Math.abs(ns) < 1e9) return shortText(Math.trunc(ns));
  const value = typeof ns === "bigint" ? ns : BigInt(Math.trunc(ns));
  if (value === 0n) return "0s";
  const sign = value < 0n ? "-" : "";
  const size = value < 0n ? -value : value;
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size - minutes * 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** The same below a second, which most are; a million warnings may be written at once. */
function shortText(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return "0s";
  if (size < 1000) return `${ns}ns`;
  // At most six digits after the point: a double's shortest text is exact.
  return size < 1e6 ? `${ns / 1000}µs` : `${ns / 1e6}ms`;
}

/** `value` / 10^places without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
