/** The IDS and CORE families of a group of rows: ids, times, codes, parents. Bench: seal. */

import { mix32 } from "../../base/hash.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { ByteSink } from "./byte-sink.ts";
import type { TableCodes } from "./segment-tables.ts";
import type { RowOrder } from "./segment-order.ts";
import type { PlainRows } from "./segment-rows.ts";

/** Codes of how times are kept in a group. */
export const TIME_WIDTH = { U32: 4, U48: 6, F64: 8 } as const;

/** A group's rows: `from ..< to` in segment order, cut into runs of one trace each. */
export interface GroupRange {
  readonly from: number;
  readonly to: number;
  /** First row of each run, then `to`. */
  readonly runs: readonly number[];
}

/** What both families are made from. */
export interface CoreSource {
  readonly batches: readonly SpanBatch[];
  readonly order: RowOrder;
  /** Source row `g` of each row `p` in segment order. */
  readonly sourceOf: Uint32Array;
  readonly plain: PlainRows;
  readonly codes: TableCodes;
}

/** Bytes that a code below `count` needs: 1, 2 or 4. */
export function codeWidth(count: number): number {
  return count <= 256 ? 1 : count <= 65_536 ? 2 : 4;
}

/** Encodes IDS and CORE of groups; scratch memory is reused between groups. */
export class CoreEncoder {
  readonly ids = new ByteSink(64 * 1024);
  readonly core = new ByteSink(64 * 1024);
  /** Facts of the group encoded last. */
  minStartUs = 0;
  maxStartUs = 0;
  minDurationNs = 0;
  maxDurationNs = 0;
  errors = false;
  readonly #source: CoreSource;
  #numbers = new Float64Array(0);
  #codes = new Uint32Array(0);
  #slots = new Int32Array(64);
  readonly #explicit: number[] = [];

  constructor(source: CoreSource) {
    this.#source = source;
  }

  encode(range: GroupRange): void {
    const rows = range.to - range.from;
    if (this.#numbers.length < rows) {
      this.#numbers = new Float64Array(rows);
      this.#codes = new Uint32Array(rows);
    }
    this.ids.reset();
    this.core.reset();
    this.core.u32(rows);
    this.core.u32(range.runs.length - 1);
    this.#runs(range);
    this.#starts(range);
    this.#durations(range);
    this.#tableCodes(range);
    this.#parents(range);
    this.#spanIds(range);
  }

  #runs(range: GroupRange): void {
    const { batches, order } = this.#source;
    const runs = range.runs.length - 1;
    const lengths = new Uint32Array(runs);
    const at = this.ids.take(runs * 16);
    for (let i = 0; i < runs; i++) {
      const p = range.runs[i]!;
      lengths[i] = range.runs[i + 1]! - p;
      const { traceId } = batches[order.batchOf[p]!]!;
      copyId(traceId, order.rowOf[p]! * 16, this.ids.bytes, at + i * 16);
    }
    this.core.planes(lengths, runs, 4);
  }

  #starts(range: GroupRange): void {
    const { sourceOf, plain } = this.#source;
    const { startUs, startNs } = plain;
    const deltas = this.#numbers;
    let max = 0;
    let least = Infinity;
    let greatest = -Infinity;
    let run = 0;
    let previousUs = 0;
    let previousNs = 0;
    for (let p = range.from; p < range.to; p++) {
      const g = sourceOf[p]!;
      const us = startUs[g]!;
      const ns = startNs[g]!;
      if (us < least) least = us;
      if (us > greatest) greatest = us;
      let delta = (us - previousUs) * 1000 + (ns - previousNs);
      if (p === range.runs[run]!) {
        run++;
        delta = 0;
      }
      deltas[p - range.from] = delta;
      if (delta > max || !(delta >= 0)) max = delta >= 0 ? delta : Infinity;
      previousUs = us;
      previousNs = ns;
    }
    this.minStartUs = least;
    this.maxStartUs = greatest;
    const exact = Math.abs(least) < 2 ** 53 && Math.abs(greatest) < 2 ** 53;
    const small = exact && max <= 0xffffffff;
    this.core.u8(small ? TIME_WIDTH.U32 : TIME_WIDTH.F64);
    const every = !small;
    for (let i = 0; i + 1 < range.runs.length; i++) {
      const end = every ? range.runs[i + 1]! : range.runs[i]! + 1;
      for (let p = range.runs[i]!; p < end; p++) {
        this.core.f64(startUs[sourceOf[p]!]!);
        this.core.u16(startNs[sourceOf[p]!]!);
      }
    }
    if (small) this.core.planes(deltas, range.to - range.from, 4);
  }

  #durations(range: GroupRange): void {
    const { sourceOf, plain } = this.#source;
    const values = this.#numbers;
    let least = Infinity;
    let greatest = -Infinity;
    let errors = false;
    for (let p = range.from; p < range.to; p++) {
      const value = plain.durationNs[sourceOf[p]!]!;
      values[p - range.from] = value;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
      if (plain.status[sourceOf[p]!] === 2) errors = true;
    }
    this.minDurationNs = least;
    this.maxDurationNs = greatest;
    this.errors = errors;
    const rows = range.to - range.from;
    if (least >= 0 && greatest <= 0xffffffff) {
      this.core.u8(TIME_WIDTH.U32);
      this.core.planes(values, rows, 4);
    } else if (least >= 0 && greatest < 2 ** 48) {
      this.core.u8(TIME_WIDTH.U48);
      this.core.planes48(values, rows);
    } else {
      this.core.u8(TIME_WIDTH.F64);
      for (let i = 0; i < rows; i++) this.core.f64(values[i]!);
    }
  }

  #tableCodes(range: GroupRange): void {
    const { sourceOf, plain, codes } = this.#source;
    const rows = range.to - range.from;
    const values = this.#codes;
    for (let i = 0; i < rows; i++) values[i] = codes.operationOf[sourceOf[range.from + i]!]!;
    this.core.planes(values, rows, codeWidth(codes.tables.spanCount));
    for (let i = 0; i < rows; i++) values[i] = codes.resourceOf[sourceOf[range.from + i]!]!;
    this.core.planes(values, rows, codeWidth(codes.tables.resourceCount));
    for (let i = 0; i < rows; i++) values[i] = plain.status[sourceOf[range.from + i]!]!;
    this.core.planes(values, rows, 1);
  }

  /** Parents as places: 0 none, 1 told with the ids, 2 + row within the run otherwise. */
  #parents(range: GroupRange): void {
    const values = this.#codes;
    this.#explicit.length = 0;
    let max = 0;
    for (let i = 0; i + 1 < range.runs.length; i++) {
      const found = this.#parentsOfRun(range.from, range.runs[i]!, range.runs[i + 1]!);
      if (found > max) max = found;
    }
    const rows = range.to - range.from;
    const width = codeWidth(max + 1);
    this.core.u8(width);
    this.core.planes(values, rows, width);
    this.core.u32(this.#explicit.length);
  }

  #parentsOfRun(groupFrom: number, from: number, to: number): number {
    const { sourceOf, plain } = this.#source;
    const { spanWords, parentWords } = plain;
    const values = this.#codes;
    let size = 64;
    while (size < (to - from) * 2) size *= 2;
    if (this.#slots.length < size) this.#slots = new Int32Array(size);
    else this.#slots.fill(0, 0, size);
    const slots = this.#slots;
    const mask = size - 1;
    for (let p = from; p < to; p++) {
      const g = sourceOf[p]! * 2;
      let slot = mix32(spanWords[g]! ^ spanWords[g + 1]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = p - from + 1;
    }
    let max = 0;
    for (let p = from; p < to; p++) {
      const g = sourceOf[p]!;
      const a = parentWords[g * 2]!;
      const b = parentWords[g * 2 + 1]!;
      let code = 0;
      if (a !== 0 || b !== 0) {
        code = 1;
        let slot = mix32(a ^ b) & mask;
        for (let at = slots[slot]!; at !== 0; at = slots[slot]!) {
          const other = sourceOf[from + at - 1]! * 2;
          if (spanWords[other] === a && spanWords[other + 1] === b) {
            code = at + 1;
            break;
          }
          slot = (slot + 1) & mask;
        }
        if (code === 1) this.#explicit.push(a, b);
      }
      values[p - groupFrom] = code;
      if (code > max) max = code;
    }
    return max;
  }

  #spanIds(range: GroupRange): void {
    const { sourceOf, plain } = this.#source;
    const rows = range.to - range.from;
    const at = this.ids.take(rows * 8);
    const bytes = this.ids.bytes;
    for (let i = 0; i < rows; i++) {
      putWords(bytes, at + i * 8, plain.spanWords, sourceOf[range.from + i]! * 2);
    }
    const more = this.ids.take(this.#explicit.length * 4);
    for (let i = 0; i < this.#explicit.length; i += 2) {
      putWords(this.ids.bytes, more + i * 4, this.#explicit, i);
    }
  }
}

/** Copies a trace id, without making a view of it first. */
function copyId(from: Uint8Array, at: number, to: Uint8Array, toAt: number): void {
  for (let i = 0; i < 16; i++) to[toAt + i] = from[at + i]!;
}

function putWords(bytes: Uint8Array, at: number, words: ArrayLike<number>, from: number): void {
  const a = words[from]!;
  const b = words[from + 1]!;
  bytes[at] = a;
  bytes[at + 1] = a >>> 8;
  bytes[at + 2] = a >>> 16;
  bytes[at + 3] = a >>> 24;
  bytes[at + 4] = b;
  bytes[at + 5] = b >>> 8;
  bytes[at + 6] = b >>> 16;
  bytes[at + 7] = b >>> 24;
}
