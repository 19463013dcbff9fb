/** Compresses answers for clients that ask for it, chunk by chunk as they are made. */

import { Readable } from "node:stream";
import type { Transform } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { HttpAnswer, HttpRequest } from "../net/http-message.ts";

/**
 * Fastest: ids are random and columns are dense already. Level 6 took 4 times as long for 3 %.
 */
const GZIP_LEVEL = constants.Z_BEST_SPEED;
/** Columns hardly repeat: looking for what does took 2.4 times as long and gained nothing. */
const COLUMNS_STRATEGY = constants.Z_RLE;
const ZSTD_LEVEL = 1;
const CHUNK_BYTES = 64 * 1024;

/** A coding that is named, and not with a weight of nothing. */
const ZSTD = /^\s*zstd\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i;
const GZIP = /^\s*(gzip|x-gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i;

/**
 * An answer of these chunks, compressed as the request accepts it: zstd before gzip, which took
 * five times the CPU for a million spans' skeleton and in the browser three times, for the same
 * bytes. Each chunk reaches the client before the next is made, and other requests get their turn
 * in between.
 */
export function chunkedAnswer(
  request: HttpRequest,
  contentType: string,
  chunks: Iterable<Uint8Array>,
): HttpAnswer {
  const headers = {
    "content-type": contentType,
    "cache-control": "no-store",
    vary: "accept-encoding",
  };
  const codings = codingsOf(request);
  const isZstd = codings.some((coding) => ZSTD.test(coding));
  if (!isZstd && !codings.some((coding) => GZIP.test(coding))) {
    return { status: 200, headers, body: taking(chunks) };
  }
  const compressor = isZstd ? zstd() : gzip(contentType === "application/json");
  return {
    status: 200,
    headers: { ...headers, "content-encoding": isZstd ? "zstd" : "gzip" },
    body: compressed(chunks, compressor),
  };
}

function codingsOf(request: HttpRequest): readonly string[] {
  const header = request.headers["accept-encoding"] ?? "";
  return typeof header === "string" ? header.split(",") : [];
}

function gzip(text: boolean): Transform {
  return createGzip({
    level: GZIP_LEVEL,
    strategy: text ? constants.Z_DEFAULT_STRATEGY : COLUMNS_STRATEGY,
    flush: constants.Z_SYNC_FLUSH,
    chunkSize: CHUNK_BYTES,
  });
}

function zstd(): Transform {
  return createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    flush: constants.ZSTD_e_flush,
    chunkSize: CHUNK_BYTES,
  });
}

async function* taking(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    await setImmediate();
  }
}

async function* compressed(
  chunks: Iterable<Uint8Array>,
  compressor: Transform,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(taking(chunks), { objectMode: true, highWaterMark: 1 });
  source.on("error", (error) => compressor.destroy(error));
  source.pipe(compressor);
  try {
    for await (const piece of compressor) yield piece as Uint8Array;
  } finally {
    source.destroy();
    compressor.destroy();
  }
}
