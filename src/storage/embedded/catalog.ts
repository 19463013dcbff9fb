/** The catalog of segment files in a directory: what is there, what it covers, what is damaged. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import { isSpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";
import type { Damage } from "./recovery.ts";
import { SUFFIX, fileName, fileNumber, readBundle } from "./segment-files.ts";
import type { SegmentPlace } from "./segment-files.ts";
import type { SegmentFooter } from "./segment-format.ts";
import { footerIn } from "./segment-footer.ts";

/** What upkeep knows of a segment without opening it. */
export interface SegmentFacts {
  readonly rows: number;
  /** Ascending. */
  readonly epochs: readonly number[];
  readonly minArrivalMs: number;
  readonly maxArrivalMs: number;
}

/** A segment: a file, or part of a bundle. */
export interface SegmentPart extends SegmentFacts {
  readonly place: SegmentPlace;
}

/** A file of one or more segments. */
export interface SegmentFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly parts: readonly SegmentPart[];
}

/** What a directory held at opening. */
export interface OpenedCatalog {
  readonly catalog: Catalog;
  readonly damage: Damage[];
  /** Footers' request keys, oldest segment first. */
  readonly requestKeys: Uint8Array[];
}

/** Facts of a footer. */
export function factsOf(footer: SegmentFooter): SegmentFacts {
  const { rows, epochs, minArrivalMs, maxArrivalMs } = footer;
  return { rows, epochs, minArrivalMs, maxArrivalMs };
}

/** Newest arrival of a file's rows. */
export function newestArrivalMs(file: SegmentFile): number {
  let newest = -Infinity;
  for (const part of file.parts) newest = Math.max(newest, part.maxArrivalMs);
  return newest;
}

function newestEpoch(file: SegmentFile): number {
  let newest = 0;
  for (const { epochs } of file.parts) newest = Math.max(newest, epochs.at(-1) ?? 0);
  return newest;
}

/** Rows of a file. */
export function rowsOf(file: SegmentFile): number {
  let rows = 0;
  for (const part of file.parts) rows += part.rows;
  return rows;
}

/** The files of a directory, oldest arrival first. */
export class Catalog {
  readonly directory: string;
  readonly #files: FileLayer;
  #list: SegmentFile[] = [];
  #nextNumber = 1;
  readonly #setAside: string[] = [];

  constructor(files: FileLayer, directory: string) {
    this.#files = files;
    this.directory = directory;
  }

  get list(): readonly SegmentFile[] {
    return this.#list;
  }

  get sizeBytes(): number {
    return this.#list.reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  get rows(): number {
    return this.#list.reduce((sum, file) => sum + rowsOf(file), 0);
  }

  /** Number of the next file; files made later have greater ones. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Names of corrupt files, as they were. */
  get setAsideNames(): readonly string[] {
    return this.#setAside;
  }

  /** A name never used before. */
  newName(suffix: string): string {
    return fileName(this.#nextNumber++, suffix);
  }

  has(name: string): boolean {
    return this.#list.some((file) => file.name === name);
  }

  /** Puts `added` in the place of `removed`; the removed files stay on disk until `unlink`. */
  replace(removed: readonly SegmentFile[], added: readonly SegmentFile[]): void {
    const list = this.#list.filter((file) => !removed.includes(file));
    list.push(...added);
    this.#list = list.toSorted(
      (a, b) => newestArrivalMs(a) - newestArrivalMs(b) || newestEpoch(a) - newestEpoch(b),
    );
  }

  /** Removes files that no reader uses any more. Throws `io`. */
  unlink(removed: readonly SegmentFile[]): void {
    if (removed.length === 0) return;
    try {
      for (const { name } of removed) {
        const path = `${this.directory}/${name}`;
        if (this.#files.sizeBytes(path) !== undefined) this.#files.unlink(path);
      }
      this.#files.syncDirectory(this.directory);
    } catch (error) {
      throw fileError(error, `cannot remove files in ${this.directory}`);
    }
  }

  /** Renames a corrupt file so that no start reads it again; it is no longer listed. */
  setAside(name: string): void {
    this.#list = this.#list.filter((file) => file.name !== name);
    this.#setAside.push(name);
    const path = `${this.directory}/${name}`;
    try {
      this.#files.rename(path, path + SUFFIX.corrupt);
      this.#files.syncDirectory(this.directory);
    } catch {
      // The file stays where it is, and the next start finds it again.
    }
  }

  /** Takes note of a name so that its number is not used again. */
  noteNumber(name: string): void {
    this.#nextNumber = Math.max(this.#nextNumber, fileNumber(name) + 1);
  }
}

/**
 * Reads the footers of all files but those that are `known` with the size they have: removes
 * temporary and replaced ones, sets corrupt ones aside.
 * Throws `unsupported` when one is of a later format, `io` when the directory cannot be read.
 */
export function openCatalog(
  files: FileLayer,
  directory: string,
  known: readonly SegmentFile[] = [],
): OpenedCatalog {
  const knownByName = new Map(known.map((file) => [file.name, file]));
  const catalog = new Catalog(files, directory);
  const opened: OpenedCatalog = { catalog, damage: [], requestKeys: [] };
  const found: SegmentFile[] = [];
  const replaced = new Set<string>();
  const keys: { readonly atMs: number; readonly packed: Uint8Array }[] = [];
  for (const name of files.list(directory)) {
    catalog.noteNumber(name);
    if (name.endsWith(SUFFIX.temporary)) files.unlink(`${directory}/${name}`);
    else if (name.endsWith(SUFFIX.corrupt)) opened.damage.push(setAsideEarlier(directory, name));
    else if (name.endsWith(SUFFIX.segment) || name.endsWith(SUFFIX.bundle)) {
      const same = knownByName.get(name);
      if (same !== undefined && same.sizeBytes === files.sizeBytes(`${directory}/${name}`)) {
        found.push(same);
        continue;
      }
      try {
        const { file, footers, replaces } = readFile(files, directory, name);
        found.push(file);
        for (const old of replaces) replaced.add(old);
        for (const footer of footers) {
          const packed = Buffer.from(footer.requestKeys, "base64");
          if (packed.length > 0) keys.push({ atMs: footer.maxArrivalMs, packed });
        }
      } catch (error) {
        noteDamage(opened, name, error);
      }
    }
  }
  const gone = found.filter((file) => replaced.has(file.name));
  catalog.replace(
    [],
    found.filter((file) => !replaced.has(file.name)),
  );
  catalog.unlink(gone);
  keys.sort((a, b) => a.atMs - b.atMs);
  for (const { packed } of keys) opened.requestKeys.push(packed);
  return opened;
}

function setAsideEarlier(directory: string, name: string): Damage {
  return { file: `${directory}/${name}`, message: "set aside as corrupt earlier", lostBytes: 0 };
}

function noteDamage(opened: OpenedCatalog, name: string, error: unknown): void {
  if (isSpoorError(error, "unsupported")) throw error;
  const { catalog } = opened;
  const message = error instanceof Error ? error.message : String(error);
  opened.damage.push({ file: `${catalog.directory}/${name}`, message, lostBytes: 0 });
  if (isSpoorError(error, "corrupt")) catalog.setAside(name);
}

interface ReadFile {
  readonly file: SegmentFile;
  readonly footers: readonly SegmentFooter[];
  readonly replaces: readonly string[];
}

function readFile(files: FileLayer, directory: string, name: string): ReadFile {
  const path = `${directory}/${name}`;
  const sizeBytes = files.sizeBytes(path) ?? 0;
  const isBundle = name.endsWith(SUFFIX.bundle);
  const table = isBundle
    ? readBundle(files, path)
    : { parts: [{ offset: 0, length: sizeBytes }], replaces: [] };
  const parts: SegmentPart[] = [];
  const footers: SegmentFooter[] = [];
  for (const { offset, length } of table.parts) {
    const place = { path, offset, length };
    const footer = footerIn(files, place);
    parts.push({ ...factsOf(footer), place });
    footers.push(footer);
  }
  // What a bundle's parts once replaced is long gone; only the bundle's own list counts.
  const replaces = isBundle ? table.replaces : footers[0]!.replaces;
  return { file: { name, sizeBytes, parts }, footers, replaces };
}
