/** Tests of the answers OTLP receivers give, read back with protobufjs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpType } from "../../test/support/otlp-schema.ts";
import {
  decodeOtlpRejected,
  encodeOtlpResponse,
  encodeOtlpResponseJson,
  encodeStatus,
  encodeStatusJson,
} from "./otlp-response.ts";

function read(type: string, bytes: Uint8Array): object {
  const reader = otlpType(type);
  return reader.toObject(reader.decode(bytes), { longs: String });
}

test("full success is the empty message", () => {
  assert.equal(encodeOtlpResponse(0, "").length, 0);
  assert.equal(encodeOtlpResponseJson(0, ""), "{}");
});

test("partial success tells how many and why", () => {
  assert.deepEqual(read("ExportTraceServiceResponse", encodeOtlpResponse(300, "no ïd")), {
    partialSuccess: { rejectedSpans: "300", errorMessage: "no ïd" },
  });
  assert.deepEqual(JSON.parse(encodeOtlpResponseJson(300, "no ïd")), {
    partialSuccess: { rejectedSpans: "300", errorMessage: "no ïd" },
  });
});

test("the rejected spans of an answer are read, and none from what is no answer", () => {
  for (const rejected of [0, 1, 300, 2 ** 31 - 1]) {
    assert.equal(decodeOtlpRejected(encodeOtlpResponse(rejected, "why")), rejected);
  }
  assert.equal(decodeOtlpRejected(new Uint8Array(0)), 0);
  const whole = encodeOtlpResponse(300, "no ïd");
  for (let end = 0; end < whole.length; end++) {
    const read = decodeOtlpRejected(whole.subarray(0, end));
    assert.ok(read === 0 || read === 300, String(read));
  }
});

test("a message alone is a warning", () => {
  assert.deepEqual(read("ExportTraceServiceResponse", encodeOtlpResponse(0, "cut")), {
    partialSuccess: { errorMessage: "cut" },
  });
  assert.equal(encodeOtlpResponseJson(0, "cut"), '{"partialSuccess":{"errorMessage":"cut"}}');
});

test("a status carries when to send again", () => {
  const status = read("RpcStatus", encodeStatus(14, "full", 1500)) as {
    code: number;
    message: string;
    details: { typeUrl: string; value: Uint8Array }[];
  };
  assert.equal(status.code, 14);
  assert.equal(status.message, "full");
  assert.equal(status.details[0]!.typeUrl, "type.googleapis.com/google.rpc.RetryInfo");
  assert.deepEqual(read("RetryInfo", status.details[0]!.value), {
    retryDelay: { seconds: "1", nanos: 500_000_000 },
  });
  assert.deepEqual(JSON.parse(encodeStatusJson(14, "full", 1500)), {
    code: 14,
    message: "full",
    details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" }],
  });
});

test("a status without a delay has no details", () => {
  assert.deepEqual(read("RpcStatus", encodeStatus(3, "bad")), { code: 3, message: "bad" });
  assert.deepEqual(JSON.parse(encodeStatusJson(3, "bad")), { code: 3, message: "bad" });
});
