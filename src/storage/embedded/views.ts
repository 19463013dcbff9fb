/** Views as files of the data directory: `views/<kept at, ms>.<id>`, each replaced as a whole. */

import type { Clock } from "../../base/clock.ts";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { VIEW_ID, ViewTable } from "../../core/views.ts";
import type { ViewStore } from "../../core/views.ts";
import { fileError } from "./file-error.ts";

/** What a name ends in while its file is being written. */
const UNFINISHED = ".new";

export interface FileViewsOptions {
  readonly files: FileLayer;
  /** Made with the first view. */
  readonly directory: string;
  readonly clock: Clock;
}

/** Lists the files when it is first asked: a start should not wait for them. */
export class FileViews implements ViewStore {
  readonly #files: FileLayer;
  readonly #directory: string;
  readonly #clock: Clock;
  #table: ViewTable | undefined;
  /** Names in the order of their times, by id. */
  readonly #names = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor({ files, directory, clock }: FileViewsOptions) {
    this.#files = files;
    this.#directory = directory;
    this.#clock = clock;
  }

  keep(id: string, bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    const done = this.#last.then(() => this.#keep(id, kept));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    await this.#last;
    try {
      const keptMs = this.#listed().keptMs(id, this.#clock.nowMs());
      const name = this.#names.get(id);
      if (keptMs === undefined || name === undefined) return undefined;
      const file = this.#files.open(`${this.#directory}/${name}`, "read");
      try {
        const bytes = new Uint8Array(file.sizeBytes());
        return bytes.subarray(0, file.readAt(bytes, 0));
      } finally {
        file.close();
      }
    } catch (error) {
      throw fileError(error, `cannot read the view ${id} in ${this.#directory}`);
    }
  }

  async #keep(id: string, bytes: Uint8Array): Promise<void> {
    const nowMs = this.#clock.nowMs();
    try {
      this.#files.makeDirectory(this.#directory);
      const table = this.#listed();
      const before = this.#names.get(id);
      const name = `${nowMs}.${id}`;
      await this.#write(name, bytes);
      this.#names.set(id, name);
      const gone = table.add(id, nowMs).map((old) => this.#forget(old));
      if (before !== undefined && before !== name) gone.push(before);
      for (const old of gone) if (old !== undefined) this.#remove(old);
    } catch (error) {
      throw fileError(error, `cannot keep a view in ${this.#directory}`);
    }
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.#directory}/${name}`;
    const file = this.#files.open(path + UNFINISHED, "create");
    try {
      await file.writeAtAsync(bytes, 0);
      await file.syncAsync();
    } finally {
      file.close();
    }
    this.#files.rename(path + UNFINISHED, path);
    this.#files.syncDirectory(this.#directory);
  }

  #forget(id: string): string | undefined {
    const name = this.#names.get(id);
    this.#names.delete(id);
    return name;
  }

  /** What cannot be removed now is looked at again by the next start. */
  #remove(name: string): void {
    try {
      this.#files.unlink(`${this.#directory}/${name}`);
    } catch {
      // It is forgotten already, and nobody gets it.
    }
  }

  /** The table, filled from the names of files, older ones of the same view removed. */
  #listed(): ViewTable {
    if (this.#table !== undefined) return this.#table;
    const table = new ViewTable();
    const found: { readonly keptMs: number; readonly id: string; readonly name: string }[] = [];
    for (const name of this.#files.list(this.#directory)) {
      const [, keptMs, id = ""] = /^(\d{1,15})\.(.*)$/.exec(name) ?? [];
      if (keptMs !== undefined && VIEW_ID.test(id))
        found.push({ keptMs: Number(keptMs), id, name });
      else if (name.endsWith(UNFINISHED)) this.#remove(name);
    }
    for (const { keptMs, id, name } of found.toSorted((a, b) => a.keptMs - b.keptMs)) {
      const older = this.#forget(id);
      if (older !== undefined) this.#remove(older);
      this.#names.set(id, name);
      for (const gone of table.add(id, keptMs)) {
        const old = this.#forget(gone);
        if (old !== undefined) this.#remove(old);
      }
    }
    this.#table = table;
    return table;
  }
}
