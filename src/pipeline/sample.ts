/** The sample stage: keeps a share of traces chosen by a hash of their id, as Jaeger does. */

import { utf8Bytes } from "../base/bytes.ts";
import type { SpanBatch } from "../core/batch.ts";
import type { Sink, Stage } from "../core/flow.ts";
import type { Ledger } from "./ledger.ts";
import { rebuildBatch } from "./rebuild.ts";

/** Salt when `downsampling.hashsalt` is empty, as in Jaeger. */
export const DEFAULT_SALT = "downsampling-default-salt";
const DROP_REASON = "downsampling";
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/**
 * Keeps a span iff FNV-64a(salt, trace id) ≤ ratio of 2^64 - 1: whole traces, the same ones in
 * every collector with the same salt. With a ratio of 1 or more there is no stage.
 */
export function sampleStage(options: {
  readonly ratio: number;
  readonly salt: string;
  readonly ledger: Ledger;
}): Stage {
  const { ratio, ledger } = options;
  if (ratio >= 1) return (next) => next;
  const threshold = sampleThreshold(ratio);
  const hash = new TraceHash(options.salt === "" ? DEFAULT_SALT : options.salt);
  return (next: Sink): Sink => ({
    async push(batch, origin, signal) {
      const keep = kept(batch, hash, threshold);
      const dropped = keep.reduce((sum, one) => sum + 1 - one, 0);
      if (dropped === 0) return next.push(batch, origin, signal);
      const all = dropped === batch.spanCount;
      const result = all
        ? { stored: 0, deduplicated: 0, dropped: 0 }
        : await next.push(rebuildBatch(batch, { keepSpan: (i) => keep[i] === 1 }), origin, signal);
      ledger.dropped(DROP_REASON, dropped);
      return { ...result, dropped: result.dropped + dropped };
    },
  });
}

/**
 * floor((2^64 - 1) · ratio), multiplied as Jaeger does: in a binary float of 64 bits, rounded
 * to nearest, ties to even.
 */
export function sampleThreshold(ratio: number): bigint {
  if (!(ratio > 0)) return 0n;
  if (ratio >= 1) return MAX_U64;
  let mantissa = ratio;
  let shift = 0n;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    shift++;
  }
  let product = MAX_U64 * BigInt(mantissa);
  const excess = BigInt(product.toString(2).length) - 64n;
  if (excess > 0n) {
    const half = 1n << (excess - 1n);
    const rest = product & ((1n << excess) - 1n);
    product >>= excess;
    if (rest > half || (rest === half && (product & 1n) === 1n)) product++;
    product <<= excess;
  }
  return product >> shift;
}

function kept(batch: SpanBatch, hash: TraceHash, threshold: bigint): Uint8Array {
  const high = Number(threshold >> 32n);
  const low = Number(threshold & 0xffff_ffffn);
  const keep = new Uint8Array(batch.spanCount);
  for (let i = 0; i < batch.spanCount; i++) {
    hash.of(batch.traceId, i * 16);
    const under = hash.high < high || (hash.high === high && hash.low <= low);
    keep[i] = under ? 1 : 0;
  }
  return keep;
}

/** FNV-64a of a salt and a trace id, in two halves of 32 bits. */
export class TraceHash {
  high = 0;
  low = 0;
  readonly #saltHigh: number;
  readonly #saltLow: number;

  constructor(salt: string) {
    this.high = 0xcbf29ce4;
    this.low = 0x84222325;
    const bytes = utf8Bytes(salt);
    this.#add(bytes, 0, bytes.length);
    this.#saltHigh = this.high;
    this.#saltLow = this.low;
  }

  /** Hashes the salt and 16 bytes of `ids` at `start` into `high` and `low`. */
  of(ids: Uint8Array, start: number): void {
    this.high = this.#saltHigh;
    this.low = this.#saltLow;
    this.#add(ids, start, start + 16);
  }

  /** The prime is 2^40 + 0x1b3: a shift by 8 into the high half, and a product that fits 2^53. */
  #add(bytes: Uint8Array, start: number, end: number): void {
    let { high, low } = this;
    for (let i = start; i < end; i++) {
      low = (low ^ bytes[i]!) >>> 0;
      const product = low * 0x1b3;
      high = (Math.imul(high, 0x1b3) + Math.floor(product / 4294967296) + (low << 8)) >>> 0;
      low = product >>> 0;
    }
    this.high = high;
    this.low = low;
  }
}
