/** Tests of rows across batches: what is the same span, and copies that lose nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { viewBatch } from "../../src/core/batch.ts";
import { selectRows } from "../../src/core/trace/select.ts";
import { sameSpan, spanContent } from "../../src/core/trace/span-content.ts";
import { rowsOf, summarize } from "../../src/core/trace/summary.ts";
import { contentOf } from "../support/brute-force.ts";
import { Dice, NastySpans } from "../support/nasty-spans.ts";
import { batchOf, plainSpan } from "../support/plain-spans.ts";
import type { PlainSpan } from "../support/plain-spans.ts";
import { runSeed } from "../support/run-seed.ts";
import { contents } from "./store-reads.ts";

test("two rows are the same span exactly when all they hold is equal", () => {
  const seed = runSeed();
  const nasty = new NastySpans(seededRandom(seed), 2);
  // One in eleven was made before: one run in 2e12 has no duplicates.
  while (nasty.made.length < 300) nasty.batch();
  const whole = batchOf(nasty.made);
  const alone = nasty.made.map((span) => batchOf([span]));
  const plain = nasty.made.map(contentOf);
  const dumped = nasty.made.map((_, i) => spanContent(whole, i));
  let same = 0;
  for (let i = 0; i < nasty.made.length; i++) {
    for (let j = 0; j < nasty.made.length; j++) {
      const expected = plain[i] === plain[j];
      const about = `SPOOR_SEED=${seed}: rows ${i} and ${j}`;
      assert.equal(sameSpan(whole, i, whole, j), expected, about);
      assert.equal(sameSpan(whole, i, alone[j]!, 0), expected, about);
      assert.equal(dumped[i] === dumped[j], expected, about);
      if (expected && i !== j) same++;
    }
    assert.equal(spanContent(alone[i]!, 0), dumped[i]);
  }
  assert.ok(same > 0, "the spans hold duplicates");
});

test("a difference in any one place makes another span", () => {
  const event = { atNs: 5n, name: "e", attributes: [] };
  const link = { traceHex: "1".repeat(32), spanHex: "2".repeat(16), attributes: [] };
  const span = plainSpan({ events: [event], links: [link] });
  const k = { type: "string", value: "v" } as const;
  const others: Partial<PlainSpan>[] = [
    { traceHex: "e".repeat(32) },
    { spanHex: "e".repeat(16) },
    { parentHex: "e".repeat(16) },
    { startNs: span.startNs + 1n },
    { durationNs: span.durationNs + 1n },
    { durationNs: 2n ** 60n },
    { name: "other" },
    { kind: 3 },
    { status: 1 },
    { statusMessage: "m" },
    { traceState: "a=b" },
    { flags: 0 },
    { droppedAttributes: 1 },
    { attributes: [["k", k]] },
    { events: [] },
    { events: [{ ...event, atNs: 6n }] },
    { events: [{ ...event, name: "f" }] },
    { events: [{ ...event, attributes: [["k", k]] }] },
    { links: [{ ...link, traceHex: "3".repeat(32) }] },
    { links: [{ ...link, spanHex: "3".repeat(16) }] },
    { links: [{ ...link, attributes: [["k", k]] }] },
    { links: [link, link] },
    { resource: { ...span.resource, schemaUrl: "s" } },
    { resource: { ...span.resource, attributes: [] } },
    { scope: { ...span.scope, name: "other" } },
    { scope: { ...span.scope, version: "2" } },
    { scope: { ...span.scope, attributes: [["k", k]] } },
  ];
  for (const part of others) {
    const [a, b] = [batchOf([span]), batchOf([plainSpan({ ...span, ...part })])];
    const about = Object.keys(part).join();
    assert.equal(sameSpan(a, 0, b, 0), false, about);
    assert.notEqual(spanContent(a, 0), spanContent(b, 0), about);
  }
  const ordered = (keys: string[]) =>
    batchOf([plainSpan({ attributes: keys.map((key) => [key, k] as const) })]);
  assert.equal(sameSpan(ordered(["a", "b"]), 0, ordered(["b", "a"]), 0), false, "order counts");
  const doubles = [0, -0].map((value) =>
    batchOf([plainSpan({ attributes: [["k", { type: "double", value }]] })]),
  );
  assert.equal(sameSpan(doubles[0]!, 0, doubles[1]!, 0), false, "doubles by their bits");
});

test("selected rows hold what the rows held, and each resource and scope once", () => {
  const seed = runSeed();
  const nasty = new NastySpans(seededRandom(seed), 5);
  const dice = new Dice(seededRandom(seed + 1));
  const batches = Array.from({ length: 12 }, () => batchOf(nasty.batch()));
  const rows = rowsOf(batches)
    .filter(() => dice.chance(0.6))
    .toReversed();
  const selected = selectRows(rows);
  const expected = rows.map(({ batch, row }) => spanContent(batch, row));
  const got = rowsOf([selected]).map(({ batch, row }) => spanContent(batch, row));
  assert.deepEqual(got, expected, `SPOOR_SEED=${seed}`);
  assert.deepEqual(contents([viewBatch(selected.image)]), expected.toSorted());
  const section = (content: string, name: string): string =>
    content.slice(content.indexOf(`\n${name} `));
  const resources = new Set(expected.map((content) => section(content, "resource")));
  assert.equal(selected.resourceCount, resources.size, `SPOOR_SEED=${seed}`);
  const scopes = new Set(
    expected.map((content) => section(content, "scope").replace(section(content, "resource"), "")),
  );
  assert.equal(selected.scopeCount, scopes.size, `SPOOR_SEED=${seed}`);
  assert.equal(selectRows([]).spanCount, 0);
});

test("a summary does not depend on the order of rows", () => {
  const seed = runSeed();
  const nasty = new NastySpans(seededRandom(seed), 1);
  while (nasty.made.length < 120) nasty.batch();
  const rows = rowsOf([batchOf(nasty.made)]);
  const dice = new Dice(seededRandom(seed + 1));
  const first = summarize(rows, rows[0]!);
  for (let n = 0; n < 20; n++) {
    const shuffled = rows
      .map((row) => ({ row, at: dice.random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ row }) => row);
    assert.deepEqual(summarize(shuffled, rows[0]!), first, `SPOOR_SEED=${seed}`);
  }
});
