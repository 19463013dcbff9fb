/** Sealing and reading back: every row of any batch survives, in the order segments have. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nodeFiles } from "../../base/node/file-layer.ts";
import type { FileLayer, OpenFile } from "../../base/node/file-layer.ts";
import { isSpoorError } from "../../core/errors.ts";
import { seededRandom } from "../../base/clock.ts";
import type { SpanBatch } from "../../core/batch.ts";
import { sameSpan, spanContent } from "../../core/trace/span-content.ts";
import { NastySpans } from "../../../test/support/nasty-spans.ts";
import { batchOf, double, int, plainSpan, text } from "../../../test/support/plain-spans.ts";
import { runSeed } from "../../../test/support/run-seed.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { FrameCache } from "./frame-cache.ts";
import { segmentBatches, segmentTrace } from "./segment-copy.ts";
import { footerIn } from "./segment-footer.ts";
import type { SegmentPlace } from "./segment-files.ts";
import { OpenSegments, openSegment } from "./segment-reader.ts";
import type { Segment } from "./segment-reader.ts";
import { encodeSegment } from "./segment-writer.ts";

function contents(batches: Iterable<SpanBatch>): string[] {
  const rows: string[] = [];
  for (const batch of batches) {
    for (let i = 0; i < batch.spanCount; i++) rows.push(spanContent(batch, i));
  }
  return rows.sort();
}

/** A file layer that gives `bytes` as every file. */
function onlyFile(bytes: Uint8Array): FileLayer {
  const file: OpenFile = {
    ...({} as OpenFile),
    path: "one.segment",
    readAt(into, position) {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    sizeBytes: () => bytes.length,
    close: () => undefined,
  };
  return { ...nodeFiles, open: () => file };
}

test("every bit of the filter is covered by a checksum", () => {
  const world = new NastySpans(seededRandom(7), 30);
  const inputs = Array.from({ length: 40 }, () => ({
    batch: batchOf(world.batch()),
    arrivalMs: 1,
  }));
  const { chunks, footer } = encodeSegment(inputs, { epochs: [1], sameContent: sameSpan });
  const bytes = Buffer.concat(chunks);
  const [offset, length] = footer.filter;
  assert.ok(length > 0);
  for (let n = 0; n < 64; n++) {
    const damaged = Uint8Array.from(bytes);
    const at = offset + Math.floor((n * (length - 1)) / 63);
    damaged[at] = damaged[at]! ^ (1 << (n & 7));
    const place = { path: "one.segment", offset: 0, length: damaged.length };
    const segment = openSegment(onlyFile(damaged), place, new FrameCache(1 << 20));
    let found = false;
    for (let hash = 0; hash < footer.filterBlocks; hash++) {
      try {
        segment.filterGroups(hash);
      } catch (error) {
        found ||= isSpoorError(error, "corrupt");
      }
    }
    assert.ok(found, `byte ${at}`);
  }
});

type Test = { after(run: () => void): void };

/** A file of these batches' rows. */
function written(batches: readonly SpanBatch[]): SegmentPlace {
  const directory = tempFolder("segment");
  const path = join(directory, "one.segment");
  const inputs = batches.map((batch) => ({ batch, arrivalMs: 5 }));
  const { chunks } = encodeSegment(inputs, { epochs: [3], sameContent: sameSpan });
  const bytes = Buffer.concat(chunks);
  writeFileSync(path, bytes);
  return { path, offset: 0, length: bytes.length };
}

function sealed(t: Test, batches: readonly SpanBatch[], limit?: OpenSegments): Segment {
  const place = written(batches);
  const segment = openSegment(nodeFiles, place, new FrameCache(1 << 20), limit);
  t.after(() => segment.close());
  return segment;
}

const seed = runSeed();

test(`random batches come back row by row (seed ${seed})`, (t) => {
  for (let round = 0; round < 10; round++) {
    const world = new NastySpans(seededRandom(seed + round), 30);
    const batches = Array.from({ length: 1 + world.dice.below(120) }, () => batchOf(world.batch()));
    const segment = sealed(t, batches);
    const wanted = [...new Set(contents(batches))].sort();
    assert.deepEqual(contents(segmentBatches(segment)), wanted, `round ${round}`);
    assert.equal(segment.footer.rows, wanted.length);
    const total = batches.reduce((sum, batch) => sum + batch.spanCount, 0);
    assert.equal(footerIn(nodeFiles, segment.place).deduplicated, total - wanted.length);
    for (const batch of batches.slice(0, 5)) {
      const id = batch.traceId.slice(0, 16);
      const trace = segmentTrace(segment, id)[0]!;
      for (let i = 0; i < trace.spanCount; i++) {
        assert.deepEqual(trace.traceId.slice(i * 16, i * 16 + 16), id);
      }
      const rows = contents([trace]);
      assert.ok(rows.includes(spanContent(batch, 0)));
      const all = new Set(wanted);
      assert.ok(rows.every((row) => all.has(row)));
    }
  }
});

test("values that are mostly distinct come back, from before and after that is known", (t) => {
  const batches = Array.from({ length: 60 }, (_, b) =>
    batchOf(
      Array.from({ length: 300 }, (_, i) => {
        const n = b * 300 + i;
        return plainSpan({
          traceHex: (n >> 3).toString(16).padStart(32, "0"),
          spanHex: (n + 1).toString(16).padStart(16, "0"),
          startNs: 1_700_000_000_000_000_000n + BigInt(n),
          attributes: [
            ["request", text(`r-${n}`)],
            ["size", int(n * 7919)],
            ["share", double(n / 7)],
            ["repeats", text(`v-${n % 700}`)],
          ],
        });
      }),
    ),
  );
  const segment = sealed(t, batches);
  assert.deepEqual(contents(segmentBatches(segment)), contents(batches));
  const kinds = segment.footer.columns.map(({ key, kind }) => {
    return [Buffer.from(key, "base64").toString(), kind];
  });
  const expected = { request: "raw", size: "raw", share: "raw", repeats: "dict" };
  assert.deepEqual(Object.fromEntries(kinds), expected);
});

test("segments beyond a limit are closed, and read again when they are asked", (t) => {
  const limit = new OpenSegments(2);
  const world = new NastySpans(seededRandom(seed), 30);
  const batches = Array.from({ length: 5 }, () => [batchOf(world.batch())]);
  const segments = batches.map((batch) => sealed(t, batch, limit));
  const places = segments.map((segment) => segment.place);
  assert.equal(limit.count, 2);
  for (let round = 0; round < 3; round++) {
    segments.forEach((segment, i) => {
      assert.deepEqual(
        contents(segmentBatches(segment)),
        [...new Set(contents(batches[i]!))].sort(),
      );
      assert.equal(limit.count, 2);
    });
  }
  // What was there and is no more is told like any damage, with the segment's name.
  writeFileSync(places[0]!.path, "no segment");
  assert.throws(
    () => segments[0]!.footer,
    (error) => isSpoorError(error, "corrupt") && error.message.startsWith("one.segment: "),
  );
  for (const segment of segments) segment.close();
  assert.equal(limit.count, 0);
});

test("a kept footer says of groups and columns what the file says", (t) => {
  const batches = [batchOf(new NastySpans(seededRandom(seed), 300).batch())];
  const segment = sealed(t, batches);
  const { footer } = segment;
  const read = footerIn(nodeFiles, segment.place);
  read.groups.forEach((facts, g) => {
    const kept = footer.groups[g]!;
    const { rows, runs, minStartUs, maxStartUs, minDurationNs, maxDurationNs, errors } = kept;
    const { families, idsCrc } = kept;
    assert.deepEqual(
      {
        rows,
        runs,
        minStartUs,
        maxStartUs,
        minDurationNs,
        maxDurationNs,
        errors,
        families,
        idsCrc,
      },
      {
        rows: facts.rows,
        runs: facts.runs,
        minStartUs: facts.minStartUs,
        maxStartUs: facts.maxStartUs,
        minDurationNs: facts.minDurationNs,
        maxDurationNs: facts.maxDurationNs,
        errors: facts.errors,
        families: facts.families.map((place) => (place[1] === 0 ? [0, 0, 0] : place)),
        idsCrc: facts.idsCrc,
      },
    );
  });
  read.columns.forEach(({ bounds, ...column }, c) => {
    const { groupBounds, ...kept } = footer.columns[c]!;
    assert.deepEqual(kept, column);
    const flat = bounds?.flatMap((pair) => pair ?? [NaN, NaN]);
    assert.deepEqual(groupBounds, flat === undefined ? undefined : Float64Array.from(flat));
  });
  assert.deepEqual(segment.operations, read.operations);
});

test("raw values of any length come back, and one value under many keys", (t) => {
  const lengths = [0, 1, 65_534, 65_535, 65_536, 250_000];
  const long = (n: number): string => `${n}-${"x".repeat(lengths[n % lengths.length]!)}`;
  const span = (n: number, value: string) =>
    plainSpan({
      traceHex: (n >> 3).toString(16).padStart(32, "0"),
      spanHex: (n + 1).toString(16).padStart(16, "0"),
      startNs: 1_700_000_000_000_000_000n + BigInt(n),
      attributes: [
        ["body", text(value)],
        ["same.a", text("same")],
        ["same.b", text("same")],
        ["same.a", text(n % 2 === 0 ? "same" : "other")],
        ["zero.int", int(0)],
        ["zero.double", double(0)],
        ["none", text("")],
      ],
    });
  const many = Array.from({ length: 9 }, (_, b) =>
    batchOf(Array.from({ length: 1000 }, (_row, i) => span(b * 1000 + i, `s-${b * 1000 + i}`))),
  );
  // By now the column is known to be raw: these are told by where their bytes lie.
  const few = Array.from({ length: 12 }, (_, i) => span(20_000 + i, long(i)));
  const batches = [...many, batchOf(few.slice(0, 6)), batchOf(few.slice(6))];
  const segment = sealed(t, batches);
  assert.deepEqual(contents(segmentBatches(segment)), contents(batches));
  const body = segment.footer.columns.find(({ uses, kind }) => kind === "raw" && uses === 9012);
  assert.ok(body !== undefined, "the column is raw");
});
