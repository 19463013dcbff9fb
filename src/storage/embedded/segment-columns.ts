/** Decodes the value blocks of segments: codes, raw values, dictionaries. */

import { ByteSource } from "./byte-sink.ts";
import type { ColumnFacts } from "./segment-format.ts";
import { isLiteral, isNumeric } from "./segment-plan.ts";

/** Codes of a group's rows: which shape each row has, and each column's codes in row order. */
export interface CodesData {
  readonly shape: Uint32Array;
  /** By column, for those the group has. */
  readonly columns: ReadonlyMap<number, Uint32Array | Uint8Array>;
  readonly sizeBytes: number;
}

/** Values of a column as bytes: value `i` is `bytes[offsets[i] ..< offsets[i + 1]]`. */
export interface ValueBytes {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Raw values of a group, by column, in row order. */
export interface RawData {
  readonly columns: ReadonlyMap<number, ValueBytes>;
  readonly sizeBytes: number;
}

/** A column's dictionary; literals (BOOL, EMPTY) have their 0 or 1 in `literals`. */
export interface DictionaryData extends ValueBytes {
  /** Uses of each value in the segment, at most 255. */
  readonly uses: Uint8Array;
  readonly literals: Uint32Array;
  readonly sizeBytes: number;
}

/** Decodes CODES of a group of `rows` rows. */
export function decodeCodes(
  bytes: Uint8Array,
  rows: number,
  shapeWidth: number,
  facts: readonly ColumnFacts[],
): CodesData {
  const source = new ByteSource(bytes);
  const shape = source.planes(rows, shapeWidth);
  const directory = readDirectory(source);
  const columns = new Map<number, Uint32Array | Uint8Array>();
  let sizeBytes = shape.length * 4 + 256 + bytes.length;
  for (const [column, count] of directory) {
    if (facts[column]!.distinct <= 256) columns.set(column, source.view(count));
    else {
      columns.set(column, source.planes(count, 2));
      sizeBytes += count * 4;
    }
  }
  return { shape, columns, sizeBytes };
}

/** Decodes RAW of a group. */
export function decodeRaw(bytes: Uint8Array, facts: readonly ColumnFacts[]): RawData {
  const columns = new Map<number, ValueBytes>();
  if (bytes.length === 0) return { columns, sizeBytes: 64 };
  const source = new ByteSource(bytes);
  let sizeBytes = bytes.length + 256;
  for (const [column, count] of readDirectory(source)) {
    const values = isNumeric(facts[column]!.type) ? numbers(source, count) : texts(source, count);
    columns.set(column, values);
    sizeBytes += values.offsets.length * 4;
  }
  return { columns, sizeBytes };
}

/** Decodes a dictionary record of a column of the type. */
export function decodeDictionary(record: Uint8Array, type: number): DictionaryData {
  const source = new ByteSource(record);
  const count = source.u32();
  const uses = source.view(count);
  const none = { count, offsets: new Uint32Array(1), bytes: new Uint8Array(0) };
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
  return { count, offsets, bytes };
}

function readOffsets(source: ByteSource, count: number): Uint32Array {
  const lengths = source.planes(count, source.u8());
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
  return offsets;
}

function texts(source: ByteSource, count: number): ValueBytes {
  const offsets = readOffsets(source, count);
  return { count, offsets, bytes: source.view(source.u32()) };
}

function dictionaryTexts(source: ByteSource, count: number): ValueBytes {
  const offsets = readOffsets(source, count);
  return { count, offsets, bytes: source.view(offsets[count]!) };
}
