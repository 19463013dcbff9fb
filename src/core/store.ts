/** The store contract: what every storage must do, and how it says what it cannot. */

import type { SpanBatch } from "./batch.ts";
import type { Filter } from "./filter.ts";
import type { ViewStore } from "./views.ts";

/** What became of a written batch, in spans. Their sum is the batch's span count. */
export interface WriteResult {
  readonly stored: number;
  /** Spans that were there already (same trace id, span id and content). */
  readonly deduplicated: number;
}

/** Takes spans. */
export interface SpanWriter {
  /**
   * Stores a batch; resolves once it is durable (as the store's settings define that), and
   * visible to reads at most 100 ms later. Idempotent: the same batch again is deduplicated.
   * The store copies what it keeps. Rejects with SpoorError `overloaded` or `disk-full` (send
   * again), or `rejected` (never again); then nothing of the batch will be visible for good.
   */
  write(batch: SpanBatch, signal?: AbortSignal): Promise<WriteResult>;
}

/**
 * What orders a search. Spans are ordered by (rank, trace id, span id): the rank in the query's
 * direction (start: exact ns; duration: exact ns; spanCount: of the whole trace), ids always
 * ascending, and spans equal in all that by longer duration, then later start.
 */
export type FindOrder = "start" | "duration" | "spanCount";

/** A search for traces that have at least one matching span. */
export interface FindQuery {
  /** Undefined: every span matches. */
  readonly filter?: Filter;
  /** Bounds on the matching span's start, µs since 1970, both inclusive. */
  readonly startMinUs: number;
  readonly startMaxUs: number;
  /**
   * `start` and `duration` rank a trace by its best matching span, the one that comes first in
   * the order (descending: latest start, longest duration); `spanCount` by its number of spans.
   */
  readonly order: FindOrder;
  /** Default true: newest, longest, largest first. */
  readonly descending?: boolean;
  /** Most traces to return, ≥ 1, at most LIMITS.findTraces. Exact: fewer only when no more. */
  readonly limit: number;
  /** The cursor of the page before (core/cursor.ts says what it promises). */
  readonly cursor?: string;
  /** Ask for `totals` too (costs a full scan of what matches). */
  readonly totals?: boolean;
}

/** One trace of a search result. */
export interface TraceSummary {
  /** 16 bytes. */
  readonly traceId: Uint8Array;
  /**
   * Service and name of the root (no parent, earliest start), or of the earliest span; ties by
   * span id, service, name. All but `match…` is computed by core/trace/summary.ts.
   */
  readonly rootService: string;
  readonly rootName: string;
  /** Earliest start and latest end over all spans of the trace. */
  readonly startUs: number;
  readonly endUs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  /** Spans whose parent id is set but not in the trace. */
  readonly orphanCount: number;
  /** By service, in order of name (bytes). */
  readonly services: readonly {
    readonly name: string;
    readonly spanCount: number;
    readonly errorCount: number;
  }[];
  /** The matching span that comes first in the order: 8 bytes of id, start and duration. */
  readonly matchSpanId: Uint8Array;
  readonly matchStartUs: number;
  readonly matchStartNs: number;
  readonly matchDurationNs: number;
}

/** Totals of a search over its whole range, not only the page. */
export interface FindTotals {
  /** Spans that match, exact. */
  readonly matchingSpans: number;
  /** Distinct traces, exact up to LIMITS.findDistinctTraces. */
  readonly traces: number;
  /** False when `traces` stopped at its cap. */
  readonly tracesExact: boolean;
}

export interface FindResult {
  readonly traces: readonly TraceSummary[];
  /** Give it back for the next page; undefined when there is none. */
  readonly cursor: string | undefined;
  readonly totals: FindTotals | undefined;
}

/** A name of an operation with the kind its spans have (OTLP's number). */
export interface Operation {
  readonly name: string;
  readonly kind: number;
}

/** Narrowing of attribute key and value completion. */
export interface AttributeScope {
  readonly service?: string;
  /** Only keys (or values) that begin with this. */
  readonly prefix?: string;
  readonly startMinUs: number;
  readonly startMaxUs: number;
  readonly limit: number;
}

/** A key seen on spans, with the level and type it was seen at. */
export interface AttributeKey {
  readonly key: string;
  readonly level: "span" | "resource" | "scope" | "event" | "link";
  /** One of ATTRIBUTE_TYPE. */
  readonly type: number;
}

/**
 * A value seen for a key, as its text, and how many spans have it; exact duplicates of a span
 * that a store has not removed yet count too.
 */
export interface AttributeValue {
  readonly value: string;
  readonly type: number;
  readonly spanCount: number;
}

/** Calls between two services in a time range. */
export interface ServiceLink {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/**
 * Up to where the store has been read; give back to `changedSince`. Opaque. A token is about the
 * store, whatever trace it came with: what is asked for with it is new since then.
 */
export type ChangeToken = string;

/** What a store's reader can do. False means the query room refuses or completes the answer. */
export interface StoreCapabilities {
  /** Name users know the store by. */
  readonly name: string;
  /** Search without a service. */
  readonly allServices: boolean;
  /** The whole filter tree (else only and-ed equality, bounds and kinds). */
  readonly filters: boolean;
  readonly orders: readonly FindOrder[];
  readonly cursor: boolean;
  readonly totals: boolean;
  readonly operationKinds: boolean;
  readonly attributeKeys: boolean;
  readonly attributeValues: boolean;
  readonly links: boolean;
  readonly changedSince: boolean;
  readonly archive: boolean;
  readonly delete: boolean;
}

/** Answers questions about stored spans. */
export interface SpanReader {
  readonly can: StoreCapabilities;
  find(query: FindQuery, signal?: AbortSignal): Promise<FindResult>;
  /**
   * All spans of each trace (16-byte ids), one trace a batch, in the order asked; absent traces
   * are skipped. No exact duplicates. A trace beyond LIMITS.getSpansPerBatch spans comes as
   * several consecutive batches.
   */
  get(traceIds: readonly Uint8Array[], signal?: AbortSignal): AsyncIterable<SpanBatch>;
  /**
   * Spans of a trace that were written since the token (all, without one), and the next token.
   * May repeat spans, never omits any. The batch is undefined when there is nothing new.
   */
  changedSince(
    traceId: Uint8Array,
    token: ChangeToken | undefined,
    signal?: AbortSignal,
  ): Promise<{ readonly batch: SpanBatch | undefined; readonly token: ChangeToken }>;
  /**
   * Names of services, ascending by bytes. Here, in operations and in attribute keys, names that
   * only deleted or expired spans had may linger until the store has rewritten what held them.
   */
  services(signal?: AbortSignal): Promise<readonly string[]>;
  /** Operations of a service, ascending by name then kind; only of `kind` when given. */
  operations(service: string, kind?: number, signal?: AbortSignal): Promise<readonly Operation[]>;
  /** Keys, ascending by name (bytes), then level as in ALL_LEVELS, then type. */
  attributeKeys(scope: AttributeScope, signal?: AbortSignal): Promise<readonly AttributeKey[]>;
  /**
   * Values of a key at any level, distinct by (text, type), most frequent first, ties by bytes,
   * then type. A span counts once for a value it has several times.
   */
  attributeValues(
    key: string,
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeValue[]>;
  /**
   * Calls whose child span started in [startMinUs, startMaxUs], ascending by parent, child.
   * A span whose parent id is found in its trace is one call from each distinct service the
   * spans of that id have; none when one of them has the child's own service.
   */
  links(
    startMinUs: number,
    startMaxUs: number,
    signal?: AbortSignal,
  ): Promise<readonly ServiceLink[]>;
}

/** A store with everything: what `open…Store` returns. */
export interface SpanStore extends SpanWriter, SpanReader {
  /** Copies a trace where retention does not reach; false when it does not exist. Idempotent. */
  archive(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /** Spans of an archived trace, as `get`. */
  getArchived(traceId: Uint8Array, signal?: AbortSignal): AsyncIterable<SpanBatch>;
  /** Where views of pages are kept, beside the archive; absent when the store cannot. */
  readonly views?: ViewStore;
  /** Removes a trace's spans written so far (archived ones too); false when there was none. */
  delete(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /** Resolves when everything written before is visible and background work is done. */
  settle(): Promise<void>;
  /** Flushes and closes; later calls reject with `closed`. */
  close(): Promise<void>;
}
