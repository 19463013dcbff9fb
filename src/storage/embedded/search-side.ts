/** The store's end of searching: which heads and segments readers see, wherever they run. */

import { SpoorError, isSpoorError } from "../../core/errors.ts";
import type { SegmentFile, SegmentPart } from "./catalog.ts";
import { fileError } from "./file-error.ts";
import type { Head } from "./head.ts";
import type { HeadSource, SearchChange, SegmentSource } from "./search-change.ts";
import type { Tombstone } from "./tombstones.ts";

/** Something that answers `searchHandlers` calls: a worker thread, or the same thread. */
export interface SearchBackend {
  call(method: string, args: unknown, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

/** How often a change is sent to a backend that crashes, or cannot read its files. */
const MOST_TRIES = 3;

/** A change in what readers see; it takes effect as a whole. */
export interface SourcesChange {
  readonly added: readonly SegmentFile[];
  readonly removed: readonly SegmentFile[];
  readonly removedHeads: readonly Head[];
}

/** What the search side asks of its store, and tells it. */
export interface SearchEvents {
  /** Takes a segment out that turned out corrupt; false when it is none of ours. */
  setAside(error: SpoorError): Promise<boolean>;
  /** Nothing is found, and every question is refused, until it works again. */
  failed(message: string): void;
  works(): void;
}

/** Keeps what readers see, tells the backend of changes, and all of it again after a crash. */
export class SearchSide {
  readonly #heads = new Set<Head>();
  readonly #segments = new Set<SegmentFile>();
  readonly #archived = new Set<SegmentFile>();
  #tombstones: readonly Tombstone[] = [];
  #backend: SearchBackend | undefined;
  #begin: (() => void) | undefined;
  readonly #events: SearchEvents;
  /** Settles when the backend knows everything, or cannot be told. */
  #started: Promise<void> = Promise.resolve();
  #failure: SpoorError | undefined;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(events: SearchEvents) {
    this.#events = events;
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
    // One that was not told is with the next start, before the next question is answered.
    this.#tell({ addHeads: [headSource(head)] }).catch(() => undefined);
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

  /** Asks the backend; `io` when it cannot be told what there is, which is tried again first. */
  async call(method: string, args: unknown, signal?: AbortSignal): Promise<unknown> {
    this.#begin?.();
    while (this.#backend === undefined && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const backend = this.#backend;
    if (backend === undefined) throw new SpoorError("closed", "the store is closed");
    await this.#ready(backend);
    return backend.call(method, args, signal);
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
   * a crash with the restart: both begin with `everything`, and so does a backend that did not
   * take a change. If it does not take everything either, it reads nothing, and so nothing of
   * what was removed.
   */
  async #tell(change: Partial<SearchChange>): Promise<void> {
    const backend = this.#backend;
    if (backend === undefined) return;
    if (this.#failure === undefined) {
      try {
        return await this.#send(backend, { ...NO_CHANGE, ...change });
      } catch (error) {
        if (isSpoorError(error, "closed")) throw error;
      }
    }
    await this.start(backend).catch(throwClosed);
  }

  /**
   * Tells a backend everything. Rejects with `io` when it cannot be told, as questions then do;
   * nobody need handle that, for the store is told of it.
   */
  start(backend: SearchBackend): Promise<void> {
    this.#started = this.#startWith(backend);
    this.#started.catch(() => undefined);
    return this.#started;
  }

  async #startWith(backend: SearchBackend): Promise<void> {
    try {
      await this.#send(backend, this.everything);
    } catch (error) {
      if (isSpoorError(error, "closed")) throw error;
      const failure = fileError(error, "searching does not start");
      if (failure.message !== this.#failure?.message) this.#events.failed(failure.message);
      this.#failure = failure;
      throw failure;
    }
    if (this.#failure !== undefined) this.#events.works();
    this.#failure = undefined;
  }

  /** Of those that wait for a start that failed, the first tries again, for all. */
  async #ready(backend: SearchBackend): Promise<void> {
    const started = this.#started;
    try {
      await started;
    } catch {
      await (this.#started === started ? this.start(backend) : this.#started);
    }
  }

  async #send(backend: SearchBackend, change: SearchChange): Promise<void> {
    let tries = 0;
    for (let message = change; !this.#closed; message = this.everything) {
      try {
        await backend.call("change", message);
        return;
      } catch (error) {
        // A crashed backend starts again, and knows nothing then.
        const isAgain = isSpoorError(error, "io") && ++tries < MOST_TRIES;
        const isMended = isSpoorError(error, "corrupt") && (await this.#events.setAside(error));
        if (!isAgain && !isMended) throw error;
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

function throwClosed(error: unknown): void {
  if (isSpoorError(error, "closed")) throw error;
}
