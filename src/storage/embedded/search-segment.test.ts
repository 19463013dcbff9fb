/** A filter asked of a segment says of every row what it says of the row itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeFiles } from "../../base/node/file-layer.ts";
import type { OpenFile } from "../../base/node/file-layer.ts";
import { seededRandom } from "../../base/clock.ts";
import { compileRegex } from "../../base/regex.ts";
import type { CompareOp, Filter } from "../../core/filter.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { bindFilter } from "../../core/trace/filter-evaluate.ts";
import { sameSpan } from "../../core/trace/span-content.ts";
import { batchOf, double, int, plainSpan, text } from "../../../test/support/plain-spans.ts";
import type { PlainAttribute, PlainSpan } from "../../../test/support/plain-spans.ts";
import { FrameCache } from "./frame-cache.ts";
import { isIn } from "./group-set.ts";
import { compileForSegments } from "./search-segment.ts";
import { segmentBatches } from "./segment-copy.ts";
import { openSegment } from "./segment-reader.ts";
import type { Segment } from "./segment-reader.ts";
import { encodeSegment } from "./segment-writer.ts";

const random = seededRandom(23);
const below = (most: number): number => Math.floor(random() * most);

/** A segment, and its rows read back in its order. */
interface Sealed {
  readonly segment: Segment;
  readonly batches: readonly SpanBatch[];
}

/** Spans of 30 services in some groups; `extra` gives each span attributes of the test's. */
function segmentOf(extra: (i: number) => [string, PlainAttribute][]): Sealed {
  const spans: PlainSpan[] = [];
  for (let i = 0; i < 9000; i++) {
    spans.push(
      plainSpan({
        traceHex: (1 + Math.floor(i / 6)).toString(16).padStart(32, "0"),
        spanHex: (i + 1).toString(16).padStart(16, "0"),
        startNs: 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000n,
        durationNs: BigInt(below(20)) ** 8n,
        name: `operation ${below(40) + (i > 4000 ? 20 : 0)}`,
        resource: {
          schemaUrl: "",
          attributes: [["service.name", text(`service ${below(6) + Math.floor(i / 400)}`)]],
        },
        attributes: [
          ["url", text(`/a/${below(5000)}?b=${below(9)}`)],
          ["method", text(below(3) === 0 ? "GET" : "POST")],
          ...extra(i),
        ],
      }),
    );
  }
  const inputs = [{ batch: batchOf(spans), arrivalMs: 1 }];
  const { chunks } = encodeSegment(inputs, { epochs: [1], sameContent: sameSpan });
  const bytes = Buffer.concat(chunks);
  const file: OpenFile = {
    ...({} as OpenFile),
    path: "one.segment",
    readAt(into, position) {
      return bytes.copy(into, 0, position, position + into.length);
    },
    sizeBytes: () => bytes.length,
    close: () => undefined,
  };
  const files = { ...nodeFiles, open: () => file };
  const place = { path: "one.segment", offset: 0, length: bytes.length };
  const segment = openSegment(files, place, new FrameCache(1 << 22));
  return { segment, batches: [...segmentBatches(segment)] };
}

/** Asserts that the segment answers as its rows do; returns matches, and groups looked at. */
function check({ segment, batches }: Sealed, filter: Filter): { rows: number; groups: number } {
  const bound = compileForSegments(filter)(segment);
  const bind = bindFilter(filter, compileRegex);
  const expected: boolean[] = [];
  for (const batch of batches) {
    const holds = bind(batch);
    for (let i = 0; i < batch.spanCount; i++) expected.push(holds(i));
  }
  let at = 0;
  let groups = 0;
  segment.footer.groups.forEach((facts, group) => {
    const wanted = expected.slice(at, at + facts.rows);
    at += facts.rows;
    const isLooked = isIn(bound.groups, group);
    assert.ok(isLooked || !wanted.includes(true), `${JSON.stringify(filter)} group ${group}`);
    if (!isLooked) return;
    groups++;
    const found = Array.from(bound.rows(group), Boolean);
    assert.deepEqual(found, wanted, `${JSON.stringify(filter)} group ${group}`);
  });
  return { rows: expected.filter(Boolean).length, groups };
}

function compare(target: string, op: CompareOp, value: number): Filter {
  return { op, target: { attribute: target }, value } as Filter;
}

function range(least: number, most: number): Filter {
  return { op: "and", all: [compare("size", ">=", least), compare("size", "<", most)] };
}

test("ranges of numbers, with one value a span, several, or two types", () => {
  const one = segmentOf(() => [["size", int(BigInt(below(4000)))]]);
  const several = segmentOf((i) => [
    ["size", int(BigInt(below(4000)))],
    ...(i % 50 === 0 ? [["size", int(BigInt(below(4000)))] as [string, PlainAttribute]] : []),
  ]);
  const types = segmentOf((i) => [["size", i % 2 === 0 ? int(BigInt(below(99))) : double(50.5)]]);
  for (const sealed of [one, several, types]) {
    assert.ok(sealed.segment.footer.groups.length >= 4);
    for (let n = 0; n < 10; n++) {
      const least = below(4000);
      check(sealed, range(least, least + below(30)));
      check(sealed, range(below(100), below(100)));
    }
    assert.equal(check(sealed, range(-5, 5000)).rows, 9000);
  }
  // The two ends of an empty range, each satisfied by a value of its own.
  const apart = segmentOf((i) => [
    ["size", int(1n)],
    ["size", int(i === 77 ? 9n : 1n)],
  ]);
  assert.equal(check(apart, range(9, 2)).rows, 1);
});

test("slow spans of a service or an operation: groups without any are left out", () => {
  const sealed = segmentOf(() => []);
  const slower = (ns: number): Filter => {
    return { op: ">=", target: { field: "duration" }, value: ns };
  };
  let left = 0;
  for (let n = 0; n < 30; n += 3) {
    const service: Filter = { op: "=", target: { field: "service" }, value: `service ${n}` };
    const name: Filter = { op: "=", target: { field: "name" }, value: `operation ${n * 2}` };
    for (const filter of [service, name]) {
      check(sealed, filter);
      for (const ns of [0, 1, 300, 18 ** 8, 19 ** 8 + 1]) {
        const { groups } = check(sealed, { op: "and", all: [filter, slower(ns)] });
        left += sealed.segment.footer.groups.length - groups;
      }
      check(sealed, { op: "and", all: [{ op: "not", filter }, slower(18 ** 8)] });
      check(sealed, { op: "or", any: [filter, slower(19 ** 8)] });
    }
  }
  assert.ok(left > 30, `${left} groups left out`);
});

test("texts: equal, untyped, by pattern, absent", () => {
  const sealed = segmentOf((i) => [["user", text(`u-${i * 7}`)]]);
  const target = { attribute: "url" };
  for (let n = 0; n < 8; n++) {
    const url = `/a/${below(6000)}?b=${below(9)}`;
    check(sealed, { op: "=", target, value: url });
    check(sealed, { op: "=", target, value: url, untyped: true });
    check(sealed, { op: "!=", target, value: url });
    check(sealed, { op: "regex", target, pattern: `/a/${n}[0-9]+` });
    const user: Filter = { op: "=", target: { attribute: "user" }, value: `u-${n * 70}` };
    assert.equal(check(sealed, user).rows, 1);
    const method: Filter = { op: "=", target: { attribute: "method" }, value: "GET" };
    check(sealed, { op: "and", all: [method, user] });
  }
  let looked = 0;
  for (let n = 0; n < 500; n++) {
    const filter: Filter = { op: "=", target: { attribute: "user" }, value: `nobody-${n}` };
    looked += sizeLooked(sealed.segment, filter);
  }
  const share = looked / (500 * sealed.segment.footer.groups.length);
  assert.ok(share < 0.01, `${share} of the groups are looked at for nothing`);
});

test("patterns with the beginning of a word leave out groups without it, others look", () => {
  const url = (i: number): string => {
    const id = (i * 7919) % 100_000;
    return pickOf(["", "/", "x", "é"]) + `/orders/${id}/items?page=${i % 7}&é=${id}`;
  };
  const sealed = segmentOf((i) => [["path", text(url(i))]]);
  const { segment } = sealed;
  assert.equal(segment.footer.columns.find(({ kind }) => kind === "raw")?.kind, "raw");
  let looked = 0;
  for (let n = 0; n < 40; n++) {
    const id = String(below(90_000) + 10_000);
    const target = { attribute: "path" };
    looked += check(sealed, { op: "regex", target, pattern: `/orders/${id}/` }).groups;
    check(sealed, { op: "regex", target, pattern: `ers/${id.slice(0, 4)}[0-9]/` });
    check(sealed, { op: "regex", target, pattern: `${id.slice(0, 3)}/items[?]` });
    check(sealed, { op: "regex", target, pattern: `page=[0-6]&é=${id}$` });
    check(sealed, { op: "regex", target, pattern: `/orders/${id}/|page=${n}` });
  }
  const all = 40 * segment.footer.groups.length;
  assert.ok(looked < all / 2, `${looked} groups of ${all} looked at`);
});

test("a segment of before there were words is searched whole", () => {
  const { segment, batches } = segmentOf((i) => [["path", text(`/orders/${i * 13 + 1000}`)]]);
  const { words: _words, wordBlocks: _blocks, ...footer } = segment.footer;
  Object.defineProperty(segment, "footer", { value: footer });
  const target = { attribute: "path" };
  const sealed = { segment, batches };
  assert.equal(check(sealed, { op: "regex", target, pattern: "/orders/14000" }).rows, 1);
});

const pickOf = <T>(from: readonly T[]): T => from[below(from.length)]!;

function sizeLooked(segment: Segment, filter: Filter): number {
  const { groups } = compileForSegments(filter)(segment);
  return segment.footer.groups.filter((_, group) => isIn(groups, group)).length;
}
