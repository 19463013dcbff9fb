/** Parts of a batch's image as protobuf fields, copied without becoming texts. */

import type { SpanBatch } from "../core/batch.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/** Longer slices are copied by the platform, shorter ones in a loop (measured: ~50). */
const LOOP_BYTES = 48;

/** Writes `source[start, end)` as a bytes field. */
export function writeSlice(
  writer: ProtobufWriter,
  tag: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  writer.reserve(length + 6);
  writer.bytes[writer.position++] = tag;
  writer.varint(length);
  writeRaw(writer, source, start, end);
}

/** Writes `source[start, end)` as it is. */
export function writeRaw(
  writer: ProtobufWriter,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  writer.reserve(length);
  const bytes = writer.bytes;
  const at = writer.position;
  if (length > LOOP_BYTES) bytes.set(source.subarray(start, end), at);
  else for (let i = 0; i < length; i++) bytes[at + i] = source[start + i]!;
  writer.position = at + length;
}

/** Writes a dictionary entry, unless it is empty. */
export function writeEntry(
  writer: ProtobufWriter,
  tag: number,
  batch: SpanBatch,
  id: number,
): void {
  if (id === 0) return;
  writeSlice(writer, tag, batch.dictBytes, batch.dictOffsets[id]!, batch.dictOffsets[id + 1]!);
}

/** The little-endian word of bytes at a place. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
