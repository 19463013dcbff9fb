/** Undoes a body's Content-Encoding within a limit: gzip, deflate and zstd, members and frames. */

import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { assert } from "../base/assert.ts";
import { SpoorError } from "../core/errors.ts";
import { zstdFrames } from "./zstd-frames.ts";
import type { ZstdFrame } from "./zstd-frames.ts";

/** Encodings that are understood, as an Accept-Encoding header names them. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, zstd";

/**
 * Compressed bodies beyond this are inflated on the thread pool. A usual request (256 spans,
 * 19 kB of gzip) takes 0.13 ms; this much takes 1 ms, and 1.1 MB would stop all else for 14 ms.
 */
const ASYNC_BYTES = 128 * 1024;

/** Output of a call to zlib comes in chunks: one chunk avoids joining, a bound saves memory. */
const MAX_CHUNK_BYTES = 1024 * 1024;

const gunzipAsync = promisify<Uint8Array, zlib.ZlibOptions, unknown>(zlib.gunzip);
const inflateAsync = promisify<Uint8Array, zlib.ZlibOptions, unknown>(zlib.inflate);
const inflateRawAsync = promisify<Uint8Array, zlib.ZlibOptions, unknown>(zlib.inflateRaw);
const zstdAsync = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** The encodings a body can be in; `identity` needs no work. */
export type BodyEncoding = "identity" | "gzip" | "deflate" | "zstd";

/** The encoding a Content-Encoding (or grpc-encoding) header names; undefined when unknown. */
export function bodyEncoding(header: string | undefined): BodyEncoding | undefined {
  if (header === undefined || header === "") return "identity";
  const name = header.trim().toLowerCase();
  if (name === "gzip" || name === "x-gzip") return "gzip";
  if (name === "zlib") return "deflate";
  if (name === "identity" || name === "deflate" || name === "zstd") return name;
  return undefined;
}

/**
 * The body without its encoding. Small bodies come back at once, big ones as a promise. Throws
 * (or rejects with) `malformed` for a broken stream, `too-large` beyond `limitBytes`.
 */
export function inflate(
  body: Uint8Array,
  encoding: BodyEncoding,
  limitBytes: number,
): Uint8Array | Promise<Uint8Array> {
  if (encoding === "identity") return body;
  if (encoding === "zstd") return inflateZstd(body, limitBytes);
  const options = {
    info: true,
    maxOutputLength: limitBytes,
    chunkSize: chunkBytes(encoding === "gzip" ? gzipSize(body) : body.length * 8, limitBytes),
  };
  const [sync, async] = calls(body, encoding);
  const whole = (result: unknown): Uint8Array => wholeOutput(result, body.length);
  if (body.length <= ASYNC_BYTES) return attempt(() => whole(sync(body, options)), limitBytes);
  return async(body, options)
    .then(whole)
    .catch((cause: unknown) => {
      throw readable(cause, limitBytes);
    });
}

/** What zlib gives when asked for `info`, which its types do not tell. */
interface InfoResult {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function isInfoResult(result: unknown): result is InfoResult {
  return typeof result === "object" && result !== null && "buffer" in result && "engine" in result;
}

/** The output, if all of the body was read for it: zlib ignores what follows a stream's end. */
function wholeOutput(result: unknown, bodyBytes: number): Uint8Array {
  assert(isInfoResult(result), "zlib tells how much it read");
  if (result.engine.bytesWritten !== bodyBytes) {
    throw new SpoorError("malformed", "bytes follow the end of the compressed body");
  }
  return result.buffer;
}

type Sync = (body: Uint8Array, options: zlib.ZlibOptions) => unknown;
type Async = (body: Uint8Array, options: zlib.ZlibOptions) => Promise<unknown>;

/** HTTP's deflate is the zlib format, but some senders leave its two-byte header out. */
function calls(body: Uint8Array, encoding: "gzip" | "deflate"): readonly [Sync, Async] {
  if (encoding === "gzip") return [zlib.gunzipSync, gunzipAsync];
  const header = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
  const zlibFormat = (header & 0x0f00) === 0x0800 && header % 31 === 0;
  return zlibFormat ? [zlib.inflateSync, inflateAsync] : [zlib.inflateRawSync, inflateRawAsync];
}

/** What a gzip body says it inflates to (its last member, modulo 2^32): a hint, never trusted. */
function gzipSize(body: Uint8Array): number {
  const end = body.length;
  if (end < 18) return 0;
  return (body[end - 4]! | (body[end - 3]! << 8) | (body[end - 2]! << 16)) + (body[end - 1]! << 24);
}

function chunkBytes(hint: number, limitBytes: number): number {
  const wanted = Math.min(Math.max(hint, 1024), MAX_CHUNK_BYTES, limitBytes);
  return Math.max(wanted, 64) + 1;
}

function inflateZstd(body: Uint8Array, limitBytes: number): Uint8Array | Promise<Uint8Array> {
  const frames = zstdFrames(body);
  if (frames.length === 0) throw new SpoorError("malformed", "zstd: the body holds no frame");
  let declared = 0;
  for (const frame of frames) declared += frame.contentBytes ?? 0;
  if (declared > limitBytes) throw tooLarge(limitBytes);
  if (body.length > ASYNC_BYTES) return inflateZstdAsync(body, frames, limitBytes);
  return joinFrames(frames, limitBytes, (frame, options) =>
    zlib.zstdDecompressSync(body.subarray(frame.start, frame.end), options),
  );
}

function joinFrames(
  frames: readonly ZstdFrame[],
  limitBytes: number,
  decode: (frame: ZstdFrame, options: zlib.ZstdOptions) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let left = limitBytes;
  for (const frame of frames) {
    const part = attempt(() => decode(frame, frameOptions(frame, left)), limitBytes);
    left -= part.length;
    if (left < 0) throw tooLarge(limitBytes);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

async function inflateZstdAsync(
  body: Uint8Array,
  frames: readonly ZstdFrame[],
  limitBytes: number,
): Promise<Uint8Array> {
  const decoded = new Map<ZstdFrame, Uint8Array>();
  let left = limitBytes;
  try {
    for (const frame of frames) {
      const bytes = body.subarray(frame.start, frame.end);
      const part = await zstdAsync(bytes, frameOptions(frame, left));
      left -= part.length;
      decoded.set(frame, part);
    }
  } catch (cause) {
    throw readable(cause, limitBytes);
  }
  return joinFrames(frames, limitBytes, (frame) => decoded.get(frame)!);
}

function frameOptions(frame: ZstdFrame, left: number): zlib.ZstdOptions {
  const hint = frame.contentBytes ?? (frame.end - frame.start) * 8;
  return { maxOutputLength: Math.max(left, 1), chunkSize: chunkBytes(hint, left) };
}

function attempt(run: () => Uint8Array, limitBytes: number): Uint8Array {
  try {
    return run();
  } catch (cause) {
    throw readable(cause, limitBytes);
  }
}

function readable(cause: unknown, limitBytes: number): SpoorError {
  if (cause instanceof SpoorError) return cause;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(limitBytes, cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SpoorError("malformed", `compressed body cannot be inflated: ${reason}`, { cause });
}

function tooLarge(limitBytes: number, cause?: unknown): SpoorError {
  const text = `the body inflates to more than ${limitBytes} bytes`;
  return new SpoorError("too-large", text, cause === undefined ? {} : { cause });
}
