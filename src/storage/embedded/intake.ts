/** The way in: a batch becomes durable records, a retried one is recognised. Bench: wal. */

import { crc32 } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { SpoorError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { WriteResult } from "../../core/store.ts";
import { selectRows } from "../../core/trace/select.ts";
import type { Arrival, Heads } from "./heads.ts";
import type { Meters } from "./meters.ts";
import { newRequestKey, requestKeyInto } from "./request-keys.ts";
import type { RequestKeys } from "./request-keys.ts";

/** Bytes of batches that may wait for room; what comes beyond is refused at once. */
const WAITING_BYTES = LIMITS.queueBytes / 2;

/** Parts the intake works with. */
export interface IntakeParts {
  readonly heads: Heads;
  readonly keys: RequestKeys;
  readonly clock: Clock;
  readonly meters: Meters;
  /** Most rows and milliseconds. */
  readonly rows: number;
  readonly roomWaitMs: number;
  /** Why heads are not being emptied, when they are not. */
  readonly blockedBy: () => SpoorError | undefined;
}

/** Writes batches. */
export class Intake {
  readonly #parts: IntakeParts;
  #waitingBytes = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /**
   * Resolves once the batch is durable. One that fits no head is written in parts; when a later
   * part is refused, the earlier ones stay and are recognised when the batch is sent again.
   */
  async write(batch: SpanBatch, signal?: AbortSignal): Promise<WriteResult> {
    throwIfAborted(signal);
    const { heads, rows } = this.#parts;
    if (batch.spanCount === 0) return { stored: 0, deduplicated: 0 };
    if (batch.image.length <= heads.maxImageBytes && batch.spanCount <= rows) {
      return this.#writeOne(batch, signal);
    }
    let stored = 0;
    let deduplicated = 0;
    for (const part of this.#split(batch, 0, batch.spanCount)) {
      const result = await this.#writeOne(part, signal);
      stored += result.stored;
      deduplicated += result.deduplicated;
    }
    return { stored, deduplicated };
  }

  /** Rows [from, to) as batches that fit a head. */
  *#split(batch: SpanBatch, from: number, to: number): Generator<SpanBatch> {
    const { heads, rows, meters } = this.#parts;
    if (to - from <= rows) {
      const part = selectRows(
        Array.from({ length: to - from }, (_, i) => ({ batch, row: from + i })),
      );
      if (part.image.length <= heads.maxImageBytes) return yield part;
      if (to - from === 1) {
        meters.refused("too-large", 1);
        const most = heads.maxImageBytes;
        throw new SpoorError("rejected", `a span of ${part.image.length} bytes; at most ${most}`);
      }
    }
    const middle = from + ((to - from) >> 1);
    yield* this.#split(batch, from, middle);
    yield* this.#split(batch, middle, to);
  }

  async #writeOne(batch: SpanBatch, signal: AbortSignal | undefined): Promise<WriteResult> {
    const { clock, heads, keys, meters } = this.#parts;
    const arrivalMs = clock.nowMs();
    const imageCrc = crc32(batch.image);
    const key = newRequestKey();
    requestKeyInto(key, batch, imageCrc, arrivalMs);
    const arrival: Arrival = { batch, imageCrc, key, arrivalMs };
    const giveUpMs = clock.monotonicMs() + this.#parts.roomWaitMs;
    for (;;) {
      const known = keys.find(key, arrivalMs);
      if (known !== -1) {
        await keys.outcome(known);
        meters.retriedSpans.value += batch.spanCount;
        return { stored: 0, deduplicated: batch.spanCount };
      }
      const durable = heads.place(arrival);
      if (durable !== undefined) {
        await this.#settled(arrival, durable);
        return { stored: batch.spanCount, deduplicated: 0 };
      }
      const waitMs = giveUpMs - clock.monotonicMs();
      if (waitMs <= 0 || !(await this.#waitForRoom(batch, waitMs))) throw this.#noRoom(batch);
      throwIfAborted(signal);
    }
  }

  async #settled({ batch, key }: Arrival, durable: Promise<void>): Promise<void> {
    const { keys, meters } = this.#parts;
    const entry = keys.add(key, durable);
    try {
      await durable;
      keys.settle(entry);
    } catch (error) {
      keys.remove(entry);
      const isFull = error instanceof SpoorError && error.code === "disk-full";
      meters.refused(isFull ? "disk-full" : "overloaded", batch.spanCount);
      throw error;
    }
  }

  /** False when there was no room in time, or too much waits for it already. */
  async #waitForRoom(batch: SpanBatch, waitMs: number): Promise<boolean> {
    const sizeBytes = batch.image.length;
    if (this.#waitingBytes + sizeBytes > WAITING_BYTES) return false;
    this.#waitingBytes += sizeBytes;
    try {
      return await this.#parts.heads.room(waitMs);
    } finally {
      this.#waitingBytes -= sizeBytes;
    }
  }

  #noRoom(batch: SpanBatch): SpoorError {
    const cause = this.#parts.blockedBy();
    const { retryAfterMs } = LIMITS;
    const isFull = cause?.code === "disk-full";
    this.#parts.meters.refused(isFull ? "disk-full" : "overloaded", batch.spanCount);
    if (cause === undefined) {
      const text = "spans arrive faster than they are sealed";
      return new SpoorError("overloaded", text, { retryAfterMs });
    }
    const text = `spans cannot be sealed: ${cause.message}`;
    return new SpoorError(isFull ? "disk-full" : "overloaded", text, { cause, retryAfterMs });
  }
}
