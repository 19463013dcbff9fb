/** The log's files: made at full size once, then taken and given back for ever. */

import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import type { SpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";
import { SUFFIX } from "./segment-files.ts";
import { WAL } from "./wal-format.ts";

/** Zeros written at a time while a file is made. */
const CHUNK_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;

/** A log file; `trusted` ends when a sync of it failed. */
export interface WalFile {
  readonly path: string;
  readonly file: OpenFile;
  trusted: boolean;
  isClosed: boolean;
}

/** What is told of making files. */
export interface WalFileEvents {
  /** A file could not be made; said of one that is made in advance, too. */
  notMade(error: SpoorError): void;
  /** There is a file again for who needs one. */
  made(): void;
}

/**
 * Files under `wal/`. A file has its full size before its first record: replay tells a cut-off
 * file by it, and overwriting costs half of what appending does (store-experiments, WAL).
 */
export class WalFiles {
  readonly #files: FileLayer;
  readonly #directory: string;
  readonly #sizeBytes: number;
  readonly #most: number;
  readonly #events: WalFileEvents;
  readonly #free: WalFile[] = [];
  #preparing: Promise<void> | undefined;
  /** The last one could not be made. */
  #isFailing = false;
  #isClosed = false;
  /** Files taken and not given back. */
  #taken = 0;
  #next = 0;

  /** A file for each arena, and of its size. */
  constructor(
    files: FileLayer,
    directory: string,
    sizes: { readonly arenaBytes: number; readonly arenas: number },
    events: WalFileEvents,
  ) {
    this.#files = files;
    this.#events = events;
    this.#directory = directory;
    this.#sizeBytes = sizes.arenaBytes;
    this.#most = sizes.arenas;
  }

  /** Directory of the log files. */
  get directory(): string {
    return this.#directory;
  }

  /** Takes over a file found at start: new ones get other names. */
  noteName(name: string): void {
    const number = Number(name.slice(0, name.indexOf(".")));
    if (Number.isSafeInteger(number)) this.#next = Math.max(this.#next, number + 1);
  }

  /** Takes over a file whose header is zero, and durably so: nothing is to be written. */
  adopt(file: WalFile): void {
    const isWanted = this.#free.length < this.#most && file.file.sizeBytes() === this.#sizeBytes;
    if (isWanted) this.#free.push(file);
    else this.#discard(file);
  }

  /** A free file, its bytes stale or zero; made when there is none. */
  async take(): Promise<WalFile> {
    await this.#preparing;
    const file = this.#free.pop() ?? (await this.#make());
    this.#taken++;
    this.#works();
    this.prepare();
    return file;
  }

  /** Makes a file in advance, so that no write waits for it. */
  prepare(): void {
    if (this.#free.length > 0 || this.#taken >= this.#most) return;
    this.#preparing ??= this.#prepare();
  }

  /** Makes one in advance where that failed: perhaps there is room by now. */
  prepareAgain(): void {
    if (this.#isFailing) this.prepare();
  }

  async #prepare(): Promise<void> {
    try {
      const file = await this.#make();
      if (this.#isClosed) file.file.close();
      else this.#free.push(file);
      this.#works();
    } catch {
      // It was told. Who takes a file tries again.
    }
    this.#preparing = undefined;
  }

  /**
   * Takes a file back whose records are all in a segment. They are made unreadable first: the
   * segment may be gone, by retention or deletion, before the file is written again.
   */
  async giveBack(file: WalFile): Promise<void> {
    try {
      const isWanted = file.trusted && !file.isClosed && this.#free.length < this.#most;
      if (isWanted && file.file.sizeBytes() === this.#sizeBytes) {
        await file.file.writeAtAsync(new Uint8Array(WAL.fileHeaderBytes), 0);
        await file.file.syncAsync();
        this.#free.push(file);
        this.#taken = Math.max(0, this.#taken - 1);
        return;
      }
    } catch {
      file.trusted = false;
    }
    this.#discard(file);
    this.#taken = Math.max(0, this.#taken - 1);
  }

  /** Closes the free files. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#preparing;
    for (const { file } of this.#free.splice(0)) file.close();
  }

  /** Removes the free files: what is made next takes their place. */
  discardFree(): void {
    for (const file of this.#free.splice(0)) {
      try {
        this.#discard(file);
      } catch {
        // An empty file that stays is taken over by the next start.
      }
    }
  }

  /** May be called again after it threw. */
  #discard(wal: WalFile): void {
    closeWal(wal);
    if (this.#files.sizeBytes(wal.path) !== undefined) this.#files.unlink(wal.path);
    this.#files.syncDirectory(this.#directory);
  }

  #works(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#events.made();
  }

  async #make(): Promise<WalFile> {
    const path = `${this.#directory}/${this.#next++}.wal`;
    // Under its own name a file always has its full size: replay calls a shorter one damaged.
    const temporary = path + SUFFIX.temporary;
    const file = this.#files.open(temporary, "create");
    try {
      const zeros = new Uint8Array(Math.min(CHUNK_BYTES, this.#sizeBytes));
      for (let at = 0; at < this.#sizeBytes; at += zeros.length) {
        const length = Math.min(zeros.length, this.#sizeBytes - at);
        await file.writeAtAsync(zeros.subarray(0, length), at);
      }
      await file.syncAsync();
      this.#files.rename(temporary, path);
      this.#files.syncDirectory(this.#directory);
    } catch (error) {
      file.close();
      for (const left of [temporary, path]) {
        if (this.#files.sizeBytes(left) !== undefined) this.#files.unlink(left);
      }
      this.#isFailing = true;
      const size = `${Math.round(this.#sizeBytes / MIB)} MiB`;
      this.#events.notMade(
        fileError(error, `no log file of ${size} can be made in ${this.#directory}`),
      );
      throw error;
    }
    return { path, file, trusted: true, isClosed: false };
  }
}

/** Closes a log file, once. */
export function closeWal(wal: WalFile): void {
  if (!wal.isClosed) wal.file.close();
  wal.isClosed = true;
}
