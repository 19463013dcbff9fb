/** Instants in zones, both ways, over changes of the clock; trace ids as people paste them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { agoText, instantOf, instantText, isZone } from "./instants.ts";
import { animalOf, canonicalTraceId, traceIdOf, traceIdsOf } from "./trace-ids.ts";

test("an instant is told in the zone asked for", () => {
  const us = Date.UTC(2026, 6, 1, 12, 30, 5, 42) * 1000 + 999;
  assert.equal(instantText(us, "UTC"), "2026-07-01 12:30:05.042");
  assert.equal(instantText(us, "Europe/Berlin"), "2026-07-01 14:30:05.042");
  assert.equal(instantText(us, "Asia/Kathmandu"), "2026-07-01 18:15:05.042");
  assert.equal(instantText(1e30, "UTC"), "–");
  assert.equal(isZone("Europe/Berlin"), true);
  assert.equal(isZone("Mars/Olympus"), false);
});

test("fields of a form are read in the zone, also where clocks change", () => {
  assert.equal(
    instantOf("2026-07-01", "14:30", "Europe/Berlin"),
    Date.UTC(2026, 6, 1, 12, 30) * 1000,
  );
  assert.equal(instantOf("2026-01-01", "00:00", "UTC"), Date.UTC(2026, 0, 1) * 1000);
  // Clocks go from 02:00 to 03:00: 02:30 is not there and moves on.
  const skipped = instantOf("2026-03-29", "02:30", "Europe/Berlin")!;
  assert.match(instantText(skipped, "Europe/Berlin"), /^2026-03-29 0[13]:30/);
  for (const hour of ["00:15", "01:15", "03:15", "12:00", "23:59"]) {
    for (const day of ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-26"]) {
      for (const zone of ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kathmandu"]) {
        const us = instantOf(day, hour, zone)!;
        assert.equal(instantText(us, zone), `${day} ${hour}:00.000`, `${day} ${hour} ${zone}`);
      }
    }
  }
  assert.equal(instantOf("", "12:00", "UTC"), undefined);
});

test("how long ago, in one unit", () => {
  const now = 1_700_000_000e6;
  assert.equal(agoText(now, now), "now");
  assert.equal(agoText(now - 59e6, now), "59 s ago");
  assert.equal(agoText(now - 3 * 60e6 - 50e6, now), "3 min ago");
  assert.equal(agoText(now - 25 * 3600e6, now), "1 d ago");
  assert.equal(agoText(now + 2 * 3600e6, now), "in 2 h");
});

test("trace ids: hex of any case and length, base64 of both alphabets", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  assert.equal(traceIdOf(id.toUpperCase()), id);
  assert.equal(traceIdOf(" 1a "), "1a".padStart(32, "0"));
  const base64 = Buffer.from(id, "hex").toString("base64");
  assert.equal(traceIdOf(base64), id);
  assert.equal(traceIdOf(Buffer.from(id, "hex").toString("base64url")), id);
  assert.equal(
    traceIdOf(Buffer.from("1a2b3c4d5e6f7081", "hex").toString("base64")),
    "1a2b3c4d5e6f7081".padStart(32, "0"),
  );
  for (const wrong of ["", "xyz", "a".repeat(33), "<script>", "../etc"]) {
    assert.equal(traceIdOf(wrong), undefined, wrong);
  }
  assert.equal(canonicalTraceId("1a2b3c4d5e6f7081".padStart(32, "0")), "1a2b3c4d5e6f7081");
  assert.equal(canonicalTraceId(id), id);
});

test("several ids of a pasted text, once each, and what is none", () => {
  const found = traceIdsOf("1a, 2b\n1A;nonsense\t");
  assert.deepEqual(found.ids, ["1a".padStart(32, "0"), "2b".padStart(32, "0")]);
  assert.deepEqual(found.bad, ["nonsense"]);
  assert.equal(animalOf("1a".padStart(32, "0")), animalOf("ffff00000000001a".padStart(32, "0")));
});
