/** Cursors of searches: what a page tells the next one so that none is skipped or repeated. */

import { compareBytes, toHex } from "../base/bytes.ts";
import { SpoorError } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { FindOrder, FindQuery } from "./store.ts";

/**
 * Place of a matching span in a search's order: its rank (ns of start or duration, exact, or
 * spans of its trace), then its trace id and span id, ascending.
 */
export interface MatchKey {
  readonly rank: bigint;
  /** 16 bytes. */
  readonly traceId: Uint8Array;
  /** 8 bytes. */
  readonly spanId: Uint8Array;
}

/** Traces returned one after the other, by hex id, and the key of the latest of them. */
interface Group {
  readonly traces: readonly string[];
  readonly latest: MatchKey;
}

/**
 * Where a search stopped. A search returns traces in the order of their first matching span; the
 * pages after a cursor are made of the traces that `admit` lets through, by the key it gives.
 *
 * For `start` and `duration`:
 * - A remembered trace (`groups`, the newest of those returned, at most LIMITS.cursorTraces) was
 *   returned and is skipped.
 * - Any other trace is ranked by its first match after `last`; without one it is skipped. So a
 *   trace that was waiting below the cursor and has since got a better match above it is still
 *   returned, at its old place; one that came to be after page one is returned only when it lies
 *   below the cursor.
 * - Returned traces beyond those remembered are told by `forgotten`, the latest of their keys: a
 *   trace that is not remembered and has a match at or before it counts as returned.
 *
 * For `spanCount` a trace has one key, which moves while it grows, so no key says whether it was
 * there before. Every trace that is not remembered, and is not at or before `forgotten`, is
 * returned, wherever its key lies now; `last` only ever moves on.
 *
 * Hence: what existed at page one and is neither deleted nor expired is neither skipped nor
 * repeated, however it grows, while at most LIMITS.cursorTraces traces were returned; beyond
 * that the same but for a waiting trace that gets a match among those forgotten (skipped) and,
 * by `spanCount` ascending, a forgotten trace that grows (repeated).
 */
export interface Cursor {
  readonly order: FindOrder;
  readonly descending: boolean;
  readonly last: MatchKey;
  readonly forgotten: MatchKey | undefined;
  readonly groups: readonly Group[];
}

/** Groups are filled to this before the next one begins, so that few keys need to be kept. */
const GROUP_TRACES = 64;
const ORDERS: readonly FindOrder[] = ["start", "duration", "spanCount"];
const VERSION = 1;
const KEY_BYTES = 40;

/** -1, 0 or 1: which key comes first in a search of this direction. */
export function compareKeys(descending: boolean, a: MatchKey, b: MatchKey): number {
  if (a.rank !== b.rank) return a.rank > b.rank === descending ? -1 : 1;
  return compareBytes(a.traceId, b.traceId) || compareBytes(a.spanId, b.spanId);
}

/** Traces that a search after the cursor skips without asking for their keys, as hex ids. */
export function returnedTraces(cursor: Cursor | undefined): ReadonlySet<string> {
  return new Set(cursor?.groups.flatMap((group) => group.traces));
}

/**
 * The key by which a trace that is not among `returnedTraces` is ranked after the cursor, given
 * the keys of all its matching spans in any order; undefined when it is not to be returned.
 */
export function admit(
  cursor: Cursor | undefined,
  descending: boolean,
  keys: readonly MatchKey[],
): MatchKey | undefined {
  let first: MatchKey | undefined;
  for (const key of keys) {
    if (cursor !== undefined) {
      const { forgotten, last, order } = cursor;
      if (forgotten !== undefined && compareKeys(descending, key, forgotten) <= 0) return undefined;
      if (order !== "spanCount" && compareKeys(descending, key, last) <= 0) continue;
    }
    if (first === undefined || compareKeys(descending, key, first) < 0) first = key;
  }
  return first;
}

/** The cursor after a page: its traces' keys in the order returned, one at least. */
export function nextCursor(
  query: FindQuery,
  before: Cursor | undefined,
  page: readonly MatchKey[],
): Cursor {
  const descending = query.descending ?? true;
  const later = (a: MatchKey | undefined, b: MatchKey): MatchKey =>
    a === undefined || compareKeys(descending, a, b) < 0 ? b : a;
  const groups: Group[] = [...(before?.groups ?? [])];
  let last = before?.last;
  for (const key of page) {
    last = later(last, key);
    const group = groups.at(-1);
    const traceHex = toHex(key.traceId);
    if (group === undefined || group.traces.length >= GROUP_TRACES) {
      groups.push({ traces: [traceHex], latest: key });
    } else {
      const traces = [...group.traces, traceHex];
      groups[groups.length - 1] = { traces, latest: later(group.latest, key) };
    }
  }
  let remembered = groups.reduce((sum, group) => sum + group.traces.length, 0);
  let forgotten = before?.forgotten;
  while (remembered > LIMITS.cursorTraces) {
    const group = groups.shift()!;
    remembered -= group.traces.length;
    forgotten = later(forgotten, group.latest);
  }
  return { order: query.order, descending, last: last!, forgotten, groups };
}

/** The cursor as text that survives in a URL. */
export function encodeCursor(cursor: Cursor): string {
  const { groups, forgotten } = cursor;
  const traces = groups.reduce((sum, group) => sum + group.traces.length, 0);
  const keys = 1 + groups.length + (forgotten === undefined ? 0 : 1);
  const bytes = new Uint8Array(5 + keys * KEY_BYTES + groups.length + traces * 16);
  bytes[0] = VERSION;
  bytes[1] = ORDERS.indexOf(cursor.order);
  bytes[2] = cursor.descending ? 1 : 0;
  bytes[3] = forgotten === undefined ? 0 : 1;
  bytes[4] = groups.length;
  let at = writeKey(bytes, 5, cursor.last);
  if (forgotten !== undefined) at = writeKey(bytes, at, forgotten);
  for (const group of groups) {
    at = writeKey(bytes, at, group.latest);
    bytes[at++] = group.traces.length;
    for (const traceHex of group.traces) {
      for (let i = 0; i < 16; i++) bytes[at++] = parseInt(traceHex.slice(i * 2, i * 2 + 2), 16);
    }
  }
  return base64Url(bytes);
}

/** The cursor of a query, undefined without one; `bad-query` when it belongs to another order. */
export function cursorOf(query: FindQuery): Cursor | undefined {
  if (query.cursor === undefined) return undefined;
  const cursor = decodeCursor(query.cursor);
  if (cursor.order !== query.order || cursor.descending !== (query.descending ?? true)) {
    throw new SpoorError("bad-query", "the cursor belongs to a search of another order");
  }
  return cursor;
}

/** Reads what `encodeCursor` wrote; `bad-query` for anything else. */
export function decodeCursor(text: string): Cursor {
  const bytes = base64UrlBytes(text);
  const order = ORDERS[bytes[1] ?? -1];
  if (bytes.length < 5 + KEY_BYTES || bytes[0] !== VERSION || order === undefined) throw foreign();
  const last = readKey(bytes, 5);
  let at = 5 + KEY_BYTES;
  let forgotten: MatchKey | undefined;
  if (bytes[3] === 1) {
    forgotten = readKey(bytes, at);
    at += KEY_BYTES;
  }
  const groups: Group[] = [];
  for (let n = 0; n < bytes[4]!; n++) {
    const latest = readKey(bytes, at);
    at += KEY_BYTES;
    const traces: string[] = [];
    const end = at + 1 + (bytes[at] ?? 0) * 16;
    if (end > bytes.length) throw foreign();
    for (at++; at < end; at += 16) traces.push(toHex(bytes, at, 16));
    groups.push({ traces, latest });
  }
  if (at !== bytes.length) throw foreign();
  return { order, descending: bytes[2] === 1, last, forgotten, groups };
}

function foreign(): SpoorError {
  return new SpoorError("bad-query", "not a cursor of this version");
}

function writeKey(bytes: Uint8Array, at: number, key: MatchKey): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setBigInt64(at, BigInt.asIntN(64, key.rank >> 64n));
  view.setBigUint64(at + 8, BigInt.asUintN(64, key.rank));
  bytes.set(key.traceId, at + 16);
  bytes.set(key.spanId, at + 32);
  return at + KEY_BYTES;
}

function readKey(bytes: Uint8Array, at: number): MatchKey {
  if (at + KEY_BYTES > bytes.length) throw foreign();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    rank: (view.getBigInt64(at) << 64n) | view.getBigUint64(at + 8),
    traceId: bytes.slice(at + 16, at + 32),
    spanId: bytes.slice(at + 32, at + 40),
  };
}

function base64Url(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i++) binary += String.fromCharCode(bytes[i]!);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function base64UrlBytes(text: string): Uint8Array {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new SpoorError("bad-query", "not a cursor", { cause });
  }
}
