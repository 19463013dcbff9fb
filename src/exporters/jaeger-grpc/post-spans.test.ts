/** Joined requests hold the spans of all, each under its own process, as our decoder reads them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchBuilder } from "../../core/builder.ts";
import { decodeJaegerPostSpans } from "../../wire/jaeger-proto-decode.ts";
import { encodeJaegerPostSpans } from "../../wire/jaeger-proto-encode.ts";
import { dumpJaeger } from "../../../test/support/jaeger-dump.ts";
import { randomBatch } from "../../../test/support/random-batch.ts";
import { runSeed } from "../../../test/support/run-seed.ts";
import { joinPostSpans, partsOf, processOf, strangerBytes } from "./post-spans.ts";

const seed = runSeed();

function decoded(request: Uint8Array): ReturnType<typeof dumpJaeger> {
  return dumpJaeger(decodeJaegerPostSpans(request, { builder: new BatchBuilder() }).batch);
}

function requestsOf(seed: number, spans: number): Uint8Array[] {
  return encodeJaegerPostSpans(randomBatch(seed, { spans, resources: 3, times: "i63" }), 2 ** 20);
}

test(`requests of several processes are one that says the same (SPOOR_SEED=${seed})`, () => {
  for (let round = 0; round < 30; round++) {
    const [first, ...others] = requestsOf(seed + round, 40);
    // The first one's process comes again, behind others.
    const requests = [first!, ...others, ...requestsOf(seed + round + 1000, 3), first!];
    const joined = joinPostSpans(requests);
    // Requests behind each other are one of several batches.
    const wanted = decoded(Uint8Array.from(Buffer.concat(requests)));
    assert.deepEqual(decoded(joined), wanted, `round ${round}`);
    const { spanCount } = partsOf(joined);
    const all = requests.map(partsOf).reduce((sum, part) => sum + part.spanCount, 0);
    assert.equal(spanCount, all);
    const most = requests.map(partsOf).reduce((sum, part) => sum + strangerBytes(part), 0);
    assert.ok(joined.length <= most, `${joined.length} bytes, ${most} at most`);
  }
});

test("requests of one process are joined without a byte more", () => {
  const [first] = requestsOf(seed, 20);
  const parts = partsOf(first!);
  const spans = parts.processStart - parts.spansStart;
  const joined = joinPostSpans([first!, first!, first!]);
  assert.ok(joined.length <= first!.length + 2 * spans + 2);
  assert.equal(processOf(partsOf(joined)), processOf(parts));
  assert.equal(joinPostSpans([first!]), first);
});
