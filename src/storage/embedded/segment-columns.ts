/** Decodes the value blocks of segments: codes, raw values, dictionaries. */

import { ByteSource } from "./byte-sink.ts";
import type { ColumnFacts } from "./segment-format.ts";
import type { Codes } from "./group-core.ts";
import { isLiteral, isNumeric } from "./segment-plan.ts";

/** Values of a column as bytes: value `i` is `bytes[offsets[i] ..< offsets[i + 1]]`. */
export interface ValueBytes {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** Of the same bytes. */
  readonly view: DataView;
}

/** Values of a column; `offsets` has one more than there are values. */
export function valueBytes(offsets: Uint32Array, bytes: Uint8Array): ValueBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { count: offsets.length - 1, offsets, bytes, view };
}

/** A column's dictionary; literals (BOOL, EMPTY) have their 0 or 1 in `literals`. */
export interface DictionaryData extends ValueBytes {
  /** Uses of each value in the segment, at most 255. */
  readonly uses: Uint8Array;
  readonly literals: Uint32Array;
  readonly sizeBytes: number;
}

/** Where a column's values are in a family's frame. */
interface Section {
  readonly at: number;
  readonly count: number;
}

/** CODES of a group: which shape each row has, and each column's codes in row order. */
export class CodesData {
  readonly sizeBytes: number;
  readonly #source: ByteSource;
  readonly #rows: number;
  readonly #shapeWidth: number;
  readonly #facts: readonly ColumnFacts[];
  /** Where each column's codes begin, and how many there are. */
  readonly #at: Uint32Array;
  readonly #count: Uint32Array;
  readonly #wide = new Map<number, Uint32Array>();
  #shape: Codes | undefined;

  constructor(bytes: Uint8Array, rows: number, shapeWidth: number, facts: readonly ColumnFacts[]) {
    const source = new ByteSource(bytes);
    source.skip(rows * shapeWidth);
    const directory = readDirectory(source);
    let sizeBytes = bytes.length + facts.length * 8 + 512;
    if (shapeWidth > 1) sizeBytes += rows * 4;
    this.#at = new Uint32Array(facts.length);
    this.#count = new Uint32Array(facts.length);
    for (const [column, count] of directory) {
      this.#at[column] = source.at;
      this.#count[column] = count;
      const wide = facts[column]!.distinct > 256;
      source.skip(wide ? count * 2 : count);
      if (wide) sizeBytes += count * 4;
    }
    this.sizeBytes = sizeBytes;
    this.#source = source;
    this.#rows = rows;
    this.#shapeWidth = shapeWidth;
    this.#facts = facts;
  }

  /** Shape of each row. */
  get shape(): Codes {
    if (this.#shape === undefined) {
      const source = this.#source;
      source.at = 0;
      const narrow = this.#shapeWidth === 1;
      this.#shape = narrow ? source.view(this.#rows) : source.planes(this.#rows, this.#shapeWidth);
    }
    return this.#shape;
  }

  /** Codes of a column; undefined when no row of the group has it. */
  column(column: number): Codes | undefined {
    const count = this.#count[column]!;
    if (count === 0) return undefined;
    this.#source.at = this.#at[column]!;
    if (this.#facts[column]!.distinct <= 256) return this.#source.view(count);
    let codes = this.#wide.get(column);
    if (codes === undefined) {
      codes = this.#source.planes(count, 2);
      this.#wide.set(column, codes);
    }
    return codes;
  }

  /** Code `i` of a column that the group has, without decoding the others. */
  code(column: number, i: number): number {
    const { bytes } = this.#source;
    const at = this.#at[column]! + i;
    const low = bytes[at]!;
    if (this.#facts[column]!.distinct <= 256) return low;
    return low | (bytes[at + this.#count[column]!]! << 8);
  }
}

/** RAW of a group: values by column, in row order. */
export class RawData {
  readonly sizeBytes: number;
  readonly #source: ByteSource;
  readonly #facts: readonly { readonly type: number }[];
  readonly #sections = new Map<number, Section>();
  readonly #columns = new Map<number, ValueBytes>();

  constructor(bytes: Uint8Array, facts: readonly { readonly type: number }[]) {
    const source = new ByteSource(bytes);
    let sizeBytes = bytes.length + 256;
    const directory = bytes.length === 0 ? [] : readDirectory(source);
    for (const [column, count] of directory) {
      this.#sections.set(column, { at: source.at, count });
      const numeric = isNumeric(facts[column]!.type);
      if (numeric) source.skip(count * 8);
      else {
        source.skip(source.u8() * count);
        source.skip(source.u32());
      }
      sizeBytes += count * (numeric ? 12 : 4);
    }
    this.sizeBytes = sizeBytes;
    this.#source = source;
    this.#facts = facts;
  }

  /** The columns that rows of the group have. */
  get columns(): Iterable<number> {
    return this.#sections.keys();
  }

  /** Values of a column; undefined when no row of the group has it. */
  column(column: number): ValueBytes | undefined {
    const known = this.#columns.get(column);
    if (known !== undefined) return known;
    const section = this.#sections.get(column);
    if (section === undefined) return undefined;
    const source = this.#source;
    source.at = section.at;
    const numeric = isNumeric(this.#facts[column]!.type);
    const values = numeric ? numbers(source, section.count) : texts(source, section.count);
    this.#columns.set(column, values);
    return values;
  }

  /** All bytes of a column of texts, one value after the other, without their offsets. */
  text(column: number): Uint8Array | undefined {
    const section = this.#sections.get(column);
    if (section === undefined) return undefined;
    const source = this.#source;
    source.at = section.at;
    source.skip(source.u8() * section.count);
    return source.view(source.u32());
  }
}

/** Decodes a dictionary record of a column of the type. */
export function decodeDictionary(record: Uint8Array, type: number): DictionaryData {
  const source = new ByteSource(record);
  const count = source.u32();
  const uses = source.view(count);
  const none = { ...valueBytes(new Uint32Array(1), new Uint8Array(0)), count };
  const literals = isLiteral(type) ? source.planes(count, 1) : new Uint32Array(0);
  if (isLiteral(type)) return { ...none, uses, literals, sizeBytes: count * 5 + 128 };
  const values = isNumeric(type) ? numbers(source, count) : dictionaryTexts(source, count);
  const sizeBytes = record.length + values.offsets.length * 4 + 128;
  return { ...values, uses, literals, sizeBytes };
}

function readDirectory(source: ByteSource): [column: number, count: number][] {
  return Array.from({ length: source.u16() }, () => [source.u16(), source.u32()]);
}

function numbers(source: ByteSource, count: number): ValueBytes {
  const bytes = source.planes64(count);
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i <= count; i++) offsets[i] = i * 8;
  return valueBytes(offsets, bytes);
}

function readOffsets(source: ByteSource, count: number): Uint32Array {
  const lengths = source.planes(count, source.u8());
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
  return offsets;
}

function texts(source: ByteSource, count: number): ValueBytes {
  const offsets = readOffsets(source, count);
  return valueBytes(offsets, source.view(source.u32()));
}

function dictionaryTexts(source: ByteSource, count: number): ValueBytes {
  const offsets = readOffsets(source, count);
  return valueBytes(offsets, source.view(offsets[count]!));
}
