/** Inflating bodies: every encoding, members and frames, limits, and broken streams. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { isSpoorError } from "../core/errors.ts";
import { bodyEncoding, inflate } from "./inflate.ts";
import { zstdFrames } from "./zstd-frames.ts";

const LIMIT = 1024 * 1024;
const SMALL = Buffer.from("spans ".repeat(500));
/** Compresses to more than what is inflated on the main thread. */
const BIG = Buffer.from(randomBytes(200_000).toString("hex"));

const ENCODERS = {
  gzip: (bytes: Buffer) => zlib.gzipSync(bytes),
  deflate: (bytes: Buffer) => zlib.deflateSync(bytes),
  zstd: (bytes: Buffer) => zlib.zstdCompressSync(bytes),
} as const;
const ENCODINGS = ["gzip", "deflate", "zstd"] as const;

async function codeOf(run: () => Uint8Array | Promise<Uint8Array>): Promise<string> {
  try {
    await run();
  } catch (error) {
    return isSpoorError(error) ? error.code : String(error);
  }
  return "none";
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: small bodies at once, big ones later, both whole`, async () => {
    const small = inflate(ENCODERS[encoding](SMALL), encoding, LIMIT);
    assert.ok(small instanceof Uint8Array);
    assert.deepEqual(Buffer.from(small), SMALL);
    const big = inflate(ENCODERS[encoding](BIG), encoding, LIMIT);
    assert.ok(big instanceof Promise);
    assert.deepEqual(Buffer.from(await big), BIG);
  });

  test(`${encoding}: exactly the limit passes, one byte more does not`, async () => {
    for (const plain of [SMALL, BIG]) {
      const body = ENCODERS[encoding](plain);
      assert.equal((await inflate(body, encoding, plain.length)).length, plain.length);
      assert.equal(await codeOf(() => inflate(body, encoding, plain.length - 1)), "too-large");
    }
  });

  test(`${encoding}: cut at any byte is malformed`, async () => {
    const body = ENCODERS[encoding](SMALL);
    for (let length = 0; length < body.length; length++) {
      const code = await codeOf(() => inflate(body.subarray(0, length), encoding, LIMIT));
      assert.equal(code, "malformed", `cut at ${length}`);
    }
    const big = ENCODERS[encoding](BIG);
    const cut = big.subarray(0, big.length - 5);
    assert.equal(await codeOf(() => inflate(cut, encoding, LIMIT)), "malformed");
  });

  test(`${encoding}: a bomb stops at the limit`, async () => {
    const bomb = ENCODERS[encoding](Buffer.alloc(64 * 1024 * 1024));
    assert.equal(await codeOf(() => inflate(bomb, encoding, LIMIT)), "too-large");
  });
}

test("gzip: several members are one body", async () => {
  const members = Buffer.concat([zlib.gzipSync(SMALL), zlib.gzipSync("and more")]);
  const plain = Buffer.from(await inflate(members, "gzip", LIMIT)).toString();
  assert.equal(plain, `${SMALL.toString()}and more`);
});

test("gzip: bytes after the last member are malformed", async () => {
  const body = Buffer.concat([zlib.gzipSync(SMALL), Buffer.from("garbage")]);
  assert.equal(await codeOf(() => inflate(body, "gzip", LIMIT)), "malformed");
});

test("deflate: without the zlib header too", async () => {
  const plain = await inflate(zlib.deflateRawSync(SMALL), "deflate", LIMIT);
  assert.deepEqual(Buffer.from(plain), SMALL);
});

test("deflate: bytes after the stream are malformed", async () => {
  const body = Buffer.concat([zlib.deflateSync(SMALL), Buffer.from("x")]);
  assert.equal(await codeOf(() => inflate(body, "deflate", LIMIT)), "malformed");
});

test("zstd: all of several frames, empty and skippable ones among them", async () => {
  const skippable = Buffer.from("502a4d1804000000deadbeef", "hex");
  const checked = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
  for (const size of [1, 300, 70_000, BIG.length]) {
    const first = BIG.subarray(0, size);
    const body = Buffer.concat([
      skippable,
      zlib.zstdCompressSync(first, checked),
      zlib.zstdCompressSync(Buffer.alloc(0)),
      skippable,
      zlib.zstdCompressSync(Buffer.alloc(100_000, 7)),
      zlib.zstdCompressSync(SMALL),
    ]);
    const plain = await inflate(body, "zstd", LIMIT);
    const expected = Buffer.concat([first, Buffer.alloc(100_000, 7), SMALL]);
    assert.ok(expected.equals(plain), `first frame of ${size} bytes`);
    assert.equal(zstdFrames(body).length, 4);
  }
});

test("zstd: streamed frames, whose size is not told, are walked too", async () => {
  const stream = zlib.createZstdCompress();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.write(SMALL);
  stream.end(BIG);
  await new Promise((resolve) => stream.on("end", resolve));
  const frame = Buffer.concat(chunks);
  assert.equal(zstdFrames(frame)[0]!.contentBytes, undefined);
  const plain = await inflate(Buffer.concat([frame, frame]), "zstd", LIMIT * 4);
  assert.equal(plain.length, 2 * (SMALL.length + BIG.length));
});

test("zstd: the limit is over all frames together", async () => {
  const frame = zlib.zstdCompressSync(SMALL);
  const two = Buffer.concat([frame, frame]);
  assert.equal((await inflate(two, "zstd", SMALL.length * 2)).length, SMALL.length * 2);
  assert.equal(await codeOf(() => inflate(two, "zstd", SMALL.length * 2 - 1)), "too-large");
});

test("zstd: bytes after a frame that are no frame are malformed", async () => {
  const body = Buffer.concat([zlib.zstdCompressSync(SMALL), Buffer.from("garbage")]);
  assert.equal(await codeOf(() => inflate(body, "zstd", LIMIT)), "malformed");
});

test("zstd: a flipped bit under a checksum is malformed", async () => {
  const checked = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
  const body = zlib.zstdCompressSync(SMALL, checked);
  body[body.length - 1]! ^= 1;
  assert.equal(await codeOf(() => inflate(body, "zstd", LIMIT)), "malformed");
});

test("encodings by header", () => {
  assert.equal(bodyEncoding(undefined), "identity");
  assert.equal(bodyEncoding(" GZip "), "gzip");
  assert.equal(bodyEncoding("x-gzip"), "gzip");
  assert.equal(bodyEncoding("br"), undefined);
  assert.equal(bodyEncoding("gzip, gzip"), undefined);
});
