/** Gathers the rows of many batches into one dictionary, columns and shapes. Bench: seal. */

import { mix32 } from "../../base/hash.ts";
import { ATTRIBUTE_TYPE } from "../../core/batch.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { DictionaryBuilder } from "../../core/dictionary.ts";
import { SMALL_DICTIONARY } from "./segment-format.ts";

/** Marks in a shape the place of an attribute that has no column. */
export const SPILLED = 0xffffffff;

/**
 * Distinct (column, value) pairs, numbered in order of sight. A value is an entry of the
 * segment's dictionary, or the 0 or 1 of a BOOL.
 */
export class PairTable {
  count = 0;
  column = new Uint32Array(4096);
  value = new Uint32Array(4096);
  uses = new Uint32Array(4096);
  /** Two words a value: 1 + its first pair, and that one's column. Most have no other. */
  #first = new Uint32Array(8192);
  /** Other pairs of a value, by column and value: a chain could be as long as there are keys. */
  readonly #others = new Map<number, number>();

  /** Number of the pair, adding it when new; counts nothing. */
  find(column: number, value: number): number {
    if (value * 2 + 1 >= this.#first.length) this.#first = longer(this.#first, value * 4);
    const first = this.#first[value * 2]! - 1;
    if (first < 0) {
      const made = this.#add(column, value);
      this.#first[value * 2] = made + 1;
      this.#first[value * 2 + 1] = column;
      return made;
    }
    if (this.#first[value * 2 + 1] === column) return first;
    const key = column * 4294967296 + value;
    const other = this.#others.get(key);
    if (other !== undefined) return other;
    const made = this.#add(column, value);
    this.#others.set(key, made);
    return made;
  }

  #add(column: number, value: number): number {
    const pair = this.count++;
    if (pair === this.column.length) {
      const size = pair * 2;
      this.column = longer(this.column, size);
      this.value = longer(this.value, size);
      this.uses = longer(this.uses, size);
    }
    this.column[pair] = column;
    this.value[pair] = value;
    return pair;
  }
}

function longer(from: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(size);
  to.set(from);
  return to;
}

/** Distinct sequences of columns: shape `s` is `columns[offsets[s] ..< offsets[s + 1]]`. */
export class ShapeTable {
  count = 0;
  offsets = new Uint32Array(1024);
  columns = new Uint32Array(8192);
  #hashes = new Uint32Array(1024);
  #slots = new Uint32Array(4096);

  /** Room for a sequence of `length` behind the known ones; write it at the returned index. */
  reserve(length: number): number {
    const at = this.offsets[this.count]!;
    if (at + length > this.columns.length) {
      this.columns = longer(this.columns, Math.max(at + length, this.columns.length * 2));
    }
    return at;
  }

  /** Number of the sequence written behind the known ones. */
  find(length: number, hash: number): number {
    const at = this.offsets[this.count]!;
    const mask = this.#slots.length - 1;
    let slot = mix32(hash) & mask;
    for (;;) {
      const shape = this.#slots[slot]! - 1;
      if (shape < 0) return this.#add(at, length, hash, slot);
      if (this.#hashes[shape] === hash && this.#same(shape, at, length)) return shape;
      slot = (slot + 1) & mask;
    }
  }

  #same(shape: number, at: number, length: number): boolean {
    const from = this.offsets[shape]!;
    if (this.offsets[shape + 1]! - from !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.columns[from + i] !== this.columns[at + i]) return false;
    }
    return true;
  }

  #add(at: number, length: number, hash: number, slot: number): number {
    const shape = this.count++;
    if (this.count + 1 > this.offsets.length) {
      this.offsets = longer(this.offsets, this.offsets.length * 2);
      this.#hashes = longer(this.#hashes, this.#hashes.length * 2);
    }
    this.offsets[this.count] = at + length;
    this.#hashes[shape] = hash;
    this.#slots[slot] = shape + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return shape;
  }

  #rehash(): void {
    const size = this.#slots.length * 4;
    this.#slots = new Uint32Array(size);
    for (let shape = 0; shape < this.count; shape++) {
      let slot = mix32(this.#hashes[shape]!) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = shape + 1;
    }
  }
}

/** A column of span attributes before it is decided how it is kept. */
export interface GatheredColumn {
  /** Segment dictionary id of the key. */
  readonly nameId: number;
  /** ATTRIBUTE_TYPE. */
  readonly type: number;
  /** Source row from which on `pairOf` tells where the value's bytes lie instead. */
  rawFrom: number;
  /** Entries of rows from `rawFrom` on. */
  rawUses: number;
  /** Distinct values of the rows before. */
  distinct: number;
  uses: number;
}

/** `rawFrom` of a column whose values are all pairs. */
export const NEVER_RAW = 0xffffffff;
/** A column is judged after this many entries: fewer misjudge 5,000 addresses as all distinct. */
const RAW_AFTER_USES = 8192;
/** In `lengthOf`: the length is in `longLengths`. */
export const LONG_VALUE = 0xffff;

/** Everything of the source rows but what is copied as it is; row `g` counts over batches. */
export interface Gathered {
  readonly dictionary: DictionaryBuilder;
  readonly columns: readonly GatheredColumn[];
  readonly pairs: PairTable;
  readonly shapes: ShapeTable;
  /** First row of each batch. */
  readonly base: Uint32Array;
  readonly shapeOf: Uint32Array;
  /** Row `g` has the entries `attributeStart[g] ..`, as many as its shape has columns. */
  readonly attributeStart: Uint32Array;
  /**
   * An entry's pair or, in raw columns, where its bytes begin in the buffer of the row's batch:
   * asking the batch's dictionary later, in segment order, is a cache miss a value.
   */
  readonly pairOf: Uint32Array;
  /** Raw columns: how long an entry is, or LONG_VALUE. */
  readonly lengthOf: Uint16Array;
  readonly longLengths: ReadonlyMap<number, number>;
}

/** Gathers the span attributes of all rows of `batches`. */
export function gatherRows(batches: readonly SpanBatch[]): Gathered {
  let rows = 0;
  let attributes = 0;
  const base = new Uint32Array(batches.length + 1);
  batches.forEach((batch, b) => {
    base[b] = rows;
    rows += batch.spanCount;
    attributes += batch.spanAttributes.key.length;
  });
  base[batches.length] = rows;
  const gatherer = new Gatherer(rows, attributes);
  for (let b = 0; b < batches.length; b++) gatherer.add(batches[b]!, base[b]!);
  return {
    dictionary: gatherer.dictionary,
    columns: gatherer.columns,
    pairs: gatherer.pairs,
    shapes: gatherer.shapes,
    base,
    shapeOf: gatherer.shapeOf,
    attributeStart: gatherer.attributeStart,
    pairOf: gatherer.pairOf,
    lengthOf: gatherer.lengthOf,
    longLengths: gatherer.longLengths,
  };
}

/** Per key of a batch, while its rows are gathered. */
interface KeyFacts {
  readonly column: Uint32Array;
  /** 1 where the column is raw by now. */
  readonly raw: Uint8Array;
  readonly uses: Uint32Array;
}

class Gatherer {
  readonly dictionary = new DictionaryBuilder();
  readonly columns: GatheredColumn[] = [];
  readonly pairs = new PairTable();
  readonly shapes = new ShapeTable();
  readonly shapeOf: Uint32Array;
  readonly attributeStart: Uint32Array;
  readonly pairOf: Uint32Array;
  readonly lengthOf: Uint16Array;
  readonly longLengths = new Map<number, number>();
  readonly #columnOf = new Map<number, number>();
  /** Columns that may yet turn raw. */
  readonly #watched = new Set<GatheredColumn>();
  /** By entry of the batch's dictionary: 1 + the key it was last met under, and its pair there. */
  #memoKey = new Uint32Array(4096);
  #memoPair = new Uint32Array(4096);
  #filled = 0;

  constructor(rows: number, attributes: number) {
    this.shapeOf = new Uint32Array(rows);
    this.attributeStart = new Uint32Array(rows);
    this.pairOf = new Uint32Array(attributes);
    this.lengthOf = new Uint16Array(attributes);
  }

  add(batch: SpanBatch, base: number): void {
    const column = this.#columnsOfKeys(batch);
    const raw = new Uint8Array(column.length);
    for (let k = 0; k < raw.length; k++) {
      raw[k] = this.columns[column[k]!]!.rawFrom === NEVER_RAW ? 0 : 1;
    }
    const keys = { column, raw, uses: new Uint32Array(column.length) };
    this.#shapesOf(batch, base, column);
    this.#valuesOf(batch, keys);
    for (let k = 0; k < raw.length; k++) {
      const of = this.columns[column[k]!]!;
      if (raw[k] === 1) of.rawUses += keys.uses[k]!;
      else of.uses += keys.uses[k]!;
    }
    for (const watched of this.#watched) this.#judge(watched, base + batch.spanCount);
  }

  #shapesOf(batch: SpanBatch, base: number, columnOfKey: Uint32Array): void {
    const { offsets, key } = batch.spanAttributes;
    const { shapes, shapeOf, attributeStart } = this;
    const filled = this.#filled;
    for (let r = 0; r < batch.spanCount; r++) {
      const from = offsets[r]!;
      const length = offsets[r + 1]! - from;
      const at = shapes.reserve(length);
      attributeStart[base + r] = filled + from;
      const hash = shapeInto(shapes.columns, at, key, from, length, columnOfKey);
      shapeOf[base + r] = shapes.find(length, hash);
    }
  }

  #valuesOf(batch: SpanBatch, keys: KeyFacts): void {
    if (this.#memoKey.length < batch.dictCount) {
      this.#memoKey = new Uint32Array(batch.dictCount * 2);
      this.#memoPair = new Uint32Array(batch.dictCount * 2);
    } else this.#memoKey.fill(0, 0, Math.max(2, batch.dictCount));
    const { key, value } = batch.spanAttributes;
    const { pairOf, lengthOf } = this;
    const memoKey = this.#memoKey;
    const memoPair = this.#memoPair;
    const { raw, uses } = keys;
    const offsets = batch.dictOffsets;
    const start = batch.dictBytes.byteOffset;
    let pairUses = this.pairs.uses;
    let filled = this.#filled;
    for (let a = 0; a < key.length; a++, filled++) {
      const k = key[a]!;
      const v = value[a]!;
      uses[k]!++;
      if (raw[k] === 1) {
        const from = offsets[v]!;
        const length = offsets[v + 1]! - from;
        pairOf[filled] = start + from;
        lengthOf[filled] = length < LONG_VALUE ? length : LONG_VALUE;
        if (length >= LONG_VALUE) this.longLengths.set(filled, length);
        continue;
      }
      let pair = memoPair[v]!;
      if (memoKey[v] !== k + 1) {
        pair = this.#pair(batch, keys.column[k]!, v);
        pairUses = this.pairs.uses;
        memoKey[v] = k + 1;
        memoPair[v] = pair;
      }
      pairUses[pair]!++;
      pairOf[filled] = pair;
    }
    this.#filled = filled;
  }

  /** From `row` on keeps a column's values as they are when most so far are distinct. */
  #judge(column: GatheredColumn, row: number): void {
    if (column.uses < RAW_AFTER_USES) return;
    if (column.distinct * 2 > column.uses) {
      column.rawFrom = row;
      this.#watched.delete(column);
    } else if (column.distinct <= SMALL_DICTIONARY) this.#watched.delete(column);
  }

  #pair(batch: SpanBatch, column: number, value: number): number {
    const of = this.columns[column]!;
    const literal = of.type === ATTRIBUTE_TYPE.BOOL || of.type === ATTRIBUTE_TYPE.EMPTY;
    const before = this.pairs.count;
    const pair = this.pairs.find(column, literal ? value : this.intern(batch, value));
    if (this.pairs.count !== before) of.distinct++;
    return pair;
  }

  /** Segment dictionary id of a batch's entry. */
  intern(batch: SpanBatch, id: number): number {
    const offsets = batch.dictOffsets;
    return this.dictionary.intern(batch.dictBytes, offsets[id]!, offsets[id + 1]!);
  }

  #columnsOfKeys(batch: SpanBatch): Uint32Array {
    const columns = new Uint32Array(batch.keyCount);
    for (let k = 0; k < batch.keyCount; k++) {
      const nameId = this.intern(batch, batch.keyNameId[k]!);
      const type = batch.keyType[k]!;
      const signature = nameId * 16 + type;
      let column = this.#columnOf.get(signature);
      if (column === undefined) {
        const made = { nameId, type, rawFrom: NEVER_RAW, rawUses: 0, distinct: 0, uses: 0 };
        column = this.columns.push(made) - 1;
        this.#columnOf.set(signature, column);
        if (type !== ATTRIBUTE_TYPE.BOOL && type !== ATTRIBUTE_TYPE.EMPTY) this.#watched.add(made);
      }
      columns[k] = column;
    }
    return columns;
  }
}

/** Writes the columns of a row's keys to `into` and returns their hash. */
function shapeInto(
  into: Uint32Array,
  at: number,
  key: Uint32Array,
  from: number,
  length: number,
  columnOfKey: Uint32Array,
): number {
  let hash = length;
  for (let i = 0; i < length; i++) {
    const column = columnOfKey[key[from + i]!]!;
    into[at + i] = column;
    hash = Math.imul(hash ^ column, 0x9e3779b1) ^ (hash >>> 15);
  }
  return hash >>> 0;
}
