/** Reads sealed segments: footer at opening, blocks on demand through a cache. Bench: read. */

import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { viewBatch } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import { ByteSource } from "./byte-sink.ts";
import type { FrameCache } from "./frame-cache.ts";
import { CoreData } from "./group-core.ts";
import { servicesOf } from "./group-slowest.ts";
import type { Services, Slowest } from "./group-slowest.ts";
import { codeWidth } from "./segment-core.ts";
import {
  checksum,
  decompress,
  FAMILY,
  FAMILY_COUNT,
  FILTER_HASHES,
  FILTER_POSITIONS,
  keyBytes,
  filterBlock,
  filterPosition,
  filterStep,
  traceHash,
} from "./segment-format.ts";
import type { BlockPlace } from "./segment-format.ts";
import { CodesData, decodeDictionary, RawData } from "./segment-columns.ts";
import type { DictionaryData } from "./segment-columns.ts";
import { openFooter, readFooter } from "./segment-footer.ts";
import type { OpenFooter } from "./segment-footer.ts";
import { segmentName } from "./segment-files.ts";
import type { SegmentPlace } from "./segment-files.ts";

/** IDS family of a group. */
export interface IdsData {
  /** 16 bytes a run. */
  readonly traceId: Uint8Array;
  /** 8 bytes a row. */
  readonly spanId: Uint8Array;
  /** 8 bytes an explicit parent. */
  readonly parents: Uint8Array;
}

/** REST family of a group: `batch` row `i` belongs to row `rows[i]` (ascending). */
export interface RestData {
  readonly rows: Uint32Array;
  readonly batch: SpanBatch;
}

/** Distinct sequences of columns; 0xffff stands for an attribute kept with the rest. */
export interface ShapeData {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
}

/** Place of SPILLED in decoded shapes. */
export const SPILLED_COLUMN = 0xffff;

/** Where a trace may be: the groups whose index has its hash. */
interface TraceIndex {
  readonly hashes: Uint32Array;
  readonly groups: Uint8Array;
}

/** Least, greatest start and duration of a segment's rows. */
export interface SegmentBounds {
  readonly minStartUs: number;
  readonly maxStartUs: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
}

function boundsOf(footer: OpenFooter): SegmentBounds {
  const { minStartUs, maxStartUs, groups } = footer;
  let minDurationNs = Infinity;
  let maxDurationNs = -Infinity;
  for (const facts of groups) {
    minDurationNs = Math.min(minDurationNs, facts.minDurationNs);
    maxDurationNs = Math.max(maxDurationNs, facts.maxDurationNs);
  }
  return { minStartUs, maxStartUs, minDurationNs, maxDurationNs };
}

/** What is read only to be decompressed needs no memory of its own, unless it is large. */
const PASSING_MOST = 1024 * 1024;
let passing = new Uint8Array(64 * 1024);

const KEYS_PER_GROUP = FAMILY_COUNT;
const OTHER_KEYS = 3;

/** Bounds how many segments have their footer in memory and their file open; oldest out first. */
export class OpenSegments {
  readonly #most: number;
  readonly #open = new Set<Segment>();

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#open.size;
  }

  opened(segment: Segment): void {
    this.#open.add(segment);
    for (const oldest of this.#open) {
      if (this.#open.size <= this.#most) return;
      oldest.giveUp();
    }
  }

  closed(segment: Segment): void {
    this.#open.delete(segment);
  }
}

/** What a segment has while it is open. */
interface Opened {
  readonly file: OpenFile;
  readonly footer: OpenFooter;
}

/**
 * One sealed segment. Its footer and file are there when they are asked for; between two
 * questions they may be given up (`OpenSegments`). Every read may throw `corrupt` or `io`.
 */
export class Segment {
  readonly name: string;
  /** Greatest epoch whose rows are here. */
  readonly epoch: number;
  /** Service, name and kind of each of its operations. */
  readonly operations: OpenFooter["operations"];
  readonly #files: FileLayer;
  readonly place: SegmentPlace;
  readonly #limit: OpenSegments;
  readonly #cache: FrameCache;
  readonly #keys: number;
  readonly #keyCount: number;
  readonly #traceIndexPlace: BlockPlace;
  /** Over all groups. */
  readonly bounds: SegmentBounds;
  #opened: Opened | undefined;
  #columnNames: Uint8Array[] = [];
  #services: (Services & Slowest) | undefined;
  #spilled: boolean | undefined;

  constructor(files: FileLayer, place: SegmentPlace, cache: FrameCache, limit: OpenSegments) {
    this.name = segmentName(place.path, place.offset);
    this.#files = files;
    this.place = place;
    this.#limit = limit;
    const { footer } = this.#open();
    this.operations = footer.operations;
    this.epoch = footer.epochs.reduce((a, b) => Math.max(a, b), 0);
    this.bounds = boundsOf(footer);
    this.#traceIndexPlace = footer.traceIndex;
    this.#cache = cache;
    const count = footer.groups.length * KEYS_PER_GROUP + OTHER_KEYS + footer.columns.length;
    this.#keyCount = count;
    this.#keys = cache.space(count);
  }

  get footer(): OpenFooter {
    return (this.#opened ?? this.#open()).footer;
  }

  #open(): Opened {
    const { path, offset, length } = this.place;
    const file = this.#files.open(path, "read");
    try {
      const footer = openFooter(readFooter(file, this.name, offset, length));
      this.#opened = { file, footer };
    } catch (error) {
      file.close();
      if (isSpoorError(error)) throw error;
      throw new SpoorError("corrupt", `${this.name}: footer damaged`, { cause: error });
    }
    this.#limit.opened(this);
    return this.#opened;
  }

  /** Gives up footer and file until the next question. */
  giveUp(): void {
    this.#limit.closed(this);
    this.#opened?.file.close();
    this.#opened = undefined;
    this.#columnNames = [];
    this.#services = undefined;
  }

  /** Whether any span attribute is kept with the rest instead of in a column. */
  get hasSpilled(): boolean {
    this.#spilled ??= this.shapes().columns.includes(SPILLED_COLUMN);
    return this.#spilled;
  }

  /** Forgets what is cached and closes the file. */
  close(): void {
    this.#cache.forget(this.#keys, this.#keyCount);
    this.giveUp();
  }

  /** Operations (as spans), resources and scopes. */
  tables(): SpanBatch {
    const key = this.#keys;
    const make = (): SpanBatch => viewBatch(this.#frame(this.footer.tables, "tables"));
    return this.#cache.get("index", key, make, (batch) => batch.image.length);
  }

  /** The key of a column. */
  columnName(column: number): Uint8Array {
    this.#columnNames[column] ??= keyBytes(this.footer.columns[column]!.key);
    return this.#columnNames[column]!;
  }

  /** How slow each operation of the tables was in each group. */
  get slowestByOperation(): Slowest {
    return { count: this.tables().spanCount, levels: this.footer.slowestByOperation };
  }

  /** Services, and how slow each was in each group. */
  get services(): Services & Slowest {
    this.#services ??= { ...servicesOf(this.tables()), levels: this.footer.slowestByService };
    return this.#services;
  }

  shapes(): ShapeData {
    const make = (): ShapeData => {
      const source = new ByteSource(this.#frame(this.footer.shapes, "shapes"));
      const count = source.u32();
      const total = source.u32();
      const lengths = source.planes(count, 2);
      const offsets = new Uint32Array(count + 1);
      for (let s = 0; s < count; s++) offsets[s + 1] = offsets[s]! + lengths[s]!;
      return { count, offsets, columns: source.planes(total, 2) };
    };
    return this.#cache.get(
      "index",
      this.#keys + 1,
      make,
      (shapes) => shapes.columns.length * 4 + 64,
    );
  }

  /** Groups that have rows of the trace, ascending (rarely one too many: a hash decides). */
  groupsOfTrace(traceId: Uint8Array): number[] {
    const { hashes, groups } = this.#traceIndex();
    const hash = traceHash(traceId, 0);
    let low = 0;
    let high = hashes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (hashes[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (; low < hashes.length && hashes[low] === hash; low++) {
      if (found.at(-1) !== groups[low]) found.push(groups[low]!);
    }
    return found;
  }

  #traceIndex(): TraceIndex {
    const make = (): TraceIndex => {
      const source = new ByteSource(this.#frame(this.#traceIndexPlace, "trace index"));
      const count = source.u32();
      const hashes = new Uint32Array(count);
      for (let i = 0; i < count; i++) hashes[i] = source.u32();
      return { hashes, groups: source.view(count) };
    };
    return this.#cache.get("index", this.#keys + 2, make, (index) => index.hashes.length * 5 + 64);
  }

  core(group: number): CoreData {
    const make = (): CoreData => {
      const bytes = this.#family(group, FAMILY.CORE, "core");
      const tables = this.tables();
      return new CoreData(bytes, tables.spanCount, tables.resourceCount);
    };
    return this.#cache.get("group", this.#key(group, FAMILY.CORE), make, (core) => core.sizeBytes);
  }

  ids(group: number): IdsData {
    const make = (): IdsData => {
      const facts = this.footer.groups[group]!;
      const place = facts.families[FAMILY.IDS]!;
      const bytes = this.#read(place[0], place[1]);
      if (checksum(bytes) !== facts.idsCrc) throw this.#corrupt("ids");
      const ids = facts.runs * 16;
      const parents = ids + facts.rows * 8;
      return {
        traceId: bytes.subarray(0, ids),
        spanId: bytes.subarray(ids, parents),
        parents: bytes.subarray(parents),
      };
    };
    return this.#cache.get(
      "group",
      this.#key(group, FAMILY.IDS),
      make,
      (ids) => ids.spanId.length * 2 + 64,
    );
  }

  codes(group: number): CodesData {
    const make = (): CodesData => {
      const rows = this.footer.groups[group]!.rows;
      const bytes = this.#family(group, FAMILY.CODES, "codes");
      return new CodesData(bytes, rows, codeWidth(this.shapes().count), this.footer.columns);
    };
    return this.#cache.get(
      "group",
      this.#key(group, FAMILY.CODES),
      make,
      (codes) => codes.sizeBytes,
    );
  }

  raw(group: number): RawData {
    const make = (): RawData =>
      new RawData(this.#family(group, FAMILY.RAW, "raw values"), this.footer.columns);
    return this.#cache.get("group", this.#key(group, FAMILY.RAW), make, (raw) => raw.sizeBytes);
  }

  /** Undefined when no row of the group has anything rare. */
  rest(group: number): RestData | undefined {
    if (this.footer.groups[group]!.families[FAMILY.REST]![1] === 0) return undefined;
    const make = (): RestData => {
      const source = new ByteSource(this.#family(group, FAMILY.REST, "rest"));
      const count = source.u32();
      const rows = new Uint32Array(count);
      for (let i = 0; i < count; i++) rows[i] = source.u32();
      source.align();
      // A copy, because an image starts 8-byte aligned and a frame's memory may not.
      const image = source.view(source.bytes.length - source.at).slice();
      return { rows, batch: viewBatch(image) };
    };
    return this.#cache.get("group", this.#key(group, FAMILY.REST), make, (rest) => {
      return rest.batch.image.length + rest.rows.length * 4;
    });
  }

  /** Values of a column that has a dictionary. */
  dictionary(column: number): DictionaryData {
    const make = (): DictionaryData => {
      const frame = this.footer.columns[column]!.dictionary![0];
      const bytes = this.#frame(this.footer.dictionaries[frame]!, "dictionary");
      const made = this.#decodeDictionary(column, bytes);
      // A trace needs most of them: decompressing the frame for each took 0.1 ms every time.
      this.footer.columns.forEach(({ dictionary }, other) => {
        if (other === column || dictionary?.[0] !== frame) return;
        this.#keepDictionary(other, () => this.#decodeDictionary(other, bytes));
      });
      return made;
    };
    return this.#keepDictionary(column, make);
  }

  #decodeDictionary(column: number, frame: Uint8Array): DictionaryData {
    const { dictionary, type } = this.footer.columns[column]!;
    const [, offset, length] = dictionary!;
    return decodeDictionary(frame.slice(offset, offset + length), type);
  }

  #keepDictionary(column: number, make: () => DictionaryData): DictionaryData {
    const key = this.#keys + OTHER_KEYS + this.footer.groups.length * KEYS_PER_GROUP + column;
    return this.#cache.get("index", key, make, (dictionary) => dictionary.sizeBytes);
  }

  /** The groups that may hold a value with this filter hash, as 64 bits (low, high). */
  filterGroups(hash: number): readonly [low: number, high: number] {
    return this.#filtered(this.footer.filter, this.footer.filterBlocks, hash);
  }

  /** The groups that may hold a raw text with this piece (segment-words.ts), as 64 bits. */
  wordGroups(hash: number): readonly [low: number, high: number] {
    const { words, wordBlocks } = this.footer;
    if (words === undefined || wordBlocks === undefined) return [0xffffffff, 0xffffffff];
    return this.#filtered(words, wordBlocks, hash);
  }

  #filtered(place: BlockPlace, blocks: number, hash: number): readonly [number, number] {
    if (blocks === 0) return [0, 0];
    const stride = (this.footer.groups.length + 7) >> 3;
    const blockBytes = FILTER_POSITIONS * stride;
    const at = place[0] + filterBlock(hash, blocks) * (blockBytes + 4);
    const stored = this.#passing(at, blockBytes + 4);
    const block = stored.subarray(0, blockBytes);
    const sum = new DataView(stored.buffer).getUint32(blockBytes, true);
    // A flipped bit would hide rows without a sign.
    if (checksum(block) !== sum) throw this.#corrupt("filter");
    let low = -1;
    let high = -1;
    let position = filterPosition(hash);
    const step = filterStep(position);
    for (let i = 0; i < FILTER_HASHES; i++) {
      const from = (position & (FILTER_POSITIONS - 1)) * stride;
      let a = 0;
      let b = 0;
      for (let byte = 0; byte < stride; byte++) {
        if (byte < 4) a |= block[from + byte]! << (byte * 8);
        else b |= block[from + byte]! << ((byte - 4) * 8);
      }
      low &= a;
      high &= b;
      position += step;
    }
    return [low >>> 0, high >>> 0];
  }

  #key(group: number, family: number): number {
    return this.#keys + OTHER_KEYS + group * KEYS_PER_GROUP + family;
  }

  #family(group: number, family: number, what: string): Uint8Array {
    return this.#frame(this.footer.groups[group]!.families[family]!, what);
  }

  #frame(place: BlockPlace, what: string): Uint8Array {
    const [offset, stored, raw] = place;
    if (stored === 0) return new Uint8Array(0);
    const bytes = decompress(this.#passing(offset, stored), raw, `${this.name}: ${what}`);
    // Images are viewed as words, so their memory starts aligned.
    return (bytes.byteOffset & 7) === 0 ? bytes : bytes.slice();
  }

  /** Bytes of the file, in memory that the next call uses again. */
  #passing(offset: number, length: number): Uint8Array {
    if (length > PASSING_MOST) return this.#read(offset, length);
    if (passing.length < length) passing = new Uint8Array(Math.max(length, passing.length * 2));
    return this.#read(offset, length, passing.subarray(0, length));
  }

  #read(offset: number, length: number, bytes = new Uint8Array(length)): Uint8Array {
    const { file } = this.#opened ?? this.#open();
    const at = this.place.offset + offset;
    if (file.readAt(bytes, at) !== length) throw this.#corrupt("file");
    return bytes;
  }

  #corrupt(what: string): SpoorError {
    return new SpoorError("corrupt", `${this.name}: ${what} damaged`);
  }
}

/** Opens the segment in a place. Reads the footer only; throws as `footerIn`. */
export function openSegment(
  files: FileLayer,
  place: SegmentPlace,
  cache: FrameCache,
  limit: OpenSegments = new OpenSegments(Infinity),
): Segment {
  return new Segment(files, place, cache, limit);
}
