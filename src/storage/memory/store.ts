/** The memory store: the small reference every other store is compared with. */

import { toHex } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { Counter, CounterTable } from "../../base/counters.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { SpoorError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  ChangeToken,
  FindQuery,
  FindResult,
  Operation,
  ServiceLink,
  SpanStore,
  StoreCapabilities,
  WriteResult,
} from "../../core/store.ts";
import { selectRows } from "../../core/trace/select.ts";
import { findTraces } from "./find.ts";
import {
  attributeKeysOf,
  attributeValuesOf,
  linksOf,
  operationsOf,
  servicesOf,
} from "../../core/trace/names.ts";
import { TraceTable } from "./traces.ts";
import type { StoredRow, StoredTrace } from "./traces.ts";
import { MemoryViews } from "./views.ts";

/** Traces kept unless told otherwise. */
export const DEFAULT_MAX_TRACES = 100_000;

/** How the store is opened. */
export interface MemoryStoreOptions {
  /** Most traces kept; one more evicts the one that came first. 0 keeps all. */
  readonly maxTraces?: number;
  /** Where evicted spans are counted. */
  readonly counters?: CounterTable;
  /** Tells the age of views. */
  readonly clock?: Clock;
}

/** Opens an empty store. What it holds is gone when the process ends. */
export function openMemoryStore(options: MemoryStoreOptions = {}): SpanStore {
  const evicted: Counter = options.counters?.counter(
    "spoor_store_removed_spans_total",
    "Stored spans that the store removed by itself.",
    ["reason"],
    ["evicted"],
  ) ?? { value: 0 };
  const maxTraces = options.maxTraces ?? DEFAULT_MAX_TRACES;
  const table = new TraceTable(maxTraces, (spans) => (evicted.value += spans));
  return new MemoryStore(table, options.clock ?? systemClock);
}

class MemoryStore implements SpanStore {
  readonly can: StoreCapabilities = {
    name: "memory",
    allServices: true,
    filters: true,
    orders: ["start", "duration", "spanCount"],
    cursor: true,
    totals: true,
    operationKinds: true,
    attributeKeys: true,
    attributeValues: true,
    links: true,
    changedSince: true,
    archive: true,
    delete: true,
  };
  readonly views: MemoryViews;
  readonly #table: TraceTable;
  /** Copies of traces, out of eviction's reach. */
  readonly #archived = new TraceTable(0, () => undefined);
  #closed = false;

  constructor(table: TraceTable, clock: Clock) {
    this.#table = table;
    this.views = new MemoryViews(clock);
  }

  async write(batch: SpanBatch, signal?: AbortSignal): Promise<WriteResult> {
    this.#enter(signal);
    return this.#table.add(batch);
  }

  async find(query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
    this.#enter(signal);
    return findTraces(this.#table.byHex, query, () => this.#pause(signal));
  }

  async *get(traceIds: readonly Uint8Array[], signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    for (const traceId of traceIds) {
      this.#enter(signal);
      yield* batchesOf(this.#trace(traceId)?.rows ?? []);
    }
  }

  async changedSince(
    traceId: Uint8Array,
    token: ChangeToken | undefined,
    signal?: AbortSignal,
  ): Promise<{ readonly batch: SpanBatch | undefined; readonly token: ChangeToken }> {
    this.#enter(signal);
    if (token !== undefined && !/^\d{1,15}$/.test(token)) {
      throw new SpoorError("bad-query", "not a change token of this store");
    }
    const since = Number(token ?? 0);
    const rows = this.#trace(traceId)?.rows.filter((row) => row.sequence > since) ?? [];
    const batch = rows.length === 0 ? undefined : selectRows(rows);
    return { batch, token: String(this.#table.sequence) };
  }

  async services(signal?: AbortSignal): Promise<readonly string[]> {
    this.#enter(signal);
    return servicesOf(this.#table.byHex.values());
  }

  async operations(
    service: string,
    kind?: number,
    signal?: AbortSignal,
  ): Promise<readonly Operation[]> {
    this.#enter(signal);
    return operationsOf(this.#table.byHex.values(), service, kind);
  }

  async attributeKeys(
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeKey[]> {
    this.#enter(signal);
    return attributeKeysOf(this.#table.byHex.values(), scope);
  }

  async attributeValues(
    key: string,
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeValue[]> {
    this.#enter(signal);
    return attributeValuesOf(this.#table.byHex.values(), key, scope);
  }

  async links(
    startMinUs: number,
    startMaxUs: number,
    signal?: AbortSignal,
  ): Promise<readonly ServiceLink[]> {
    this.#enter(signal);
    return linksOf(this.#table.byHex.values(), startMinUs, startMaxUs);
  }

  async archive(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    this.#enter(signal);
    for (const { batch, row } of this.#trace(traceId)?.rows ?? []) {
      this.#archived.addRow(batch, row);
    }
    return this.#archived.byHex.has(toHex(traceId));
  }

  async *getArchived(traceId: Uint8Array, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    this.#enter(signal);
    yield* batchesOf(this.#archived.byHex.get(toHex(traceId))?.rows ?? []);
  }

  async delete(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    this.#enter(signal);
    const live = this.#table.byHex.delete(toHex(traceId));
    return this.#archived.byHex.delete(toHex(traceId)) || live;
  }

  async settle(): Promise<void> {
    this.#enter(undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#table.byHex.clear();
    this.#archived.byHex.clear();
  }

  #trace(traceId: Uint8Array): StoredTrace | undefined {
    return this.#table.byHex.get(toHex(traceId));
  }

  #enter(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new SpoorError("closed", "the memory store is closed");
    throwIfAborted(signal);
  }

  /** Lets writes and deadlines in between during a long search. */
  async #pause(signal: AbortSignal | undefined): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#enter(signal);
  }
}

/** Rows of one trace as batches of at most LIMITS.getSpansPerBatch spans. */
function* batchesOf(rows: readonly StoredRow[]): Generator<SpanBatch> {
  const most = LIMITS.getSpansPerBatch;
  for (let at = 0; at < rows.length; at += most) yield selectRows(rows.slice(at, at + most));
}
