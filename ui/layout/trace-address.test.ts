/** Tests of the trace page's address: written and read it is the same, malformed it is nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readTraceAddress, writeTraceAddress } from "./trace-address.ts";
import type { TraceAddress } from "./trace-address.ts";

test("what is written is read, and other keys stay", () => {
  const address: TraceAddress = {
    view: "json-raw",
    window: { fromNs: 1.5, toNs: 4e9 },
    start: { us: 1_763_800_000_123_456, ns: 789 },
    selectedHex: "00f067aa0ba902b7",
    openHex: ["00f067aa0ba902b7", "00f067aa0ba902b8"],
    collapsed: "2.*3AQID",
    skipped: "*4AgAA",
    ungrouped: "AwE",
    withinHex: "00f067aa0ba902b9",
    topHex: "00f067aa0ba902ba",
    find: 'a "b c" -d&=',
    hideOthers: true,
    errorsOnly: true,
    criticalOnly: true,
    minShare: 0.025,
    unchained: "BAE",
    grouped: true,
    chained: true,
    critical: false,
    colorBy: "a.db.system",
    lit: "redis & co",
    detailTab: "genai",
    panel: true,
    bars: false,
    dense: true,
    skew: "off",
    services: "12ab.3",
    hiddenNames: "AbC-",
    more: "AbC-_fghijklmnopqrstuv",
  };
  const old = new URLSearchParams("uiEmbed=v0&g=0&t=1,2&cohort=a&cohort=b");
  const written = writeTraceAddress(address, old);
  const read = readTraceAddress(new URLSearchParams(written.toString()));
  assert.deepEqual(read, address);
  assert.deepEqual(written.getAll("cohort"), ["a", "b"]);
  assert.equal(written.get("uiEmbed"), "v0");
});

test("an address of nothing is short, and reads as at first", () => {
  const first = readTraceAddress(new URLSearchParams());
  assert.equal(writeTraceAddress(first, new URLSearchParams()).toString(), "");
});

test("malformed values count as left out", () => {
  const first = readTraceAddress(new URLSearchParams());
  for (const text of [
    "v=flame",
    "t=5,1",
    "t=a,b",
    "t=-1,5",
    "t=1,Infinity",
    "t0=abc",
    "more=../../etc/passwd",
    "t0=zzzzzzzzzzzz.1",
    "t0=zzzzzzzzzzz.1",
    "t0=1.1234",
    "sel=<script>",
    "open=,x,",
    "at=1",
    "within=00f067aa0ba902b",
    "min=NaN",
    "min=7",
    "panel=2",
    "skew=maybe",
  ]) {
    assert.deepEqual(readTraceAddress(new URLSearchParams(text)), first, text);
  }
});
