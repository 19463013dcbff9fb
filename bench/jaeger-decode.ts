/** Jaeger's formats into batches and out: CPU time a span, beside protobufjs and `thrift`. */

import { BatchBuilder } from "../src/core/builder.ts";
import type { SpanBatch } from "../src/core/batch.ts";
import { decodeJaegerPostSpans } from "../src/wire/jaeger-proto-decode.ts";
import { encodeJaegerPostSpans } from "../src/wire/jaeger-proto-encode.ts";
import { decodeJaegerThriftBatch } from "../src/wire/jaeger-thrift-decode.ts";
import { decodeOtlpProto } from "../src/wire/otlp-proto-decode.ts";
import { readBody } from "../test/interop/client-thrift.ts";
import { postSpansRequest } from "../test/support/jaeger-schema.ts";
import { encodeJaegerThrift } from "../test/support/jaeger-thrift-encode.ts";
import { Dataset } from "./dataset.ts";

const SPANS = Number(process.env["SPANS"] ?? 50_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 10);
const PEER_ROUNDS = Math.min(3, ROUNDS);

interface Input {
  readonly spans: number;
  readonly batch: SpanBatch;
  readonly proto: Uint8Array;
  readonly binary: Uint8Array;
  readonly compact: Uint8Array;
}

/** The spans of the OTLP bench as Jaeger's clients would send them: one process a request. */
function makeInputs(): Input[] {
  const dataset = new Dataset({
    spans: SPANS,
    seed: 1,
    endSeconds: 1_750_000_000,
    seconds: 3600,
    sampleEvery: 1_000_000,
  });
  const builder = new BatchBuilder();
  const inputs: Input[] = [];
  for (const request of dataset.requests()) {
    const whole = decodeOtlpProto(Uint8Array.from(request.body), builder).batch;
    for (const proto of encodeJaegerPostSpans(whole, 2 ** 30)) {
      const batch = decodeJaegerPostSpans(proto, { builder }).batch;
      inputs.push({
        spans: batch.spanCount,
        batch,
        proto,
        binary: encodeJaegerThrift(batch, "binary", false),
        compact: encodeJaegerThrift(batch, "compact", false),
      });
    }
  }
  return inputs;
}

/** CPU of one codec, µs a span over all passes. */
export interface CodecCost {
  readonly name: string;
  readonly bytesPerSpan: number;
  readonly best: number;
  readonly median: number;
  readonly rounds: number;
}

type Format = "proto" | "binary" | "compact";

/** What is measured: name, format, rounds, and what is done with one input. */
type Job = readonly [string, Format, number, (input: Input) => void];

const builder = new BatchBuilder();

const JOBS: readonly Job[] = [
  [
    "PostSpans decoded into a batch",
    "proto",
    ROUNDS,
    ({ proto }) => void decodeJaegerPostSpans(proto, { builder }),
  ],
  [
    "PostSpans decoded by protobufjs, objects only",
    "proto",
    PEER_ROUNDS,
    ({ proto }) => void postSpansRequest.decode(proto),
  ],
  [
    "Thrift binary decoded into a batch",
    "binary",
    ROUNDS,
    ({ binary }) => void decodeJaegerThriftBatch(binary, "binary", { builder }),
  ],
  [
    "Thrift binary decoded by the package thrift, objects only",
    "binary",
    PEER_ROUNDS,
    ({ binary }) => void readBody(Buffer.from(binary)),
  ],
  [
    "Thrift compact decoded into a batch",
    "compact",
    ROUNDS,
    ({ compact }) => void decodeJaegerThriftBatch(compact, "compact", { builder }),
  ],
  [
    "a batch encoded as PostSpans",
    "proto",
    ROUNDS,
    ({ batch }) => void encodeJaegerPostSpans(batch, 2 ** 22),
  ],
];

/** Runs every codec over the same spans; peers only make objects, which is not yet a batch. */
export function measureCodecs(say: (line: string) => void): CodecCost[] {
  const inputs = makeInputs();
  const spans = inputs.reduce((sum, input) => sum + input.spans, 0);
  return JOBS.map(([name, format, rounds, run]) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      for (const input of inputs) run(input);
      const used = process.cpuUsage(before);
      times.push((used.user + used.system) / spans);
    }
    times.sort((a, b) => a - b);
    const [best, median] = [times[0]!, times[times.length >> 1]!];
    const bytes = inputs.reduce((sum, input) => sum + input[format].length, 0);
    const costs = `best ${best.toFixed(2)}, median ${median.toFixed(2)} µs/span`;
    say(`${name}: ${costs}, ${Math.round(bytes / spans)} B/span, n=${rounds}, ${spans} spans`);
    return { name, bytesPerSpan: bytes / spans, best, median, rounds };
  });
}

if (import.meta.main) measureCodecs((line) => console.log(line));
