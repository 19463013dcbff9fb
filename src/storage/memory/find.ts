/** Searches the traces in memory: looks at every span, orders what matches, cuts the page. */

import { compileRegex } from "../../base/regex.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { admit, compareKeys, cursorOf, encodeCursor, nextCursor } from "../../core/cursor.ts";
import { returnedTraces } from "../../core/cursor.ts";
import type { MatchKey } from "../../core/cursor.ts";
import { SpoorError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { exactDurationNs, exactStartNs, exactStartUs } from "../../core/read.ts";
import type { FindQuery, FindResult, FindTotals } from "../../core/store.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import type { RowTest } from "../../core/trace/filter-evaluate.ts";
import type { RowRef } from "../../core/trace/span-content.ts";
import { summarize } from "../../core/trace/summary.ts";
import type { StoredTrace } from "./traces.ts";

/** A matching span and its place in the order. */
interface Match extends RowRef {
  readonly key: MatchKey;
}

/** A trace of the answer with the match that ranks it and the one it shows. */
interface Candidate {
  readonly trace: StoredTrace;
  readonly key: MatchKey;
  readonly shown: Match;
}

/** Answers a query from all traces; `pause` is awaited now and then and may throw. */
export async function findTraces(
  traces: ReadonlyMap<string, StoredTrace>,
  query: FindQuery,
  pause: () => Promise<void>,
): Promise<FindResult> {
  checkQuery(query);
  const descending = query.descending ?? true;
  const cursor = cursorOf(query);
  const returned = returnedTraces(cursor);
  const matchesOf = matcher(query);
  const candidates: Candidate[] = [];
  let matchingSpans = 0;
  let matchingTraces = 0;
  let visited = 0;
  for (const [traceHex, trace] of [...traces]) {
    if ((++visited & 1023) === 0) await pause();
    const matches = matchesOf(trace);
    if (matches.length === 0) continue;
    matchingSpans += matches.length;
    matchingTraces++;
    if (returned.has(traceHex)) continue;
    const keys = matches.map((match) => match.key);
    const key = admit(cursor, descending, keys);
    if (key === undefined) continue;
    const atKey = matches.filter((match) => compareKeys(descending, match.key, key) === 0);
    candidates.push({ trace, key, shown: atKey.toSorted(compareTied)[0]! });
  }
  candidates.sort((a, b) => compareKeys(descending, a.key, b.key));
  const page = candidates.slice(0, query.limit);
  const pageKeys = page.map((candidate) => candidate.key);
  const more = candidates.length > page.length;
  return {
    traces: page.map(({ trace, shown }) => summarize(trace.rows, shown)),
    cursor: more ? encodeCursor(nextCursor(query, cursor, pageKeys)) : undefined,
    totals: query.totals === true ? totalsOf(matchingSpans, matchingTraces) : undefined,
  };
}

function checkQuery(query: FindQuery): void {
  const { limit, startMinUs, startMaxUs } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.findTraces) {
    throw new SpoorError("bad-query", `limit is 1 to ${LIMITS.findTraces}`);
  }
  if (Number.isNaN(startMinUs) || Number.isNaN(startMaxUs)) {
    throw new SpoorError("bad-query", "a bound of the time range is not a number");
  }
}

/** All spans of a trace that satisfy the query's filter and range. */
function matcher(query: FindQuery): (trace: StoredTrace) => Match[] {
  const bind = bindFilter(query.filter, compileRegex);
  const tests = new Map<SpanBatch, RowTest>();
  return (trace) => {
    const matches: Match[] = [];
    for (const { batch, row } of trace.rows) {
      let test = tests.get(batch);
      if (test === undefined) tests.set(batch, (test = bind(batch)));
      const startUs = batch.rare[row] === 0 ? batch.startUs[row]! : exactStartUs(batch, row);
      if (startUs < query.startMinUs || startUs > query.startMaxUs || !test(row)) continue;
      const rank = rankOf(query, trace, batch, row);
      const spanId = batch.spanId.subarray(row * 8, row * 8 + 8);
      matches.push({ batch, row, key: { rank, traceId: trace.traceId, spanId } });
    }
    return matches;
  };
}

function rankOf(query: FindQuery, trace: StoredTrace, batch: SpanBatch, row: number): bigint {
  switch (query.order) {
    case "start":
      return exactStartNs(batch, row);
    case "duration":
      return exactDurationNs(batch, row);
    case "spanCount":
      return BigInt(trace.rows.length);
  }
}

/** Spans of equal key: the longer first, then the later. */
function compareTied(a: RowRef, b: RowRef): number {
  const longer = exactDurationNs(b.batch, b.row) - exactDurationNs(a.batch, a.row);
  const later = exactStartNs(b.batch, b.row) - exactStartNs(a.batch, a.row);
  const order = longer === 0n ? later : longer;
  return order < 0n ? -1 : order > 0n ? 1 : 0;
}

function totalsOf(matchingSpans: number, matchingTraces: number): FindTotals {
  const traces = Math.min(matchingTraces, LIMITS.findDistinctTraces);
  return { matchingSpans, traces, tracesExact: traces === matchingTraces };
}
