/** What is not as it should be with a store: for the log once, and for health while it lasts. */

import type { SpoorError } from "../../core/errors.ts";
import type { FsyncMode } from "./commit.ts";
import type { Meters } from "./meters.ts";
import type { Damage, ReplayedLog } from "./recovery.ts";
import type { StoreEvent } from "./store-options.ts";

/** Lines of damage that health shows; more are only in the log. */
const DAMAGE_SHOWN = 20;

/** Collects what the parts report. */
export class Status {
  readonly #report: (event: StoreEvent) => void;
  readonly #meters: Meters;
  readonly #mode: FsyncMode;
  readonly #damage: string[] = [];
  #logFailure: string | undefined;
  #noLogFile: string | undefined;
  #searchFailure: string | undefined;
  #lost = false;

  constructor(report: (event: StoreEvent) => void, meters: Meters, mode: FsyncMode) {
    this.#report = report;
    this.#meters = meters;
    this.#mode = mode;
  }

  /** What opening found. */
  found(damage: readonly Damage[], logs: readonly ReplayedLog[]): void {
    for (const { file, message, lostBytes } of damage) {
      if (file.endsWith(".wal")) this.#meters.tornBytes.value += lostBytes;
      else this.#meters.corruptFiles.value++;
      const lost = lostBytes === 0 ? "" : ` (${lostBytes} bytes lost)`;
      this.#note(`${file}: ${message}${lost}`);
    }
    for (const { name, arena } of logs) {
      const message = `recovered ${arena.spans} spans from log file ${name}`;
      this.#report({ level: "info", message });
    }
  }

  /** A segment was found corrupt while it was read, and set aside. */
  corrupt(path: string, message: string): void {
    this.#meters.corruptFiles.value++;
    this.#note(`${path} is set aside as corrupt: ${message}`);
  }

  /** The log cannot be written; `lossy`: acknowledged rows may not survive a power cut. */
  logFailed(message: string, lossy: boolean): void {
    if (this.#logFailure !== message) this.#report({ level: "error", message });
    this.#logFailure = message;
    if (lossy && !this.#lost) {
      this.#lost = true;
      const text = "a sync failed after spans were acknowledged; a power cut now may lose them";
      this.#report({ level: "error", message: text });
    }
  }

  logWorks(): void {
    this.#logFailure = undefined;
    this.#report({ level: "info", message: "the write-ahead log is written again" });
  }

  /** No log file can be made: at the start, or for when the one in use is full. */
  logFileNotMade(message: string): void {
    this.#meters.walFilesNotMade.value++;
    if (this.#noLogFile !== message) this.#report({ level: "error", message });
    this.#noLogFile = message;
  }

  logFileMade(): void {
    this.#noLogFile = undefined;
    this.#report({ level: "info", message: "log files can be made again" });
  }

  /** Sealing, merging or removing failed; it is tried again. */
  upkeepFailed(message: string): void {
    this.#report({ level: "error", message });
  }

  upkeepWorks(): void {
    this.#report({ level: "info", message: "segments are written again" });
  }

  /** What is stored cannot be searched. */
  searchFailed(message: string): void {
    this.#searchFailure = message;
    this.#report({ level: "error", message });
  }

  searchWorks(): void {
    this.#searchFailure = undefined;
    this.#report({ level: "info", message: "searching works again" });
  }

  /** Lines for health. */
  notes(upkeepFailure: SpoorError | undefined): string[] {
    const notes: string[] = [];
    if (this.#mode === "relaxed") {
      notes.push("fsync is relaxed: a power cut may lose the last second of acknowledged spans");
    }
    if (this.#logFailure !== undefined) notes.push(this.#logFailure);
    if (this.#noLogFile !== undefined) {
      notes.push(`${this.#noLogFile}: spans are refused once they need one`);
    }
    if (this.#searchFailure !== undefined) notes.push(this.#searchFailure);
    if (upkeepFailure !== undefined) notes.push(upkeepFailure.message);
    notes.push(...this.#damage.slice(0, DAMAGE_SHOWN));
    const more = this.#damage.length - DAMAGE_SHOWN;
    if (more > 0) notes.push(`and ${more} more damaged files or ranges, all in the log`);
    return notes;
  }

  #note(text: string): void {
    this.#damage.push(text);
    this.#report({ level: "error", message: text });
  }
}
