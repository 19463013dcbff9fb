/** Limits of what is read in the browser: files and answers of Jaeger's API, with their reasons. */

import type { DecodeLimits } from "../../src/wire/otlp-decoded.ts";
import { LIMITS } from "../../src/core/limits.ts";

export const UPLOAD_LIMITS = {
  /** One file or answer, unpacked: browsers give no buffer much larger. */
  fileBytes: 2 * 1024 * 1024 * 1024 - 1,
  /** JSON parsed at once: V8's longest string is 512 MiB; what is larger is read in parts. */
  jsonBytes: 256 * 1024 * 1024,
  /** One part of JSON that is read in parts. */
  partBytes: 64 * 1024 * 1024,
  /** Spans of one file: five times the largest trace the page is built for. */
  spans: 5_000_000,
  /** Batches before they are put together: JSONL has one a line. */
  batches: 1000,
  /** States of opened traces kept for questions about their rows. */
  openTraces: 8,
  /** Traces fetched from a plain Jaeger that are kept. */
  fetchedTraces: 4,
} as const;

/** What decoders of files apply: as receivers do, but for the number of spans. */
export const FILE_DECODE_LIMITS: DecodeLimits = { ...LIMITS, requestSpans: UPLOAD_LIMITS.spans };
