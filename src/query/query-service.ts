/** The query room's front: every question to a store passes its gate, deadline and metrics here. */

import { toHex } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { CounterTable } from "../base/counters.ts";
import type { SpanBatch } from "../core/batch.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  ChangeToken,
  FindQuery,
  FindResult,
  Operation,
  ServiceLink,
  SpanReader,
  SpanStore,
  StoreCapabilities,
} from "../core/store.ts";
import { selectRows } from "../core/trace/select.ts";
import { rowsOf } from "../core/trace/summary.ts";
import type { ViewStore } from "../core/views.ts";
import { withDeadline } from "./deadline.ts";
import { planFind, refuseUnless } from "./gate.ts";
import { QueryMeter } from "./meter.ts";
import type { Operation as Metered } from "./meter.ts";

/** What the room reads from; a reader without an archive says so in `can`. */
export type QueriedStore = SpanReader & Pick<SpanStore, "archive" | "getArchived" | "views">;

export interface QueryServiceOptions {
  readonly store: QueriedStore;
  readonly counters: CounterTable;
  readonly clock: Clock;
  /** Default LIMITS.queryDeadlineMs; for streams it bounds the wait for each next batch. */
  readonly deadlineMs?: number;
}

/**
 * Reads as the store does, with these differences: questions the store cannot answer are
 * completed or rejected as `unsupported`, none runs past the deadline, all are counted, and `get`
 * looks for what is nowhere else in the archive.
 */
export class QueryService implements QueriedStore {
  /** What the room can answer, which is never less than the store. */
  readonly can: StoreCapabilities;
  /** No question about spans: passed on as it is. */
  readonly views?: ViewStore;
  readonly #store: QueriedStore;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #meter: QueryMeter;

  constructor(options: QueryServiceOptions) {
    const { store, counters, clock } = options;
    this.can = { ...store.can, filters: store.can.filters || store.can.cursor, changedSince: true };
    if (store.views !== undefined) this.views = store.views;
    this.#store = store;
    this.#clock = clock;
    this.#deadlineMs = options.deadlineMs ?? LIMITS.queryDeadlineMs;
    this.#meter = new QueryMeter(counters, clock);
  }

  /** Summaries of the traces that match. */
  find(query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
    return this.#ask(
      "find_traces",
      signal,
      (found) => found.traces.length,
      async (ending) => {
        const plan = planFind(this.#store.can, query);
        if (plan.by === "store") return this.#store.find(plan.query, ending);
        // Most stores answer alone: a start need not load what completes the others.
        const { findInRoom } = await import("./room-find.ts");
        return findInRoom(this.#store, query, plan.pushed, ending);
      },
    );
  }

  /** The traces that match, whole, in the search's order, as `get` gives them. */
  async *findTraces(query: FindQuery, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    const found = await this.find(query, signal);
    const traceIds = found.traces.map((trace) => trace.traceId);
    if (traceIds.length > 0) yield* this.get(traceIds, signal);
  }

  async *get(traceIds: readonly Uint8Array[], signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    yield* this.#stream((ending) => this.#liveOrArchived(traceIds, ending), signal);
  }

  async *getArchived(traceId: Uint8Array, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    refuseUnless(this.#store.can.archive, this.#store.can, "archive traces");
    yield* this.#stream((ending) => this.#store.getArchived(traceId, ending), signal);
  }

  changedSince(
    traceId: Uint8Array,
    token: ChangeToken | undefined,
    signal?: AbortSignal,
  ): Promise<{ readonly batch: SpanBatch | undefined; readonly token: ChangeToken }> {
    const size = (changed: { readonly batch: SpanBatch | undefined }): number =>
      changed.batch?.spanCount ?? 0;
    return this.#ask("get_changes", signal, size, async (ending) => {
      if (this.#store.can.changedSince) return this.#store.changedSince(traceId, token, ending);
      // The whole trace omits nothing, and a change may repeat spans.
      const batches: SpanBatch[] = [];
      for await (const batch of this.#store.get([traceId], ending)) batches.push(batch);
      const batch = batches.length > 1 ? selectRows(rowsOf(batches)) : batches[0];
      return { batch, token: "all" };
    });
  }

  services(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#ask("get_services", signal, lengthOf, async (ending) =>
      this.#store.services(ending),
    );
  }

  operations(service: string, kind?: number, signal?: AbortSignal): Promise<readonly Operation[]> {
    return this.#ask("get_operations", signal, lengthOf, async (ending) => {
      const { can } = this.#store;
      refuseUnless(can.operationKinds || kind === undefined, can, "tell operations by kind");
      return this.#store.operations(service, kind, ending);
    });
  }

  attributeKeys(scope: AttributeScope, signal?: AbortSignal): Promise<readonly AttributeKey[]> {
    return this.#ask("get_attribute_keys", signal, lengthOf, async (ending) => {
      refuseUnless(this.#store.can.attributeKeys, this.#store.can, "list attribute keys");
      checkLimit(scope.limit);
      return this.#store.attributeKeys(scope, ending);
    });
  }

  attributeValues(
    key: string,
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeValue[]> {
    return this.#ask("get_attribute_values", signal, lengthOf, async (ending) => {
      refuseUnless(this.#store.can.attributeValues, this.#store.can, "list attribute values");
      checkLimit(scope.limit);
      return this.#store.attributeValues(key, scope, ending);
    });
  }

  links(
    startMinUs: number,
    startMaxUs: number,
    signal?: AbortSignal,
  ): Promise<readonly ServiceLink[]> {
    return this.#ask("get_dependencies", signal, lengthOf, async (ending) => {
      refuseUnless(this.#store.can.links, this.#store.can, "tell which services call which");
      return this.#store.links(startMinUs, startMaxUs, ending);
    });
  }

  archive(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return this.#ask("archive_trace", signal, Number, async (ending) => {
      refuseUnless(this.#store.can.archive, this.#store.can, "archive traces");
      return this.#store.archive(traceId, ending);
    });
  }

  /** Traces in the order asked; those that only the archive has from there. */
  async *#liveOrArchived(
    traceIds: readonly Uint8Array[],
    signal: AbortSignal,
  ): AsyncGenerator<SpanBatch> {
    const hexes = traceIds.map((traceId) => toHex(traceId));
    const live = new Set<string>();
    let next = 0;
    for await (const batch of this.#store.get(traceIds, signal)) {
      if (batch.spanCount === 0) continue;
      const traceHex = toHex(batch.traceId, 0, 16);
      live.add(traceHex);
      while (next < hexes.length && hexes[next] !== traceHex) {
        if (!live.has(hexes[next]!)) yield* this.#archived(traceIds[next]!, signal);
        next++;
      }
      yield batch;
    }
    for (; next < hexes.length; next++) {
      if (!live.has(hexes[next]!)) yield* this.#archived(traceIds[next]!, signal);
    }
  }

  async *#archived(traceId: Uint8Array, signal: AbortSignal): AsyncGenerator<SpanBatch> {
    if (this.#store.can.archive) yield* this.#store.getArchived(traceId, signal);
  }

  async #ask<T>(
    operation: Metered,
    signal: AbortSignal | undefined,
    sizeOf: (answer: T) => number,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const end = this.#meter.begin(operation);
    try {
      const answer = await withDeadline(this.#clock, this.#deadlineMs, signal, ask);
      end(sizeOf(answer));
      return answer;
    } catch (error) {
      end("err");
      throw error;
    }
  }

  /** Hands on a stream of traces, each wait for the next batch under the deadline. */
  async *#stream(
    open: (signal: AbortSignal) => AsyncIterable<SpanBatch>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SpanBatch> {
    const end = this.#meter.begin("get_trace");
    const ending = new AbortController();
    const onCallerGone = (): void => ending.abort(signal!.reason);
    if (signal?.aborted === true) onCallerGone();
    else signal?.addEventListener("abort", onCallerGone);
    const batches = open(ending.signal)[Symbol.asyncIterator]();
    let spans = 0;
    let finished = false;
    try {
      for (;;) {
        const next = await withDeadline(this.#clock, this.#deadlineMs, ending.signal, () =>
          batches.next(),
        );
        if (next.done === true) break;
        spans += next.value.spanCount;
        yield next.value;
      }
      finished = true;
      end(spans);
    } catch (error) {
      finished = true;
      end("err");
      ending.abort(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onCallerGone);
      // The reader stopped early, of its own will: what it got was an answer.
      if (!finished) {
        end(spans);
        await batches.return?.();
      }
    }
  }
}

function lengthOf(items: readonly unknown[]): number {
  return items.length;
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.attributeValues) {
    throw new SpoorError("bad-query", `limit is 1 to ${LIMITS.attributeValues}`);
  }
}
