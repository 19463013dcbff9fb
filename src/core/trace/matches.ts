/** Which spans of a whole trace match a search, and how they rank it: the same in every store. */

import { compileRegex } from "../../base/regex.ts";
import type { SpanBatch } from "../batch.ts";
import type { MatchKey } from "../cursor.ts";
import { SpoorError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { exactDurationNs, exactStartNs, exactStartUs } from "../read.ts";
import type { FindQuery } from "../store.ts";
import { bindFilter } from "./filter-evaluate.ts";
import type { RowTest } from "./filter-evaluate.ts";
import type { RowRef } from "./span-content.ts";

/** A matching span and its place in the order. */
export interface Match extends RowRef {
  readonly key: MatchKey;
}

/** Throws `bad-query` for a query whose numbers make no sense. */
export function checkQuery(query: FindQuery): void {
  const { limit, startMinUs, startMaxUs } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.findTraces) {
    throw new SpoorError("bad-query", `limit is 1 to ${LIMITS.findTraces}`);
  }
  if (Number.isNaN(startMinUs) || Number.isNaN(startMaxUs)) {
    throw new SpoorError("bad-query", "a bound of the time range is not a number");
  }
}

/** All spans among a whole trace's rows that satisfy the query's filter and range. */
export function matcher(query: FindQuery): (rows: readonly RowRef[]) => Match[] {
  const bind = bindFilter(query.filter, compileRegex);
  const tests = new Map<SpanBatch, RowTest>();
  return (rows) => {
    const matches: Match[] = [];
    for (const { batch, row } of rows) {
      let test = tests.get(batch);
      if (test === undefined) tests.set(batch, (test = bind(batch)));
      const startUs = batch.rare[row] === 0 ? batch.startUs[row]! : exactStartUs(batch, row);
      if (startUs < query.startMinUs || startUs > query.startMaxUs || !test(row)) continue;
      const rank = rankOf(query, rows.length, batch, row);
      const spanId = batch.spanId.subarray(row * 8, row * 8 + 8);
      const traceId = batch.traceId.subarray(row * 16, row * 16 + 16);
      matches.push({ batch, row, key: { rank, traceId, spanId } });
    }
    return matches;
  };
}

function rankOf(query: FindQuery, spanCount: number, batch: SpanBatch, row: number): bigint {
  switch (query.order) {
    case "start":
      return exactStartNs(batch, row);
    case "duration":
      return exactDurationNs(batch, row);
    case "spanCount":
      return BigInt(spanCount);
  }
}

/** Spans of equal key: the longer first, then the later. */
export function compareTied(a: RowRef, b: RowRef): number {
  const longer = exactDurationNs(b.batch, b.row) - exactDurationNs(a.batch, a.row);
  const later = exactStartNs(b.batch, b.row) - exactStartNs(a.batch, a.row);
  const order = longer === 0n ? later : longer;
  return order < 0n ? -1 : order > 0n ? 1 : 0;
}
