/** The footer of a segment: read alone, and kept small while the segment is open. */

import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import { ByteSource } from "./byte-sink.ts";
import { decompress, FAMILY_COUNT, MAX_GROUPS } from "./segment-format.ts";
import { SEGMENT_MAGIC, SEGMENT_VERSION, TRAILER_BYTES } from "./segment-format.ts";
import type { BlockPlace, ColumnFacts, GroupFacts, SegmentFooter } from "./segment-format.ts";
import { segmentName } from "./segment-files.ts";
import type { SegmentPlace } from "./segment-files.ts";

/**
 * The footer of the segment in a place. Throws `corrupt` for what is no whole segment,
 * `unsupported` for a newer version, `io`.
 */
export function footerIn(files: FileLayer, place: SegmentPlace): SegmentFooter {
  const name = segmentName(place.path, place.offset);
  const file = files.open(place.path, "read");
  try {
    return readFooter(file, name, place.offset, place.length);
  } catch (error) {
    if (isSpoorError(error)) throw error;
    throw new SpoorError("corrupt", `${name}: footer damaged`, { cause: error });
  } finally {
    file.close();
  }
}

/** The footer of the segment of `length` bytes at `base` of an open file. */
export function readFooter(
  file: OpenFile,
  name: string,
  base: number,
  length: number,
): SegmentFooter {
  const damaged = (what: string): SpoorError => new SpoorError("corrupt", `${name}: ${what}`);
  const read = (at: number, count: number): Uint8Array => {
    if (at < 0 || at + count > length) throw damaged("too short");
    const bytes = new Uint8Array(count);
    if (file.readAt(bytes, base + at) !== count) throw damaged("too short");
    return bytes;
  };
  const magic = Buffer.from(SEGMENT_MAGIC, "latin1");
  if (!magic.equals(read(0, 8))) throw damaged("not a segment");
  const trailer = new ByteSource(read(length - TRAILER_BYTES, TRAILER_BYTES));
  const offset = trailer.f64();
  const stored = trailer.u32();
  const raw = trailer.u32();
  if (!magic.equals(trailer.view(8))) throw damaged("no trailer");
  if (offset + stored + TRAILER_BYTES !== length) throw damaged("trailer damaged");
  const text = decompress(read(offset, stored), raw, `${name}: footer`);
  const footer = JSON.parse(Buffer.from(text).toString()) as SegmentFooter;
  if (footer.version !== SEGMENT_VERSION) {
    const age = footer.version > SEGMENT_VERSION ? "a newer version" : "a version before release";
    throw new SpoorError("unsupported", `${name}: written by ${age}`);
  }
  if (footer.groups.length > MAX_GROUPS) throw damaged("too many groups");
  return footer;
}

/** One column, as searched. */
export interface OpenColumn extends Omit<ColumnFacts, "bounds"> {
  /** Numeric columns: least and greatest of each group in turn, NaN where it has none. */
  readonly groupBounds: Float64Array | undefined;
}

/** A footer as it is kept while its segment is open: 205 KiB as parsed, 56 as this. */
export interface OpenFooter extends Pick<
  SegmentFooter,
  | "rows"
  | "epochs"
  | "maxArrivalMs"
  | "minStartUs"
  | "maxStartUs"
  | "restKeys"
  | "tables"
  | "shapes"
  | "dictionaries"
  | "traceIndex"
  | "filter"
  | "filterBlocks"
  | "words"
  | "wordBlocks"
> {
  readonly operations: readonly Operation[];
  readonly columns: readonly OpenColumn[];
  readonly groups: readonly GroupFacts[];
  readonly slowestByService: Uint8Array;
  readonly slowestByOperation: Uint8Array;
}

type Operation = SegmentFooter["operations"][number];

/** The footer without what only a start or a merge wants of it. */
export function openFooter(footer: SegmentFooter): OpenFooter {
  const { rows, epochs, maxArrivalMs, minStartUs, maxStartUs, restKeys } = footer;
  const { tables, shapes, dictionaries, traceIndex, filter, filterBlocks } = footer;
  return {
    ...{ rows, epochs, maxArrivalMs, minStartUs, maxStartUs, restKeys },
    ...{ tables, shapes, dictionaries, traceIndex, filter, filterBlocks },
    ...wordsOf(footer),
    operations: footer.operations.map(sharedOperation),
    columns: footer.columns.map(({ bounds, ...column }) => {
      return { ...column, groupBounds: packedBounds(bounds) };
    }),
    groups: packedGroups(footer.groups),
    slowestByService: Buffer.from(footer.slowestByService, "base64"),
    slowestByOperation: Buffer.from(footer.slowestByOperation, "base64"),
  };
}

function wordsOf({ words, wordBlocks }: SegmentFooter): Pick<OpenFooter, "words" | "wordBlocks"> {
  return words === undefined || wordBlocks === undefined ? {} : { words, wordBlocks };
}

/** Operations of all segments: the same few hundred in each of them. */
const operations = new Map<string, Operation>();
/** Operations beyond it are not shared: names made of ids would fill the table. */
const MOST_SHARED = 20_000;

function sharedOperation(operation: Operation): Operation {
  const [service, name, kind] = operation;
  const key = `${kind} ${service.length} ${service} ${name}`;
  const known = operations.get(key);
  if (known === undefined && operations.size < MOST_SHARED) operations.set(key, operation);
  return known ?? operation;
}

function packedBounds(bounds: ColumnFacts["bounds"]): Float64Array | undefined {
  if (bounds === undefined) return undefined;
  const packed = new Float64Array(bounds.length * 2);
  bounds.forEach((pair, group) => {
    packed[group * 2] = pair?.[0] ?? NaN;
    packed[group * 2 + 1] = pair?.[1] ?? NaN;
  });
  return packed;
}

const GROUP_WORDS = 7 + FAMILY_COUNT * 3;
const NO_BLOCK: BlockPlace = [0, 0, 0];

/** Facts of a group over one array for all: a row of it is read as if it were an object. */
class PackedGroup implements GroupFacts {
  readonly #all: Float64Array;
  readonly #at: number;

  constructor(all: Float64Array, at: number) {
    this.#all = all;
    this.#at = at;
  }

  get rows(): number {
    return this.#all[this.#at]!;
  }
  get runs(): number {
    return this.#all[this.#at + 1]!;
  }
  get minStartUs(): number {
    return this.#all[this.#at + 2]!;
  }
  get maxStartUs(): number {
    return this.#all[this.#at + 3]!;
  }
  get minDurationNs(): number {
    return this.#all[this.#at + 4]!;
  }
  get maxDurationNs(): number {
    return this.#all[this.#at + 5]!;
  }
  /** Told by the sign of the checksum plus one. */
  get errors(): boolean {
    return this.#all[this.#at + 6]! < 0;
  }
  get idsCrc(): number {
    return Math.abs(this.#all[this.#at + 6]!) - 1;
  }
  get families(): readonly BlockPlace[] {
    const all = this.#all;
    const places: BlockPlace[] = [];
    for (let at = this.#at + 7; at < this.#at + GROUP_WORDS; at += 3) {
      places.push(all[at + 1] === 0 ? NO_BLOCK : [all[at]!, all[at + 1]!, all[at + 2]!]);
    }
    return places;
  }
}

function packedGroups(groups: readonly GroupFacts[]): GroupFacts[] {
  const all = new Float64Array(groups.length * GROUP_WORDS);
  return groups.map((facts, group) => {
    const at = group * GROUP_WORDS;
    const { rows, runs, minStartUs, maxStartUs, minDurationNs, maxDurationNs } = facts;
    const crc = (facts.idsCrc + 1) * (facts.errors ? -1 : 1);
    all.set([rows, runs, minStartUs, maxStartUs, minDurationNs, maxDurationNs, crc], at);
    all.set(facts.families.flat(), at + 7);
    return new PackedGroup(all, at);
  });
}
