/** Texts order as their UTF-8 bytes do, which JavaScript's own order does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compareTexts } from "./bytes.ts";
import { seededRandom } from "./clock.ts";

test("texts order as their UTF-8 bytes", () => {
  const random = seededRandom(5);
  const characters = ["a", "b", "é", "\u07ff", "퟿", "\ue000", "\uffff", "😀", "\ud83d", "\udc00"];
  const text = (): string =>
    Array.from({ length: Math.floor(random() * 4) }, () => {
      return characters[Math.floor(random() * characters.length)]!;
    }).join("");
  for (let n = 0; n < 5000; n++) {
    const [a, b] = [text(), text()];
    const expected = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.equal(compareTexts(a, b), expected, JSON.stringify([a, b]));
  }
});
