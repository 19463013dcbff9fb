/** Runs the codec battery over every codec, and what two codecs of one model must agree on. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";
import { encodeJaegerPostSpans } from "../../src/wire/jaeger-proto-encode.ts";
import { encodeOtlpJson } from "../../src/wire/otlp-json-encode.ts";
import { decodeOtlpProto } from "../../src/wire/otlp-proto-decode.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { dumpBatch } from "../support/batch-equal.ts";
import { dumpJaeger } from "../support/jaeger-dump.ts";
import { encodeJaegerThrift } from "../support/jaeger-thrift-encode.ts";
import { dumpPeer } from "../support/otlp-peer.ts";
import { randomBatch } from "../support/random-batch.ts";
import { runSeed } from "../support/run-seed.ts";
import { spanFormats } from "../support/span-formats.ts";
import { codecBattery, codecFixtures } from "./codec-battery.ts";
import type { Codec } from "./codec-battery.ts";

const seed = runSeed();
console.log(`codec battery: SPOOR_SEED=${seed}`);

/** What the formats without nanoseconds keep: what Jaeger's JSON shows, in microseconds. */
function dumpMicroseconds(batch: SpanBatch) {
  return dumpJaeger(batch).map(({ traceId, spanId, shown }) => ({ traceId, spanId, shown }));
}

/** A codec's facts, but how the format is decoded and where its fixtures are. */
type Facts = Omit<Codec, "fixtures" | "extension" | "decode">;

/** Every format that spans come in; the battery fails for one that is not here. */
const FACTS: Readonly<Record<string, Facts>> = {
  // Its times are unsigned.
  "otlp-proto": { name: "OTLP protobuf", encode: encodeOtlpProto, carries: { times: "u64" } },
  "otlp-json": {
    name: "OTLP JSON",
    encode: encodeOtlpJson,
    // JSON is Unicode text, and has one NaN at most.
    carries: { times: "u64", rawTexts: false, oddNaN: false },
  },
  "jaeger-proto": {
    name: "Jaeger protobuf",
    // Requests one after the other are one of several batches.
    encode: (batch) => Uint8Array.from(Buffer.concat(encodeJaegerPostSpans(batch, 2 ** 30))),
    // Go's times and durations end at 2^63 ns.
    carries: { times: "i63" },
    dump: dumpJaeger,
  },
  "jaeger-thrift-http": thrift("Jaeger Thrift over HTTP", "binary", false),
  "jaeger-thrift-udp-binary": thrift("Jaeger Thrift over UDP, binary", "binary", true),
  "jaeger-thrift-udp-compact": thrift("Jaeger Thrift over UDP, compact", "compact", true),
  "zipkin-thrift": readOnly("Zipkin Thrift"),
  "zipkin-thrift-udp-compact": readOnly("Zipkin Thrift over UDP, compact"),
  "zipkin-v1-json": readOnly("Zipkin v1 JSON"),
  "zipkin-v2-json": readOnly("Zipkin v2 JSON"),
  "zipkin-proto": readOnly("Zipkin protobuf"),
};

function thrift(name: string, protocol: "binary" | "compact", asMessage: boolean): Facts {
  return {
    name,
    encode: (batch) => encodeJaegerThrift(batch, protocol, asMessage),
    // A batch has one process.
    carries: { resources: 1 },
    dump: dumpMicroseconds,
  };
}

/** Clients write Zipkin's formats; nothing of ours does. */
function readOnly(name: string): Facts {
  return { name, encode: undefined, carries: {}, dump: dumpJaeger };
}

for (const [fixtures, format] of Object.entries(spanFormats)) {
  codecBattery({ ...FACTS[fixtures]!, ...format, fixtures }, seed);
}

test("what the real clients sent shows as Jaeger's JSON what they meant", () => {
  const builder = new BatchBuilder();
  let pairs = 0;
  for (const [fixtures, { decode, extension }] of Object.entries(spanFormats)) {
    if (fixtures.startsWith("otlp")) continue;
    for (const [name, bytes] of codecFixtures({ fixtures, extension })) {
      const stem = name.slice(0, -extension.length);
      const file = new URL(`../fixtures/${fixtures}/${stem}.spans.json`, import.meta.url);
      const shown = JSON.parse(JSON.stringify(dumpJaeger(decode(bytes, builder)))) as unknown;
      assert.deepEqual(shown, JSON.parse(readFileSync(file, "utf8")), `${fixtures}/${name}`);
      pairs++;
    }
  }
  assert.ok(pairs >= 14);
});

test("protobufjs reads what we write as we do", () => {
  const builder = new BatchBuilder();
  for (let n = 0; n < 50; n++) {
    const options = { times: "u64", rawTexts: false, oddNaN: false } as const;
    const bytes = encodeOtlpProto(randomBatch(seed + n, options));
    const ours = dumpBatch(decodeOtlpProto(bytes, builder).batch);
    assert.deepEqual(ours, dumpPeer(bytes), `seed ${seed + n}`);
  }
});

test("protobufjs reads the clients' fixtures as we do", () => {
  const builder = new BatchBuilder();
  for (const [name, bytes] of codecFixtures({ fixtures: "otlp-proto", extension: ".bin" })) {
    assert.deepEqual(dumpBatch(decodeOtlpProto(bytes, builder).batch), dumpPeer(bytes), name);
  }
});

test("what a client sent as protobuf and as JSON is the same", () => {
  const builder = new BatchBuilder();
  const asJson = codecFixtures({ fixtures: "otlp-json", extension: ".json" });
  let pairs = 0;
  for (const [name, bytes] of codecFixtures({ fixtures: "otlp-proto", extension: ".bin" })) {
    const text = asJson.get(name.replace(".bin", ".json"));
    if (text === undefined) continue;
    pairs++;
    const fromProto = dumpBatch(decodeOtlpProto(bytes, builder).batch);
    assert.deepEqual(dumpBatch(decodeOtlpJson(text, builder).batch), fromProto, name);
  }
  assert.ok(pairs > 0);
});

test("what an agent sends on is what came, in the same order: sent directly too, it is one", () => {
  const builder = new BatchBuilder();
  for (const [format, { decode, extension }] of Object.entries(spanFormats)) {
    if (!format.includes("udp")) continue;
    for (const [name, bytes] of codecFixtures({ fixtures: format, extension })) {
      const batch = decode(bytes, builder);
      const [request] = encodeJaegerPostSpans(batch, 2 ** 30);
      const arrived = spanFormats["jaeger-proto"]!.decode(request!, builder);
      assert.deepEqual(dumpBatch(arrived), dumpBatch(batch), `${format} ${name}`);
    }
  }
});
