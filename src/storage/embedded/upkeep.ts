/** Background work, one thing at a time: sealing first, then retention, bundling and merging. */

import type { Clock } from "../../base/clock.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { SpoorError } from "../../core/errors.ts";
import { newestArrivalMs, rowsOf } from "./catalog.ts";
import type { Catalog, SegmentFile, SegmentPart } from "./catalog.ts";
import { fileError } from "./file-error.ts";
import type { Head } from "./head.ts";
import type { Heads } from "./heads.ts";
import type { Job, JobResult } from "./jobs.ts";
import type { Meters } from "./meters.ts";
import { SUFFIX } from "./segment-files.ts";
import type { SearchSide } from "./search-side.ts";
import type { Tombstone, Tombstones } from "./tombstones.ts";

/** A failed job is tried again after this, doubling up to the second. */
const RETRY_MS = { first: 500, most: 10_000 } as const;

/** When files are put together. */
export interface UpkeepSizes {
  /** Rows of a full segment; a quarter of it is small. */
  readonly rows: number;
  /** Files in the directory beyond which the oldest become a bundle. */
  readonly bundleBeyond: number;
  /** Files that go into one bundle, and at most into one merge. */
  readonly filesAtOnce: number;
  /** Small neighbours that are merged whatever their rows. */
  readonly smallFiles: number;
}

/** What the store keeps; 0 sets no bound. */
export interface Retention {
  readonly retentionMs: number;
  readonly maxSizeBytes: number;
}

/** Parts that upkeep works with. */
export interface UpkeepParts {
  readonly catalog: Catalog;
  readonly tombstones: Tombstones;
  readonly heads: () => Heads;
  readonly search: SearchSide;
  readonly run: (job: Job) => Promise<JobResult>;
  readonly clock: Clock;
  readonly meters: Meters;
  /** Told once of a failure, and once when work goes on after it. */
  readonly failed: (message: string) => void;
  readonly works: () => void;
  /** A segment turned out to be corrupt. */
  readonly corrupt: (error: SpoorError) => Promise<boolean>;
}

/** The loop of background work. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #sizes: UpkeepSizes;
  readonly #retention: Retention;
  readonly #sealQueue: Head[] = [];
  /** The name a head's segment will have, kept over failed attempts. */
  readonly #names = new Map<Head, string>();
  /**
   * The name that a merge or bundle will have, kept over failed attempts as well: a file whose
   * directory could not be synced may be there, and under another name it would be a second one.
   */
  readonly #joined = new Map<string, string>();
  /** Heads whose rows are in a segment but whose log file is not free yet. */
  readonly #sealed = new Set<Head>();
  /** Files no longer listed whose removal failed. */
  #leftovers: SegmentFile[] = [];
  #running: Promise<void> | undefined;
  #retryMs: number = RETRY_MS.first;
  #cancelRetry: (() => void) | undefined;
  #wakeRetry: (() => void) | undefined;
  #stopped = false;
  #failure: SpoorError | undefined;

  constructor(parts: UpkeepParts, sizes: UpkeepSizes, retention: Retention) {
    this.#parts = parts;
    this.#sizes = sizes;
    this.#retention = retention;
  }

  /** Why the last job failed, until one succeeds. */
  get failure(): SpoorError | undefined {
    return this.#failure;
  }

  /** Rows that wait to be sealed. */
  get unsettledRows(): number {
    return this.#sealQueue.reduce((sum, head) => sum + head.arena.spans, 0);
  }

  /** Queues a full, durable head. */
  seal(head: Head): void {
    this.#sealQueue.push(head);
    this.kick();
  }

  /** Looks for work. */
  kick(): void {
    if (!this.#stopped) this.#running ??= this.#loop();
  }

  /** Resolves when there is no work left. */
  async idle(): Promise<void> {
    this.kick();
    while (this.#running !== undefined) await this.#running;
  }

  /** Ends after the job at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#wakeRetry?.();
    await this.#running;
  }

  async #loop(): Promise<void> {
    // Callers add to the queue first and see `#running` set before any work begins.
    await Promise.resolve();
    while (!this.#stopped) {
      try {
        if (!(await this.#step())) break;
        if (this.#failure !== undefined) this.#parts.works();
        this.#failure = undefined;
        this.#retryMs = RETRY_MS.first;
      } catch (error) {
        await this.#failed(error);
      }
    }
    this.#running = undefined;
  }

  /** Does one thing; false when there is nothing to do. */
  async #step(): Promise<boolean> {
    const head = this.#sealQueue[0];
    if (head !== undefined) {
      await this.#sealHead(head);
      this.#sealQueue.shift();
      return true;
    }
    if (this.#leftovers.length > 0) {
      this.#parts.catalog.unlink(this.#leftovers);
      this.#leftovers = [];
      return true;
    }
    return (await this.#expire()) || (await this.#merge()) || (await this.#bundle());
  }

  async #failed(error: unknown): Promise<void> {
    const failure = fileError(error, "background work failed");
    const isNew = failure.message !== this.#failure?.message;
    this.#failure = failure;
    if (this.#sealQueue.length > 0) this.#parts.meters.sealFailures.value++;
    if (isSpoorError(error, "corrupt") && (await this.#parts.corrupt(error))) return;
    if (isNew) this.#parts.failed(failure.message);
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#wakeRetry = resolve;
      this.#cancelRetry = this.#parts.clock.after(this.#retryMs, resolve);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
  }

  async #sealHead(head: Head): Promise<void> {
    const { catalog, meters, search, run } = this.#parts;
    if (!this.#sealed.has(head)) {
      const added: SegmentFile[] = [];
      if (!head.isEmpty) {
        const name = this.#names.get(head) ?? catalog.newName(SUFFIX.segment);
        this.#names.set(head, name);
        const result = await run({
          kind: "seal",
          directory: catalog.directory,
          name,
          memory: head.arena.memory,
          end: head.arena.end,
          epoch: head.epoch,
          requestKeys: head.keys.pack(),
          tombstones: this.#parts.tombstones.all(),
        });
        meters.seals.value++;
        meters.sealDuplicates.value += result.deduplicated;
        const file = fileOf(catalog, name, result);
        if (file !== undefined) added.push(file);
      }
      this.#names.delete(head);
      this.#sealed.add(head);
      catalog.replace([], added);
      await search.change({ added, removed: [], removedHeads: [head] });
    }
    await this.#parts.heads().release(head);
    this.#sealed.delete(head);
  }

  /** Drops the oldest files that are beyond an age or the total size. */
  async #expire(): Promise<boolean> {
    const { catalog, clock, meters, tombstones } = this.#parts;
    const { retentionMs, maxSizeBytes } = this.#retention;
    const expired: SegmentFile[] = [];
    const oldestMs = clock.nowMs() - retentionMs;
    let { sizeBytes } = catalog;
    for (const file of catalog.list) {
      const tooOld = retentionMs > 0 && newestArrivalMs(file) < oldestMs;
      const tooMuch = maxSizeBytes > 0 && sizeBytes > maxSizeBytes;
      if (!tooOld && !tooMuch) break;
      expired.push(file);
      sizeBytes -= file.sizeBytes;
    }
    if (expired.length === 0) return false;
    await this.#swap(expired, []);
    meters.expiredSegments.value += expired.reduce((sum, file) => sum + file.parts.length, 0);
    meters.expiredSpans.value += expired.reduce((sum, file) => sum + rowsOf(file), 0);
    tombstones.compact((tombstone) => this.#isNeeded(tombstone));
    return true;
  }

  #isNeeded(tombstone: Tombstone): boolean {
    if (tombstone.archive > 1) return true;
    if (this.#parts.search.hasHeadUpTo(tombstone.epoch)) return true;
    return this.#parts.catalog.list.some(({ parts }) =>
      parts.some((part) => part.epochs.some((epoch) => epoch < tombstone.epoch)),
    );
  }

  /** Rewrites small neighbours as one segment. */
  async #merge(): Promise<boolean> {
    const { catalog, meters, run, tombstones } = this.#parts;
    const small = this.#smallNeighbours();
    if (small.length === 0) return false;
    const name = this.#nameFor(SUFFIX.segment);
    const hiding = tombstones.all();
    const result = await run({
      kind: "merge",
      directory: catalog.directory,
      name,
      inputs: small.flatMap((file) =>
        file.parts.map((part) => ({
          place: part.place,
          tombstones: hiding.filter((tombstone) => hides(tombstone, part)),
        })),
      ),
      replaces: small.map((file) => file.name),
    });
    this.#joined.delete(SUFFIX.segment);
    meters.merges.value++;
    meters.sealDuplicates.value += result.deduplicated;
    const merged = fileOf(catalog, name, result);
    await this.#swap(small, merged === undefined ? [] : [merged]);
    return true;
  }

  #nameFor(suffix: string): string {
    const name = this.#joined.get(suffix) ?? this.#parts.catalog.newName(suffix);
    this.#joined.set(suffix, name);
    return name;
  }

  #smallNeighbours(): SegmentFile[] {
    const { rows, filesAtOnce, smallFiles } = this.#sizes;
    let run: SegmentFile[] = [];
    let sum = 0;
    const isEnough = (): boolean => run.length >= smallFiles || (run.length > 1 && sum >= rows / 2);
    for (const file of this.#parts.catalog.list) {
      const fileRows = rowsOf(file);
      const fits = file.parts.length === 1 && fileRows < rows / 4;
      if (fits && sum + fileRows <= rows && run.length < filesAtOnce) {
        run.push(file);
        sum += fileRows;
        continue;
      }
      if (isEnough()) return run;
      run = fits ? [file] : [];
      sum = fits ? fileRows : 0;
    }
    return isEnough() ? run : [];
  }

  /** Copies the oldest single segments into one file when there are too many files. */
  async #bundle(): Promise<boolean> {
    const { catalog, meters, run } = this.#parts;
    const { bundleBeyond, filesAtOnce } = this.#sizes;
    const singles = catalog.list.filter((file) => file.parts.length === 1);
    if (singles.length <= bundleBeyond || singles.length < filesAtOnce) return false;
    const oldest = singles.slice(0, filesAtOnce);
    const name = this.#nameFor(SUFFIX.bundle);
    const places = oldest.map((file) => file.parts[0]!.place);
    const replaces = oldest.map((file) => file.name);
    const { directory } = catalog;
    const result = await run({ kind: "bundle", directory, name, places, replaces });
    this.#joined.delete(SUFFIX.bundle);
    meters.bundles.value++;
    const path = `${directory}/${name}`;
    let offset = 0;
    const parts = oldest.map((file): SegmentPart => {
      const part = file.parts[0]!;
      const place = { path, offset, length: part.place.length };
      offset += place.length;
      return { ...part, place };
    });
    await this.#swap(oldest, [{ name, sizeBytes: result.sizeBytes, parts }]);
    return true;
  }

  /** Makes readers use `added` instead of `removed`, then removes those files. */
  async #swap(removed: SegmentFile[], added: SegmentFile[]): Promise<void> {
    const { catalog, search } = this.#parts;
    catalog.replace(removed, added);
    await search.change({ added, removed, removedHeads: [] });
    this.#leftovers.push(...removed);
    catalog.unlink(removed);
    this.#leftovers = this.#leftovers.filter((file) => !removed.includes(file));
  }
}

/** Whether a tombstone hides rows of a sealed segment. */
export function hides(tombstone: Tombstone, part: SegmentPart): boolean {
  return part.epochs.every((epoch) => epoch < tombstone.epoch);
}

function fileOf(catalog: Catalog, name: string, result: JobResult): SegmentFile | undefined {
  const { facts, sizeBytes } = result;
  if (facts === undefined) return undefined;
  const place = { path: `${catalog.directory}/${name}`, offset: 0, length: sizeBytes };
  return { name, sizeBytes, parts: [{ ...facts, place }] };
}
