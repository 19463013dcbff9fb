/** Deleted traces: a small log of who was deleted when, applied at read, seal and merge. */

import { crc32 } from "node:zlib";
import { isZero, toHex } from "../../base/bytes.ts";
import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { SpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";
import type { Damage } from "./recovery.ts";
import { writeDurably } from "./segment-files.ts";

const FILE = "deleted.log";
/** Trace id 16, epoch f64, offset f64, archive number f64, crc32, magic. */
const RECORD_BYTES = 48;
/** "SPD1". */
const MAGIC = 0x31445053;
/** "SPDL": magic of the header, which takes the place of a record. */
const HEADER_MAGIC = 0x4c445053;
const VERSION = 1;
/** Records of a new file; it is written anew with twice the room when they are used up. */
const LEAST_RECORDS = 84;
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
  /** Records written, and those that the file has room for. */
  #records = 0;
  #capacity = 0;

  private constructor(files: FileLayer, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Opens the log; a torn or damaged one is named, and what is whole of it holds. */
  static open(files: FileLayer, directory: string, damage: Damage[]): Tombstones {
    const self = new Tombstones(files, directory);
    const path = `${directory}/${FILE}`;
    if (files.sizeBytes(path) === undefined) return self;
    const file = files.open(path, "write");
    const bytes = new Uint8Array(file.sizeBytes());
    file.readAt(bytes, 0);
    const capacity = readHeader(bytes, path);
    const bad = capacity === undefined || (capacity + 1) * RECORD_BYTES !== bytes.length;
    let damaged = bad ? 1 : 0;
    for (let at = RECORD_BYTES; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      if (isZero(bytes, at, RECORD_BYTES)) continue;
      const tombstone = decode(bytes, at);
      if (tombstone === undefined) damaged++;
      else self.#keep(tombstone);
      self.#records = at / RECORD_BYTES;
    }
    self.#capacity = capacity ?? 0;
    if (damaged === 0) self.#file = file;
    else {
      // Without a file, the next deletion writes all that is known to a new one.
      file.close();
      const message = "damaged: some deleted traces may be there again";
      damage.push({ file: path, message, lostBytes: damaged * RECORD_BYTES });
    }
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
      const isRoom = this.#file !== undefined && this.#records < this.#capacity;
      const file = isRoom ? this.#file! : this.#rewrite();
      file.writeAt(encode(tombstone), (this.#records + 1) * RECORD_BYTES);
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
    const capacity = Math.max(LEAST_RECORDS, all.length * 2);
    const room = new Uint8Array((capacity - all.length) * RECORD_BYTES);
    const chunks = [header(capacity), ...all.map(encode), room];
    writeDurably(this.#files, this.#directory, FILE, chunks);
    this.#records = all.length;
    this.#capacity = capacity;
    return (this.#file = this.#files.open(`${this.#directory}/${FILE}`, "write"));
  }
}

/** Magic, version, capacity f64, crc32 of these 16 bytes; then zeros. */
function header(capacity: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, HEADER_MAGIC, true);
  fields.setUint32(4, VERSION, true);
  fields.setFloat64(8, capacity, true);
  fields.setUint32(16, crc32(bytes.subarray(0, 16)), true);
  return bytes;
}

/** Capacity of the file; undefined when the header is damaged. */
function readHeader(bytes: Uint8Array, path: string): number | undefined {
  if (bytes.length < RECORD_BYTES) return undefined;
  const fields = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES);
  if (fields.getUint32(16, true) !== crc32(bytes.subarray(0, 16))) return undefined;
  if (fields.getUint32(0, true) !== HEADER_MAGIC) return undefined;
  if (fields.getUint32(4, true) > VERSION) {
    throw new SpoorError("unsupported", `${path} was written by a later version`);
  }
  return fields.getFloat64(8, true);
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
