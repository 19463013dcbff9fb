/** Answers a search over a store that takes only part of its filter, exactly. */

import { equalBytes, toHex } from "../base/bytes.ts";
import type { SpanBatch } from "../core/batch.ts";
import {
  admit,
  compareKeys,
  cursorOf,
  encodeCursor,
  nextCursor,
  returnedTraces,
} from "../core/cursor.ts";
import type { Cursor, MatchKey } from "../core/cursor.ts";
import type { FindQuery, FindResult, SpanReader, TraceSummary } from "../core/store.ts";
import { compareTied, matcher } from "../core/trace/matches.ts";
import type { Match } from "../core/trace/matches.ts";
import type { RowRef } from "../core/trace/span-content.ts";
import { rowsOf, summarize } from "../core/trace/summary.ts";

/** A trace that matches the whole filter, by the span that ranks it. */
interface Candidate {
  readonly key: MatchKey;
  readonly rows: readonly RowRef[];
  readonly shown: RowRef;
}

/** Traces read from the store at once. */
const PAGE_TRACES = 100;

/**
 * `pushed` is the query with the filter the store takes and without a cursor. Goes through the
 * traces that match it, in the store's order, and evaluates the whole filter on their spans. A
 * trace's rank by the whole filter never comes before its rank by the pushed part, so a candidate
 * is final once the store's own order has passed it. Starts from the top for every page: only so
 * can a trace that ranks late by the whole filter be found.
 */
export async function findInRoom(
  store: SpanReader,
  query: FindQuery,
  pushed: FindQuery,
  signal: AbortSignal,
): Promise<FindResult> {
  const descending = query.descending ?? true;
  const cursor = cursorOf(query);
  const returned = returnedTraces(cursor);
  const matchesOf = matcher(query);
  const asked = { ...pushed, limit: PAGE_TRACES };
  let candidates: Candidate[] = [];
  let storeCursor: string | undefined;
  for (;;) {
    const again = storeCursor === undefined ? {} : { cursor: storeCursor };
    const page = await store.find({ ...asked, ...again }, signal);
    const wanted = page.traces.filter((trace) => !returned.has(toHex(trace.traceId)));
    const ids = wanted.map((trace) => trace.traceId);
    for await (const batches of tracesOf(store, ids, signal)) {
      const rows = rowsOf(batches);
      const candidate = candidateOf(cursor, descending, rows, matchesOf(rows));
      if (candidate !== undefined) candidates.push(candidate);
    }
    candidates = candidates.toSorted((a, b) => compareKeys(descending, a.key, b.key));
    const last = page.traces.at(-1);
    storeCursor = page.cursor;
    if (storeCursor === undefined || last === undefined) break;
    const passed = keyOf(query, last);
    if (passed === undefined) continue;
    const final = candidates.filter(({ key }) => compareKeys(descending, key, passed) <= 0);
    if (final.length > query.limit) break;
  }
  const answer = candidates.slice(0, query.limit);
  const more = candidates.length > answer.length;
  const keys = answer.map(({ key }) => key);
  return {
    traces: answer.map(({ rows, shown }) => summarize(rows, shown)),
    cursor: more ? encodeCursor(nextCursor(query, cursor, keys)) : undefined,
    totals: undefined,
  };
}

function candidateOf(
  cursor: Cursor | undefined,
  descending: boolean,
  rows: readonly RowRef[],
  matches: readonly Match[],
): Candidate | undefined {
  const keys = matches.map((match) => match.key);
  const key = admit(cursor, descending, keys);
  if (key === undefined) return undefined;
  const tied = matches.filter((match) => compareKeys(descending, match.key, key) === 0);
  return { key, rows, shown: tied.toSorted(compareTied)[0]! };
}

/** Where the store's order is with this trace; undefined when the summary is not exact. */
function keyOf(query: FindQuery, found: TraceSummary): MatchKey | undefined {
  const isStart = query.order === "start";
  const rough = isStart ? found.matchStartUs : found.matchDurationNs;
  if (!Number.isSafeInteger(rough)) return undefined;
  const rank = isStart ? BigInt(rough) * 1000n + BigInt(found.matchStartNs) : BigInt(rough);
  return { rank, traceId: found.traceId, spanId: found.matchSpanId };
}

/** The batches of each trace together. */
async function* tracesOf(
  store: SpanReader,
  traceIds: readonly Uint8Array[],
  signal: AbortSignal,
): AsyncGenerator<readonly SpanBatch[]> {
  let trace: SpanBatch[] = [];
  for await (const batch of store.get(traceIds, signal)) {
    const before = trace[0];
    if (before !== undefined && !equalBytes(before.traceId, 0, batch.traceId, 0, 16)) {
      yield trace;
      trace = [];
    }
    trace.push(batch);
  }
  if (trace.length > 0) yield trace;
}
