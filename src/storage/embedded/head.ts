/** Head: rows that are not in a segment yet, their arena, log file and waiting writers. */

import type { SpanBatch } from "../../core/batch.ts";
import { viewBatch } from "../../core/batch.ts";
import type { Arena } from "./arena.ts";
import { KeyList } from "./request-keys.ts";
import type { RequestKey } from "./request-keys.ts";
import { WAL } from "./wal-format.ts";
import type { WalFile } from "./wal-files.ts";

/** A write that waits for its record to be durable. */
export interface Waiter {
  /** The record's place in the head's arena. */
  at: number;
  end: number;
  readonly spans: number;
  readonly arrivalMs: number;
  readonly imageCrc: number;
  readonly key: RequestKey;
  /** How often the record had to move to another file after a failed sync. */
  moves: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One head, from its first record until its rows are in a segment. */
export class Head {
  readonly arena: Arena;
  readonly createdMs: number;
  /** The log file, once the commit loop has opened one. */
  wal: WalFile | undefined;
  /** Bytes of the arena that are in the file (and synced, unless fsync is relaxed). */
  writtenEnd = 0;
  /** Writes in order of their records, all beyond `writtenEnd`. */
  waiters: Waiter[] = [];
  /** Keys of its durable requests, for the segment's footer. */
  readonly keys = new KeyList();
  /** No more records will be added. */
  full = false;

  constructor(arena: Arena, createdMs: number) {
    this.arena = arena;
    this.createdMs = createdMs;
  }

  /** The epoch of its log, which names the head everywhere. */
  get epoch(): number {
    return this.arena.epoch;
  }

  /** Whether the commit loop has something to write. */
  get isDirty(): boolean {
    const end = this.arena.end;
    return end > this.writtenEnd && end > WAL.fileHeaderBytes;
  }

  /** Whether there is no record in it at all. */
  get isEmpty(): boolean {
    return this.arena.spans === 0;
  }

  /** The batch of a waiting write, as a view of the arena. */
  batchOf(waiter: Waiter): SpanBatch {
    const start = waiter.at + WAL.recordHeaderBytes;
    return viewBatch(this.arena.view.bytes.subarray(start, waiter.end));
  }

  /** Tells the writers whose records end at or before `end`; their rows are durable. */
  settleUpTo(end: number): number {
    const waiters = this.waiters;
    let spans = 0;
    let count = 0;
    while (count < waiters.length && waiters[count]!.end <= end) {
      const waiter = waiters[count++]!;
      spans += waiter.spans;
      this.keys.add(waiter.key);
      waiter.resolve();
    }
    this.waiters = count === waiters.length ? [] : waiters.slice(count);
    return spans;
  }

  /** Takes all waiting writes away, cutting their records off the arena. */
  takeWaiters(): Waiter[] {
    const waiters = this.waiters;
    this.waiters = [];
    return waiters;
  }

  /** Cuts off what is not in the file; the waiting writes must have been taken. */
  cutUnwritten(lost: readonly Waiter[]): void {
    let spans = 0;
    for (const waiter of lost) spans += waiter.spans;
    const end = this.writtenEnd === 0 ? WAL.fileHeaderBytes : this.writtenEnd;
    this.arena.cut(end, spans);
  }
}
