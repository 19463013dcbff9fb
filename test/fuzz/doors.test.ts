/** Damaged packets at the doors of a running all-in-one: answered or counted, and harmless. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../src/base/clock.ts";
import { send, sendWell } from "../support/rich-senders.ts";
import { RICH_REQUESTS } from "../support/rich-span.ts";
import type { Protocol } from "../support/rich-span.ts";
import { eventually } from "../support/patience.ts";
import { runSeed } from "../support/run-seed.ts";
import { metricOf, portOf, runAllInOne } from "../support/running-roles.ts";
import { spanFormats } from "../support/span-formats.ts";
import { mutate } from "./mutate.ts";

const seed = runSeed();
const PACKETS = 40;
/** A datagram holds no more. */
const UDP_BYTES = 65_000;
const REQUESTS = "spoor_receiver_requests_total";
const MESSAGES = "spoor_udp_messages_total";

/** Formats of the fixtures by door, and what a refused sender may be told there. */
const DOORS: Readonly<Record<Protocol, { format: string; told: readonly number[] }>> = {
  "otlp-proto": { format: "otlp-proto", told: [0, 3] },
  "otlp-json": { format: "otlp-json", told: [200, 400] },
  "jaeger-grpc": { format: "jaeger-proto", told: [0, 3, 13] },
  "jaeger-thrift-http": { format: "jaeger-thrift-http", told: [202, 400] },
  "jaeger-udp-binary": { format: "jaeger-thrift-udp-binary", told: [] },
  "jaeger-udp-compact": { format: "jaeger-thrift-udp-compact", told: [] },
  "zipkin-udp-compact": { format: "zipkin-thrift-udp-compact", told: [] },
  "zipkin-v1-json": { format: "zipkin-v1-json", told: [202, 400] },
  "zipkin-v1-thrift": { format: "zipkin-thrift", told: [202, 400] },
  "zipkin-v2-json": { format: "zipkin-v2-json", told: [202, 400] },
  "zipkin-v2-proto": { format: "zipkin-proto", told: [202, 400] },
};

/** A fixture of the format. */
function golden(name: string): Uint8Array {
  const folder = fileURLToPath(new URL(`../fixtures/${name}/`, import.meta.url));
  const extension = spanFormats[name]!.extension;
  const file = readdirSync(folder).find((each) => each.endsWith(extension))!;
  return Uint8Array.from(readFileSync(folder + file));
}

test("every door refuses damaged packets, counts them, and goes on", async (t) => {
  console.log(`fuzzed doors: SPOOR_SEED=${seed}`);
  const role = await runAllInOne(t);
  const random = seededRandom(seed);
  for (const [protocol, { format, told }] of Object.entries(DOORS)) {
    const packet = golden(format);
    const overUdp = told.length === 0;
    const metric = overUdp ? MESSAGES : REQUESTS;
    const before = await metricOf(role, metric);
    for (let n = 0; n < PACKETS; n++) {
      const damaged = mutate(packet, spanFormats[format]!.encoding, random);
      const bytes = overUdp ? damaged.subarray(0, UDP_BYTES) : damaged;
      const { status, text } = await send(role, protocol as Protocol, bytes);
      const where = `${protocol}, seed ${seed}, packet ${n}: ${status} ${text}`;
      if (!overUdp) assert.ok(told.includes(status), where);
    }
    await eventually(`${PACKETS} packets of ${protocol} are counted`, async () =>
      (await metricOf(role, metric)) === before + PACKETS ? true : undefined,
    );
  }
  for (const metric of [REQUESTS, MESSAGES]) {
    assert.equal(await metricOf(role, metric, 'result="fault"'), 0);
    assert.ok((await metricOf(role, metric, 'result="malformed"')) > PACKETS);
  }
  await sendWell(role, "jaeger-grpc", RICH_REQUESTS["jaeger-grpc"]);
  const answer = await fetch(`http://127.0.0.1:${portOf(role, "query")}/api/services`);
  assert.ok(((await answer.json()) as { data: string[] }).data.includes("shop"));
});
