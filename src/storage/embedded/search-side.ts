/** The store's end of searching: which heads and segments readers see, wherever they run. */

import { SpoorError, isSpoorError } from "../../core/errors.ts";
import type { SegmentFile, SegmentPart } from "./catalog.ts";
import type { Head } from "./head.ts";
import type { HeadSource, SearchChange, SegmentSource } from "./search-change.ts";
import type { Tombstone } from "./tombstones.ts";

/** Something that answers `searchHandlers` calls: a worker thread, or the same thread. */
export interface SearchBackend {
  call(method: string, args: unknown, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

/** A change in what readers see; it takes effect as a whole. */
export interface SourcesChange {
  readonly added: readonly SegmentFile[];
  readonly removed: readonly SegmentFile[];
  readonly removedHeads: readonly Head[];
}

/** Keeps what readers see, tells the backend of changes, and all of it again after a crash. */
export class SearchSide {
  readonly #heads = new Set<Head>();
  readonly #segments = new Set<SegmentFile>();
  readonly #archived = new Set<SegmentFile>();
  #tombstones: readonly Tombstone[] = [];
  #backend: SearchBackend | undefined;
  #begin: (() => void) | undefined;
  readonly #setAside: (error: SpoorError) => Promise<boolean>;
  #closed = false;
  #waiting: (() => void)[] = [];

  /** `setAside` takes a segment out that turned out corrupt; false when it is none of ours. */
  constructor(setAside: (error: SpoorError) => Promise<boolean>) {
    this.#setAside = setAside;
  }

  /** What a backend must be told first. */
  get everything(): SearchChange {
    return {
      reset: true,
      addHeads: [...this.#heads].map(headSource),
      removeHeads: [],
      addSegments: [...this.#segments].flatMap(segmentSources),
      removeSegments: [],
      addArchived: [...this.#archived].flatMap(segmentSources),
      removeArchived: [],
      tombstones: this.#tombstones,
    };
  }

  /** What there is before any backend. */
  begin(
    segments: readonly SegmentFile[],
    archived: readonly SegmentFile[],
    tombstones: readonly Tombstone[],
  ): void {
    for (const file of segments) this.#segments.add(file);
    for (const file of archived) this.#archived.add(file);
    this.#tombstones = tombstones;
  }

  /** Begins to answer; the backend must have been told `everything`. */
  connect(backend: SearchBackend): void {
    this.#begin = undefined;
    this.#backend = backend;
    for (const run of this.#waiting.splice(0)) run();
  }

  /** Whether a head of this epoch or an older one is being read. */
  hasHeadUpTo(epoch: number): boolean {
    for (const head of this.#heads) if (head.epoch <= epoch) return true;
    return false;
  }

  /** Readers see the head's durable rows from now on. */
  addHead(head: Head): void {
    this.#heads.add(head);
    this.#tell({ addHeads: [headSource(head)] }).catch(ignoreClosed);
  }

  /** Changes segments; resolves when no reader uses what was removed. */
  change(change: SourcesChange): Promise<void> {
    for (const file of change.removed) this.#segments.delete(file);
    for (const file of change.added) this.#segments.add(file);
    for (const head of change.removedHeads) this.#heads.delete(head);
    return this.#tell({
      addSegments: change.added.flatMap(segmentSources),
      removeSegments: change.removed.flatMap(segmentSources),
      removeHeads: change.removedHeads.map((head) => head.epoch),
    });
  }

  /** Goes on with `kept` in the place of a bundle of which one part was set aside. */
  keepParts(file: SegmentFile, kept: SegmentFile, part: SegmentPart): Promise<void> {
    this.#segments.delete(file);
    this.#segments.add(kept);
    return this.#tell({ removeSegments: [{ fileName: file.name, ...part.place }] });
  }

  /** Changes archived segments. */
  changeArchived(added: readonly SegmentFile[], removed: readonly SegmentFile[]): Promise<void> {
    for (const file of removed) this.#archived.delete(file);
    for (const file of added) this.#archived.add(file);
    return this.#tell({
      addArchived: added.flatMap(segmentSources),
      removeArchived: removed.flatMap(segmentSources),
    });
  }

  /** Hides deleted traces. */
  setTombstones(tombstones: readonly Tombstone[]): Promise<void> {
    this.#tombstones = tombstones;
    return this.#tell({ tombstones });
  }

  /** Has `begin`, which connects, called by the first question if nothing else does before. */
  connectWhenAsked(begin: () => void): void {
    this.#begin = begin;
  }

  /** Asks the backend. */
  async call(method: string, args: unknown, signal?: AbortSignal): Promise<unknown> {
    this.#begin?.();
    while (this.#backend === undefined && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#backend === undefined) throw new SpoorError("closed", "the store is closed");
    return this.#backend.call(method, args, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#begin = undefined;
    for (const run of this.#waiting.splice(0)) run();
    await this.#backend?.close();
    this.#backend = undefined;
  }

  /**
   * Resolves when the change is in effect. Before the backend is there it is at once, and after
   * a crash with the restart: both begin with `everything`.
   */
  async #tell(change: Partial<SearchChange>): Promise<void> {
    const full: SearchChange = { ...NO_CHANGE, ...change };
    if (this.#backend !== undefined) await this.#send(this.#backend, full);
  }

  /** Tells a backend everything; for its start. */
  start(backend: SearchBackend): Promise<void> {
    return this.#send(backend, this.everything);
  }

  async #send(backend: SearchBackend, change: SearchChange): Promise<void> {
    for (let message = change; !this.#closed;) {
      try {
        await backend.call("change", message);
        return;
      } catch (error) {
        // A crashed backend starts again with all of it; its answer to nothing shows that.
        if (isSpoorError(error, "io")) message = NO_CHANGE;
        else if (isSpoorError(error, "corrupt") && (await this.#setAside(error))) {
          message = this.everything;
        } else throw error;
      }
    }
  }
}

const NO_CHANGE: SearchChange = {
  reset: false,
  addHeads: [],
  removeHeads: [],
  addSegments: [],
  removeSegments: [],
  addArchived: [],
  removeArchived: [],
  tombstones: undefined,
};

function headSource(head: Head): HeadSource {
  const { memory, control } = head.arena;
  return { epoch: head.epoch, memory, control };
}

function segmentSources(file: SegmentFile): SegmentSource[] {
  return file.parts.map(({ place }) => ({ fileName: file.name, ...place }));
}

function ignoreClosed(error: unknown): void {
  if (!isSpoorError(error, "closed")) throw error;
}
