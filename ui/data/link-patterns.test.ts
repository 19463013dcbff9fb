/** Link patterns of Jaeger's configuration: which match, what they fill in, what is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isSafeUrl, linksOf, readLinkPatterns } from "./link-patterns.ts";
import type { LinkValue, RawLinkPattern } from "./link-patterns.ts";

function links(
  pattern: RawLinkPattern,
  place: "process" | "tags" | "logs" | "traces" = "tags",
  values: Readonly<Record<string, LinkValue>> = { "user.id": "a b&c" },
  [key, value]: readonly [string, LinkValue] = ["user.id", "a b&c"],
): readonly { url: string; text: string }[] {
  const { patterns, warnings } = readLinkPatterns([pattern]);
  assert.deepEqual(warnings, []);
  return linksOf(patterns, place, key, value, (name) => values[name]);
}

const URL_AND_TEXT = { url: "https://x/#{user.id}", text: "User #{user.id}" };

test("parameters are encoded in the address and plain in the text", () => {
  const [link] = links({ type: "tags", key: "user.id", ...URL_AND_TEXT });
  assert.deepEqual(link, { url: "https://x/a%20b%26c", text: "User a b&c" });
});

test("type, key and value match as text, list, RegExp or function; absent ones always", () => {
  for (const key of [
    "user.id",
    ["other", "user.id"],
    /^user/g,
    (name: string) => name === "user.id",
  ]) {
    assert.equal(links({ type: "tags", key, ...URL_AND_TEXT }).length, 1, String(key));
  }
  for (const key of ["user", ["other"], /^id/, () => false]) {
    assert.equal(links({ type: "tags", key, ...URL_AND_TEXT }).length, 0, String(key));
  }
  assert.equal(links(URL_AND_TEXT).length, 1);
  assert.equal(links({ value: "a b&c", ...URL_AND_TEXT }).length, 1);
  assert.equal(links({ value: "other", ...URL_AND_TEXT }).length, 0);
  assert.equal(links({ type: "process", ...URL_AND_TEXT }).length, 0);
  const throwing = (): never => {
    throw new Error("the operator's bug");
  };
  assert.equal(links({ key: throwing, ...URL_AND_TEXT }).length, 0);
});

test("OpenTelemetry's names of places are those of Jaeger", () => {
  for (const [place, name] of [
    ["tags", "attributes"],
    ["process", "resource"],
    ["logs", "events"],
  ] as const) {
    assert.equal(links({ type: name, ...URL_AND_TEXT }, place).length, 1, name);
  }
});

test("a parameter without a value leaves the link out", () => {
  assert.deepEqual(links({ ...URL_AND_TEXT, text: "#{nothing}" }), []);
});

test("the functions add, pad_start and epoch_micros_to_date_iso", () => {
  const values = { "trace.startTime": 1_700_000_000_000_000, n: "42", id: "7f" };
  const url = "https://x/?a=#{n | add 8}&b=#{id | pad_start 6 0}";
  const text = "#{trace.startTime | epoch_micros_to_date_iso}";
  const [link] = links({ type: "traces", url, text }, "traces", values);
  assert.equal(link?.url, "https://x/?a=50&b=00007f");
  assert.equal(link?.text, "2023-11-14T22:13:20.000Z");
  const [shifted] = links(
    { url: "https://x/#{n|add -2|pad_start 4 0}", text: "t" },
    "tags",
    values,
  );
  assert.equal(shifted?.url, "https://x/0040");
});

test("functions leave values they cannot work on; unknown ones are told", () => {
  const values = { word: "abc", far: 9e18 };
  const text =
    "#{word | add 1} #{word | epoch_micros_to_date_iso} #{far | epoch_micros_to_date_iso}";
  assert.equal(
    links({ url: "https://x", text }, "tags", values)[0]?.text,
    "abc abc 9000000000000000000",
  );
  const { patterns, warnings } = readLinkPatterns([
    { url: "https://x/#{a | upper}", text: "t" },
    { url: "https://x" },
    { url: "https://x", text: "t", key: 7 },
  ]);
  assert.equal(patterns.length, 0);
  assert.match(warnings.join("\n"), /no function upper[^]*needs url and text[^]*texts, lists/);
});

test("only http, https and mailto become links, whatever values fill in", () => {
  for (const url of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
  ]) {
    assert.equal(isSafeUrl(url), false, url);
    assert.deepEqual(links({ url, text: "t" }), []);
  }
  assert.deepEqual(
    links({ url: "#{user.id}:alert(1)", text: "t" }, "tags", { "user.id": "javascript" }),
    [],
  );
  for (const url of ["https://x", "http://x", "mailto:a@b", "/search?service=x"]) {
    assert.equal(isSafeUrl(url), true, url);
  }
});
