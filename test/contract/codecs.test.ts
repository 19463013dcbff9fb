/** Runs the codec battery over every codec, and what two codecs of one model must agree on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchBuilder } from "../../src/core/builder.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";
import { encodeOtlpJson } from "../../src/wire/otlp-json-encode.ts";
import { decodeOtlpProto } from "../../src/wire/otlp-proto-decode.ts";
import { encodeOtlpProto } from "../../src/wire/otlp-proto-encode.ts";
import { dumpBatch } from "../support/batch-equal.ts";
import { dumpPeer } from "../support/otlp-peer.ts";
import { randomBatch } from "../support/random-batch.ts";
import { codecBattery, codecFixtures } from "./codec-battery.ts";
import type { Codec } from "./codec-battery.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
console.log(`codec battery: SEED=${seed}`);

const otlpProto: Codec = {
  name: "OTLP protobuf",
  fixtures: "otlp-proto",
  extension: ".bin",
  decode: (bytes, builder) => decodeOtlpProto(bytes, builder).batch,
  encode: encodeOtlpProto,
  // Its times are unsigned.
  carries: { times: "u64" },
};

const otlpJson: Codec = {
  name: "OTLP JSON",
  fixtures: "otlp-json",
  extension: ".json",
  decode: (bytes, builder) => decodeOtlpJson(bytes, builder).batch,
  encode: encodeOtlpJson,
  // JSON is Unicode text, and has one NaN at most.
  carries: { times: "u64", rawTexts: false, oddNaN: false },
};

for (const codec of [otlpProto, otlpJson]) codecBattery(codec, seed);

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
  for (const [name, bytes] of codecFixtures(otlpProto)) {
    assert.deepEqual(dumpBatch(decodeOtlpProto(bytes, builder).batch), dumpPeer(bytes), name);
  }
});

test("what a client sent as protobuf and as JSON is the same", () => {
  const builder = new BatchBuilder();
  const asJson = codecFixtures(otlpJson);
  let pairs = 0;
  for (const [name, bytes] of codecFixtures(otlpProto)) {
    const text = asJson.get(name.replace(".bin", ".json"));
    if (text === undefined) continue;
    pairs++;
    const fromProto = dumpBatch(decodeOtlpProto(bytes, builder).batch);
    assert.deepEqual(dumpBatch(decodeOtlpJson(text, builder).batch), fromProto, name);
  }
  assert.ok(pairs > 0);
});
