/** Archived traces: copies in small segments of their own, out of retention's reach. */

import type { Clock } from "../../base/clock.ts";
import { SpoorError } from "../../core/errors.ts";
import type { SpanBatch } from "../../core/batch.ts";
import type { Catalog, SegmentFile } from "./catalog.ts";
import type { Job, JobResult } from "./jobs.ts";
import type { SearchSide } from "./search-side.ts";
import { SUFFIX, fileNumber } from "./segment-files.ts";
import type { Tombstone, Tombstones } from "./tombstones.ts";

/** Small files beyond which the archive merges some. */
const FILES_BEYOND = 64;
/** Files of one merge. */
const FILES_AT_ONCE = 16;
/** A file with more rows than this is left alone. */
const SMALL_ROWS = 65_536;

/** Parts the archive works with. */
export interface ArchiveParts {
  readonly catalog: Catalog;
  readonly tombstones: Tombstones;
  readonly search: SearchSide;
  readonly run: (job: Job) => Promise<JobResult>;
  readonly clock: Clock;
}

/** Adds to the archive, one trace at a time. */
export class Archive {
  readonly #parts: ArchiveParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ArchiveParts) {
    this.#parts = parts;
  }

  /** Keeps the batches (rows of one trace); resolves once they are durable and readable. */
  add(batches: readonly SpanBatch[]): Promise<void> {
    const done = this.#last.then(() => this.#add(batches));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when nothing is being added. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #add(batches: readonly SpanBatch[]): Promise<void> {
    const { catalog, clock, run } = this.#parts;
    const name = catalog.newName(SUFFIX.segment);
    const images = batches.map((batch) => batch.image);
    const { directory } = catalog;
    const result = await run({ kind: "keep", directory, name, images, arrivalMs: clock.nowMs() });
    if (result.facts === undefined) throw new SpoorError("not-found", "the trace has no spans");
    await this.#swap([], name, result);
    await this.#merge();
  }

  async #merge(): Promise<void> {
    const { catalog, run, tombstones } = this.#parts;
    const small = catalog.list.filter((file) => file.parts[0]!.rows < SMALL_ROWS);
    if (small.length <= FILES_BEYOND) return;
    const files = small.slice(0, FILES_AT_ONCE);
    const hiding = tombstones.all();
    const name = catalog.newName(SUFFIX.segment);
    const result = await run({
      kind: "merge",
      directory: catalog.directory,
      name,
      inputs: files.map((file) => ({
        place: file.parts[0]!.place,
        tombstones: hiding.filter((tombstone) => hidesArchived(tombstone, file.name)),
      })),
      replaces: files.map((file) => file.name),
    });
    await this.#swap(files, name, result);
  }

  async #swap(removed: SegmentFile[], name: string, result: JobResult): Promise<void> {
    const { catalog, search } = this.#parts;
    const added: SegmentFile[] = [];
    if (result.facts !== undefined) {
      const { facts, sizeBytes } = result;
      const place = { path: `${catalog.directory}/${name}`, offset: 0, length: sizeBytes };
      added.push({ name, sizeBytes, parts: [{ ...facts, place }] });
    }
    catalog.replace(removed, added);
    await search.changeArchived(added, removed);
    catalog.unlink(removed);
  }
}

/** Whether a tombstone hides rows of an archived file. */
export function hidesArchived(tombstone: Tombstone, fileName: string): boolean {
  return fileNumber(fileName) < tombstone.archive;
}
