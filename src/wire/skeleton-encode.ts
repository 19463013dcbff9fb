/** Writes a trace's skeleton as frames (docs/formats/skeleton.md). Bench: ui-data. */

import { utf8Bytes } from "../base/bytes.ts";
import type { CriticalPath } from "../core/trace/critical-path.ts";
import type { SkeletonColumns } from "../core/trace/skeleton.ts";
import { fitsZigzag, PlaneWriter } from "./skeleton-planes.ts";

/** What a skeleton's stream begins with. */
export const SKELETON_MAGIC: Uint8Array = utf8Bytes("SPSKEL1\n");
/** Types of frames. */
export const FRAME = { HEAD: 1, ROWS: 2, CRITICAL_PATH: 3, END: 4 } as const;

/** Rows of the first frame: a page has something to draw after some milliseconds. */
const FIRST_ROWS = 4096;
/** Rows and events of later frames: each decodes within a frame of the screen. */
const MOST_ROWS = 50_000;
const MOST_EVENTS = 200_000;

/**
 * The stream, a frame at a time. The critical path is computed after the rows are written, so
 * that it delays nobody's first picture.
 */
export function* encodeSkeleton(
  skeleton: SkeletonColumns,
  criticalPath: () => CriticalPath,
): Generator<Uint8Array> {
  const writer = new PlaneWriter();
  yield SKELETON_MAGIC;
  yield headFrame(skeleton);
  const encoder = new RowsEncoder(writer, skeleton);
  let most = FIRST_ROWS;
  for (let row = 0; row < skeleton.spanCount; most = MOST_ROWS) {
    const end = lastRow(skeleton, row, most);
    yield encoder.frame(row, end);
    row = end;
  }
  yield pathFrame(writer, criticalPath());
  yield writer.frame(FRAME.END);
}

function headFrame(skeleton: SkeletonColumns): Uint8Array {
  const { traceIdHex, spanCount, startUs, startNs, durationNs, services, token } = skeleton;
  const eventCount = skeleton.eventNs.length;
  const head = { traceId: traceIdHex, spanCount, eventCount, startUs, startNs, durationNs };
  const json = utf8Bytes(JSON.stringify({ ...head, services, token }));
  const frame = new Uint8Array(5 + json.length);
  frame[0] = FRAME.HEAD;
  new DataView(frame.buffer).setUint32(1, json.length, true);
  frame.set(json, 5);
  return frame;
}

function lastRow(skeleton: SkeletonColumns, row: number, mostRows: number): number {
  const { eventOffsets, spanCount } = skeleton;
  let end = Math.min(spanCount, row + mostRows);
  while (end > row + 1 && eventOffsets[end]! - eventOffsets[row]! > MOST_EVENTS) end--;
  return end;
}

/** Writes rows in order; remembers which names it has sent. */
class RowsEncoder {
  readonly #writer: PlaneWriter;
  readonly #skeleton: SkeletonColumns;
  /** For each depth the row last seen there on the way to the current one. */
  readonly #path: Uint32Array;
  readonly #scratch: Float64Array;
  #namesSent = 0;
  #depth = -1;

  constructor(writer: PlaneWriter, skeleton: SkeletonColumns) {
    this.#writer = writer;
    this.#skeleton = skeleton;
    this.#path = new Uint32Array(skeleton.spanCount);
    this.#scratch = new Float64Array(Math.min(skeleton.spanCount, MOST_ROWS));
  }

  frame(row: number, end: number): Uint8Array {
    const s = this.#skeleton;
    const writer = this.#writer;
    const firstEvent = s.eventOffsets[row]!;
    const endEvent = s.eventOffsets[end]!;
    writer.u32(row);
    writer.u32(end - row);
    writer.u32(endEvent - firstEvent);
    writer.bytes(this.#newNames(row, end), 4);
    const scratch = this.#scratch;
    for (let r = row; r < end; r++) scratch[r - row] = s.end[r]! - r - 1;
    writer.varints(scratch, 0, end - row);
    this.#starts(row, end);
    if (allWhole(s.spanDurationNs, row, end)) writer.varints(s.spanDurationNs, row, end);
    else writer.doubles(s.spanDurationNs, row, end);
    writer.varints(s.service, row, end);
    writer.varints(s.name, row, end);
    writer.bytes(s.kind.subarray(row, end));
    writer.bytes(s.flags.subarray(row, end));
    writer.bytes(s.spanId.subarray(row * 8, end * 8));
    for (let r = row; r < end; r++) scratch[r - row] = s.eventOffsets[r + 1]! - s.eventOffsets[r]!;
    writer.varints(scratch, 0, end - row);
    this.#events(row, end);
    return writer.frame(FRAME.ROWS);
  }

  #newNames(row: number, end: number): Uint8Array {
    const { name, names } = this.#skeleton;
    const from = this.#namesSent;
    let to = from;
    for (let r = row; r < end; r++) if (name[r]! >= to) to = name[r]! + 1;
    this.#namesSent = to;
    return utf8Bytes(JSON.stringify(names.slice(from, to)));
  }

  #starts(row: number, end: number): void {
    const { depth, startOffsetNs } = this.#skeleton;
    const path = this.#path;
    const scratch = this.#scratch;
    let exact = true;
    for (let r = row; r < end; r++) {
      const level = depth[r]!;
      // The sibling before, which was the last row at this depth, else the parent.
      const before = level <= this.#depth ? path[level]! : level > 0 ? path[level - 1]! : -1;
      const difference = startOffsetNs[r]! - (before === -1 ? 0 : startOffsetNs[before]!);
      if (!fitsZigzag(difference)) exact = false;
      scratch[r - row] = difference;
      path[level] = r;
      this.#depth = level;
    }
    if (exact) this.#writer.zigzags(scratch, 0, end - row);
    else this.#writer.doubles(startOffsetNs, row, end);
  }

  #events(row: number, end: number): void {
    const { eventOffsets, eventNs, startOffsetNs } = this.#skeleton;
    const from = eventOffsets[row]!;
    const differences = new Float64Array(eventOffsets[end]! - from);
    let exact = true;
    for (let r = row; r < end; r++) {
      for (let e = eventOffsets[r]!; e < eventOffsets[r + 1]!; e++) {
        const difference = eventNs[e]! - startOffsetNs[r]!;
        if (!fitsZigzag(difference)) exact = false;
        differences[e - from] = difference;
      }
    }
    if (exact) this.#writer.zigzags(differences, 0, differences.length);
    else this.#writer.doubles(eventNs, from, eventOffsets[end]!);
  }
}

function pathFrame(writer: PlaneWriter, path: CriticalPath): Uint8Array {
  const n = path.row.length;
  const rows = new Float64Array(n);
  const starts = new Float64Array(n);
  const lengths = new Float64Array(n);
  let exact = true;
  for (let i = 0; i < n; i++) {
    rows[i] = path.row[i]! - (i === 0 ? 0 : path.row[i - 1]!);
    starts[i] = path.fromNs[i]! - (i === 0 ? 0 : path.toNs[i - 1]!);
    lengths[i] = path.toNs[i]! - path.fromNs[i]!;
    if (!fitsZigzag(starts[i]!) || !fitsZigzag(lengths[i]!)) exact = false;
  }
  writer.u32(n);
  writer.zigzags(rows, 0, n);
  if (exact) {
    writer.zigzags(starts, 0, n);
    writer.varints(lengths, 0, n);
  } else {
    writer.doubles(path.fromNs, 0, n);
    writer.doubles(lengths, 0, n);
  }
  return writer.frame(FRAME.CRITICAL_PATH);
}

function allWhole(values: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!Number.isSafeInteger(values[i]!)) return false;
  return true;
}
