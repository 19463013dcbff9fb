/** Tests of regular expressions: unanchored RE2 meaning, errors, and honest literals. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../../test/support/run-seed.ts";
import { seededRandom } from "./clock.ts";
import { PatternError, compileRegex } from "./regex.ts";

const SEED = runSeed();

test("patterns search anywhere and follow RE2", () => {
  assert.equal(compileRegex("b+c").test("aabbcc"), true);
  assert.equal(compileRegex("^b").test("ab"), false);
  assert.equal(compileRegex("(?i)PAY").test("payment"), true);
  assert.equal(compileRegex("^(a+)+$").test(`${"a".repeat(30_000)}b`), false);
  assert.equal(compileRegex("\\p{Greek}").test("aβ"), true);
  assert.equal(compileRegex("^.$").test("🦊"), true);
});

test("what RE2 refuses is a PatternError that says why", () => {
  const tooBig = "((a{1,100}){1,100}){1,100}";
  for (const pattern of ["(", "[z-a]", "a**", "(?=x)", "\\1", "*", tooBig]) {
    assert.throws(() => compileRegex(pattern), PatternError, pattern);
  }
  assert.throws(() => compileRegex("a("), /missing closing/);
});

test("the literal is what every match contains", () => {
  const literals: [string, string | undefined][] = [
    ["/products/\\d+/reviews", "/products/"],
    ["^https://", "https://"],
    ["a|b", undefined],
    ["(a|b)cd", "cd"],
    ["abc?", "ab"],
    ["abc*d", "ab"],
    ["abc{0,3}defg", "defg"],
    ["abcd+", "abcd"],
    ["(?i)abc", undefined],
    ["x(?i:abc)yz", undefined],
    ["orders(?s)?", undefined],
    ["orders(?-s)/x", undefined],
    ["orders(?-s:.)/xyz", "orders"],
    ["[)]abc[^]]d", "abc"],
    ["[[:alpha:]]ab", "ab"],
    ["a\\.b\\dc", "a.b"],
    ["\\Qa|b\\E", undefined],
    ["x\\x41y", undefined],
    ["ab{cde", "cde"],
    ["a\ufffdbc", "bc"],
    [".*", undefined],
  ];
  for (const [pattern, literal] of literals) {
    assert.equal(compileRegex(pattern).literal, literal, pattern);
  }
});

test("random patterns: a match always contains the literal", () => {
  const random = seededRandom(SEED);
  const pieces = ["a", "b", "ab", "(", ")", "|", "*", "+", "?", "[ab]", "[^a]", ".", "^", "$"];
  pieces.push(
    "{1,2}",
    "{0}",
    "{",
    "}",
    "\\.",
    "\\d",
    "1",
    "(?:",
    "(?i)",
    "(?s)",
    "(?-s:",
    "[]a]",
    "]",
    "-",
    "é",
  );
  const alphabet = ["a", "b", "1", ".", "-", "]", "{", "}", "é", "A", ","];
  let matches = 0;
  for (let n = 0; n < 20_000; n++) {
    const pattern = Array.from(
      { length: 1 + Math.floor(random() * 6) },
      () => pieces[Math.floor(random() * pieces.length)]!,
    ).join("");
    let regex;
    try {
      regex = compileRegex(pattern);
    } catch (error) {
      assert.ok(error instanceof PatternError);
      continue;
    }
    for (let t = 0; t < 8; t++) {
      const text = Array.from(
        { length: Math.floor(random() * 8) },
        () => alphabet[Math.floor(random() * alphabet.length)]!,
      ).join("");
      if (!regex.test(text)) continue;
      matches++;
      const literal = regex.literal ?? "";
      assert.ok(text.includes(literal), `seed ${SEED}: ${pattern} on ${text} wants ${literal}`);
    }
  }
  assert.ok(matches > 1000);
});
