/** The search engine: answers reads over heads and segments, inline or in the search worker. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { SpoorError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  ChangeToken,
  FindQuery,
  FindResult,
  Operation,
  ServiceLink,
} from "../../core/store.ts";
import { FrameCache } from "./frame-cache.ts";
import type { SearchChange, SegmentSource } from "./search-change.ts";
import { findTraces } from "./search-find.ts";
import { HeadView } from "./search-heads.ts";
import {
  findAttributeKeys,
  findAttributeValues,
  findLinks,
  findOperations,
  findServices,
} from "./search-names.ts";
import { imageOfRows, imagesOf } from "./search-pieces.ts";
import type { OwnImage } from "./search-pieces.ts";
import { Sources } from "./search-sources.ts";
import { fileNumber } from "./segment-files.ts";
import { OpenSegments, openSegment } from "./segment-reader.ts";

/** Decoded blocks that are kept: 48 MiB hold the newest few hundred thousand rows. */
const CACHE_BYTES = 48 * 1024 * 1024;
/** A search lets others run after this long. */
const SLICE_MS = 8;

/** Tries of a search; the last one runs in one turn. */
const TURNS = 3;

/** Reads of a store. Calls run side by side, taking turns; a change applies between two turns. */
export class SearchEngine {
  readonly #files: FileLayer;
  readonly #cache = new FrameCache(CACHE_BYTES);
  readonly #openSegments = new OpenSegments(LIMITS.openSegments);
  readonly #live = new Sources((tombstone, segment) => segment.epoch < tombstone.epoch);
  readonly #archived = new Sources((tombstone, segment) => {
    return fileNumber(segment.name) < tombstone.archive;
  });

  constructor(files: FileLayer) {
    this.#files = files;
  }

  /** Applies a change as a whole. Segments that cannot be opened throw `corrupt` by name. */
  change(change: SearchChange): void {
    if (change.reset) {
      this.#live.clear();
      this.#archived.clear();
    }
    for (const source of change.addSegments) this.#open(this.#live, source);
    for (const source of change.addArchived) this.#open(this.#archived, source);
    for (const source of change.removeSegments) this.#live.removeSegment(keyOf(source));
    for (const source of change.removeArchived) this.#archived.removeSegment(keyOf(source));
    for (const epoch of change.removeHeads) this.#live.removeHead(epoch);
    for (const head of change.addHeads) this.#live.addHead(new HeadView(head));
    if (change.tombstones !== undefined) {
      this.#live.setTombstones(change.tombstones);
      this.#archived.setTombstones(change.tombstones);
    }
  }

  find(query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
    return this.#restarting(signal, (pause) => findTraces(this.#live, query, pause));
  }

  /** Images of the traces, each one trace (or part of a very large one), in the order asked. */
  async get(traceIds: readonly Uint8Array[], signal?: AbortSignal): Promise<OwnImage[]> {
    const pause = pauser(signal);
    const images: OwnImage[] = [];
    for (const traceId of traceIds) {
      await pause();
      images.push(...imagesOf(this.#live.trace(traceId)));
    }
    return images;
  }

  async getArchived(traceIds: readonly Uint8Array[], signal?: AbortSignal): Promise<OwnImage[]> {
    const pause = pauser(signal);
    const images: OwnImage[] = [];
    for (const traceId of traceIds) {
      await pause();
      images.push(...imagesOf(this.#archived.trace(traceId)));
    }
    return images;
  }

  changedSince(
    traceId: Uint8Array,
    token: ChangeToken | undefined,
  ): { readonly image: OwnImage | undefined; readonly token: ChangeToken } {
    const since = decodeToken(token);
    let next = since;
    for (const head of this.#live.heads()) {
      // The end is read before the rows: what is written meanwhile is told next time.
      const end = head.durableEnd;
      // A head has durable rows only when those before it have no others to come.
      if (end > 0 && head.epoch >= next.epoch) next = { epoch: head.epoch, offset: end };
    }
    for (const segment of this.#live.segments()) {
      if (segment.epoch >= next.epoch) next = { epoch: segment.epoch + 1, offset: 0 };
    }
    const pieces = this.#live.traceSince(traceId, since.epoch, since.offset);
    const image = pieces.length === 0 ? undefined : imageOfRows(pieces);
    return { image, token: `${next.epoch}.${next.offset}` };
  }

  services(): string[] {
    return findServices(this.#live);
  }

  operations(service: string, kind?: number): Operation[] {
    return findOperations(this.#live, service, kind);
  }

  attributeKeys(scope: AttributeScope, signal?: AbortSignal): Promise<AttributeKey[]> {
    return this.#restarting(signal, (pause) => findAttributeKeys(this.#live, scope, pause));
  }

  attributeValues(
    key: string,
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<AttributeValue[]> {
    return this.#restarting(signal, (pause) => {
      return findAttributeValues(this.#live, key, scope, pause);
    });
  }

  links(startMinUs: number, startMaxUs: number, signal?: AbortSignal): Promise<ServiceLink[]> {
    return this.#restarting(signal, (pause) => {
      return findLinks(this.#live, startMinUs, startMaxUs, pause);
    });
  }

  #open(sources: Sources, source: SegmentSource): void {
    const segment = openSegment(this.#files, source, this.#cache, this.#openSegments);
    sources.addSegment(keyOf(source), segment);
  }

  /**
   * Runs a search that takes turns with changes: when a source it had begun with went away in
   * between, it is begun again on what is there now, and at last without taking turns.
   */
  async #restarting<T>(
    signal: AbortSignal | undefined,
    search: (pause: Pause) => Promise<T>,
  ): Promise<T> {
    for (let turn = 1; ; turn++) {
      const removals = this.#live.removals;
      const pause = turn < TURNS ? pauser(signal) : deadlined();
      try {
        const answer = await search(pause);
        if (this.#live.removals === removals) return answer;
      } catch (error) {
        if (this.#live.removals === removals || turn === TURNS) throw error;
      }
    }
  }
}

type Pause = () => Promise<void>;

/** Never gives way (an await of nothing lets no message in), but ends at the deadline. */
function deadlined(): Pause {
  const end = performance.now() + LIMITS.queryDeadlineMs;
  return () => {
    if (performance.now() < end) return Promise.resolve();
    return Promise.reject(new SpoorError("deadline", "the query ran past its deadline"));
  };
}

function keyOf(source: SegmentSource): string {
  return `${source.path}@${source.offset}`;
}

/** Gives way to other calls every few ms, and throws once nobody waits for the answer. */
function pauser(signal: AbortSignal | undefined): Pause {
  let started = performance.now();
  return async () => {
    if (performance.now() - started < SLICE_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    throwIfAborted(signal);
    started = performance.now();
  };
}

/** Epoch and offset of the first record that was not read yet. */
function decodeToken(token: ChangeToken | undefined): { epoch: number; offset: number } {
  if (token === undefined) return { epoch: 0, offset: 0 };
  const [epoch, offset] = token.split(".").map(Number);
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(offset)) {
    throw new SpoorError("bad-query", "not a token of changed-since");
  }
  return { epoch: epoch!, offset: offset! };
}
