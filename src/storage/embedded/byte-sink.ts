/** A growing buffer that segment blocks are written into, and the planes numbers are cut into. */

/** Appends little-endian numbers and bytes. Reused: `reset` keeps the memory. */
export class ByteSink {
  bytes: Uint8Array;
  length = 0;
  #view: DataView;

  constructor(initialBytes = 4096) {
    this.bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** What was written, as a view that the next write may overwrite after a `reset`. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** A view of `bytes`, until the next `take`. */
  get view(): DataView {
    return this.#view;
  }

  /** Makes room for `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.bytes.length) {
      const bigger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      bigger.set(this.bytes);
      this.bytes = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    this.length = needed;
    return at;
  }

  u8(value: number): void {
    const at = this.take(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.take(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.take(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.take(8);
    this.#view.setFloat64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Pads with zeros to a multiple of 8. */
  align(): void {
    const padding = -this.length & 7;
    const at = this.take(padding);
    this.bytes.fill(0, at, at + padding);
  }

  /** The low `width` (1..4) bytes of each value, byte 0 of all, then byte 1 of all, … */
  planes(values: ArrayLike<number>, count: number, width: number): void {
    const at = this.take(count * width);
    const bytes = this.bytes;
    for (let plane = 0; plane < width; plane++) {
      const shift = plane * 8;
      const to = at + plane * count;
      for (let i = 0; i < count; i++) bytes[to + i] = values[i]! >>> shift;
    }
  }

  /** Whole numbers below 2^48 as six planes. */
  planes48(values: Float64Array, count: number): void {
    const at = this.take(count * 6);
    const bytes = this.bytes;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      const low = value >>> 0;
      const high = (value - low) / 4294967296;
      bytes[at + i] = low;
      bytes[at + count + i] = low >>> 8;
      bytes[at + count * 2 + i] = low >>> 16;
      bytes[at + count * 3 + i] = low >>> 24;
      bytes[at + count * 4 + i] = high;
      bytes[at + count * 5 + i] = high >>> 8;
    }
  }

  /** Eight-byte things as eight planes. */
  planes64(values: Uint8Array, count: number): void {
    const at = this.take(count * 8);
    const bytes = this.bytes;
    for (let i = 0; i < count; i++) {
      for (let plane = 0; plane < 8; plane++)
        bytes[at + plane * count + i] = values[i * 8 + plane]!;
    }
  }
}

/** Reads back what ByteSink wrote; every read checks the end. */
export class ByteSource {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  u16(): number {
    const value = this.#view.getUint16(this.at, true);
    this.at += 2;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** The next `count` bytes as a view. */
  view(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) throw new RangeError("block ends too early");
    const view = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return view;
  }

  /** Leaves out the next `count` bytes. */
  skip(count: number): void {
    if (count > this.bytes.length - this.at) throw new RangeError("block ends too early");
    this.at += count;
  }

  align(): void {
    this.at = (this.at + 7) & ~7;
  }

  /** Values of `width` (1..4) planes. */
  planes(count: number, width: number): Uint32Array {
    const bytes = this.view(count * width);
    const values = new Uint32Array(count);
    if (width === 2) {
      for (let i = 0; i < count; i++) values[i] = bytes[i]! | (bytes[count + i]! << 8);
      return values;
    }
    for (let i = 0; i < count; i++) values[i] = bytes[i]!;
    for (let plane = 1; plane < width; plane++) {
      const from = plane * count;
      const shift = plane * 8;
      for (let i = 0; i < count; i++) values[i] = values[i]! | (bytes[from + i]! << shift);
    }
    return values;
  }

  /** Values of six planes. */
  planes48(count: number): Float64Array {
    const bytes = this.view(count * 6);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const low =
        (bytes[i]! |
          (bytes[count + i]! << 8) |
          (bytes[count * 2 + i]! << 16) |
          (bytes[count * 3 + i]! << 24)) >>>
        0;
      const high = bytes[count * 4 + i]! | (bytes[count * 5 + i]! << 8);
      values[i] = high * 4294967296 + low;
    }
    return values;
  }

  /** Eight-byte things from eight planes, 8 bytes each. */
  planes64(count: number): Uint8Array {
    const bytes = this.view(count * 8);
    const values = new Uint8Array(count * 8);
    for (let plane = 0; plane < 8; plane++) {
      for (let i = 0; i < count; i++) values[i * 8 + plane] = bytes[plane * count + i]!;
    }
    return values;
  }
}
