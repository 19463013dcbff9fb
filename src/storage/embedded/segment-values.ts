/** The CODES and RAW families of a group (values of span attributes), and the filter. */

import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { copyHash32, hash32 } from "../../base/hash.ts";
import { ByteSink } from "./byte-sink.ts";
import type { GroupRange } from "./segment-core.ts";
import { codeWidth } from "./segment-core.ts";
import {
  checksum,
  FILTER_BITS,
  FILTER_HASHES,
  FILTER_POSITIONS,
  filterBlock,
  filterHash,
  filterKeyHash,
  filterPosition,
  filterStep,
  RARE_USES,
} from "./segment-format.ts";
import { LONG_VALUE, SPILLED } from "./segment-gather.ts";
import type { Gathered } from "./segment-gather.ts";
import type { RowOrder } from "./segment-order.ts";
import { isLiteral, isNumeric } from "./segment-plan.ts";
import type { ColumnPlan, PlannedColumn } from "./segment-plan.ts";

/**
 * Answers "may this group hold this value of this raw column?" for all groups at once. Groups
 * come one after the other: their bits are set in a bitmap that the first-level cache holds, and
 * eight bitmaps are turned into the file's order at once, where each bit alone would touch a
 * cache line of its own.
 */
export class FilterBuilder {
  readonly bytes: Uint8Array;
  readonly blocks: number;
  readonly #stride: number;
  /** Bitmaps of eight groups, a bit a position. */
  readonly #bitmaps: Uint8Array;
  readonly #bitmapBytes: number;
  /** The eight groups that the bitmaps are of. */
  #eight = 0;

  constructor(entries: number, groups: number) {
    this.#stride = (groups + 7) >> 3;
    const perBlock = FILTER_POSITIONS * groups;
    this.blocks = entries === 0 ? 0 : Math.ceil((entries * FILTER_BITS) / perBlock);
    this.bytes = new Uint8Array(this.blocks * FILTER_POSITIONS * this.#stride);
    this.#bitmapBytes = (this.blocks * FILTER_POSITIONS) >> 3;
    this.#bitmaps = new Uint8Array(this.#bitmapBytes * 8);
  }

  /** The blocks as they lie in the file: each followed by its crc32. Nothing is added after. */
  sealed(): Uint8Array {
    this.#turn();
    const size = FILTER_POSITIONS * this.#stride;
    const sink = new ByteSink(this.blocks * (size + 4));
    for (let at = 0; at < this.bytes.length; at += size) {
      const block = this.bytes.subarray(at, at + size);
      sink.raw(block);
      sink.u32(checksum(block));
    }
    return sink.written();
  }

  /** Adds a value of a group; groups in ascending order. */
  add(hash: number, group: number): void {
    if (group >> 3 !== this.#eight) {
      this.#turn();
      this.#eight = group >> 3;
    }
    const bitmaps = this.#bitmaps;
    const from = (group & 7) * this.#bitmapBytes;
    const block = filterBlock(hash, this.blocks) * FILTER_POSITIONS;
    let position = filterPosition(hash);
    const step = filterStep(position);
    for (let i = 0; i < FILTER_HASHES; i++) {
      const bit = block + (position & (FILTER_POSITIONS - 1));
      const at = from + (bit >> 3);
      bitmaps[at] = bitmaps[at]! | (1 << (bit & 7));
      position += step;
    }
  }

  /** Puts the eight bitmaps into their column of `bytes` and empties them. */
  #turn(): void {
    const size = this.#bitmapBytes;
    const stride = this.#stride;
    const from = this.#bitmaps;
    const to = this.bytes;
    for (let i = 0; i < size; i++) {
      // An 8 × 8 transposition (Hacker's Delight, 7-3): rows are groups, columns positions.
      let x = (from[i + size * 7]! << 24) | (from[i + size * 6]! << 16);
      x |= (from[i + size * 5]! << 8) | from[i + size * 4]!;
      let y = (from[i + size * 3]! << 24) | (from[i + size * 2]! << 16);
      y |= (from[i + size]! << 8) | from[i]!;
      if ((x | y) === 0) continue;
      let t = (x ^ (x >>> 7)) & 0x00aa00aa;
      x ^= t ^ (t << 7);
      t = (y ^ (y >>> 7)) & 0x00aa00aa;
      y ^= t ^ (t << 7);
      t = (x ^ (x >>> 14)) & 0x0000cccc;
      x ^= t ^ (t << 14);
      t = (y ^ (y >>> 14)) & 0x0000cccc;
      y ^= t ^ (t << 14);
      t = (x & 0xf0f0f0f0) | ((y >>> 4) & 0x0f0f0f0f);
      y = ((x << 4) & 0xf0f0f0f0) | (y & 0x0f0f0f0f);
      let at = i * 8 * stride + this.#eight;
      for (let shift = 0; shift < 32; shift += 8, at += stride) to[at] = y >>> shift;
      for (let shift = 0; shift < 32; shift += 8, at += stride) to[at] = t >>> shift;
    }
    from.fill(0);
  }
}

/** What both families are made from. */
export interface ValueSource {
  readonly batches: readonly SpanBatch[];
  readonly order: RowOrder;
  /** Source row `g` of each row `p` in segment order. */
  readonly sourceOf: Uint32Array;
  readonly gathered: Gathered;
  readonly plan: ColumnPlan;
}

/** Encodes CODES and RAW of groups. */
export class ValueEncoder {
  readonly codes = new ByteSink(64 * 1024);
  readonly raw = new ByteSink(256 * 1024);
  readonly filter: FilterBuilder;
  /** By column and group: least and greatest number, or null. Only numeric columns. */
  readonly bounds: ([number, number] | null)[][] = [];
  readonly #gathered: Gathered;
  readonly #plan: ColumnPlan;
  readonly #batchOf: Uint32Array;
  readonly #sourceOf: Uint32Array;
  /** dict columns: the rows' codes. Raw ones: where the values begin in their views. */
  readonly #values: Uint32Array[];
  /** Raw columns: how long the values are, and the views they are in. */
  readonly #lengths: Uint32Array[];
  readonly #origins: Uint32Array[];
  readonly #counts: Uint32Array;
  readonly #keyHashes: Uint32Array;
  /** Of the segment's dictionary, then of the buffer each batch is in. */
  readonly #views: readonly DataView[];
  /** dict columns: whether values are rare enough for the filter. */
  readonly #rare: readonly boolean[];
  /** Numeric dict columns: the number of each code, once asked for. */
  readonly #numbersOf: (Float64Array | undefined)[] = [];
  readonly #shapes: Uint32Array;

  constructor(source: ValueSource, groups: number) {
    const { gathered, plan, sourceOf } = source;
    this.#batchOf = source.order.batchOf;
    this.#gathered = gathered;
    this.#plan = plan;
    this.#sourceOf = sourceOf;
    this.#values = plan.columns.map(() => new Uint32Array(0));
    this.#lengths = plan.columns.map(() => new Uint32Array(0));
    this.#origins = plan.columns.map(() => new Uint32Array(0));
    this.#counts = new Uint32Array(plan.columns.length);
    this.#shapes = new Uint32Array(sourceOf.length);
    const dictionary = gathered.dictionary;
    this.#views = [viewOf(dictionary.bytes), ...bufferViews(source.batches)];
    this.#rare = plan.columns.map(({ type, valueUses }) => {
      return !isLiteral(type) && valueUses.some((uses) => uses <= RARE_USES);
    });
    this.filter = new FilterBuilder(filterEntries(plan), groups);
    this.#keyHashes = Uint32Array.from(plan.columns, ({ nameId, type }) => {
      const from = dictionary.offsets[nameId]!;
      const name = dictionary.bytes.subarray(from, dictionary.offsets[nameId + 1]!);
      return filterKeyHash(name, type);
    });
    for (let c = 0; c < plan.columns.length; c++) this.bounds.push([]);
  }

  encode(range: GroupRange, group: number): void {
    this.codes.reset();
    this.raw.reset();
    this.#collect(range);
    const rows = range.to - range.from;
    this.codes.planes(this.#shapes, rows, codeWidth(this.#plan.shapes.count));
    const present = this.#present("dict");
    this.codes.u16(present.length);
    for (const c of present) {
      this.codes.u16(c);
      this.codes.u32(this.#counts[c]!);
    }
    for (const c of present) {
      this.codes.planes(this.#values[c]!, this.#counts[c]!, this.#plan.columns[c]!.width);
      this.#rareCodes(c, group);
    }
    this.#raw(group);
    this.#bounds(group);
  }

  /** Distributes the rows' values onto their columns. */
  #collect(range: GroupRange): void {
    const { columns, shapes, shapeOf, codeOf } = this.#plan;
    const { shapeOf: gatheredShape, attributeStart, pairOf } = this.#gathered;
    const counts = this.#counts.fill(0);
    const need = (range.to - range.from) | 0;
    for (let c = 0; c < columns.length; c++) {
      if (columns[c]!.kind === "spilled") break;
      if (this.#values[c]!.length < need) this.#resize(c, need);
    }
    const values = this.#values;
    const raw = Uint8Array.from(columns, (column) => (column.kind === "raw" ? 1 : 0));
    for (let p = range.from; p < range.to; p++) {
      const g = this.#sourceOf[p]!;
      const shape = shapeOf[gatheredShape[g]!]!;
      this.#shapes[p - range.from] = shape;
      let at = attributeStart[g]!;
      const end = shapes.offsets[shape + 1]!;
      for (let k = shapes.offsets[shape]!; k < end; k++, at++) {
        const c = shapes.columns[k]!;
        if (c === SPILLED) continue;
        const n = counts[c]!;
        // An owner may have a key twice.
        if (n === values[c]!.length) this.#resize(c, Math.max(64, n * 2));
        if (raw[c] === 1) this.#collectRaw(c, n, g, p, at);
        else values[c]![n] = codeOf[pairOf[at]!]!;
        counts[c] = n + 1;
      }
    }
  }

  #collectRaw(c: number, n: number, g: number, p: number, at: number): void {
    const { pairOf, pairs, lengthOf, longLengths, dictionary } = this.#gathered;
    const entry = pairOf[at]!;
    if (g < this.#plan.columns[c]!.rawFrom) {
      const id = pairs.value[entry]!;
      const start = dictionary.offsets[id]!;
      this.#values[c]![n] = start;
      this.#lengths[c]![n] = dictionary.offsets[id + 1]! - start;
      this.#origins[c]![n] = 0;
      return;
    }
    const length = lengthOf[at]!;
    this.#values[c]![n] = entry;
    this.#lengths[c]![n] = length === LONG_VALUE ? longLengths.get(at)! : length;
    this.#origins[c]![n] = this.#batchOf[p]! + 1;
  }

  /** Makes room for `count` values of a column, keeping those it has. */
  #resize(c: number, count: number): void {
    this.#values[c] = resized(this.#values[c]!, count);
    if (this.#plan.columns[c]!.kind !== "raw") return;
    this.#lengths[c] = resized(this.#lengths[c]!, count);
    this.#origins[c] = resized(this.#origins[c]!, count);
  }

  #present(kind: PlannedColumn["kind"]): number[] {
    const present: number[] = [];
    this.#plan.columns.forEach((column, c) => {
      if (column.kind === kind && this.#counts[c]! > 0) present.push(c);
    });
    return present;
  }

  #rareCodes(c: number, group: number): void {
    if (!this.#rare[c]!) return;
    const column = this.#plan.columns[c]!;
    const { valueUses } = column;
    const values = this.#values[c]!;
    const count = this.#counts[c]!;
    const keyHash = this.#keyHashes[c]!;
    for (let i = 0; i < count; i++) {
      const code = values[i]!;
      if (valueUses[code]! > RARE_USES) continue;
      const valueHash = this.#gathered.dictionary.hashOf(column.values[code]!);
      this.filter.add(filterHash(keyHash, valueHash), group);
    }
  }

  #raw(group: number): void {
    const present = this.#present("raw");
    this.raw.u16(present.length);
    for (const c of present) {
      this.raw.u16(c);
      this.raw.u32(this.#counts[c]!);
    }
    for (const c of present) {
      if (isNumeric(this.#plan.columns[c]!.type)) this.#rawNumbers(c, group);
      else this.#rawBytes(c, group);
    }
  }

  #rawNumbers(c: number, group: number): void {
    const count = this.#counts[c]!;
    const numbers = new Uint8Array(count * 8);
    const to = viewOf(numbers);
    const starts = this.#values[c]!;
    const origins = this.#origins[c]!;
    const views = this.#views;
    const keyHash = this.#keyHashes[c]!;
    for (let i = 0; i < count; i++) {
      const hash = copyHash32(views[origins[i]!]!, starts[i]!, 8, to, i * 8);
      this.filter.add(filterHash(keyHash, hash), group);
    }
    this.raw.planes64(numbers, count);
  }

  #rawBytes(c: number, group: number): void {
    const count = this.#counts[c]!;
    const lengths = this.#lengths[c]!;
    let longest = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      total += lengths[i]!;
      if (lengths[i]! > longest) longest = lengths[i]!;
    }
    const width = codeWidth(longest + 1);
    this.raw.u8(width);
    this.raw.planes(lengths, count, width);
    this.raw.u32(total);
    let at = this.raw.take(total);
    const to = this.raw.view;
    const starts = this.#values[c]!;
    const origins = this.#origins[c]!;
    const views = this.#views;
    const keyHash = this.#keyHashes[c]!;
    for (let i = 0; i < count; i++) {
      const length = lengths[i]!;
      const hash = copyHash32(views[origins[i]!]!, starts[i]!, length, to, at);
      this.filter.add(filterHash(keyHash, hash), group);
      at += length;
    }
  }

  #bounds(group: number): void {
    const { columns } = this.#plan;
    const between: [number, number] = [0, 0];
    for (let c = 0; c < columns.length; c++) {
      const { type, kind } = columns[c]!;
      if (!isNumeric(type) || kind === "spilled") continue;
      const values = this.#values[c]!;
      const count = this.#counts[c]!;
      if (kind === "dict") dictBounds(values, count, this.#codeNumbers(c), between);
      else rawBounds(values, count, this.#origins[c]!, this.#views, type, between);
      this.bounds[c]![group] = between[0] <= between[1] ? [between[0], between[1]] : null;
    }
  }

  #codeNumbers(c: number): Float64Array {
    const { values, type } = this.#plan.columns[c]!;
    const known = this.#numbersOf[c];
    if (known !== undefined) return known;
    const numbers = new Float64Array(values.length);
    const { offsets } = this.#gathered.dictionary;
    const view = this.#views[0]!;
    for (let code = 0; code < values.length; code++) {
      numbers[code] = numberAt(view, offsets[values[code]!]!, type);
    }
    this.#numbersOf[c] = numbers;
    return numbers;
  }
}

/** A number for bounds: int64 beyond 2^53 may round, which readers allow for. */
function numberAt(view: DataView, at: number, type: number): number {
  if (type === ATTRIBUTE_TYPE.DOUBLE) return view.getFloat64(at, true);
  return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}

/**
 * Least and greatest number of coded values. A NaN fails both comparisons and stays outside the
 * bounds, as it should: it satisfies no comparison.
 */
function dictBounds(
  codes: Uint32Array,
  count: number,
  numbers: Float64Array,
  between: [number, number],
): void {
  let least = Infinity;
  let greatest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = numbers[codes[i]!]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  between[0] = least;
  between[1] = greatest;
}

function rawBounds(
  starts: Uint32Array,
  count: number,
  origins: Uint32Array,
  views: readonly DataView[],
  type: number,
  between: [number, number],
): void {
  let least = Infinity;
  let greatest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = numberAt(views[origins[i]!]!, starts[i]!, type);
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  between[0] = least;
  between[1] = greatest;
}

/** A view of the whole buffer of each batch: the batches of a head share one. */
function bufferViews(batches: readonly SpanBatch[]): DataView[] {
  const known = new Map<ArrayBufferLike, DataView>();
  return batches.map(({ image: { buffer } }) => {
    const view = known.get(buffer) ?? new DataView(buffer);
    known.set(buffer, view);
    return view;
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** How many values go into the filter: all raw ones, and the rare ones of dictionaries. */
function filterEntries(plan: ColumnPlan): number {
  let entries = 0;
  for (const column of plan.columns) {
    if (column.kind === "raw") entries += column.uses;
    if (column.kind !== "dict" || isLiteral(column.type)) continue;
    for (const uses of column.valueUses) if (uses <= RARE_USES) entries += uses;
  }
  return entries;
}

function resized(values: Uint32Array, count: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(count);
  bigger.set(values);
  return bigger;
}

/** Record of a dictionary: count, uses, length width, lengths, bytes (numbers: eight planes). */
export function encodeDictionary(sink: ByteSink, column: PlannedColumn, gathered: Gathered): void {
  const { bytes, offsets } = gathered.dictionary;
  const { values } = column;
  sink.u32(values.length);
  sink.raw(column.valueUses);
  if (isLiteral(column.type)) {
    sink.planes(values, values.length, 1);
    return;
  }
  if (isNumeric(column.type)) {
    const numbers = new Uint8Array(values.length * 8);
    values.forEach((id, i) => numbers.set(bytes.subarray(offsets[id]!, offsets[id]! + 8), i * 8));
    sink.planes64(numbers, values.length);
    return;
  }
  const lengths = Uint32Array.from(values, (id) => offsets[id + 1]! - offsets[id]!);
  const width = codeWidth(lengths.reduce((a, b) => (a > b ? a : b), 0) + 1);
  sink.u8(width);
  sink.planes(lengths, values.length, width);
  for (const id of values) sink.raw(bytes.subarray(offsets[id]!, offsets[id + 1]!));
}

/** Filter hash of a value's bytes for a key, as `ValueEncoder` adds it. */
export function valueFilterHash(keyHash: number, value: Uint8Array): number {
  return filterHash(keyHash, hash32(value, 0, value.length));
}
