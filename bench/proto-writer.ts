/** Writes protobuf for the bench's data: its own code, so that it is an oracle for src/wire. */

const ascii = new TextEncoder();

/** Bytes of a text, kept by callers for texts that occur often. */
export function bytesOf(text: string): Uint8Array {
  return ascii.encode(text);
}

/** A growing buffer that knows protobuf's wire types; nothing else. */
export class ProtoWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** The bytes written so far, valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  uintField(field: number, value: number): void {
    this.varint(field * 8);
    this.varint(value);
  }

  fixed32Field(field: number, value: number): void {
    this.varint(field * 8 + 5);
    this.reserve(4);
    this.length = this.bytes.writeUInt32LE(value, this.length);
  }

  /** A 64-bit number given as whole seconds and nanoseconds, exact where a double is not. */
  fixed64Nanos(field: number, seconds: number, nanos: number): void {
    this.varint(field * 8 + 1);
    this.reserve(8);
    const value = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
    this.length = this.bytes.writeBigUInt64LE(value, this.length);
  }

  doubleField(field: number, value: number): void {
    this.varint(field * 8 + 1);
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  bytesField(field: number, bytes: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** ASCII only: its length in bytes is its length in characters. */
  textField(field: number, text: string): void {
    this.varint(field * 8 + 2);
    this.varint(text.length);
    this.reserve(text.length);
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  /** Starts a nested message of under 16 kB: its length is filled in by `end`. */
  begin(field: number): number {
    this.varint(field * 8 + 2);
    this.reserve(2);
    this.length += 2;
    return this.length;
  }

  /** Closes a nested message, moving it up by one byte when its length fits in one. */
  end(start: number): void {
    const size = this.length - start;
    if (size < 128) {
      this.bytes[start - 2] = size;
      this.bytes.copyWithin(start - 1, start, this.length);
      this.length -= 1;
      return;
    }
    if (size >= 16384) throw new Error(`nested message of ${size} bytes: use bytesField`);
    this.bytes[start - 2] = (size & 127) | 128;
    this.bytes[start - 1] = size >> 7;
  }
}
