/** Names, numbers and the footer of segment files. Bytes: docs/formats/segment.md. */

import { crc32, constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { hash32, mix32 } from "../../base/hash.ts";
import { SpoorError } from "../../core/errors.ts";

/** First 8 bytes of a segment file. */
export const SEGMENT_MAGIC = "SPOORSG1";
/** Version of the layout; readers refuse newer ones. */
export const SEGMENT_VERSION = 2;
/** Fixed bytes at the end: footer offset f64, footer length u32, crc32 u32, magic 8. */
export const TRAILER_BYTES = 24;
/** Rows a group aims at: 2,048 reads one trace in 0.2 ms for 2 bytes a span more than 4,096. */
export const GROUP_ROWS = 2048;
/** A search keeps the candidates of a segment in 64 bits. */
export const MAX_GROUPS = 64;
/** Keys with columns of their own; the rest are kept with the rare things of their rows. */
export const MAX_COLUMNS = 256;
/** Shapes beyond this keep all attributes of their rows with the rare things. */
export const MAX_SHAPES = 60_000;
/** A column with this many values or fewer always has a dictionary. */
export const SMALL_DICTIONARY = 256;
/** Codes are 8 or 16 bits wide. */
export const MAX_DICTIONARY = 65_536;
/** A dictionary's value with this many uses in the segment or fewer is in the filter too. */
export const RARE_USES = 16;
/** Filter bits for each value of a raw column in a group. */
export const FILTER_BITS = 12;
/** Bits set in the filter for a value. */
export const FILTER_HASHES = 7;
/**
 * Positions of one filter block, a power of two. Blocks of 64 and five bits took twelve groups of
 * 1,466 for ones that may have a value that exists nowhere; these take six, and a block is 4 KiB.
 */
export const FILTER_POSITIONS = 512;
/** Compression of frames. */
export const ZSTD_LEVEL = 1;

/** Families of a group: things that are read together. */
export const FAMILY = { IDS: 0, CORE: 1, CODES: 2, RAW: 3, REST: 4 } as const;
export const FAMILY_COUNT = 5;

/** Where a block is: offset from the segment's start, bytes there, bytes once decompressed. */
export type BlockPlace = readonly [offset: number, stored: number, raw: number];

/** One group of rows. Starts are µs, durations ns. */
export interface GroupFacts {
  readonly rows: number;
  /** Runs of rows of one trace. */
  readonly runs: number;
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
  /** Whether any row has status ERROR. */
  readonly errors: boolean;
  /** By family; length 0 where the group has none. */
  readonly families: readonly BlockPlace[];
  /** crc32 of the IDS family, which is not compressed. */
  readonly idsCrc: number;
}

/** One column of span attributes. */
export interface ColumnFacts {
  /** Key as base64 of its bytes. */
  readonly key: string;
  /** ATTRIBUTE_TYPE. */
  readonly type: number;
  readonly kind: "dict" | "raw" | "spilled";
  /** Entries in the segment. */
  readonly uses: number;
  /** Distinct values. */
  readonly distinct: number;
  /** dict: frame, offset and length of its dictionary record within the frame. */
  readonly dictionary?: readonly [frame: number, offset: number, length: number];
  /** Numeric columns: least and greatest value per group (null where the group has none). */
  readonly bounds?: readonly (readonly [number, number] | null)[];
}

/** Everything about a segment that is known without reading its groups. */
export interface SegmentFooter {
  readonly version: number;
  readonly rows: number;
  readonly traces: number;
  readonly deduplicated: number;
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minArrivalMs: number;
  readonly maxArrivalMs: number;
  /** Epochs of the WAL files whose rows are here. */
  readonly epochs: readonly number[];
  /** Names of segment files that this one replaces. */
  readonly replaces: readonly string[];
  /** Opaque, base64: keys of the requests whose rows are here. */
  readonly requestKeys: string;
  readonly columns: readonly ColumnFacts[];
  /** Keys seen on events and links: level, base64 of the key, type. */
  readonly restKeys: readonly (readonly [level: "event" | "link", key: string, type: number])[];
  /** Distinct service, name, kind. */
  readonly operations: readonly (readonly [service: string, name: string, kind: number])[];
  readonly groups: readonly GroupFacts[];
  /** Operations (as spans), resources and scopes, as one batch image. */
  readonly tables: BlockPlace;
  readonly shapes: BlockPlace;
  readonly dictionaries: readonly BlockPlace[];
  /** Hashes of trace ids, ascending u32, then the group (u8) of each. */
  readonly traceIndex: BlockPlace;
  /** Bit-sliced filter over raw values; not compressed. */
  readonly filter: BlockPlace;
  readonly filterBlocks: number;
  /** The same over the words of raw texts (segment-words.ts); absent in older segments. */
  readonly words?: BlockPlace;
  readonly wordBlocks?: number;
  /**
   * Level of the greatest duration of each service in each group, base64, a byte each, services in
   * order of their first resource in the tables; 0 where the group has none (group-slowest.ts).
   */
  readonly slowestByService: string;
  /** The same by operation, in the tables' order. Empty when there are too many. */
  readonly slowestByOperation: string;
}

const COMPRESS = {
  params: {
    [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
    [constants.ZSTD_c_checksumFlag]: 1,
  },
};

/** One zstd frame with its checksum. */
export function compress(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, COMPRESS);
}

/** Inverse of `compress`; `corrupt` when the frame is damaged or not `rawBytes` long. */
export function decompress(frame: Uint8Array, rawBytes: number, what: string): Uint8Array {
  let raw: Uint8Array;
  try {
    // One chunk that is never full: by default Node makes 16 KiB chunks and joins them.
    const chunkSize = rawBytes + 64;
    raw = zstdDecompressSync(frame, { maxOutputLength: Math.max(rawBytes, 1), chunkSize });
  } catch (cause) {
    throw new SpoorError("corrupt", `${what}: damaged frame`, { cause });
  }
  if (raw.length !== rawBytes) throw new SpoorError("corrupt", `${what}: frame of a wrong size`);
  return raw;
}

/** Checksum of bytes that are kept as they are. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** Hash of the trace id at `at` that the trace index sorts by. */
export function traceHash(ids: Uint8Array, at: number): number {
  return hash32(ids, at, at + 16);
}

/** Hash of a key that the filter mixes with the hash of a value. */
export function filterKeyHash(key: Uint8Array, type: number): number {
  return mix32(hash32(key, 0, key.length) ^ Math.imul(type, 0x9e3779b1));
}

/** Hash of a (key, value), an int32: picks the block and the positions. */
export function filterHash(keyHash: number, valueHash: number): number {
  return mix32(keyHash ^ Math.imul(valueHash, 0x85ebca77)) | 0;
}

/** The block of a hash. Both are said to be unsigned, or V8 takes the remainder of doubles. */
export function filterBlock(hash: number, blocks: number): number {
  return (hash >>> 0) % (blocks >>> 0);
}

/** The first of a hash's positions in its block, whatever their number. */
export function filterPosition(hash: number): number {
  return mix32(hash ^ 0x5bd1e995);
}

/** What is added to get the next position: odd, so that all are different. */
export function filterStep(position: number): number {
  return (position >>> 16) | 1;
}

/** Text of a key given as base64 of its bytes. */
export function keyBytes(base64: string): Uint8Array {
  return Buffer.from(base64, "base64");
}
