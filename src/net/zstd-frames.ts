/** Finds where each zstd frame of a body ends: Node decodes only the first of several. */

import { SpoorError } from "../core/errors.ts";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** One frame with content: where it lies in the body, and its decoded size when it says so. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  readonly contentBytes: number | undefined;
}

/**
 * The data frames of a zstd body in order, skippable ones left out (RFC 8878, section 3.1).
 * Throws `malformed` when the bytes are not whole frames up to their end.
 */
export function zstdFrames(body: Uint8Array): ZstdFrame[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < body.length) {
    need(body, at, 4);
    const magic = view.getUint32(at, true);
    if (magic === FRAME_MAGIC) {
      const header = frameHeader(view, body, at + 4);
      const end = blocksEnd(body, header.blocksAt) + header.checksumBytes;
      need(body, at, end - at);
      frames.push({ start: at, end, contentBytes: header.contentBytes });
      at = end;
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      need(body, at, 8);
      at += 8 + view.getUint32(at + 4, true);
      need(body, at, 0);
    } else throw new SpoorError("malformed", "zstd: the body is not a zstd frame");
  }
  return frames;
}

interface FrameHeader {
  readonly blocksAt: number;
  readonly checksumBytes: number;
  readonly contentBytes: number | undefined;
}

function frameHeader(view: DataView, body: Uint8Array, start: number): FrameHeader {
  need(body, start, 1);
  const descriptor = body[start]!;
  if ((descriptor & 8) !== 0) throw new SpoorError("malformed", "zstd: reserved bit is set");
  const singleSegment = (descriptor & 32) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 ? (singleSegment ? 1 : 0) : 1 << sizeCode;
  const sizeAt = start + (singleSegment ? 1 : 2) + dictionaryBytes;
  need(body, sizeAt, sizeBytes);
  return {
    blocksAt: sizeAt + sizeBytes,
    checksumBytes: (descriptor & 4) !== 0 ? 4 : 0,
    contentBytes: contentBytes(view, sizeAt, sizeBytes),
  };
}

function contentBytes(view: DataView, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes === 0) return undefined;
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
}

function blocksEnd(body: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    need(body, at, 3);
    const header = body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16);
    const type = (header >>> 1) & 3;
    if (type === RESERVED_BLOCK) throw new SpoorError("malformed", "zstd: unknown block type");
    at += 3 + (type === RLE_BLOCK ? 1 : header >>> 3);
    need(body, at, 0);
    if ((header & 1) !== 0) return at;
  }
}

function need(body: Uint8Array, at: number, count: number): void {
  if (at + count > body.length) throw new SpoorError("malformed", "zstd: the body is cut short");
}
