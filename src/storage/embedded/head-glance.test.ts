/** A batch left out at a glance has no row that satisfies the filter. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/clock.ts";
import { compileRegex } from "../../base/regex.ts";
import type { SpanBatch } from "../../core/batch.ts";
import type { Filter } from "../../core/filter.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import { batchOf, bool, double, int, plainSpan, text } from "../../../test/support/plain-spans.ts";
import { compileGlance } from "./head-glance.ts";
import type { HeadBatch } from "./search-heads.ts";

function entryOf(batch: SpanBatch): HeadBatch {
  const durations = [...batch.durationNs];
  return {
    batch,
    texts: Buffer.from(batch.dictBytes),
    at: 0,
    minStartUs: -Infinity,
    maxStartUs: Infinity,
    minDurationNs: Math.min(...durations),
    maxDurationNs: Math.max(...durations),
  };
}

test("random filters over random batches, values of every type", () => {
  const random = seededRandom(31);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const words = ["alpha", "beta", "1.5", "c0ffee", "true", "12", "NaN", "gamma/delta", "beta-2"];
  const values = [...words.map(text), int(12n), double(1.5), double(NaN)];
  values.push(bool(true), { type: "bytes", value: [0xc0, 0xff, 0xee] });
  const keys = ["user", "size", "kind"];
  const leaf = (): Filter => {
    const target = pick([{ attribute: pick(keys) }, { field: "service" as const }]);
    const attribute = "attribute" in target;
    const duration = { field: "duration" as const };
    return pick<Filter>([
      { op: "=", target, value: pick(words), ...(attribute ? { untyped: true } : {}) } as Filter,
      { op: "=", target, value: pick(words) } as Filter,
      { op: "regex", target, pattern: pick(["alph.", "beta-[0-9]", "a|b", "gamma/d"]) },
      { op: "in", target, values: [pick(words), pick(words)] } as Filter,
      { op: ">", target: duration, value: Math.floor(random() * 30) },
      { op: "!=", target, value: pick(words) } as Filter,
      ...(attribute ? [{ op: "exists", target } as Filter] : []),
    ]);
  };
  let left = 0;
  for (let n = 0; n < 400; n++) {
    const batch = batchOf(
      Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) =>
        plainSpan({
          traceHex: "1".padStart(32, "0"),
          spanHex: (i + 1).toString(16).padStart(16, "0"),
          durationNs: BigInt(Math.floor(random() * 30)),
          resource: { schemaUrl: "", attributes: [["service.name", text(pick(words))]] },
          attributes: Array.from({ length: 2 }, () => [pick(keys), pick(values)]),
        }),
      ),
    );
    for (let q = 0; q < 20; q++) {
      const filter = pick<Filter>([
        leaf(),
        { op: "and", all: [leaf(), leaf()] },
        { op: "or", any: [leaf(), leaf()] },
        { op: "not", filter: leaf() },
      ]);
      const holds = bindFilter(filter, compileRegex)(batch);
      const matches = Array.from({ length: batch.spanCount }, (_, i) => holds(i)).includes(true);
      const may = compileGlance(filter)(entryOf(batch));
      assert.ok(may || !matches, JSON.stringify(filter));
      if (!may) left++;
    }
  }
  assert.ok(left > 2000, `${left} batches left out`);
});
