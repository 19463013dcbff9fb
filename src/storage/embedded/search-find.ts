/** Finds traces: visits what may hold the best matches first, stops when none can be better. */

import { compileRegex } from "../../base/regex.ts";
import { equalBytes, fromHexInto, toHex } from "../../base/bytes.ts";
import {
  admit,
  compareKeys,
  cursorOf,
  encodeCursor,
  nextCursor,
  returnedTraces,
} from "../../core/cursor.ts";
import type { Cursor, MatchKey } from "../../core/cursor.ts";
import { LIMITS } from "../../core/limits.ts";
import type { FindQuery, FindResult, FindTotals, TraceSummary } from "../../core/store.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import { checkQuery, compareTied, matcher } from "../../core/trace/matches.ts";
import type { Match } from "../../core/trace/matches.ts";
import type { RowRef } from "../../core/trace/span-content.ts";
import { summarize } from "../../core/trace/summary.ts";
import { isIn } from "./group-set.ts";
import type { SegmentFilter } from "./group-set.ts";
import { compileGlance } from "./head-glance.ts";
import { Heap } from "./heap.ts";
import type { HeadBatch } from "./search-heads.ts";
import { rowsOfPieces } from "./search-pieces.ts";
import { boundsInRange, inRange, Ranking } from "./search-rank.ts";
import type { RankColumns } from "./search-rank.ts";
import { countSpans } from "./search-span-count.ts";
import { compileForSegments } from "./search-segment.ts";
import type { Sources } from "./search-sources.ts";
import type { Segment } from "./segment-reader.ts";

/** A piece of work: a segment to bind, a group or a head's batch to scan. */
interface Unit {
  /** No row of it has a greater major. */
  readonly bound: number;
  readonly run: () => void;
}

/** A trace seen matching: its best key so far. */
interface Candidate {
  readonly traceHex: string;
  readonly major: number;
  readonly minor: number;
}

/** A trace whose exact key is known. */
interface Admitted {
  readonly key: MatchKey;
  readonly major: number;
  readonly summary: () => TraceSummary;
}

/** What a full scan counts of a trace. */
interface Count {
  spans: number;
  /** Where it matched last; -1 when in more places, or when the exact check must decide. */
  place: number;
}

/** Answers a query over the sources; `pause` is awaited between units and may throw. */
export async function findTraces(
  sources: Sources,
  query: FindQuery,
  pause: () => Promise<void>,
): Promise<FindResult> {
  checkQuery(query);
  const cursor = cursorOf(query);
  const search = new Search(sources, query, cursor);
  const full = query.totals === true || query.order === "spanCount";
  const page =
    query.order === "spanCount" ? await search.bySpanCount(pause) : await search.byRank(pause);
  if (full) await search.scanAll(pause);
  const shown = page.slice(0, query.limit);
  const more = page.length > shown.length;
  const keys = shown.map((admitted) => admitted.key);
  return {
    traces: shown.map((admitted) => admitted.summary()),
    cursor: more ? encodeCursor(nextCursor(query, cursor, keys)) : undefined,
    totals: query.totals === true ? await search.totals(pause) : undefined,
  };
}

class Search {
  readonly #sources: Sources;
  readonly #query: FindQuery;
  readonly #cursor: Cursor | undefined;
  readonly #descending: boolean;
  readonly #ranking: Ranking;
  readonly #returned: ReadonlySet<string>;
  readonly #matchesOf: ReturnType<typeof matcher>;
  readonly #units = new Heap<Unit>((a, b) => a.bound > b.bound);
  readonly #candidates = new Heap<Candidate>(
    (a, b) => a.major > b.major || (a.major === b.major && a.minor > b.minor),
  );
  readonly #best = new Map<string, Candidate>();
  readonly #done = new Set<string>();
  /** Set while totals or span counts are wanted. */
  readonly #counts: Map<string, Count> | undefined;
  #places = 0;

  constructor(sources: Sources, query: FindQuery, cursor: Cursor | undefined) {
    this.#sources = sources;
    this.#query = query;
    this.#cursor = cursor;
    this.#descending = query.descending ?? true;
    this.#ranking = new Ranking(query, cursor);
    this.#returned = returnedTraces(cursor);
    this.#matchesOf = matcher(query);
    const full = query.totals === true || query.order === "spanCount";
    this.#counts = full ? new Map() : undefined;
    this.#addUnits();
  }

  /** The next page and one more, by start or duration. */
  async byRank(pause: () => Promise<void>): Promise<Admitted[]> {
    const page: Admitted[] = [];
    const waiting: Admitted[] = [];
    const wanted = this.#query.limit + 1;
    for (;;) {
      await pause();
      const bound = this.#units.top()?.bound ?? -Infinity;
      const next = this.#nextCandidate();
      const top = next?.major ?? -Infinity;
      const ready = waiting.filter((admitted) => admitted.major > bound && admitted.major > top);
      if (ready.length > 0) {
        page.push(...ready.toSorted((a, b) => compareKeys(this.#descending, a.key, b.key)));
        if (page.length >= wanted) return page;
        const rest = waiting.filter((admitted) => !ready.includes(admitted));
        waiting.splice(0, waiting.length, ...rest);
      }
      if (next !== undefined && (next.major > bound || this.#units.size === 0)) {
        this.#resolve(next.major, waiting);
      } else if (this.#units.size > 0) this.#units.pop()!.run();
      else if (waiting.length === 0) return page;
      else if (next === undefined && ready.length === 0) {
        page.push(...waiting.toSorted((a, b) => compareKeys(this.#descending, a.key, b.key)));
        return page;
      }
    }
  }

  /**
   * The next page and one more, by number of spans. Ids tell how many a trace can have; whole
   * traces are read in the order of that, until no other can be on the page.
   */
  async bySpanCount(pause: () => Promise<void>): Promise<Admitted[]> {
    await this.scanAll(pause);
    const isWanted = (traceHex: string): boolean =>
      this.#counts!.has(traceHex) && !this.#returned.has(traceHex);
    const counts = await countSpans(this.#sources, isWanted, pause);
    const sign = this.#descending ? 1 : -1;
    const hopes = [...counts].map(([traceHex, { least, most }]) => {
      return { traceHex, rank: this.#descending ? most : least };
    });
    hopes.sort((a, b) => (b.rank - a.rank) * sign || (a.traceHex < b.traceHex ? -1 : 1));
    const page: Admitted[] = [];
    for (const { traceHex, rank } of hopes) {
      await pause();
      const last = page[this.#query.limit];
      if (last !== undefined) {
        const behind = (Number(last.key.rank) - rank) * sign;
        if (behind > 0 || (behind === 0 && toHex(last.key.traceId) < traceHex)) break;
      }
      const admitted = this.#exact(traceHex);
      if (admitted === undefined) continue;
      const at = page.findIndex((one) => compareKeys(this.#descending, admitted.key, one.key) < 0);
      page.splice(at === -1 ? page.length : at, 0, admitted);
      if (page.length > this.#query.limit + 1) page.pop();
    }
    return page;
  }

  /** Scans what is left, for counts. */
  async scanAll(pause: () => Promise<void>): Promise<void> {
    while (this.#units.size > 0) {
      await pause();
      this.#units.pop()!.run();
    }
  }

  async totals(pause: () => Promise<void>): Promise<FindTotals> {
    let matchingSpans = 0;
    let traces = 0;
    for (const [traceHex, count] of this.#counts!) {
      let { spans } = count;
      if (count.place < 0) {
        await pause();
        spans = this.#matchesOf(this.#rowsOf(traceHex)).length;
      }
      matchingSpans += spans;
      if (spans > 0) traces++;
    }
    const shown = Math.min(traces, LIMITS.findDistinctTraces);
    return { matchingSpans, traces: shown, tracesExact: shown === traces };
  }

  #nextCandidate(): Candidate | undefined {
    for (;;) {
      const top = this.#candidates.top();
      if (top === undefined) return undefined;
      if (this.#best.get(top.traceHex) === top) return top;
      this.#candidates.pop();
    }
  }

  /** Decides exactly about all candidates of the greatest major. */
  #resolve(major: number, waiting: Admitted[]): void {
    for (let next = this.#nextCandidate(); next?.major === major; next = this.#nextCandidate()) {
      this.#candidates.pop();
      this.#best.delete(next.traceHex);
      this.#done.add(next.traceHex);
      const admitted = this.#exact(next.traceHex);
      if (admitted !== undefined) waiting.push(admitted);
    }
  }

  #rowsOf(traceHex: string): readonly RowRef[] {
    return rowsOfPieces(this.#sources.trace(bytesOf(traceHex)).pieces);
  }

  #exact(traceHex: string): Admitted | undefined {
    const rows = this.#rowsOf(traceHex);
    const matches = this.#matchesOf(rows);
    const keys = matches.map((match) => match.key);
    const key = admit(this.#cursor, this.#descending, keys);
    if (key === undefined) return undefined;
    const major = this.#ranking.majorOfRank(key.rank);
    return { key, major, summary: () => summarize(rows, this.#shown(matches, key)) };
  }

  #shown(matches: readonly Match[], key: MatchKey): Match {
    const atKey = matches.filter((match) => compareKeys(this.#descending, match.key, key) === 0);
    return atKey.toSorted(compareTied)[0]!;
  }

  #addUnits(): void {
    const bindSegment = compileForSegments(this.#query.filter);
    for (const segment of this.#sources.segments()) {
      const { bounds } = segment;
      if (!boundsInRange(this.#query, bounds)) continue;
      const bound = this.#ranking.bound(bounds);
      this.#units.push({ bound, run: () => this.#bind(segment, bindSegment(segment)) });
    }
    const bindBatch = bindFilter(this.#query.filter, compileRegex);
    const mayMatch = compileGlance(this.#query.filter);
    for (const head of this.#sources.heads()) {
      for (const entry of head.batches()) {
        if (!boundsInRange(this.#query, entry)) continue;
        const bound = this.#ranking.bound(entry);
        const run = (): void => {
          if (mayMatch(entry)) this.#scanBatch(head.epoch, entry, bindBatch(entry.batch));
        };
        this.#units.push({ bound, run });
      }
    }
  }

  #bind(segment: Segment, filter: SegmentFilter): void {
    const place = this.#places++;
    segment.footer.groups.forEach((facts, group) => {
      if (!isIn(filter.groups, group) || !boundsInRange(this.#query, facts)) return;
      const bound = this.#ranking.bound(facts);
      this.#units.push({ bound, run: () => this.#scanGroup(segment, group, filter, place) });
    });
  }

  #scanGroup(segment: Segment, group: number, filter: SegmentFilter, place: number): void {
    const rows = filter.rows(group);
    if (!rows.includes(1)) return;
    const core = segment.core(group);
    const { traceId } = segment.ids(group);
    const { runStart } = core;
    let run = 0;
    for (let row = rows.indexOf(1); row >= 0; row = rows.indexOf(1, runStart[run])) {
      while (runStart[run + 1]! <= row) run++;
      const found = this.#bestOf(core, rows, row, runStart[run + 1]!);
      const at = run++ * 16;
      if (found.matched === 0) continue;
      const traceHex = toHex(traceId, at, 16);
      if (this.#sources.isHidden(traceHex, segment)) continue;
      this.#note(traceHex, found, place);
    }
  }

  #scanBatch(epoch: number, entry: HeadBatch, test: (row: number) => boolean): void {
    const { batch } = entry;
    const rows = new Uint8Array(batch.spanCount);
    const place = this.#places++;
    const deletions = this.#sources.hasTombstones;
    for (let row = 0; row < rows.length; row++) {
      if (!inRange(this.#query, batch.startUs[row]!) || !test(row)) continue;
      rows[row] = 1;
      let end = row + 1;
      while (end < rows.length && sameTrace(batch.traceId, end)) {
        rows[end] = test(end) ? 1 : 0;
        end++;
      }
      const found = this.#bestOf(batch, rows, row, end);
      const traceHex = toHex(batch.traceId, row * 16, 16);
      row = end - 1;
      if (deletions && this.#sources.isDeleted(traceHex, epoch, entry.at)) continue;
      // Rows of a head may repeat: the exact check counts them.
      this.#note(traceHex, found, -1 - place);
    }
  }

  /** Number of matching rows in range, and the best key among those after the cursor. */
  #bestOf(columns: RankColumns, rows: Uint8Array, from: number, to: number): Found {
    const ranking = this.#ranking;
    const found: Found = { matched: 0, exact: true, major: -Infinity, minor: -Infinity };
    const { startUs } = columns;
    for (let row = from; row < to; row++) {
      if (rows[row] === 0 || !inRange(this.#query, startUs[row]!)) continue;
      found.matched++;
      if (Math.abs(startUs[row]!) >= 2 ** 53) found.exact = false;
      const major = ranking.major(columns, row);
      const minor = ranking.minor(columns, row);
      if (!ranking.mayFollow(major, minor)) continue;
      if (major < found.major || (major === found.major && minor <= found.minor)) continue;
      found.major = major;
      found.minor = minor;
    }
    return found;
  }

  #note(traceHex: string, found: Found, place: number): void {
    const counts = this.#counts;
    if (counts !== undefined) {
      const count = counts.get(traceHex);
      if (count === undefined) {
        counts.set(traceHex, { spans: found.matched, place: found.exact ? place : -1 });
      } else {
        count.spans += found.matched;
        if (count.place !== place || !found.exact) count.place = -1;
      }
    }
    if (found.major === -Infinity || this.#query.order === "spanCount") return;
    if (this.#returned.has(traceHex) || this.#done.has(traceHex)) return;
    const known = this.#best.get(traceHex);
    const better =
      known === undefined ||
      found.major > known.major ||
      (found.major === known.major && found.minor > known.minor);
    if (!better) return;
    const candidate = { traceHex, major: found.major, minor: found.minor };
    this.#best.set(traceHex, candidate);
    this.#candidates.push(candidate);
  }
}

/** Whether a row has the trace of the row before. */
function sameTrace(ids: Uint8Array, row: number): boolean {
  return equalBytes(ids, row * 16, ids, row * 16 - 16, 16);
}

interface Found {
  matched: number;
  /** Whether the approximate range check was exact for all of them. */
  exact: boolean;
  major: number;
  minor: number;
}

function bytesOf(traceHex: string): Uint8Array {
  const bytes = new Uint8Array(16);
  fromHexInto(traceHex, bytes, 0, 16);
  return bytes;
}
