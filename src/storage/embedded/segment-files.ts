/** Segment files on disk: written under a temporary name, joined into bundles, set aside. */

import { crc32 } from "node:zlib";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { SpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";
import { SEGMENT_MAGIC } from "./segment-format.ts";

/** Suffixes of names in a directory of segments. */
export const SUFFIX = {
  segment: ".segment",
  bundle: ".bundle",
  temporary: ".tmp",
  corrupt: ".corrupt",
} as const;

/** "SPOORBN1": ends a bundle. */
const BUNDLE_MAGIC = "SPOORBN1";
/** Table length u32, crc32 of the table u32, magic 8. */
const BUNDLE_TRAILER_BYTES = 16;
/** Bytes copied at a time into a bundle. */
const COPY_BYTES = 1024 * 1024;

/** Where a segment is: a whole file, or a part of a bundle. */
export interface SegmentPlace {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Name of the file with this number; numbers are never used twice. */
export function fileName(number: number, suffix: string): string {
  return `${String(number).padStart(8, "0")}${suffix}`;
}

/** Number of a file's name, or -1 for a name that is not ours. */
export function fileNumber(name: string): number {
  const match = /^(\d{8,})\.(?:segment|bundle)(?:\.tmp|\.corrupt)?$/.exec(name);
  return match === null ? -1 : Number(match[1]);
}

/** What errors call a segment: its file, and where in it when it is a later part of a bundle. */
export function segmentName(path: string, offset: number): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return offset === 0 ? name : `${name}@${offset}`;
}

/** Inverse of `segmentName`, of the text of an error that begins with it. */
export function damagedPlace(message: string): { name: string; offset: number } | undefined {
  const match = /^([^/:@]+)(?:@(\d+))?: /.exec(message);
  return match === null ? undefined : { name: match[1]!, offset: Number(match[2] ?? 0) };
}

/** Name of the empty file that says: the part of this bundle at this offset is corrupt. */
export function partMark(name: string, offset: number): string {
  return `${name}@${offset}${SUFFIX.corrupt}`;
}

/** Inverse of `partMark`; undefined for the name of another file. */
export function markedPart(mark: string): { name: string; offset: number } | undefined {
  const match = /^(\d{8,}\.bundle)@(\d+)\.corrupt$/.exec(mark);
  return match === null ? undefined : { name: match[1]!, offset: Number(match[2]) };
}

/**
 * Makes a file durable under its name: written and synced under a temporary one, renamed, the
 * directory synced. Throws `disk-full` or `io`; then a file of that name may or may not be
 * there, and writing it again is safe.
 */
export function writeDurably(
  files: FileLayer,
  directory: string,
  name: string,
  chunks: Iterable<Uint8Array>,
): number {
  const path = `${directory}/${name}`;
  const temporary = path + SUFFIX.temporary;
  let sizeBytes = 0;
  try {
    const file = files.open(temporary, "create");
    try {
      for (const chunk of chunks) {
        file.writeAt(chunk, sizeBytes);
        sizeBytes += chunk.length;
      }
      file.sync();
    } finally {
      file.close();
    }
    files.rename(temporary, path);
    files.syncDirectory(directory);
  } catch (error) {
    removeQuietly(files, temporary);
    throw fileError(error, `cannot write ${path}`);
  }
  return sizeBytes;
}

function removeQuietly(files: FileLayer, path: string): void {
  try {
    if (files.sizeBytes(path) !== undefined) files.unlink(path);
  } catch {
    // What is left has a temporary name, and the next start removes it.
  }
}

/** One segment within a bundle. */
export interface BundlePart {
  readonly offset: number;
  readonly length: number;
}

/** What a bundle's end tells. */
export interface BundleTable {
  readonly parts: readonly BundlePart[];
  /** Names of the files that the bundle replaces. */
  readonly replaces: readonly string[];
}

/** The bytes of a bundle of these segments, to be given to `writeDurably`. */
export function* bundleChunks(
  files: FileLayer,
  places: readonly SegmentPlace[],
  replaces: readonly string[],
): Generator<Uint8Array> {
  const parts: BundlePart[] = [];
  let offset = 0;
  for (const place of places) {
    yield* copyOf(files, place);
    parts.push({ offset, length: place.length });
    offset += place.length;
  }
  const table = Buffer.from(JSON.stringify({ parts, replaces } satisfies BundleTable));
  yield table;
  const trailer = Buffer.alloc(BUNDLE_TRAILER_BYTES);
  trailer.writeUInt32LE(table.length, 0);
  trailer.writeUInt32LE(crc32(table), 4);
  trailer.write(BUNDLE_MAGIC, 8, "latin1");
  yield trailer;
}

function* copyOf(files: FileLayer, place: SegmentPlace): Generator<Uint8Array> {
  const file = files.open(place.path, "read");
  try {
    for (let done = 0; done < place.length; done += COPY_BYTES) {
      const chunk = new Uint8Array(Math.min(COPY_BYTES, place.length - done));
      if (file.readAt(chunk, place.offset + done) !== chunk.length) {
        const name = segmentName(place.path, place.offset);
        throw new SpoorError("corrupt", `${name}: cut off`);
      }
      yield chunk;
    }
  } finally {
    file.close();
  }
}

/** Reads a bundle's table; `corrupt` when its end is damaged. */
export function readBundle(files: FileLayer, path: string): BundleTable {
  const file = files.open(path, "read");
  try {
    const sizeBytes = file.sizeBytes();
    const trailer = Buffer.alloc(BUNDLE_TRAILER_BYTES);
    const start = sizeBytes - trailer.length;
    if (start < 0) throw new SpoorError("corrupt", `${path}: cut off`);
    file.readAt(trailer, start);
    const length = trailer.readUInt32LE(0);
    if (trailer.toString("latin1", 8) !== BUNDLE_MAGIC || length > start) {
      throw new SpoorError("corrupt", `${path}: not a whole bundle`);
    }
    const table = Buffer.alloc(length);
    file.readAt(table, start - length);
    if (crc32(table) !== trailer.readUInt32LE(4)) {
      throw new SpoorError("corrupt", `${path}: damaged table`);
    }
    return JSON.parse(table.toString("utf8")) as BundleTable;
  } finally {
    file.close();
  }
}

/**
 * The parts of a bundle whose table is damaged, found by what segments begin and end with. Each
 * still has to prove itself by its footer.
 */
export function partsByScan(files: FileLayer, path: string): BundlePart[] {
  const magic = Buffer.from(SEGMENT_MAGIC, "latin1");
  const found: number[] = [];
  const file = files.open(path, "read");
  try {
    const chunk = Buffer.alloc(COPY_BYTES);
    for (let from = 0; ; from += COPY_BYTES - magic.length + 1) {
      const length = file.readAt(chunk, from);
      const bytes = chunk.subarray(0, length);
      for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
        found.push(from + at);
      }
      if (length < COPY_BYTES) break;
    }
  } finally {
    file.close();
  }
  const parts: BundlePart[] = [];
  let offset = 0;
  found.forEach((at, i) => {
    // A segment ends with the magic and the next begins with it; the last one ends the list.
    const end = at + magic.length;
    if (at === offset || (found[i + 1] !== end && i + 1 < found.length)) return;
    parts.push({ offset, length: end - offset });
    offset = end;
  });
  return parts;
}
