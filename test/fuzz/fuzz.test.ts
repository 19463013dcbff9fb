/** A short run of the fuzzer, with a new seed each time; `npm run soak -- fuzz` runs longer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../support/run-seed.ts";
import { spanFormats } from "../support/span-formats.ts";
import { fuzzCodecs } from "./fuzz-codecs.ts";

/** Some seconds; as many on a busy machine, so that every format is reached there too. */
const PACKETS = 40_000;
const seed = runSeed();

test("damaged packets of every format are refused in words, quickly, and cost nothing", () => {
  console.log(`fuzzer: SPOOR_SEED=${seed}`);
  const report = fuzzCodecs({ seed, packets: PACKETS });
  assert.deepEqual(report.findings, [], `seed ${seed}`);
  // Every format was reached, and its decoder said no to something.
  const refusing = new Set(Object.keys(report.rejected).map((reason) => reason.split(" ")[0]));
  assert.deepEqual([...refusing].sort(), Object.keys(spanFormats).sort());
  assert.ok(report.decoded > 0);
});
