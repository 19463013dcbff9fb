/** Reads a stream of bytes to its end, unpacking gzip, within the limit of files. */

import { SpoorError } from "../../src/core/errors.ts";
import { UPLOAD_LIMITS } from "./upload-limits.ts";

const FIRST_BYTES = 64 * 1024;

/** All bytes of a stream; `expected` (0: not known) is what it probably gives. */
export async function readWhole(
  stream: ReadableStream<Uint8Array>,
  expected: number,
): Promise<Uint8Array> {
  const bytes = await collect(stream, expected);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const packed = new Blob([bytes]).stream();
  const plain = packed.pipeThrough(new DecompressionStream("gzip"));
  try {
    return await collect(plain, bytes.length * 4);
  } catch (cause) {
    if (cause instanceof SpoorError) throw cause;
    throw new SpoorError("malformed", "the gzip file is broken or cut short", { cause });
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  expected: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(Math.min(expected || FIRST_BYTES, UPLOAD_LIMITS.fileBytes));
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, length);
    const needed = length + value.length;
    if (needed > UPLOAD_LIMITS.fileBytes) {
      await reader.cancel();
      const mebibytes = Math.floor(UPLOAD_LIMITS.fileBytes / 2 ** 20);
      throw new SpoorError("too-large", `more than ${mebibytes} MiB`);
    }
    if (needed > bytes.length) {
      const grown = Math.min(Math.max(needed, bytes.length * 2), UPLOAD_LIMITS.fileBytes);
      const bigger = new Uint8Array(grown);
      bigger.set(bytes.subarray(0, length));
      bytes = bigger;
    }
    bytes.set(value, length);
    length = needed;
  }
}
