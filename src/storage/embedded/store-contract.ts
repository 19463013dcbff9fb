/** The store contract over the parts of the embedded store. */

import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { throwIfAborted } from "../../core/cancel.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import type {
  AttributeKey,
  AttributeScope,
  AttributeValue,
  ChangeToken,
  FindQuery,
  FindResult,
  Operation,
  ServiceLink,
  StoreCapabilities,
  WriteResult,
} from "../../core/store.ts";
import type { Archive } from "./archive.ts";
import type { Catalog } from "./catalog.ts";
import type { Heads } from "./heads.ts";
import type { Intake } from "./intake.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { SearchSide } from "./search-side.ts";
import type { EmbeddedStore } from "./store-options.ts";
import type { Tombstones } from "./tombstones.ts";
import type { Upkeep } from "./upkeep.ts";
import type { FileViews } from "./views.ts";

/** Traces asked of the search side at once. */
const GET_TRACES = 32;
/** Corrupt segments that one read may meet and set aside before it gives up. */
const CORRUPT_PER_READ = 16;

/** Everything a store is made of; `openEmbeddedStore` (store.ts) makes it. */
export interface StoreParts {
  readonly heads: Heads;
  readonly intake: Intake;
  readonly keys: RequestKeys;
  readonly catalog: Catalog;
  readonly archiveCatalog: Catalog;
  readonly archive: Archive;
  readonly tombstones: Tombstones;
  readonly search: SearchSide;
  readonly upkeep: Upkeep;
  readonly views: FileViews;
  /** Takes a corrupt segment out; false when the error names none of ours. */
  readonly setAside: (error: SpoorError) => Promise<boolean>;
  readonly notes: () => readonly string[];
  /** Stops what runs beside the store: timers, workers, files, lock. */
  readonly release: () => Promise<void>;
}

const CAPABILITIES: StoreCapabilities = {
  name: "embedded",
  allServices: true,
  filters: true,
  orders: ["start", "duration", "spanCount"],
  cursor: true,
  totals: true,
  operationKinds: true,
  attributeKeys: true,
  attributeValues: true,
  links: true,
  changedSince: true,
  archive: true,
  delete: true,
};

/** The store over its parts. */
export class Store implements EmbeddedStore {
  readonly can = CAPABILITIES;
  readonly views: FileViews;
  readonly #parts: StoreParts;
  #closing: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.views = parts.views;
  }

  async write(batch: SpanBatch, signal?: AbortSignal): Promise<WriteResult> {
    this.#enter();
    return this.#parts.intake.write(batch, signal);
  }

  async find(query: FindQuery, signal?: AbortSignal): Promise<FindResult> {
    return (await this.#ask("find", { query }, signal)) as FindResult;
  }

  get(traceIds: readonly Uint8Array[], signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    return this.#getFrom("get", traceIds, signal);
  }

  getArchived(traceId: Uint8Array, signal?: AbortSignal): AsyncGenerator<SpanBatch> {
    return this.#getFrom("getArchived", [traceId], signal);
  }

  async changedSince(
    traceId: Uint8Array,
    token: ChangeToken | undefined,
    signal?: AbortSignal,
  ): Promise<{ readonly batch: SpanBatch | undefined; readonly token: ChangeToken }> {
    const answer = (await this.#ask("changedSince", { traceId, token }, signal)) as {
      readonly image: Uint8Array | undefined;
      readonly token: ChangeToken;
    };
    const batch = answer.image === undefined ? undefined : viewBatch(answer.image);
    return { batch, token: answer.token };
  }

  async services(signal?: AbortSignal): Promise<readonly string[]> {
    return (await this.#ask("services", {}, signal)) as readonly string[];
  }

  async operations(
    service: string,
    kind?: number,
    signal?: AbortSignal,
  ): Promise<readonly Operation[]> {
    return (await this.#ask("operations", { service, kind }, signal)) as readonly Operation[];
  }

  async attributeKeys(
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeKey[]> {
    return (await this.#ask("attributeKeys", { scope }, signal)) as readonly AttributeKey[];
  }

  async attributeValues(
    key: string,
    scope: AttributeScope,
    signal?: AbortSignal,
  ): Promise<readonly AttributeValue[]> {
    const answer = await this.#ask("attributeValues", { key, scope }, signal);
    return answer as readonly AttributeValue[];
  }

  async links(
    startMinUs: number,
    startMaxUs: number,
    signal?: AbortSignal,
  ): Promise<readonly ServiceLink[]> {
    return (await this.#ask("links", { startMinUs, startMaxUs }, signal)) as readonly ServiceLink[];
  }

  async archive(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const batches: SpanBatch[] = [];
    for await (const batch of this.get([traceId], signal)) batches.push(batch);
    if (batches.length === 0) return false;
    let kept = 0;
    for await (const batch of this.getArchived(traceId, signal)) kept += batch.spanCount;
    const spans = batches.reduce((sum, batch) => sum + batch.spanCount, 0);
    // As many archived already: archiving again would only add what reads take out again.
    if (kept < spans) await this.#parts.archive.add(batches);
    return true;
  }

  async delete(traceId: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const found =
      (await hasAny(this.get([traceId], signal))) ||
      (await hasAny(this.getArchived(traceId, signal)));
    if (!found) return false;
    this.#enter();
    const { archiveCatalog, heads, keys, search, tombstones } = this.#parts;
    const filling = heads.filling;
    tombstones.add({
      traceId: traceId.slice(),
      epoch: filling?.epoch ?? heads.nextEpoch,
      offset: filling?.arena.durableEnd ?? 0,
      archive: archiveCatalog.nextNumber,
    });
    // The same spans sent after this are new ones.
    keys.clear();
    await search.setTombstones(tombstones.all());
    return true;
  }

  async settle(): Promise<void> {
    this.#enter();
    await this.#parts.heads.idle();
    await this.#parts.upkeep.idle();
    await this.#parts.archive.idle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  notes(): readonly string[] {
    return this.#parts.notes();
  }

  async #close(): Promise<void> {
    const { archive, heads, upkeep, release } = this.#parts;
    await heads.idle();
    await archive.idle();
    await upkeep.stop();
    await release();
  }

  async *#getFrom(
    method: "get" | "getArchived",
    traceIds: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SpanBatch> {
    for (let at = 0; at < traceIds.length; at += GET_TRACES) {
      const asked = traceIds.slice(at, at + GET_TRACES);
      const images = (await this.#ask(method, { traceIds: asked }, signal)) as Uint8Array[];
      for (const image of images) {
        throwIfAborted(signal);
        yield viewBatch(image);
      }
    }
  }

  /** Asks the search side; segments that turn out corrupt are set aside and it is asked again. */
  async #ask(method: string, args: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    for (let corrupt = 0; ; corrupt++) {
      this.#enter();
      throwIfAborted(signal);
      try {
        return await this.#parts.search.call(method, args, signal);
      } catch (error) {
        if (!isSpoorError(error, "corrupt") || corrupt === CORRUPT_PER_READ) throw error;
        if (!(await this.#parts.setAside(error))) throw error;
      }
    }
  }

  #enter(): void {
    if (this.#closing !== undefined) throw new SpoorError("closed", "the store is closed");
  }
}

async function hasAny(batches: AsyncGenerator<SpanBatch>): Promise<boolean> {
  for await (const batch of batches) if (batch.spanCount > 0) return true;
  return false;
}
