/** The check against the engine's own decoder. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8Bytes, utf8Strict } from "./bytes.ts";
import { seededRandom } from "./clock.ts";
import { isUtf8 } from "./utf8-check.ts";

test("every sequence of one and two bytes, and the borders of longer ones", () => {
  const tails = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const check = (bytes: Uint8Array): void =>
    assert.equal(isUtf8(bytes, 0, bytes.length), utf8Strict(bytes) !== undefined, bytes.join());
  for (let first = 0; first < 256; first++) {
    check(Uint8Array.of(first));
    for (let second = 0; second < 256; second++) check(Uint8Array.of(first, second));
    for (const second of tails) {
      for (const third of tails) {
        check(Uint8Array.of(first, second, third));
        for (const fourth of tails) check(Uint8Array.of(first, second, third, fourth));
      }
    }
  }
});

test("texts with bytes changed, at any place of a larger array", () => {
  const random = seededRandom(5);
  const text = utf8Bytes("plain, ünï, 日本, 🦌🦌");
  for (let round = 0; round < 3000; round++) {
    const bytes = Uint8Array.of(0xff, ...text, 0xff);
    bytes[1 + Math.floor(random() * text.length)] = Math.floor(random() * 256);
    const inner = bytes.subarray(1, -1);
    assert.equal(isUtf8(bytes, 1, bytes.length - 1), utf8Strict(inner) !== undefined);
  }
});
