/** Bytes of a write-ahead log file (docs/formats/wal.md): header, records, what ends a replay. */

import { crc32 } from "node:zlib";
import { mix32 } from "../../base/hash.ts";

/** Sizes and marks; all numbers of the format are little-endian. */
export const WAL = {
  version: 1,
  fileHeaderBytes: 64,
  recordHeaderBytes: 32,
  /** "SPOORWAL" as two words. */
  magicLow: 0x4f4f5053,
  magicHigh: 0x4c415752,
  /** "SPR1": a record whose payload is a batch image. */
  batchMagic: 0x31525053,
  /** "SPA1": a record whose payload is the epoch and end (u64 each) of another file's good part. */
  abortMagic: 0x31415053,
  /** "SPX1": in memory only, stands where damaged records were; its payload means nothing. */
  gapMagic: 0x31585053,
} as const;

/** What a file's header tells. */
export interface WalHeader {
  readonly version: number;
  readonly epoch: number;
  readonly capacityBytes: number;
  readonly createdMs: number;
}

/** The words and doubles over a log's bytes, which start 8-byte aligned. */
export class WalView {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly floats: Float64Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const eights = bytes.length >> 3;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, eights * 2);
    this.floats = new Float64Array(bytes.buffer, bytes.byteOffset, eights);
  }
}

/** Second word of every record of an epoch: well spread, so that stale bytes rarely have it. */
export function epochTag(epoch: number): number {
  return mix32((epoch >>> 0) ^ 0x5bd1e995);
}

/** Writes the file header of an epoch at the start of the view. */
export function writeFileHeader(view: WalView, header: WalHeader): void {
  const { words, bytes } = view;
  bytes.fill(0, 0, WAL.fileHeaderBytes);
  words[0] = WAL.magicLow;
  words[1] = WAL.magicHigh;
  words[2] = header.version;
  writeU64(words, 4, header.epoch);
  writeU64(words, 6, header.capacityBytes);
  view.floats[4] = header.createdMs;
  words[3] = crc32(bytes.subarray(0, WAL.fileHeaderBytes));
}

/** The header at the start of the view; undefined when it is damaged or was never written. */
export function readFileHeader(view: WalView): WalHeader | undefined {
  if (view.bytes.length < WAL.fileHeaderBytes) return undefined;
  const { words } = view;
  if (words[0] !== WAL.magicLow || words[1] !== WAL.magicHigh) return undefined;
  const copy = view.bytes.slice(0, WAL.fileHeaderBytes);
  copy.fill(0, 12, 16);
  if (crc32(copy) !== words[3]) return undefined;
  return {
    version: words[2]!,
    epoch: readU64(words, 4),
    capacityBytes: readU64(words, 6),
    createdMs: view.floats[4]!,
  };
}

/** What a record's header holds besides its sums. */
export interface RecordHeader {
  readonly magic: number;
  readonly epochTag: number;
  readonly payloadBytes: number;
  readonly spans: number;
  readonly arrivalMs: number;
  readonly payloadCrc: number;
}

/** Writes a record's header at `at` (a multiple of 8); the payload follows it. */
export function writeRecordHeader(view: WalView, at: number, header: RecordHeader): void {
  const w = at >> 2;
  const words = view.words;
  words[w] = header.magic;
  words[w + 1] = header.epochTag;
  words[w + 2] = header.payloadBytes;
  words[w + 3] = header.spans;
  view.floats[(at >> 3) + 2] = header.arrivalMs;
  words[w + 6] = header.payloadCrc;
  words[w + 7] = crc32(view.bytes.subarray(at, at + WAL.recordHeaderBytes - 4));
}

/**
 * Bytes of the record at `at` with its header, or 0 when no whole header of this epoch is there
 * or its payload does not fit before `end`.
 */
export function recordSizeAt(view: WalView, at: number, end: number, tag: number): number {
  if (at + WAL.recordHeaderBytes > end) return 0;
  const w = at >> 2;
  const words = view.words;
  const magic = words[w]!;
  if (magic !== WAL.batchMagic && magic !== WAL.abortMagic) return 0;
  if (words[w + 1] !== tag) return 0;
  const sum = crc32(view.bytes.subarray(at, at + WAL.recordHeaderBytes - 4));
  if (words[w + 7] !== sum) return 0;
  const size = WAL.recordHeaderBytes + words[w + 2]!;
  return at + size <= end ? size : 0;
}

/** Whether the payload of the (good) record header at `at` has its checksum. */
export function payloadIsWhole(view: WalView, at: number): boolean {
  const start = at + WAL.recordHeaderBytes;
  const payload = view.bytes.subarray(start, start + view.words[(at >> 2) + 2]!);
  return crc32(payload) === view.words[(at >> 2) + 6];
}

/** Where a walk over a log's good records stands. */
export interface RecordCursor {
  /** Offset of the record. */
  at: number;
  magic: number;
  spans: number;
  arrivalMs: number;
  payloadCrc: number;
  /** The payload, a view. */
  payload: Uint8Array;
}

/**
 * Visits the records in [from, to) of a log whose records are known to be good (an arena up to
 * its durable end). The cursor is reused; return false from `visit` to stop.
 */
export function walkRecords(
  view: WalView,
  from: number,
  to: number,
  visit: (record: RecordCursor) => boolean | void,
): void {
  const { words, floats, bytes } = view;
  const cursor: RecordCursor = {
    at: 0,
    magic: 0,
    spans: 0,
    arrivalMs: 0,
    payloadCrc: 0,
    payload: bytes.subarray(0, 0),
  };
  for (let at = from; at < to;) {
    const w = at >> 2;
    const start = at + WAL.recordHeaderBytes;
    const end = start + words[w + 2]!;
    cursor.at = at;
    cursor.magic = words[w]!;
    cursor.spans = words[w + 3]!;
    cursor.arrivalMs = floats[(at >> 3) + 2]!;
    cursor.payloadCrc = words[w + 6]!;
    cursor.payload = bytes.subarray(start, end);
    if (visit(cursor) === false) return;
    at = end;
  }
}

/** Reads a u64 below 2^53 from two words. */
export function readU64(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * 4294967296;
}

/** Writes a whole number below 2^53 as two words. */
export function writeU64(words: Uint32Array, at: number, value: number): void {
  words[at] = value % 4294967296;
  words[at + 1] = Math.floor(value / 4294967296);
}
