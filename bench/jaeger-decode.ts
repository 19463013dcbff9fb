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

const inputs = makeInputs();
const spans = inputs.reduce((sum, input) => sum + input.spans, 0);
const builder = new BatchBuilder();
for (const format of ["proto", "binary", "compact"] as const) {
  const bytes = inputs.reduce((sum, input) => sum + input[format].length, 0);
  console.log(`${format}: ${(bytes / spans).toFixed(0)} B/span`);
}
console.log(`${spans} spans, ${inputs.length} requests`);

/** Best and median of `rounds` passes over all inputs, µs of CPU a span. */
function report(name: string, rounds: number, run: (input: Input) => void): void {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (const input of inputs) run(input);
    const used = process.cpuUsage(before);
    times.push((used.user + used.system) / spans);
  }
  times.sort((a, b) => a - b);
  const [best, median] = [times[0]!, times[times.length >> 1]!];
  console.log(`${name}: best ${best.toFixed(2)}, median ${median.toFixed(2)} µs/span, n=${rounds}`);
}

report("decodeJaegerPostSpans", ROUNDS, ({ proto }) => {
  decodeJaegerPostSpans(proto, { builder });
});
report("encodeJaegerPostSpans", ROUNDS, ({ batch }) => {
  encodeJaegerPostSpans(batch, 2 ** 22);
});
report("decodeJaegerThriftBatch, binary", ROUNDS, ({ binary }) => {
  decodeJaegerThriftBatch(binary, "binary", { builder });
});
report("decodeJaegerThriftBatch, compact", ROUNDS, ({ compact }) => {
  decodeJaegerThriftBatch(compact, "compact", { builder });
});
if (process.env["PEER"] !== "0") {
  report("protobufjs, objects only", PEER_ROUNDS, ({ proto }) => {
    postSpansRequest.decode(proto);
  });
  report("thrift package, binary, objects only", PEER_ROUNDS, ({ binary }) => {
    readBody(Buffer.from(binary));
  });
}
