/** Reading a store in tests: whole answers in forms that compare exactly. */

import assert from "node:assert/strict";
import type { SpanBatch } from "../../src/core/batch.ts";
import { isSpoorError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import type { FindQuery, FindTotals, SpanStore } from "../../src/core/store.ts";
import { spanContent } from "../../src/core/trace/span-content.ts";
import { plainSummary } from "../support/brute-force.ts";
import type { PlainSummary } from "../support/brute-force.ts";
import { batchOf, idBytes } from "../support/plain-spans.ts";
import type { PlainSpan } from "../support/plain-spans.ts";

/** What a rejection's code is. */
export function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isSpoorError(error, expected), `${String(error)} is ${expected}`);
    return true;
  };
}

/** A range without bounds. */
export const ALWAYS = { startMinUs: -Infinity, startMaxUs: Infinity } as const;

/** A query for everything, newest first, to vary. */
export function query(part: Partial<FindQuery> = {}): FindQuery {
  return { ...ALWAYS, order: "start", limit: 100, ...part };
}

/** Writes spans as one batch and waits until they are visible. */
export async function put(store: SpanStore, spans: readonly PlainSpan[]): Promise<void> {
  const result = await store.write(batchOf(spans));
  assert.equal(result.stored + result.deduplicated, spans.length);
  await store.settle();
}

/** Contents of all spans of batches, sorted. */
export function contents(batches: readonly SpanBatch[]): string[] {
  return batches
    .flatMap((batch) => Array.from({ length: batch.spanCount }, (_, i) => spanContent(batch, i)))
    .sort();
}

/** Contents of plain spans, sorted. */
export function contentsOf(spans: readonly PlainSpan[]): string[] {
  return contents([batchOf(spans)]);
}

/** Everything an iteration gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Contents of a trace in the store, sorted. */
export async function traceOf(store: SpanStore, traceHex: string): Promise<string[]> {
  return contents(await collect(store.get([idBytes(traceHex)])));
}

/** Trace ids of a search's first page, as hex. */
export async function found(store: SpanStore, part: Partial<FindQuery> = {}): Promise<string[]> {
  return (await store.find(query(part))).traces.map((trace) => plainSummary(trace).traceHex);
}

/** A search followed to its end: all traces, the sizes of its pages, and its totals. */
export async function walk(
  store: SpanStore,
  asked: FindQuery,
): Promise<{ traces: PlainSummary[]; totals: FindTotals | undefined }> {
  const traces: PlainSummary[] = [];
  let totals: FindTotals | undefined;
  let cursor: string | undefined;
  do {
    const page = await store.find(cursor === undefined ? asked : { ...asked, cursor });
    totals ??= page.totals;
    assert.deepEqual(page.totals, totals, "totals are those of the whole range on every page");
    const full = page.traces.length === asked.limit;
    assert.ok(full || page.cursor === undefined, "only the last page is short");
    assert.ok(traces.length === 0 || page.traces.length > 0, "no cursor leads to an empty page");
    traces.push(...page.traces.map(plainSummary));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { traces, totals };
}
