/** Reads the footer of a segment, and nothing else of it. */

import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { SpoorError, isSpoorError } from "../../core/errors.ts";
import { ByteSource } from "./byte-sink.ts";
import { decompress, MAX_GROUPS } from "./segment-format.ts";
import { SEGMENT_MAGIC, SEGMENT_VERSION, TRAILER_BYTES } from "./segment-format.ts";
import type { SegmentFooter } from "./segment-format.ts";
import { segmentName } from "./segment-files.ts";
import type { SegmentPlace } from "./segment-files.ts";

/**
 * The footer of the segment in a place. Throws `corrupt` for what is no whole segment,
 * `unsupported` for a newer version, `io`.
 */
export function footerIn(files: FileLayer, place: SegmentPlace): SegmentFooter {
  const name = segmentName(place.path, place.offset);
  const file = files.open(place.path, "read");
  try {
    return readFooter(file, name, place.offset, place.length);
  } catch (error) {
    if (isSpoorError(error)) throw error;
    throw new SpoorError("corrupt", `${name}: footer damaged`, { cause: error });
  } finally {
    file.close();
  }
}

/** The footer of the segment of `length` bytes at `base` of an open file. */
export function readFooter(
  file: OpenFile,
  name: string,
  base: number,
  length: number,
): SegmentFooter {
  const damaged = (what: string): SpoorError => new SpoorError("corrupt", `${name}: ${what}`);
  const read = (at: number, count: number): Uint8Array => {
    if (at < 0 || at + count > length) throw damaged("too short");
    const bytes = new Uint8Array(count);
    if (file.readAt(bytes, base + at) !== count) throw damaged("too short");
    return bytes;
  };
  const magic = Buffer.from(SEGMENT_MAGIC, "latin1");
  if (!magic.equals(read(0, 8))) throw damaged("not a segment");
  const trailer = new ByteSource(read(length - TRAILER_BYTES, TRAILER_BYTES));
  const offset = trailer.f64();
  const stored = trailer.u32();
  const raw = trailer.u32();
  if (!magic.equals(trailer.view(8))) throw damaged("no trailer");
  if (offset + stored + TRAILER_BYTES !== length) throw damaged("trailer damaged");
  const text = decompress(read(offset, stored), raw, `${name}: footer`);
  const footer = JSON.parse(Buffer.from(text).toString()) as SegmentFooter;
  if (footer.version !== SEGMENT_VERSION) {
    const age = footer.version > SEGMENT_VERSION ? "a newer version" : "a version before release";
    throw new SpoorError("unsupported", `${name}: written by ${age}`);
  }
  if (footer.groups.length > MAX_GROUPS) throw damaged("too many groups");
  return footer;
}
