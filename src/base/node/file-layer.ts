/** The few verbs of a file system that the embedded store uses, so that tests can break them. */

import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Why a file is opened: `read` an existing one, `write` (and read) an existing one, `create` an
 * empty one (emptied when it exists).
 */
export type OpenMode = "read" | "write" | "create";

/**
 * An open file. Errors are those of the operating system (`code`: ENOSPC, EIO, ENOENT …). What
 * is written survives a power cut only after `sync`; a new file's name only after
 * `syncDirectory` of its directory.
 */
export interface OpenFile {
  readonly path: string;
  /** Fills `into` from `position`; returns the bytes read, short only at the end of the file. */
  readAt(into: Uint8Array, position: number): number;
  /** Writes all of `bytes` at `position`, or throws having written any part of it. */
  writeAt(bytes: Uint8Array, position: number): void;
  /** As `writeAt`, off this thread; `bytes` must not change before it resolves. */
  writeAtAsync(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written durable (fdatasync). After it failed, nothing is known. */
  sync(): void;
  /** As `sync`, off this thread. */
  syncAsync(): Promise<void>;
  sizeBytes(): number;
  /** Cuts the file, or extends it with zeros. */
  truncate(sizeBytes: number): void;
  close(): void;
}

/** A file system. Paths are of its own kind; parts are joined by `/`. */
export interface FileLayer {
  open(path: string, mode: OpenMode): OpenFile;
  /** Replaces `to` when it exists. Durable after `syncDirectory`. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Names in a directory, ascending; none when it does not exist. */
  list(directory: string): string[];
  /** Size of a file in bytes, or undefined when there is none. */
  sizeBytes(path: string): number | undefined;
  /** Makes a directory and its parents. */
  makeDirectory(path: string): void;
  /** Makes names made, renamed or removed in the directory durable. */
  syncDirectory(path: string): void;
}

const FLAGS: Readonly<Record<OpenMode, string>> = { read: "r", write: "r+", create: "w+" };

class NodeFile implements OpenFile {
  readonly path: string;
  readonly #fd: number;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#fd = openSync(path, FLAGS[mode], 0o640);
  }

  readAt(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const read = readSync(this.#fd, into, done, into.length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  writeAt(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
    }
  }

  writeAtAsync(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let done = 0;
      const next = (error: Error | null, written: number): void => {
        done += written;
        if (error !== null) reject(error);
        else if (done >= bytes.length) resolve();
        else write(this.#fd, bytes, done, bytes.length - done, position + done, next);
      };
      write(this.#fd, bytes, 0, bytes.length, position, next);
    });
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  syncAsync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  sizeBytes(): number {
    return fstatSync(this.#fd).size;
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#fd, sizeBytes);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The machine's own file system. */
export const nodeFiles: FileLayer = {
  open: (path, mode) => new NodeFile(path, mode),
  rename: renameSync,
  unlink: unlinkSync,
  list(directory) {
    try {
      return readdirSync(directory).toSorted();
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  },
  sizeBytes(path) {
    return statSync(path, { throwIfNoEntry: false })?.size;
  },
  makeDirectory(path) {
    makeDirectories(path);
  },
  syncDirectory(path) {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
};

/**
 * Makes a directory and those above it, a level at a time: Node 24's own recursive mkdir never
 * returns where the parent exists and mkdir says ENOENT all the same, as in /proc.
 */
function makeDirectories(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above);
  try {
    mkdirSync(path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}

/** The operating system's code of an error, such as ENOSPC; empty when it has none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
