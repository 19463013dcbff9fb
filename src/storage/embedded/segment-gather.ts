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
  #slots = new Uint32Array(16384);
  #mask = 16383;

  /** Number of the pair, adding it when new; counts nothing. */
  find(column: number, value: number): number {
    let slot = mix32(value ^ Math.imul(column + 1, 0x9e3779b1)) & this.#mask;
    for (;;) {
      const pair = this.#slots[slot]! - 1;
      if (pair < 0) return this.#add(column, value, slot);
      if (this.value[pair] === value && this.column[pair] === column) return pair;
      slot = (slot + 1) & this.#mask;
    }
  }

  #add(column: number, value: number, slot: number): number {
    if (this.count === this.column.length) this.#grow();
    const pair = this.count++;
    this.column[pair] = column;
    this.value[pair] = value;
    this.uses[pair] = 0;
    this.#slots[slot] = pair + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return pair;
  }

  #grow(): void {
    const size = this.column.length * 2;
    const bigger = (from: Uint32Array): Uint32Array<ArrayBuffer> => {
      const to = new Uint32Array(size);
      to.set(from);
      return to;
    };
    this.column = bigger(this.column);
    this.value = bigger(this.value);
    this.uses = bigger(this.uses);
  }

  #rehash(): void {
    const size = this.#slots.length * 2;
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    for (let pair = 0; pair < this.count; pair++) {
      const mixed = this.value[pair]! ^ Math.imul(this.column[pair]! + 1, 0x9e3779b1);
      let slot = mix32(mixed) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = pair + 1;
    }
  }
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
      const bigger = new Uint32Array(Math.max(at + length, this.columns.length * 2));
      bigger.set(this.columns);
      this.columns = bigger;
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
      const offsets = new Uint32Array(this.offsets.length * 2);
      offsets.set(this.offsets);
      this.offsets = offsets;
      const hashes = new Uint32Array(this.#hashes.length * 2);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
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
  /** Source row from which on `pairOf` holds dictionary ids of the row's own batch instead. */
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

/** Everything of the source rows but what is copied as it is; row `g` counts over batches. */
export interface Gathered {
  readonly dictionary: DictionaryBuilder;
  readonly columns: readonly GatheredColumn[];
  readonly pairs: PairTable;
  readonly shapes: ShapeTable;
  /** First row of each batch. */
  readonly base: Uint32Array;
  readonly shapeOf: Uint32Array;
  /**
   * Row `g` has the pairs (or, in raw columns, ids of its batch) `pairOf[attributeStart[g] ..]`,
   * as many as its shape has columns.
   */
  readonly attributeStart: Uint32Array;
  readonly pairOf: Uint32Array;
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
  };
}

class Gatherer {
  readonly dictionary = new DictionaryBuilder();
  readonly columns: GatheredColumn[] = [];
  readonly pairs = new PairTable();
  readonly shapes = new ShapeTable();
  readonly shapeOf: Uint32Array;
  readonly attributeStart: Uint32Array;
  readonly pairOf: Uint32Array;
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
  }

  add(batch: SpanBatch, base: number): void {
    const columnOfKey = this.#columnsOfKeys(batch);
    const rawKeys = Uint8Array.from(columnOfKey, (column) => {
      return this.columns[column]!.rawFrom === NEVER_RAW ? 0 : 1;
    });
    if (this.#memoKey.length < batch.dictCount) {
      this.#memoKey = new Uint32Array(batch.dictCount * 2);
      this.#memoPair = new Uint32Array(batch.dictCount * 2);
    } else this.#memoKey.fill(0, 0, Math.max(2, batch.dictCount));
    const { offsets, key, value } = batch.spanAttributes;
    const memoKey = this.#memoKey;
    const memoPair = this.#memoPair;
    const pairOf = this.pairOf;
    let filled = this.#filled;
    for (let r = 0; r < batch.spanCount; r++) {
      const from = offsets[r]!;
      const to = offsets[r + 1]!;
      const at = this.shapes.reserve(to - from);
      const shapeColumns = this.shapes.columns;
      let hash = to - from;
      this.attributeStart[base + r] = filled;
      for (let a = from; a < to; a++) {
        const k = key[a]!;
        const column = columnOfKey[k]!;
        shapeColumns[at + a - from] = column;
        hash = Math.imul(hash ^ column, 0x9e3779b1) ^ (hash >>> 15);
        if (rawKeys[k] === 1) {
          pairOf[filled++] = value[a]!;
          continue;
        }
        const v = value[a]!;
        if (memoKey[v] === k + 1) {
          pairOf[filled++] = memoPair[v]!;
          continue;
        }
        const pair = this.#pair(batch, column, v);
        memoKey[v] = k + 1;
        memoPair[v] = pair;
        pairOf[filled++] = pair;
      }
      this.shapeOf[base + r] = this.shapes.find(to - from, hash >>> 0);
    }
    this.#count(this.#filled, key, rawKeys, columnOfKey);
    this.#filled = filled;
    for (const column of this.#watched) this.#judge(column, base + batch.spanCount);
  }

  #count(from: number, key: Uint32Array, rawKeys: Uint8Array, columnOfKey: Uint32Array): void {
    const pairOf = this.pairOf;
    const uses = this.pairs.uses;
    const keyUses = new Uint32Array(rawKeys.length);
    for (let a = 0; a < key.length; a++) {
      const k = key[a]!;
      keyUses[k]!++;
      if (rawKeys[k] === 0) uses[pairOf[from + a]!]!++;
    }
    for (let k = 0; k < rawKeys.length; k++) {
      const column = this.columns[columnOfKey[k]!]!;
      if (rawKeys[k] === 1) column.rawUses += keyUses[k]!;
      else column.uses += keyUses[k]!;
    }
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
