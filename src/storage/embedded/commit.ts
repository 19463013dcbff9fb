/** Group commit: one loop writes and syncs what has collected, wakes its writers. Bench: wal. */

import type { Clock } from "../../base/clock.ts";
import { isDiskFull } from "./file-error.ts";
import type { Head } from "./head.ts";
import type { Meters } from "./meters.ts";
import { WAL } from "./wal-format.ts";
import type { WalFile, WalFiles } from "./wal-files.ts";

/** `durable` acknowledges after the sync; `relaxed` after the write, syncing every second. */
export type FsyncMode = "durable" | "relaxed";

const RELAXED_SYNC_MS = 1000;

/** What the commit loop tells its owner; none of it may throw. */
export interface CommitEvents {
  /** A group was written (and synced). */
  committed(head: Head): void;
  /** Everything in the head is durable and the head is full: it can be sealed. */
  drained(head: Head): void;
  /**
   * The head's unwritten records could not be written and are not on disk; their writers wait.
   * The file is good for other records.
   */
  refused(head: Head, error: unknown): void;
  /** What is on disk beyond `writtenEnd` is unknown: the file must not be written again. */
  distrusted(head: Head, error: unknown): void;
  /** Relaxed only: a sync failed after its writers had been told. */
  syncLost(head: Head, error: unknown): void;
}

/** The loop. `submit` a head whenever records were added to it. */
export class CommitLoop {
  readonly #wals: WalFiles;
  readonly #mode: FsyncMode;
  readonly #clock: Clock;
  readonly #meters: Meters;
  readonly #events: CommitEvents;
  /** Heads with something to write, oldest first. */
  readonly #queue: Head[] = [];
  #running: Promise<void> | undefined;
  readonly #unsynced = new Set<WalFile>();
  readonly #headOfFile = new Map<WalFile, Head>();
  #cancelTimer: (() => void) | undefined;

  constructor(wals: WalFiles, mode: FsyncMode, clock: Clock, meters: Meters, events: CommitEvents) {
    this.#wals = wals;
    this.#mode = mode;
    this.#clock = clock;
    this.#meters = meters;
    this.#events = events;
  }

  /** Queues a head; call it after every change of its arena's end or fullness. */
  submit(head: Head): void {
    if (this.#queue.at(-1) !== head && !this.#queue.includes(head)) this.#queue.push(head);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to write (and, relaxed, to sync). */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#mode === "relaxed") await this.#syncRelaxed();
  }

  /** Stops the timer of relaxed syncs. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  async #run(): Promise<void> {
    // Let the writes of this turn collect into one group.
    await Promise.resolve();
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined) break;
      if (head.isDirty) await this.#commit(head);
      else {
        this.#queue.shift();
        if (head.full) this.#events.drained(head);
      }
    }
    this.#running = undefined;
  }

  async #commit(head: Head): Promise<void> {
    if (head.wal === undefined) {
      try {
        head.wal = await this.#wals.take();
      } catch (error) {
        this.#meters.walFailures.value++;
        return this.#events.refused(head, error);
      }
    }
    const from = head.writtenEnd;
    const to = head.arena.end;
    if (!head.isDirty) return;
    try {
      await head.wal.file.writeAtAsync(head.arena.view.bytes.subarray(from, to), from);
    } catch (error) {
      this.#meters.walFailures.value++;
      return this.#writeFailed(head, head.wal, from, error);
    }
    this.#meters.walBytes.value += to - from;
    if (this.#mode === "durable") {
      const error = await this.#sync(head.wal);
      if (error !== undefined) return this.#events.distrusted(head, error);
    } else {
      this.#headOfFile.set(head.wal, head);
      this.#unsynced.add(head.wal);
      this.#cancelTimer ??= this.#clock.after(RELAXED_SYNC_MS, () => void this.#syncRelaxed());
    }
    head.writtenEnd = to;
    head.arena.publish(to);
    this.#meters.writtenSpans.value += head.settleUpTo(to);
    this.#events.committed(head);
  }

  async #sync(wal: WalFile): Promise<unknown> {
    const before = this.#clock.monotonicMs();
    try {
      await wal.file.syncAsync();
    } catch (error) {
      this.#meters.walFailures.value++;
      wal.trusted = false;
      return error ?? new Error("sync failed");
    }
    this.#meters.walSyncs.value++;
    this.#meters.observeSync((this.#clock.monotonicMs() - before) / 1000);
    return undefined;
  }

  /** Makes sure that no part of a failed write is replayed, else gives the file up. */
  async #writeFailed(head: Head, wal: WalFile, from: number, error: unknown): Promise<void> {
    try {
      await wal.file.writeAtAsync(new Uint8Array(WAL.recordHeaderBytes), from);
    } catch (second) {
      wal.trusted = false;
      return this.#events.distrusted(head, isDiskFull(second) ? second : error);
    }
    const syncError = await this.#sync(wal);
    if (syncError === undefined) this.#events.refused(head, error);
    else this.#events.distrusted(head, isDiskFull(error) ? error : syncError);
  }

  async #syncRelaxed(): Promise<void> {
    this.#cancelTimer = undefined;
    const unsynced = [...this.#unsynced];
    this.#unsynced.clear();
    for (const wal of unsynced) {
      const error = wal.trusted ? await this.#sync(wal) : undefined;
      const head = this.#headOfFile.get(wal);
      if (error !== undefined && head?.wal === wal) this.#events.syncLost(head, error);
    }
  }
}
