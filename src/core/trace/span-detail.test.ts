/** Tests of what details add to a span: who links to it, and attributes said twice. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { batchOf, int, plainSpan, text } from "../../../test/support/plain-spans.ts";
import { adjustTrace } from "./adjust.ts";
import { skeletonOf, SKELETON_FLAG } from "./skeleton.ts";
import { spanDetail } from "./span-detail.ts";
import { viewTrace } from "./view.ts";

const TRACE = "0102030405060708090a0b0c0d0e0f10";
const hex = (i: number): string => i.toString(16).padStart(16, "0");

test("a span says which spans of its trace link to it, but for its children", () => {
  const link = (traceHex: string, i: number) => ({ traceHex, spanHex: hex(i), attributes: [] });
  const startNs = 1_700_000_000_000_000_000n;
  const spans = [
    plainSpan({ spanHex: hex(1), startNs }),
    plainSpan({
      spanHex: hex(2),
      parentHex: hex(1),
      startNs: startNs + 1n,
      links: [link(TRACE, 1), link(TRACE, 2), link(TRACE, 99)],
    }),
    plainSpan({
      spanHex: hex(3),
      parentHex: hex(1),
      startNs: startNs + 2n,
      links: [link(TRACE, 2), link(TRACE, 2), link("ff".repeat(16), 1)],
    }),
    plainSpan({
      spanHex: hex(4),
      parentHex: hex(3),
      startNs: startNs + 3n,
      links: [link(TRACE, 2), link(TRACE, 1)],
    }),
  ];
  for (const parts of [[batchOf(spans)], [batchOf(spans.slice(0, 2)), batchOf(spans.slice(2))]]) {
    const view = viewTrace(parts);
    const skeleton = skeletonOf(view);
    const told = [0, 1, 2, 3].map((row) => spanDetail(view, skeleton, row).linkedFrom);
    assert.deepEqual(told, [[hex(4)], [hex(3), hex(4)], [], []]);
    assert.deepEqual(
      [...skeleton.flags].map((flag) => (flag & SKELETON_FLAG.LINKED) !== 0),
      [true, true, false, false],
    );
  }
});

test("an attribute said twice is shown once with a warning, as stored twice", () => {
  const span = plainSpan({
    attributes: [
      ["a", text("1")],
      ["a", text("1")],
      ["a", int(1)],
      ["b", text("1")],
    ],
  });
  const stored = viewTrace([batchOf([span])]);
  assert.equal(spanDetail(stored, skeletonOf(stored), 0).attributes.length, 4);
  const view = viewTrace([batchOf([span])]);
  adjustTrace(view);
  const { attributes, warnings } = spanDetail(view, skeletonOf(view), 0);
  assert.deepEqual(
    attributes.map(({ key, type }) => `${key} ${type}`),
    ["a string", "a int", "b string"],
  );
  assert.deepEqual(warnings, ['Duplicate tag "a:1"']);
});
