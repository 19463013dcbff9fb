// What a batch's wire format must do: a head before the spans, each span, a tail after them.
import type { Span } from "./span.ts";
import type { Tag } from "./types.ts";

/** Spans lost in this process so far, as told to the agent. */
export interface ClientStats {
  fullQueueDropped: number;
  tooLargeDropped: number;
  failedToEmit: number;
}

/** What a batch needs to know of the spans written before it is closed. */
export interface BatchFacts {
  readonly count: number;
  readonly sequence: number;
  readonly stats: ClientStats;
}

/**
 * Spans are appended to `buffer` one after the other; only then is the batch's head written into
 * the room left free before them, for it counts them, and its tail after them.
 */
export interface SpanFormat {
  readonly contentType: string;
  /** Bytes to leave free before the first span. */
  readonly headRoom: number;
  /** Bytes a head and a tail may add to the spans of a batch. */
  readonly overhead: number;
  setProcess(serviceName: string, tags: readonly Tag[]): void;
  useBuffer(bytes: Uint8Array): void;
  buffer(): Uint8Array;
  /** Writes a span at `at` and returns its end; throws when it outgrows every limit. */
  append(at: number, span: Span): number;
  /** Closes a batch whose spans end at `end` and returns where the bytes to send begin and end. */
  close(end: number, facts: BatchFacts): { start: number; end: number };
}
