/** Decodes the CORE family of a group, each column when it is first asked for. Bench: read. */

import { ByteSource } from "./byte-sink.ts";
import { codeWidth, TIME_WIDTH } from "./segment-core.ts";

/** Codes of one byte are a view of the frame. */
export type Codes = Uint8Array | Uint32Array;

/** CORE of a group: who asks only for durations pays only for durations. */
export class CoreData {
  readonly rows: number;
  /** First row of each run, then `rows`. */
  readonly runStart: Uint32Array;
  /** Explicit parents of the whole group. */
  readonly explicitParents: number;
  readonly #source: ByteSource;
  readonly #operations: number;
  readonly #resources: number;
  readonly #smallStarts: boolean;
  /** Where the sections begin. */
  readonly #startsAt: number;
  readonly #durationsAt: number;
  readonly #codesAt: number;
  #startUs: Float64Array | undefined;
  #startNs: Uint16Array | undefined;
  #durationNs: Float64Array | undefined;
  #operation: Codes | undefined;
  #resource: Codes | undefined;
  #parent: Codes | undefined;

  /** Checks that the frame is as long as it says; `operations` and `resources` of the segment. */
  constructor(bytes: Uint8Array, operations: number, resources: number) {
    const source = new ByteSource(bytes);
    const rows = source.u32();
    const runs = source.u32();
    const lengths = source.planes(runs, 4);
    const runStart = new Uint32Array(runs + 1);
    for (let i = 0; i < runs; i++) runStart[i + 1] = runStart[i]! + lengths[i]!;
    this.rows = rows;
    this.runStart = runStart;
    this.#source = source;
    this.#operations = codeWidth(operations);
    this.#resources = codeWidth(resources);
    this.#smallStarts = source.u8() === TIME_WIDTH.U32;
    this.#startsAt = source.at;
    source.skip(this.#smallStarts ? runs * 10 + rows * 4 : rows * 10);
    this.#durationsAt = source.at;
    source.skip(source.u8() * rows);
    this.#codesAt = source.at;
    source.skip((this.#operations + this.#resources + 1) * rows);
    source.skip(source.u8() * rows);
    this.explicitParents = source.u32();
  }

  /** Bytes it takes once everything was asked for. */
  get sizeBytes(): number {
    return this.#source.bytes.length + this.rows * 30 + 512;
  }

  /** Start of each row: whole µs; ns within it are in `startNs`. */
  get startUs(): Float64Array {
    if (this.#startUs === undefined) this.#starts();
    return this.#startUs!;
  }

  get startNs(): Uint16Array {
    if (this.#startNs === undefined) this.#starts();
    return this.#startNs!;
  }

  get durationNs(): Float64Array {
    this.#durationNs ??= this.#durations();
    return this.#durationNs;
  }

  get operation(): Codes {
    this.#operation ??= this.#codes(this.#codesAt, this.#operations);
    return this.#operation;
  }

  get resource(): Codes {
    const at = this.#codesAt + this.#operations * this.rows;
    this.#resource ??= this.#codes(at, this.#resources);
    return this.#resource;
  }

  get status(): Uint8Array {
    const at = this.#codesAt + (this.#operations + this.#resources) * this.rows;
    return this.#source.bytes.subarray(at, at + this.rows);
  }

  /** 0 none, 1 explicit (in order in the ids), 2 + row within the run otherwise. */
  get parent(): Codes {
    const at = this.#codesAt + (this.#operations + this.#resources + 1) * this.rows;
    this.#parent ??= this.#codes(at + 1, this.#source.bytes[at]!);
    return this.#parent;
  }

  #codes(at: number, width: number): Codes {
    const source = this.#source;
    source.at = at;
    return width === 1 ? source.view(this.rows) : source.planes(this.rows, width);
  }

  #durations(): Float64Array {
    const source = this.#source;
    source.at = this.#durationsAt;
    const width = source.u8();
    const { rows } = this;
    if (width === TIME_WIDTH.U48) return source.planes48(rows);
    const durationNs = new Float64Array(rows);
    if (width === TIME_WIDTH.U32) {
      const bytes = source.view(rows * 4);
      for (let i = 0; i < rows; i++) durationNs[i] = word(bytes, i, rows);
    } else for (let i = 0; i < rows; i++) durationNs[i] = source.f64();
    return durationNs;
  }

  #starts(): void {
    const { rows, runStart } = this;
    const source = this.#source;
    source.at = this.#startsAt;
    const startUs = new Float64Array(rows);
    const startNs = new Uint16Array(rows);
    const small = this.#smallStarts;
    const explicit = small ? runStart.length - 1 : rows;
    for (let i = 0; i < explicit; i++) {
      const row = small ? runStart[i]! : i;
      startUs[row] = source.f64();
      startNs[row] = source.u16();
    }
    if (small) addDeltas(source.view(rows * 4), runStart, startUs, startNs);
    this.#startUs = startUs;
    this.#startNs = startNs;
  }
}

/** Number `i` of `count` in four planes. */
function word(planes: Uint8Array, i: number, count: number): number {
  const high = planes[count * 3 + i]!;
  const low = planes[i]! | (planes[count + i]! << 8) | (planes[count * 2 + i]! << 16);
  return high === 0 ? low : low + high * 16_777_216;
}

/** Rows that are not first in their run start some ns (in four planes) after the row before. */
function addDeltas(
  planes: Uint8Array,
  runStart: Uint32Array,
  startUs: Float64Array,
  startNs: Uint16Array,
): void {
  const rows = startUs.length;
  for (let run = 0; run + 1 < runStart.length; run++) {
    const from = runStart[run]!;
    const to = runStart[run + 1]!;
    let us = startUs[from]!;
    let ns = startNs[from]!;
    for (let row = from + 1; row < to; row++) {
      ns += word(planes, row, rows);
      const carry = Math.floor(ns / 1000);
      us += carry;
      ns -= carry * 1000;
      startUs[row] = us;
      startNs[row] = ns;
    }
  }
}
