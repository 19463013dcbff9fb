/** Compresses answers for clients that ask for it, chunk by chunk as they are made. */

import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";
import type { HttpAnswer, HttpRequest } from "../net/http-message.ts";

/**
 * Fastest: ids are random and columns are dense already. Level 6 took 4 times as long for 3 %.
 */
const LEVEL = constants.Z_BEST_SPEED;
/** Columns hardly repeat: looking for what does took 2.4 times as long and gained nothing. */
const COLUMNS_STRATEGY = constants.Z_RLE;

/**
 * An answer of these chunks, gzipped when the request accepts it. Each chunk reaches the client
 * before the next is made, and other requests get their turn in between.
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
  if (!acceptsGzip(request)) return { status: 200, headers, body: taking(chunks) };
  return {
    status: 200,
    headers: { ...headers, "content-encoding": "gzip" },
    body: gzipped(chunks, contentType === "application/json"),
  };
}

function acceptsGzip(request: HttpRequest): boolean {
  const header = request.headers["accept-encoding"] ?? "";
  const text = typeof header === "string" ? header : "";
  return text
    .split(",")
    .some((part) => /^\s*(gzip|x-gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(part));
}

async function* taking(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    await setImmediate();
  }
}

async function* gzipped(chunks: Iterable<Uint8Array>, text: boolean): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({
    level: LEVEL,
    strategy: text ? constants.Z_DEFAULT_STRATEGY : COLUMNS_STRATEGY,
    flush: constants.Z_SYNC_FLUSH,
    chunkSize: 64 * 1024,
  });
  const source = Readable.from(taking(chunks), { objectMode: true, highWaterMark: 1 });
  source.on("error", (error) => gzip.destroy(error));
  source.pipe(gzip);
  try {
    for await (const piece of gzip) yield piece as Uint8Array;
  } finally {
    source.destroy();
    gzip.destroy();
  }
}
