/** What decoding an OTLP request gives, in whichever encoding it came. */

import type { SpanBatch } from "../core/batch.ts";

/** The limits that decoding applies; LIMITS unless told otherwise. */
export type DecodeLimits = {
  readonly [
    name in
      | "requestSpans"
      | "attributesPerOwner"
      | "attributeValueBytes"
      | "nameBytes"
      | "eventsPerSpan"
      | "linksPerSpan"
      | "valueDepth"
  ]: number;
};

/** Spans left out of a batch, by what was wrong with them. */
export interface RejectedReasons {
  /** The trace id was absent, of the wrong length or all zero. */
  readonly traceId: number;
  /** The same of the span id. */
  readonly spanId: number;
}

/** A decoded request. */
export interface OtlpDecoded {
  readonly batch: SpanBatch;
  /** Spans of the request that are not in the batch; the sum of `rejectedReasons`. */
  readonly rejected: number;
  readonly rejectedReasons: RejectedReasons;
  /** Whether a limit cut or dropped something of a span that was kept. */
  readonly truncated: boolean;
  /** For the sender, as OTLP's partial success has it; empty when there is nothing to say. */
  readonly message: string;
}

/** Puts a result together; the message is for people. */
export function otlpDecoded(
  batch: SpanBatch,
  badTraceIds: number,
  badSpanIds: number,
  truncated: boolean,
): OtlpDecoded {
  const parts: string[] = [];
  if (badTraceIds > 0) parts.push(`${badTraceIds} without a valid trace id`);
  if (badSpanIds > 0) parts.push(`${badSpanIds} without a valid span id`);
  const rejected = badTraceIds + badSpanIds;
  let message = rejected === 0 ? "" : `${rejected} spans rejected: ${parts.join(", ")}`;
  if (truncated) message += `${message === "" ? "" : "; "}some spans were cut to the limits`;
  const rejectedReasons = { traceId: badTraceIds, spanId: badSpanIds };
  return { batch, rejected, rejectedReasons, truncated, message };
}
