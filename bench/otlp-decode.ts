/** OTLP into batches and back: CPU time a span, beside protobufjs and JSON.parse alone. */

import { BatchBuilder } from "../src/core/builder.ts";
import { utf8 } from "../src/base/bytes.ts";
import { decodeOtlpJson } from "../src/wire/otlp-json-decode.ts";
import { encodeOtlpJson } from "../src/wire/otlp-json-encode.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { encodeOtlpProto } from "../src/wire/otlp-proto-encode.ts";
import { otlpType } from "../test/support/otlp-schema.ts";
import { Dataset } from "./dataset.ts";

const SPANS = Number(process.env["SPANS"] ?? 100_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 10);

interface Input<T> {
  readonly of: T;
  readonly spans: number;
}

type Run<T> = (of: T) => void;

function makeBodies(): Input<Uint8Array>[] {
  const dataset = new Dataset({
    spans: SPANS,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: 3600,
    sampleEvery: 1_000_000,
  });
  const bodies: Input<Uint8Array>[] = [];
  for (const request of dataset.requests()) {
    bodies.push({ of: Uint8Array.from(request.body), spans: request.spans });
  }
  return bodies;
}

/** Best and median of `rounds` passes over all inputs, µs of CPU a span. */
function measure<T>(inputs: readonly Input<T>[], rounds: number, run: Run<T>) {
  const spans = inputs.reduce((sum, input) => sum + input.spans, 0);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (const input of inputs) run(input.of);
    const used = process.cpuUsage(before);
    times.push((used.user + used.system) / spans);
  }
  times.sort((a, b) => a - b);
  return { best: times[0]!, median: times[times.length >> 1]! };
}

const bodies = makeBodies();
const bytes = bodies.reduce((sum, body) => sum + body.of.length, 0);
const spans = bodies.reduce((sum, body) => sum + body.spans, 0);
const builder = new BatchBuilder();
const peer = otlpType("TracesData");
console.log(`${spans} spans, ${bodies.length} requests, ${(bytes / spans).toFixed(0)} B/span`);

function report<T>(name: string, rounds: number, inputs: readonly Input<T>[], run: Run<T>): void {
  const { best, median } = measure(inputs, rounds, run);
  const numbers = `best ${best.toFixed(2)}, median ${median.toFixed(2)} µs/span CPU`;
  console.log(`${name}: ${numbers}, n=${rounds}`);
}

report("decodeOtlpProto", ROUNDS, bodies, (body) => void decodeOtlpProto(body, builder));
if (process.env["PEER"] !== "0") {
  const few = Math.min(3, ROUNDS);
  report("protobufjs, objects only", few, bodies, (body) => void peer.decode(body));
  const batches = bodies.slice(0, 100).map(({ of, spans: count }) => {
    return { of: decodeOtlpProto(of, builder).batch, spans: count };
  });
  report("encodeOtlpProto", few, batches, (batch) => void encodeOtlpProto(batch));
  report("encodeOtlpJson", few, batches, (batch) => void encodeOtlpJson(batch));
  const texts = batches.map(({ of, spans: count }) => ({ of: encodeOtlpJson(of), spans: count }));
  report("decodeOtlpJson", few, texts, (body) => void decodeOtlpJson(body, builder));
  report("JSON.parse alone", few, texts, (body) => void JSON.parse(utf8(body)));
}
