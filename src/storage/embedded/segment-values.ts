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
  filterHash,
  filterKeyHash,
  filterPosition,
  filterStep,
  RARE_USES,
} from "./segment-format.ts";
import { SPILLED } from "./segment-gather.ts";
import type { Gathered } from "./segment-gather.ts";
import type { RowOrder } from "./segment-order.ts";
import { isLiteral, isNumeric } from "./segment-plan.ts";
import type { ColumnPlan, PlannedColumn } from "./segment-plan.ts";

/** Answers "may this group hold this value of this raw column?" for all groups at once. */
export class FilterBuilder {
  readonly bytes: Uint8Array;
  readonly blocks: number;
  readonly #stride: number;

  constructor(entries: number, groups: number) {
    this.#stride = (groups + 7) >> 3;
    const perBlock = FILTER_POSITIONS * groups;
    this.blocks = entries === 0 ? 0 : Math.ceil((entries * FILTER_BITS) / perBlock);
    this.bytes = new Uint8Array(this.blocks * FILTER_POSITIONS * this.#stride);
  }

  /** The blocks as they lie in the file: each followed by its crc32. */
  sealed(): Uint8Array {
    const size = FILTER_POSITIONS * this.#stride;
    const sink = new ByteSink(this.blocks * (size + 4));
    for (let at = 0; at < this.bytes.length; at += size) {
      const block = this.bytes.subarray(at, at + size);
      sink.raw(block);
      sink.u32(checksum(block));
    }
    return sink.written();
  }

  add(hash: number, group: number): void {
    const block = (hash % this.blocks) * FILTER_POSITIONS;
    let position = filterPosition(hash);
    const step = filterStep(position);
    const bit = 1 << (group & 7);
    for (let i = 0; i < FILTER_HASHES; i++) {
      const at = (block + (position & (FILTER_POSITIONS - 1))) * this.#stride + (group >> 3);
      this.bytes[at] = this.bytes[at]! | bit;
      position += step;
    }
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
  readonly #batches: readonly SpanBatch[];
  readonly #batchOf: Uint32Array;
  readonly #sourceOf: Uint32Array;
  readonly #values: Uint32Array[];
  /** Raw columns: 1 + the batch whose dictionary the value is in, or 0 for the segment's. */
  readonly #origins: Uint32Array[];
  readonly #counts: Uint32Array;
  readonly #keyHashes: Uint32Array;
  /** Of the segment's dictionary, then of each batch's when a raw value of it is met. */
  readonly #views: (DataView | undefined)[];
  /** dict columns: whether values are rare enough for the filter. */
  readonly #rare: readonly boolean[];
  /** Numeric dict columns: the number of each code, once asked for. */
  readonly #numbersOf: (Float64Array | undefined)[] = [];
  readonly #shapes: Uint32Array;
  /** Where the raw values being written begin in their views, and how long they are. */
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);

  constructor(source: ValueSource, groups: number) {
    const { gathered, plan, sourceOf } = source;
    this.#batches = source.batches;
    this.#batchOf = source.order.batchOf;
    this.#gathered = gathered;
    this.#plan = plan;
    this.#sourceOf = sourceOf;
    this.#values = plan.columns.map(() => new Uint32Array(0));
    this.#origins = plan.columns.map(() => new Uint32Array(0));
    this.#counts = new Uint32Array(plan.columns.length);
    this.#shapes = new Uint32Array(sourceOf.length);
    const dictionary = gathered.dictionary;
    this.#views = [viewOf(dictionary.bytes)];
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
      if (this.#values[c]!.length < need) this.#values[c] = new Uint32Array(need);
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
        if (n === values[c]!.length) values[c] = doubled(values[c]!);
        if (raw[c] === 1) this.#collectRaw(c, n, g, p, pairOf[at]!);
        else values[c]![n] = codeOf[pairOf[at]!]!;
        counts[c] = n + 1;
      }
    }
  }

  #collectRaw(c: number, n: number, g: number, p: number, entry: number): void {
    if (this.#origins[c]!.length <= n) {
      const bigger = new Uint32Array(this.#values[c]!.length);
      bigger.set(this.#origins[c]!);
      this.#origins[c] = bigger;
    }
    const own = g >= this.#plan.columns[c]!.rawFrom;
    this.#values[c]![n] = own ? entry : this.#plan.codeOf[entry]!;
    this.#origins[c]![n] = own ? this.#batchOf[p]! + 1 : 0;
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
      this.#locate(c);
      if (isNumeric(this.#plan.columns[c]!.type)) this.#rawNumbers(c, group);
      else this.#rawBytes(c, group);
    }
  }

  /** Finds the bytes of a raw column's values in this group. */
  #locate(c: number): void {
    const { offsets } = this.#gathered.dictionary;
    const count = this.#counts[c]!;
    if (this.#starts.length < count) {
      this.#starts = new Uint32Array(count);
      this.#lengths = new Uint32Array(count);
    }
    const values = this.#values[c]!;
    const origins = this.#origins[c]!;
    for (let i = 0; i < count; i++) {
      const id = values[i]!;
      const origin = origins[i]!;
      const from = origin === 0 ? offsets : this.#batches[origin - 1]!.dictOffsets;
      const start = from[id]!;
      this.#starts[i] = start;
      this.#lengths[i] = from[id + 1]! - start;
    }
  }

  #rawNumbers(c: number, group: number): void {
    const count = this.#counts[c]!;
    const numbers = new Uint8Array(count * 8);
    const to = viewOf(numbers);
    const origins = this.#origins[c]!;
    const keyHash = this.#keyHashes[c]!;
    for (let i = 0; i < count; i++) {
      const hash = copyHash32(this.#viewAt(origins[i]!), this.#starts[i]!, 8, to, i * 8);
      this.filter.add(filterHash(keyHash, hash), group);
    }
    this.raw.planes64(numbers, count);
  }

  #rawBytes(c: number, group: number): void {
    const count = this.#counts[c]!;
    const lengths = this.#lengths;
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
    const origins = this.#origins[c]!;
    const keyHash = this.#keyHashes[c]!;
    for (let i = 0; i < count; i++) {
      const length = lengths[i]!;
      const hash = copyHash32(this.#viewAt(origins[i]!), this.#starts[i]!, length, to, at);
      this.filter.add(filterHash(keyHash, hash), group);
      at += length;
    }
  }

  #bounds(group: number): void {
    const { columns } = this.#plan;
    for (let c = 0; c < columns.length; c++) {
      const column = columns[c]!;
      if (!isNumeric(column.type) || column.kind === "spilled") continue;
      const numbers = column.kind === "dict" ? this.#codeNumbers(c) : undefined;
      let least = Infinity;
      let greatest = -Infinity;
      const values = this.#values[c]!;
      const origins = this.#origins[c]!;
      const count = this.#counts[c]!;
      for (let i = 0; i < count; i++) {
        const id = values[i]!;
        const value =
          numbers === undefined ? this.#number(id, origins[i]!, column.type) : numbers[id]!;
        // A NaN fails both comparisons and stays outside the bounds, as it should: it
        // satisfies no comparison.
        if (value < least) least = value;
        if (value > greatest) greatest = value;
      }
      this.bounds[c]![group] = least <= greatest ? [least, greatest] : null;
    }
  }

  #codeNumbers(c: number): Float64Array {
    const { values, type } = this.#plan.columns[c]!;
    const known = this.#numbersOf[c];
    if (known !== undefined) return known;
    const numbers = new Float64Array(values.length);
    for (let code = 0; code < values.length; code++) {
      numbers[code] = this.#number(values[code]!, 0, type);
    }
    this.#numbersOf[c] = numbers;
    return numbers;
  }

  /** A number for bounds: int64 beyond 2^53 may round, which readers allow for. */
  #number(id: number, origin: number, type: number): number {
    const { dictionary } = this.#gathered;
    const offsets = origin === 0 ? dictionary.offsets : this.#batches[origin - 1]!.dictOffsets;
    const view = this.#viewAt(origin);
    const at = offsets[id]!;
    if (type === ATTRIBUTE_TYPE.DOUBLE) return view.getFloat64(at, true);
    return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
  }

  /** The bytes of the segment's dictionary (0) or of a batch's (its number + 1). */
  #viewAt(origin: number): DataView {
    const known = this.#views[origin];
    if (known !== undefined) return known;
    const made = viewOf(this.#batches[origin - 1]!.dictBytes);
    this.#views[origin] = made;
    return made;
  }
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

function doubled(values: Uint32Array): Uint32Array {
  const bigger = new Uint32Array(Math.max(64, values.length * 2));
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
