/** Tests of the liberties that OTLP/JSON senders take, and of what is no OTLP/JSON. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dumpBatch } from "../../test/support/batch-equal.ts";
import type { DumpedSpan } from "../../test/support/batch-equal.ts";
import { utf8Bytes } from "../base/bytes.ts";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { decodeOtlpJson } from "./otlp-json-decode.ts";

const builder = new BatchBuilder();
const IDS = '"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708"';

function decodeSpans(spans: string, limits: Partial<DecodeLimits> = {}): OtlpDecoded {
  const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}]}]}]}`;
  return decodeOtlpJson(utf8Bytes(text), builder, { ...LIMITS, ...limits });
}

function spanOf(fields: string): DumpedSpan {
  return dumpBatch(decodeSpans(`{${IDS},${fields}}`).batch)[0]!;
}

function valueOf(value: string): string {
  return spanOf(`"attributes":[{"key":"k","value":${value}}]`).attributes[0]!;
}

test("int64 survives as a number and as a text, beyond what a double holds", () => {
  for (const int of ["0", "-1", "4294967296", "-4294967297", "9007199254740993"]) {
    assert.equal(valueOf(`{"intValue":${int}}`), `k:int=${int}`);
    assert.equal(valueOf(`{"intValue":"${int}"}`), `k:int=${int}`);
  }
  assert.equal(valueOf('{"intValue": -9223372036854775808}'), "k:int=-9223372036854775808");
  assert.equal(valueOf('{"intValue":9223372036854775807}'), "k:int=9223372036854775807");
});

test("times as numbers and texts, to the nanosecond", () => {
  const span = spanOf(
    '"startTimeUnixNano":1700000000123456789,"endTimeUnixNano":"18446744073709551615"',
  );
  assert.equal(span.startNs, "1700000000123456789");
  assert.equal(span.durationNs, String(2n ** 64n - 1n - 1700000000123456789n));
  assert.equal(spanOf('"startTimeUnixNano":1999').startNs, "1999");
  assert.equal(spanOf('"startTimeUnixNano":"7"').startNs, "7");
});

test("doubles that JSON has no number for", () => {
  assert.equal(valueOf('{"doubleValue":"NaN"}'), "k:double=000000000000f87f");
  assert.equal(valueOf('{"doubleValue":"-Infinity"}'), "k:double=000000000000f0ff");
  assert.equal(valueOf('{"doubleValue":"1.5"}'), valueOf('{"doubleValue":1.5}'));
  assert.equal(valueOf('{"doubleValue":-0}'), "k:double=0000000000000080");
});

test("bytes in either base64, padded or not", () => {
  for (const text of ["+/8=", "-_8=", "-_8", "+/8"]) {
    assert.equal(valueOf(`{"bytesValue":"${text}"}`), "k:bytes=fbff");
  }
});

test("enums by number, by name and as texts; what is unknown is 0", () => {
  for (const kind of ["3", '"3"', '"SPAN_KIND_CLIENT"', '"CLIENT"']) {
    assert.equal(spanOf(`"kind":${kind}`).kind, 3);
  }
  for (const kind of ["99", '"SPAN_KIND_MAGIC"', "null"]) {
    assert.equal(spanOf(`"kind":${kind}`).kind, 0);
  }
  assert.equal(spanOf('"status":{"code":"STATUS_CODE_ERROR"}').status, "2 ");
});

test("names in snake_case, unknown fields and nulls", () => {
  const text = `{"resource_spans":[{"schema_url":"r","scope_spans":[{"spans":[{
    "trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0102030405060708","new":{"x":[1]},
    "parent_span_id":"1112131415161718","name":null,"start_time_unix_nano":"1000","events":null,
    "attributes":[{"key":"k","value":{"string_value":"v"}}],"dropped_events_count":"4"}]}]}]}`;
  const [span] = dumpBatch(decodeOtlpJson(utf8Bytes(text), builder).batch);
  assert.equal(span!.parentSpanId, "1112131415161718");
  assert.equal(span!.startNs, "1000");
  assert.equal(span!.dropped, "0 4 0");
  assert.deepEqual(span!.attributes, ["k:string=v"]);
});

test("ids in upper case; spans without valid ones are counted", () => {
  const decoded = decodeSpans(`{${IDS}},{"spanId":"0102030405060708"},
    {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"xyz"}`);
  assert.equal(dumpBatch(decoded.batch)[0]!.traceId, "0102030405060708090a0b0c0d0e0f10");
  assert.deepEqual(decoded.rejectedReasons, { traceId: 1, spanId: 1 });
});

test("limits cut and count as in protobuf", () => {
  const attribute = (key: string, value: string): string =>
    `{"key":"${key}","value":{"stringValue":"${value}"}}`;
  const span = `{${IDS},"name":"operation","events":[{},{}],"links":[{},{}],"attributes":[
    ${[attribute("a", "short"), attribute("b", "ééééé"), attribute("c", "x")].join(",")}]}`;
  const decoded = decodeSpans(span, {
    attributesPerOwner: 2,
    attributeValueBytes: 5,
    nameBytes: 4,
    eventsPerSpan: 1,
    linksPerSpan: 1,
  });
  const dumped = dumpBatch(decoded.batch)[0]!;
  assert.equal(dumped.name, "oper");
  assert.deepEqual(dumped.attributes.slice(0, 2), ["a:string=short", "b:string=éé"]);
  assert.match(dumped.attributes[2]!, /^@jaeger@warnings:array=/);
  assert.equal(dumped.dropped, "1 1 1");
  assert.equal(decoded.truncated, true);
});

test("what is no OTLP JSON is malformed", () => {
  const deep = `${'{"arrayValue":{"values":['.repeat(40)}${"]}}".repeat(40)}`;
  const bad = [
    "",
    "[]",
    "null",
    "nonsense",
    '{"resourceSpans":{}}',
    '{"resourceSpans":[7]}',
    ...[
      '"name":7',
      '"kind":1,"attributes":{}',
      '"attributes":[{"key":1}]',
      '"attributes":[{"key":"k","value":{"intValue":"x"}}]',
      '"attributes":[{"key":"k","value":{"intValue":"9223372036854775808"}}]',
      '"attributes":[{"key":"k","value":{"doubleValue":"x"}}]',
      '"attributes":[{"key":"k","value":{"bytesValue":"a"}}]',
      `"attributes":[{"key":"k","value":${deep}}]`,
      '"startTimeUnixNano":"-1"',
      '"startTimeUnixNano":"18446744073709551616"',
      '"droppedLinksCount":-1',
      '"flags":4294967296',
    ].map((field) => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${IDS},${field}}]}]}]}`),
  ];
  for (const text of bad) {
    assert.throws(
      () => decodeOtlpJson(utf8Bytes(text), builder),
      (error) => isSpoorError(error, "malformed"),
      text,
    );
  }
});
