/** Decoding OTLP protobuf into batches: CPU time a span, beside protobufjs on the same bytes. */

import { BatchBuilder } from "../src/core/builder.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { otlpType } from "../test/support/otlp-schema.ts";
import { Dataset } from "./dataset.ts";

const SPANS = Number(process.env["SPANS"] ?? 100_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 10);

interface Body {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

function makeBodies(): Body[] {
  const dataset = new Dataset({
    spans: SPANS,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: 3600,
    sampleEvery: 1_000_000,
  });
  const bodies: Body[] = [];
  for (const request of dataset.requests()) {
    bodies.push({ bytes: Uint8Array.from(request.body), spans: request.spans });
  }
  return bodies;
}

/** Best of `rounds` passes over all bodies, µs of CPU a span. */
function measure(bodies: readonly Body[], rounds: number, decode: (bytes: Uint8Array) => void) {
  const spans = bodies.reduce((sum, body) => sum + body.spans, 0);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (const body of bodies) decode(body.bytes);
    const used = process.cpuUsage(before);
    times.push((used.user + used.system) / spans);
  }
  times.sort((a, b) => a - b);
  return { best: times[0]!, median: times[times.length >> 1]! };
}

const bodies = makeBodies();
const bytes = bodies.reduce((sum, body) => sum + body.bytes.length, 0);
const spans = bodies.reduce((sum, body) => sum + body.spans, 0);
const builder = new BatchBuilder();
const peer = otlpType("TracesData");
console.log(`${spans} spans in ${bodies.length} requests, ${(bytes / spans).toFixed(0)} bytes each`);
const rows: readonly [string, number, (bytes: Uint8Array) => void][] = [
  ["decodeOtlpProto", ROUNDS, (body) => void decodeOtlpProto(body, builder)],
  ["protobufjs (objects only)", process.env["PEER"] === "0" ? 0 : 3, (b) => void peer.decode(b)],
];
for (const [name, rounds, decode] of rows) {
  if (rounds === 0) continue;
  const { best, median } = measure(bodies, rounds, decode);
  console.log(
    `${name}: best ${best.toFixed(2)}, median ${median.toFixed(2)} µs/span CPU, n=${rounds}`,
  );
}
