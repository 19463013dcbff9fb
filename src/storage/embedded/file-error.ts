/** Errors of the file system as the store's callers see them. */

import { errorCode } from "../../base/node/file-layer.ts";
import { SpoorError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** Whether the disk (or quota) is full. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof SpoorError) return error.code === "disk-full";
  return FULL.has(errorCode(error));
}

/** `disk-full` or `io` with what was being done and the system's reason; others unchanged. */
export function fileError(error: unknown, doing: string): SpoorError {
  if (error instanceof SpoorError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    const retryAfterMs = LIMITS.retryAfterMs;
    return new SpoorError("disk-full", `disk full: ${doing}`, { cause: error, retryAfterMs });
  }
  return new SpoorError("io", `${doing}: ${reason}`, { cause: error });
}

/** What a write is refused with when the log cannot take it: send again later. */
export function refusal(error: unknown, doing: string): SpoorError {
  const known = fileError(error, doing);
  if (known.class === "overloaded") return known;
  const retryAfterMs = LIMITS.retryAfterMs;
  return new SpoorError("overloaded", known.message, { cause: error, retryAfterMs });
}
