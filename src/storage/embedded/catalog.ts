/** The catalog of segment files in a directory: what is there, what it covers, what is damaged. */

import type { FileLayer } from "../../base/node/file-layer.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";
import type { Damage } from "./recovery.ts";
import { fileName, fileNumber, markedPart, partMark, partsByScan } from "./segment-files.ts";
import { readBundle, SUFFIX, writeDurably } from "./segment-files.ts";
import type { BundleTable, SegmentPlace } from "./segment-files.ts";
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
      const left = new Set(this.#files.list(this.directory));
      const removedNames = new Set(removed.map(({ name }) => name));
      for (const name of left) {
        const bundle = markedPart(name)?.name ?? name;
        if (removedNames.has(bundle)) this.#files.unlink(`${this.directory}/${name}`);
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

  /**
   * Takes one part out of a bundle, and says so in an empty file beside it, which the next start
   * sees. Returns the bundle without the part; undefined when nothing is left of it.
   */
  setPartAside(file: SegmentFile, offset: number): SegmentFile | undefined {
    const parts = file.parts.filter(({ place }) => place.offset !== offset);
    if (parts.length === 0) {
      this.setAside(file.name);
      return undefined;
    }
    const kept = { ...file, parts };
    this.#list = this.#list.map((one) => (one === file ? kept : one));
    markPart(this.#files, this.directory, file.name, offset);
    return kept;
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
  const names = files.list(directory);
  const listed = new Set(names);
  for (const name of names) {
    catalog.noteNumber(name);
    const marked = markedPart(name);
    const isStale = marked !== undefined && !listed.has(marked.name);
    if (isStale || name.endsWith(SUFFIX.temporary)) files.unlink(`${directory}/${name}`);
    else if (name.endsWith(SUFFIX.corrupt)) opened.damage.push(setAsideEarlier(directory, name));
    else if (name.endsWith(SUFFIX.segment) || name.endsWith(SUFFIX.bundle)) {
      const same = knownByName.get(name);
      if (same !== undefined && same.sizeBytes === files.sizeBytes(`${directory}/${name}`)) {
        found.push(movedTo(`${directory}/${name}`, same));
        continue;
      }
      try {
        const { file, footers, replaces } = readFile(files, opened, name, listed);
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

/** The directory may have another name than when the file was noted. */
function movedTo(path: string, file: SegmentFile): SegmentFile {
  return {
    ...file,
    parts: file.parts.map((part) => ({ ...part, place: { ...part.place, path } })),
  };
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

function readFile(
  files: FileLayer,
  opened: OpenedCatalog,
  name: string,
  listed: ReadonlySet<string>,
): ReadFile {
  const path = `${opened.catalog.directory}/${name}`;
  const sizeBytes = files.sizeBytes(path) ?? 0;
  if (!name.endsWith(SUFFIX.bundle)) {
    const place = { path, offset: 0, length: sizeBytes };
    const footer = footerIn(files, place);
    const parts = [{ ...factsOf(footer), place }];
    return { file: { name, sizeBytes, parts }, footers: [footer], replaces: footer.replaces };
  }
  const table = tableOf(files, opened, path);
  const parts: SegmentPart[] = [];
  const footers: SegmentFooter[] = [];
  for (const { offset, length } of table.parts) {
    if (listed.has(partMark(name, offset))) continue;
    const place = { path, offset, length };
    try {
      const footer = footerIn(files, place);
      parts.push({ ...factsOf(footer), place });
      footers.push(footer);
    } catch (error) {
      if (!isSpoorError(error, "corrupt")) throw error;
      const message = `the part at byte ${offset} is set aside: ${error.message}`;
      opened.damage.push({ file: path, message, lostBytes: length });
      markPart(files, opened.catalog.directory, name, offset);
    }
  }
  if (parts.length === 0) throw new SpoorError("corrupt", `${name}: no part of it is whole`);
  // What a bundle's parts once replaced is long gone; only the bundle's own list counts.
  return { file: { name, sizeBytes, parts }, footers, replaces: table.replaces };
}

/** The bundle's table, or what can be told without it. */
function tableOf(files: FileLayer, opened: OpenedCatalog, path: string): BundleTable {
  try {
    return readBundle(files, path);
  } catch (error) {
    if (!isSpoorError(error, "corrupt")) throw error;
    const parts = partsByScan(files, path);
    if (parts.length === 0) throw error;
    const message = `damaged table; ${parts.length} segments were found without it`;
    opened.damage.push({ file: path, message, lostBytes: 0 });
    return { parts, replaces: [] };
  }
}

/** Says durably that a part is corrupt; when that fails, the part is found again. */
function markPart(files: FileLayer, directory: string, name: string, offset: number): void {
  try {
    writeDurably(files, directory, partMark(name, offset), []);
  } catch {
    // As said.
  }
}
