/** What decoding an OTLP request gives, in whichever encoding it came. */

import type { SpanBatch } from "../core/batch.ts";
import { LIMITS } from "../core/limits.ts";

/** The limits that decoding applies; LIMITS unless told otherwise. */
export type DecodeLimits = {
  readonly [name in
    | "requestSpans"
    | "attributesPerOwner"
    | "attributeValueBytes"
    | "nameBytes"
    | "eventsPerSpan"
    | "linksPerSpan"
    | "valueDepth"]: number;
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

/** The attribute that carries warnings about a span: an array of texts. */
export const WARNINGS_KEY = "@jaeger@warnings";

/** What was done to a span on the way in; bits, so that one number holds them. */
export const WARNING = {
  VALUE_CUT: 1,
  NAME_CUT: 2,
  ATTRIBUTES_DROPPED: 4,
  EVENTS_DROPPED: 8,
  LINKS_DROPPED: 16,
  BAD_PARENT: 32,
  BAD_LINK: 64,
} as const;

/** Texts of the warnings whose bits are set, in the order of the bits. */
export function warningTexts(bits: number, limits: DecodeLimits = LIMITS): string[] {
  const texts = [
    `attribute value cut to ${limits.attributeValueBytes} bytes`,
    `name cut to ${limits.nameBytes} bytes`,
    `attributes beyond ${limits.attributesPerOwner} dropped`,
    `events beyond ${limits.eventsPerSpan} dropped`,
    `links beyond ${limits.linksPerSpan} dropped`,
    "parent span id of wrong length left out",
    "link with ids of wrong length dropped",
  ];
  return texts.filter((_, bit) => (bits & (1 << bit)) !== 0);
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
