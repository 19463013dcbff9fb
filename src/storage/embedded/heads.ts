/** The heads of a store: one fills while up to two are sealed; their arenas are reused. */

import type { Clock } from "../../base/clock.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { Arena } from "./arena.ts";
import { CommitLoop } from "./commit.ts";
import type { CommitEvents, FsyncMode } from "./commit.ts";
import { refusal } from "./file-error.ts";
import { Head } from "./head.ts";
import type { Waiter } from "./head.ts";
import type { Meters } from "./meters.ts";
import type { RequestKey } from "./request-keys.ts";
import { WAL } from "./wal-format.ts";
import { closeWal } from "./wal-files.ts";
import type { WalFiles } from "./wal-files.ts";

/** How often one record may move on after failed syncs before its writer is refused. */
const MAX_MOVES = 2;
/** An abort record and its header. */
const ABORT_RECORD_BYTES = WAL.recordHeaderBytes + 16;

/** Sizes of heads. */
export interface HeadSizes {
  readonly arenaBytes: number;
  /** Rows at which a head is full. */
  readonly rows: number;
  /** Arenas in memory at most: one filling, the rest sealing. */
  readonly arenas: number;
}

/** What the heads tell the store. */
export interface HeadEvents {
  /** A head that readers must look into from now on. */
  added(head: Head): void;
  /** A full head whose rows, if any, are all durable: seal it, then `release` it. */
  ready(head: Head): void;
  /** The log failed; what was acknowledged is safe unless `lossy`. */
  failed(message: string, lossy: boolean): void;
  /** The log works again. */
  recovered(): void;
}

/** Another file's range that must not be replayed, and where that is noted. */
interface Abort {
  readonly epoch: number;
  readonly end: number;
  notedIn: Head | undefined;
  notedEnd: number;
}

/** A batch on its way into a head. */
export interface Arrival {
  readonly batch: SpanBatch;
  readonly imageCrc: number;
  readonly key: RequestKey;
  readonly arrivalMs: number;
}

/** Places batches, rotates heads, and deals with what the commit loop reports. */
export class Heads {
  readonly #wals: WalFiles;
  readonly #sizes: HeadSizes;
  readonly #clock: Clock;
  readonly #events: HeadEvents;
  readonly #loop: CommitLoop;
  readonly #freeArenas: Arena[] = [];
  /** Arenas made here, in use or free. */
  #ownArenas = 0;
  /** Heads whose arenas recovery made; while they last, fewer others are. */
  readonly #adopted = new Set<Head>();
  #nextEpoch: number;
  #filling: Head | undefined;
  /** Heads that are full and not released. */
  readonly #sealing = new Set<Head>();
  #aborts: Abort[] = [];
  readonly #waitingForRoom = new Set<() => void>();
  /** Whether the last commit failed. */
  #failing = false;
  #written = 0;

  constructor(
    wals: WalFiles,
    sizes: HeadSizes,
    mode: FsyncMode,
    firstEpoch: number,
    clock: Clock,
    meters: Meters,
    events: HeadEvents,
  ) {
    this.#wals = wals;
    this.#sizes = sizes;
    this.#clock = clock;
    this.#events = events;
    this.#nextEpoch = firstEpoch;
    const commitEvents: CommitEvents = {
      committed: () => this.#committed(),
      drained: (head) => this.#events.ready(head),
      refused: (head, error) => this.#refused(head, error),
      distrusted: (head, error) => this.#distrusted(head, error),
      syncLost: (head, error) => this.#syncLost(head, error),
    };
    this.#loop = new CommitLoop(wals, mode, clock, meters, commitEvents);
  }

  /** Spans that are not in a segment yet. */
  get spans(): number {
    let spans = this.#filling?.arena.spans ?? 0;
    for (const head of this.#sealing) spans += head.arena.spans;
    return spans;
  }

  /** Grows with every record placed. */
  get written(): number {
    return this.#written;
  }

  /** The head that takes writes, if one was needed so far. */
  get filling(): Head | undefined {
    return this.#filling;
  }

  /** The epoch that the next head will have. */
  get nextEpoch(): number {
    return this.#nextEpoch;
  }

  /** Most bytes one batch's image may have. */
  get maxImageBytes(): number {
    const overhead = WAL.fileHeaderBytes + WAL.recordHeaderBytes + ABORT_RECORD_BYTES * 8;
    return this.#sizes.arenaBytes - overhead;
  }

  /** Takes over a head that recovery has read: it is searched at once and sealed soon. */
  adopt(head: Head): void {
    head.full = true;
    this.#adopted.add(head);
    this.#sealing.add(head);
    this.#events.added(head);
    this.#events.ready(head);
  }

  /** Puts a batch into the filling head; undefined when every arena is full. */
  place(arrival: Arrival): Promise<void> | undefined {
    const head = this.#headFor(arrival.batch.image.length, arrival.batch.spanCount);
    if (head === undefined) return undefined;
    const { batch, imageCrc, key, arrivalMs } = arrival;
    const { at, end } = head.arena.append(batch, arrivalMs, imageCrc);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const spans = batch.spanCount;
    head.waiters.push({ at, end, spans, arrivalMs, imageCrc, key, moves: 0, resolve, reject });
    this.#written++;
    this.#loop.submit(head);
    return promise;
  }

  /** Resolves to true when an arena was freed, to false after `timeoutMs`. */
  room(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        resolve(true);
      };
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#waitingForRoom.delete(wake);
        resolve(false);
      });
      this.#waitingForRoom.add(wake);
    });
  }

  /** Ends the filling head (when it has rows), so that it is sealed. */
  rotate(): void {
    const head = this.#filling;
    if (head === undefined || (head.isEmpty && head.waiters.length === 0)) return;
    this.#filling = undefined;
    head.full = true;
    this.#sealing.add(head);
    this.#loop.submit(head);
  }

  /**
   * A head's rows are in a durable segment and no reader looks into it any more. Throws when
   * its log file can neither be emptied nor removed; then call again.
   */
  async release(head: Head): Promise<void> {
    if (head.wal !== undefined) {
      await this.#wals.giveBack(head.wal);
      head.wal = undefined;
    }
    this.#sealing.delete(head);
    this.#aborts = this.#aborts.filter((abort) => abort.epoch !== head.epoch);
    if (this.#adopted.delete(head)) this.#ownArenas++;
    if (head.arena.sizeBytes === this.#sizes.arenaBytes && this.#ownArenas <= this.#ownLimit) {
      this.#freeArenas.push(head.arena);
    } else this.#ownArenas--;
    for (const wake of this.#waitingForRoom) wake();
    this.#waitingForRoom.clear();
  }

  /** Resolves when every record is in its file. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** Stops timers and closes files; nothing may be in flight. */
  async close(): Promise<void> {
    this.#loop.stop();
    for (const head of [this.#filling, ...this.#sealing]) {
      if (head?.wal !== undefined) closeWal(head.wal);
    }
    await this.#wals.close();
  }

  #headFor(imageBytes: number, spans: number): Head | undefined {
    const head = this.#filling;
    if (head !== undefined) {
      const hasRows = head.arena.spans === 0 || head.arena.spans + spans <= this.#sizes.rows;
      if (hasRows && head.arena.fits(imageBytes)) return head;
    }
    const arena = this.#takeArena();
    if (arena === undefined) return undefined;
    this.rotate();
    return this.#begin(arena);
  }

  /** One more than what recovery holds is always allowed: writes begin at once. */
  get #ownLimit(): number {
    return Math.max(1, this.#sizes.arenas - this.#adopted.size);
  }

  #takeArena(): Arena | undefined {
    const free = this.#freeArenas.pop();
    if (free !== undefined) return free;
    if (this.#ownArenas >= this.#ownLimit) return undefined;
    this.#ownArenas++;
    return new Arena(this.#sizes.arenaBytes);
  }

  #begin(arena: Arena): Head {
    const nowMs = this.#clock.nowMs();
    arena.begin(this.#nextEpoch++, nowMs);
    const head = new Head(arena, nowMs);
    this.#filling = head;
    this.#noteAborts(head);
    this.#events.added(head);
    return head;
  }

  #noteAborts(head: Head): void {
    for (const abort of this.#aborts) {
      if (abort.notedIn !== undefined || !head.arena.fits(16)) continue;
      const { end } = head.arena.appendAbort(abort.epoch, abort.end, head.createdMs);
      abort.notedIn = head;
      abort.notedEnd = end;
    }
  }

  #committed(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#events.recovered();
  }

  /** Nothing of the unwritten records is on disk: their writers may send them again. */
  #refused(head: Head, error: unknown): void {
    const lost = head.takeWaiters();
    this.#cut(head, lost);
    const reason = refusal(error, "write-ahead log not written");
    this.#fail(reason.message, false);
    for (const waiter of lost) waiter.reject(reason);
  }

  /** The file cannot be trusted beyond what was synced: its other records move on. */
  #distrusted(head: Head, error: unknown): void {
    const moving = head.takeWaiters();
    const reason = refusal(error, "write-ahead log not synced");
    this.#fail(reason.message, false);
    this.#aborts.push({ epoch: head.epoch, end: head.writtenEnd, notedIn: undefined, notedEnd: 0 });
    if (this.#filling === head) {
      this.#filling = undefined;
      head.full = true;
      this.#sealing.add(head);
    }
    if (this.#filling !== undefined) this.#noteAborts(this.#filling);
    for (const waiter of moving) this.#move(head, waiter, reason);
    this.#cut(head, moving);
    this.#loop.submit(head);
  }

  #cut(head: Head, lost: readonly Waiter[]): void {
    head.cutUnwritten(lost);
    for (const abort of this.#aborts) {
      if (abort.notedIn === head && abort.notedEnd > head.writtenEnd) abort.notedIn = undefined;
    }
  }

  #move(from: Head, waiter: Waiter, reason: Error): void {
    const batch = from.batchOf(waiter);
    const target =
      waiter.moves < MAX_MOVES ? this.#headFor(batch.image.length, batch.spanCount) : undefined;
    if (target === undefined) return waiter.reject(reason);
    const { at, end } = target.arena.append(batch, waiter.arrivalMs, waiter.imageCrc);
    target.waiters.push({ ...waiter, at, end, moves: waiter.moves + 1 });
    this.#loop.submit(target);
  }

  #syncLost(head: Head, error: unknown): void {
    const reason = refusal(error, "write-ahead log not synced");
    this.#fail(reason.message, true);
    if (this.#filling === head) this.rotate();
  }

  #fail(message: string, lossy: boolean): void {
    this.#failing = true;
    this.#events.failed(message, lossy);
  }
}
