/** Deleted traces: a small log of who was deleted when, applied at read, seal and merge. */

import { crc32 } from "node:zlib";
import { toHex } from "../../base/bytes.ts";
import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { fileError } from "./file-error.ts";
import type { Damage } from "./recovery.ts";
import { writeDurably } from "./segment-files.ts";

const FILE = "deleted.log";
/** Trace id 16, epoch f64, offset f64, archive number f64, crc32, magic. */
const RECORD_BYTES = 48;
/** "SPD1". */
const MAGIC = 0x31445053;
/** Records beyond which the log is rewritten without what no longer matters. */
const REWRITE_RECORDS = 1024;

/**
 * Hides a trace's rows that were written before it: those of heads and segments of epochs below
 * `epoch`, those of head `epoch` whose record starts before `offset`, and those of archive
 * files numbered below `archive`. (When head `epoch` is sealed, they are left out.)
 */
export interface Tombstone {
  readonly traceId: Uint8Array;
  readonly epoch: number;
  readonly offset: number;
  readonly archive: number;
}

/** The tombstones of a store; the newest of a trace counts. */
export class Tombstones {
  readonly #files: FileLayer;
  readonly #directory: string;
  readonly #byTrace = new Map<string, Tombstone>();
  #file: OpenFile | undefined;
  #records = 0;

  private constructor(files: FileLayer, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Opens the log, cutting a torn end; damaged records are named. */
  static open(files: FileLayer, directory: string, damage: Damage[]): Tombstones {
    const self = new Tombstones(files, directory);
    const path = `${directory}/${FILE}`;
    if (files.sizeBytes(path) === undefined) return self;
    const file = files.open(path, "write");
    const bytes = new Uint8Array(file.sizeBytes());
    file.readAt(bytes, 0);
    const whole = Math.floor(bytes.length / RECORD_BYTES);
    let bad = bytes.length - whole * RECORD_BYTES;
    for (let i = 0; i < whole; i++) {
      const tombstone = decode(bytes, i * RECORD_BYTES);
      if (tombstone === undefined) bad += RECORD_BYTES;
      else self.#keep(tombstone);
    }
    if (bad > 0) {
      const message = "damaged records of deleted traces were left out";
      damage.push({ file: path, message, lostBytes: bad });
    }
    self.#file = file;
    self.#records = whole;
    return self;
  }

  get count(): number {
    return this.#byTrace.size;
  }

  all(): Tombstone[] {
    return [...this.#byTrace.values()];
  }

  /** Adds one durably; throws `disk-full` or `io`, and then it is not there. */
  add(tombstone: Tombstone): void {
    const path = `${this.#directory}/${FILE}`;
    try {
      const file = this.#file ?? this.#rewrite();
      file.writeAt(encode(tombstone), this.#records * RECORD_BYTES);
      file.sync();
    } catch (error) {
      // What the file holds now is unknown: the next one is written to a new file.
      this.#file?.close();
      this.#file = undefined;
      throw fileError(error, `cannot write ${path}`);
    }
    this.#records++;
    this.#keep(tombstone);
  }

  /** Forgets those that `isNeeded` denies, once the log has grown long. */
  compact(isNeeded: (tombstone: Tombstone) => boolean): void {
    if (this.#records < REWRITE_RECORDS) return;
    for (const [trace, tombstone] of this.#byTrace) {
      if (!isNeeded(tombstone)) this.#byTrace.delete(trace);
    }
    if (this.#byTrace.size * 2 > this.#records) return;
    try {
      this.#rewrite();
    } catch {
      // The log stays as it was; `add` tries again and tells its caller.
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #keep(tombstone: Tombstone): void {
    this.#byTrace.set(toHex(tombstone.traceId), tombstone);
  }

  #rewrite(): OpenFile {
    this.#file?.close();
    this.#file = undefined;
    const all = this.all();
    writeDurably(this.#files, this.#directory, FILE, all.map(encode));
    this.#records = all.length;
    return (this.#file = this.#files.open(`${this.#directory}/${FILE}`, "write"));
  }
}

function encode(tombstone: Tombstone): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const fields = new DataView(bytes.buffer);
  bytes.set(tombstone.traceId);
  fields.setFloat64(16, tombstone.epoch, true);
  fields.setFloat64(24, tombstone.offset, true);
  fields.setFloat64(32, tombstone.archive, true);
  fields.setUint32(40, crc32(bytes.subarray(0, 40)), true);
  fields.setUint32(44, MAGIC, true);
  return bytes;
}

function decode(bytes: Uint8Array, at: number): Tombstone | undefined {
  const fields = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_BYTES);
  if (fields.getUint32(44, true) !== MAGIC) return undefined;
  if (fields.getUint32(40, true) !== crc32(bytes.subarray(at, at + 40))) return undefined;
  return {
    traceId: bytes.slice(at, at + 16),
    epoch: fields.getFloat64(16, true),
    offset: fields.getFloat64(24, true),
    archive: fields.getFloat64(32, true),
  };
}
