/** A rebuilt batch is the batch: over random spans with everything a span can have. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/clock.ts";
import { rebuildBatch } from "../../src/pipeline/rebuild.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { NastySpans } from "../support/nasty-spans.ts";
import { batchOf } from "../support/plain-spans.ts";
import { runSeed } from "../support/run-seed.ts";

test("rebuild without a change keeps every byte of what the batch encodes to", (t) => {
  const seed = runSeed();
  t.diagnostic(`seed ${seed}`);
  const nasty = new NastySpans(seededRandom(seed), 20);
  for (let round = 0; round < 100; round++) {
    const batch = batchOf(nasty.batch());
    assert.deepEqual(encodeOtlpProto(rebuildBatch(batch, {})), encodeOtlpProto(batch));
  }
});
