/** What a store knew when it was closed, so that the next start need not read every footer. */

import { crc32 } from "node:zlib";
import type { FileLayer } from "../../base/node/file-layer.ts";
import { isSpoorError } from "../../core/errors.ts";
import type { SegmentFile } from "./catalog.ts";
import { fileError } from "./file-error.ts";
import { writeDurably } from "./segment-files.ts";

const FILE = "stopped";
const MAGIC = "SPOORSTP";
const VERSION = 1;
/** Magic 8, version u32, crc32 of all that follows it u32, bytes of the JSON u32, zero u32. */
const HEADER_BYTES = 24;
const CRC_FROM = 16;

/** What is remembered. Of a segment's file the name and the size must still be the same. */
export interface CleanStop {
  readonly segments: readonly SegmentFile[];
  readonly archived: readonly SegmentFile[];
  /** Keys of requests, 32 bytes each (`RequestKeys.pack`). */
  readonly requestKeys: Uint8Array;
}

/**
 * Reads what the last stop left, and removes it: it holds for the next start alone. Undefined
 * when there is none, as after a crash, or when it is damaged: then the footers are read.
 */
export function takeCleanStop(files: FileLayer, directory: string): CleanStop | undefined {
  const path = `${directory}/${FILE}`;
  const sizeBytes = files.sizeBytes(path);
  if (sizeBytes === undefined) return undefined;
  const bytes = Buffer.alloc(sizeBytes);
  const file = files.open(path, "read");
  try {
    file.readAt(bytes, 0);
  } finally {
    file.close();
  }
  files.unlink(path);
  files.syncDirectory(directory);
  return decode(bytes);
}

/** Leaves it for the next start, as the last thing before the lock is given up. */
export function leaveCleanStop(files: FileLayer, directory: string, stop: CleanStop): void {
  const { segments, archived, requestKeys } = stop;
  const json = Buffer.from(JSON.stringify({ segments, archived }));
  const bytes = Buffer.alloc(HEADER_BYTES + json.length + requestKeys.length);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(json.length, CRC_FROM);
  json.copy(bytes, HEADER_BYTES);
  bytes.set(requestKeys, HEADER_BYTES + json.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_FROM)), 12);
  try {
    writeDurably(files, directory, FILE, [bytes]);
  } catch (error) {
    // The next start reads the footers instead.
    if (!isSpoorError(fileError(error, "cannot remember the stop"))) throw error;
  }
}

function decode(bytes: Buffer): CleanStop | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, 8) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(8) !== VERSION) return undefined;
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(CRC_FROM))) return undefined;
  const end = HEADER_BYTES + bytes.readUInt32LE(CRC_FROM);
  const { segments, archived } = JSON.parse(bytes.toString("utf8", HEADER_BYTES, end)) as CleanStop;
  return { segments, archived, requestKeys: bytes.subarray(end) };
}
