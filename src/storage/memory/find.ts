/** Searches the traces in memory: looks at every span, orders what matches, cuts the page. */

import { admit, compareKeys, cursorOf, encodeCursor, nextCursor } from "../../core/cursor.ts";
import { returnedTraces } from "../../core/cursor.ts";
import type { MatchKey } from "../../core/cursor.ts";
import { LIMITS } from "../../core/limits.ts";
import type { FindQuery, FindResult, FindTotals } from "../../core/store.ts";
import { checkQuery, compareTied, matcher } from "../../core/trace/matches.ts";
import type { Match } from "../../core/trace/matches.ts";
import { summarize } from "../../core/trace/summary.ts";
import type { StoredTrace } from "./traces.ts";

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
  for (const [traceHex, trace] of Array.from(traces)) {
    if ((++visited & 1023) === 0) await pause();
    const matches = matchesOf(trace.rows);
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

function totalsOf(matchingSpans: number, matchingTraces: number): FindTotals {
  const traces = Math.min(matchingTraces, LIMITS.findDistinctTraces);
  return { matchingSpans, traces, tracesExact: traces === matchingTraces };
}
