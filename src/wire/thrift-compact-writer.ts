// Writes Thrift's compact protocol into a growing byte buffer, without intermediate objects.
import { ThriftType, grown } from "./thrift-writer.ts";
import { writeUtf8Into } from "./utf8-into.ts";
import type { ThriftWriter } from "./thrift-writer.ts";

const COMPACT_TYPE: Readonly<Record<number, number>> = {
  [ThriftType.double]: 7,
  [ThriftType.i32]: 5,
  [ThriftType.i64]: 6,
  [ThriftType.string]: 8,
  [ThriftType.list]: 9,
  [ThriftType.struct]: 12,
};
const COMPACT_TRUE = 1;
const COMPACT_FALSE = 2;

/** TCompactProtocol. Field ids are deltas: structs go between structBegin and structEnd. */
export class CompactThriftWriter implements ThriftWriter {
  bytes: Uint8Array;
  position = 0;
  #view: DataView;
  readonly #limit: number;
  #lastField = 0;
  readonly #outerFields: number[] = [];

  constructor(bytes: Uint8Array, limit: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limit = limit;
  }

  replaceBuffer(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.replaceBuffer(grown(this.bytes, needed, this.#limit));
  }

  #head(compactType: number, id: number): void {
    this.#reserve(4);
    const delta = id - this.#lastField;
    this.#lastField = id;
    if (delta > 0 && delta <= 15) {
      this.bytes[this.position++] = (delta << 4) | compactType;
      return;
    }
    this.bytes[this.position++] = compactType;
    this.#varint((id << 1) ^ (id >> 31));
  }

  #varint(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** Starts a struct; also forgets the fields of one that was cut off by a thrown error. */
  structBegin(): void {
    this.#outerFields.push(this.#lastField);
    this.#lastField = 0;
  }

  structEnd(): void {
    this.#reserve(1);
    this.bytes[this.position++] = 0;
    this.#lastField = this.#outerFields.pop() ?? 0;
  }

  /** Back to the state between two top-level structs, after an error in the middle of one. */
  resetStructs(): void {
    this.#outerFields.length = 0;
    this.#lastField = 0;
  }

  /** Goes on after a field that was written elsewhere. */
  skipTo(lastField: number): void {
    this.#lastField = lastField;
  }

  fieldBool(id: number, value: boolean): void {
    this.#head(value ? COMPACT_TRUE : COMPACT_FALSE, id);
  }

  fieldI32(id: number, value: number): void {
    this.#head(5, id);
    this.#reserve(5);
    this.#varint((value << 1) ^ (value >> 31));
  }

  fieldI64(id: number, high: number, low: number): void {
    this.#head(6, id);
    this.#reserve(10);
    const sign = high >> 31;
    let restHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    let restLow = ((low << 1) ^ sign) >>> 0;
    while (restHigh !== 0 || restLow > 0x7f) {
      this.bytes[this.position++] = (restLow & 0x7f) | 0x80;
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    this.bytes[this.position++] = restLow;
  }

  fieldDouble(id: number, value: number): void {
    this.#head(7, id);
    this.#reserve(8);
    this.#view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  fieldString(id: number, value: string): void {
    this.#head(8, id);
    this.#text(value);
  }

  #text(value: string): void {
    this.#reserve(10 + value.length * 3);
    // Most text is ASCII, so that its length is known before it is written.
    const before = this.position;
    this.#varint(value.length);
    const start = this.position;
    const end = writeUtf8Into(this.bytes, start, value);
    if (end - start === value.length) {
      this.position = end;
      return;
    }
    this.position = before;
    this.#varint(end - start);
    // A longer prefix has overwritten the first byte of the text, so the text is written again.
    if (this.position > start) writeUtf8Into(this.bytes, this.position, value);
    this.position += end - start;
  }

  fieldBytes(id: number, value: Uint8Array): void {
    this.#head(8, id);
    this.#reserve(5 + value.length);
    this.#varint(value.length);
    this.raw(value);
  }

  fieldStruct(id: number): void {
    this.#head(12, id);
  }

  tagBegin(key: string, type: number): void {
    this.structBegin();
    this.fieldString(1, key);
    this.fieldI32(2, type);
  }

  fieldList(id: number, type: number, size: number): void {
    this.#head(9, id);
    this.#reserve(6);
    const compactType = COMPACT_TYPE[type] ?? 0;
    if (size < 15) {
      this.bytes[this.position++] = (size << 4) | compactType;
      return;
    }
    this.bytes[this.position++] = 0xf0 | compactType;
    this.#varint(size);
  }

  messageBegin(name: string, kind: number, sequence: number): void {
    this.#reserve(7);
    this.bytes[this.position++] = 0x82;
    this.bytes[this.position++] = (kind << 5) | 1;
    this.#varint(sequence);
    this.#text(name);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }
}
