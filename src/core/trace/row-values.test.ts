/** Tests of values by row, against asking every span for its attributes one by one. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchOf, bool, int, plainSpan, text } from "../../../test/support/plain-spans.ts";
import type { PlainAttributes } from "../../../test/support/plain-spans.ts";
import { seededRandom } from "../../base/clock.ts";
import { toHex } from "../../base/bytes.ts";
import type { SpanBatch } from "../batch.ts";
import { LIMITS } from "../limits.ts";
import { adjustTrace } from "./adjust.ts";
import { rowKeys, rowValues, VALUE_GROUP } from "./row-values.ts";
import { skeletonOf } from "./skeleton.ts";
import { spanDetail } from "./span-detail.ts";
import { viewTrace } from "./view.ts";

type Value = string | number | boolean;
type Attributes = Readonly<Record<string, Value>>;

function listOf(attributes: Attributes): PlainAttributes {
  return Object.entries(attributes).map(([key, value]) => {
    if (typeof value === "string") return [key, text(value)];
    return [key, typeof value === "boolean" ? bool(value) : int(value)];
  });
}

let nextId = 1;

/** Spans of one resource and scope. */
function partOf(
  spans: readonly Attributes[],
  ofResource: Attributes = {},
  ofScope: Attributes = {},
): SpanBatch {
  const resource = { attributes: listOf(ofResource), schemaUrl: "" };
  const scope = { name: "test", version: "", attributes: listOf(ofScope) };
  return batchOf(
    spans.map((attributes) => {
      const spanHex = (nextId++).toString(16).padStart(16, "0");
      const startNs = 1_700_000_000_000_000_000n + BigInt((nextId * 7919) % 997);
      return plainSpan({ spanHex, startNs, attributes: listOf(attributes), resource, scope });
    }),
  );
}

describe("values by row", () => {
  it("counts the same text as one value, whatever its type and part", () => {
    const view = viewTrace([
      partOf([{ status: 200 }, { status: "200" }, { status: 500 }]),
      partOf([{ status: "500" }, { status: 200 }, {}]),
    ]);
    const { values, others, absent, groups } = rowValues(view, skeletonOf(view), "status");
    assert.deepEqual(values, [
      { text: "200", spanCount: 3 },
      { text: "500", spanCount: 2 },
    ]);
    assert.deepEqual([others, absent], [0, 1]);
    assert.equal(groups.filter((group) => group === VALUE_GROUP.ABSENT).length, 1);
  });

  it("takes the span's own value before the resource's, that before the scope's", () => {
    const view = viewTrace([
      partOf([{ zone: "span" }, {}], { zone: "resource" }, { zone: "scope" }),
      partOf([{}], {}, { zone: "scope" }),
    ]);
    const { values } = rowValues(view, skeletonOf(view), "zone");
    assert.deepEqual(
      values.map(({ text }) => text),
      ["resource", "scope", "span"],
    );
    assert.deepEqual(
      rowKeys(view).find(({ key }) => key === "zone"),
      { key: "zone", spanCount: 3 },
    );
  });

  it("keeps the most frequent values, and cuts long ones", () => {
    const long = "x".repeat(LIMITS.rowValueBytes + 50);
    const spans = Array.from({ length: 40 }, (_, i) => ({ id: `value ${i}` }));
    const view = viewTrace([partOf([...spans, { id: long }, { id: long }])]);
    const { values, others, absent } = rowValues(view, skeletonOf(view), "id");
    assert.equal(values.length, LIMITS.rowValues);
    assert.deepEqual(values[0], { text: long.slice(0, LIMITS.rowValueBytes), spanCount: 2 });
    assert.deepEqual([others, absent], [40 - (LIMITS.rowValues - 1), 0]);
  });

  for (let seed = 1; seed <= 20; seed++) {
    it(`says of every row what the row itself says (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const pick = (n: number): number => Math.floor(random() * n);
      const some = (): Attributes =>
        Object.fromEntries(
          Array.from({ length: pick(4) }, () => [
            `key ${pick(4)}`,
            [pick(12), `text ${pick(12)}`, random() < 0.5][pick(3)]!,
          ]),
        );
      const parts = Array.from({ length: 1 + pick(3) }, () =>
        partOf(Array.from({ length: 1 + pick(60) }, some), some(), some()),
      );
      const view = viewTrace(parts);
      if (pick(2) === 1) adjustTrace(view);
      const skeleton = skeletonOf(view);
      const keys = new Map(rowKeys(view).map(({ key, spanCount }) => [key, spanCount]));
      for (let k = 0; k < 4; k++) {
        const key = `key ${k}`;
        const { values, others, absent, groups } = rowValues(view, skeleton, key);
        let present = 0;
        let rest = 0;
        for (let row = 0; row < skeleton.spanCount; row++) {
          const { attributes, resource, scope, spanIdHex } = spanDetail(view, skeleton, row);
          assert.equal(spanIdHex, toHex(skeleton.spanId, row * 8, 8));
          const text = [...attributes, ...resource, ...scope].find((a) => a.key === key)?.text;
          const group = groups[row]!;
          if (text === undefined) assert.equal(group, VALUE_GROUP.ABSENT);
          else if (group === VALUE_GROUP.OTHER) rest++;
          else assert.equal(values[group]!.text, text);
          present += text === undefined ? 0 : 1;
        }
        assert.deepEqual([others, absent], [rest, skeleton.spanCount - present]);
        assert.ok((keys.get(key) ?? 0) >= present);
        for (const [place, { spanCount }] of values.entries()) {
          assert.equal(spanCount, groups.filter((group) => group === place).length);
        }
      }
    });
  }
});
