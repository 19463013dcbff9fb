/** Tests of which texts become links. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { safeHref } from "./safe-link.ts";

test("web and mail addresses are links", () => {
  assert.equal(safeHref("https://example.org/a?b=c#d"), "https://example.org/a?b=c#d");
  assert.equal(safeHref("HTTP://example.org"), "http://example.org/");
  assert.equal(safeHref("mailto:a@example.org"), "mailto:a@example.org");
});

test("everything else stays text", () => {
  const texts = [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//example.org/x",
    "/trace/abc",
    "https://",
    "https://a b",
    "blob:https://example.org/1",
    `https://example.org/${"a".repeat(5000)}`,
    "",
  ];
  for (const text of texts) assert.equal(safeHref(text), undefined, JSON.stringify(text));
});
