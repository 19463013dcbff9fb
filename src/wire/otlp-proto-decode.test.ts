/** Tests of what protobuf allows beyond what encoders write, of limits, and of rejected spans. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dumpBatch } from "../../test/support/batch-equal.ts";
import { dumpPeer } from "../../test/support/otlp-peer.ts";
import { otlpType } from "../../test/support/otlp-schema.ts";
import { utf8, utf8Bytes } from "../base/bytes.ts";
import { decodeArrayOrMap } from "../core/any-value.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { dictEntry } from "../core/read.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { decodeOtlpProto } from "./otlp-proto-decode.ts";

const builder = new BatchBuilder();
const TRACE_ID = Array.from({ length: 16 }, (_, i) => i + 1);
const SPAN_ID = [1, 2, 3, 4, 5, 6, 7, 8];

type Bytes = readonly number[];

/** A length-delimited field numbered below 16, shorter than 16384 bytes. */
function field(number: number, content: Bytes): number[] {
  const length = content.length;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return [(number << 3) | 2, ...size, ...content];
}

function textField(number: number, text: string): number[] {
  return field(number, [...utf8Bytes(text)]);
}

const IDS = [...field(1, TRACE_ID), ...field(2, SPAN_ID)];

/** A request with one resource and scope and these spans. */
function request(...spans: Bytes[]): Uint8Array {
  const fields = spans.flatMap((span) => field(2, span));
  return Uint8Array.from(field(1, field(2, fields)));
}

function decodeWith(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): OtlpDecoded {
  return decodeOtlpProto(bytes, builder, { ...LIMITS, ...limits });
}

function attributesOf(...spanFields: Bytes[]): readonly string[] {
  return dumpBatch(decodeWith(request([...IDS, ...spanFields.flat()])).batch)[0]!.attributes;
}

/** Texts of an array of texts. */
function elementsOf(batch: SpanBatch, id: number): unknown[] {
  const array = decodeArrayOrMap(ATTRIBUTE_TYPE.ARRAY, dictEntry(batch, id));
  assert.ok(array.type === "array");
  return array.value.map((element) => (element.type === "string" ? element.value : element));
}

test("fields in any order and repeated: the last scalar wins, as protobufjs has it", () => {
  const attribute = [...field(2, textField(1, "value")), ...textField(1, "key")];
  const span = [
    ...field(15, [0x18, 2]),
    ...field(9, attribute),
    ...textField(5, "first"),
    ...field(15, textField(2, "message")),
    ...textField(5, "last"),
    ...IDS,
  ];
  const scope = textField(1, "after its spans");
  const resource = field(1, [...textField(1, "late"), ...field(2, [0x10, 1])]);
  const scopeSpans = [...field(2, span), ...field(1, scope)];
  const bytes = Uint8Array.from(field(1, [...field(2, scopeSpans), ...field(1, resource)]));
  const dumped = dumpBatch(decodeWith(bytes).batch);
  assert.deepEqual(dumped, dumpPeer(bytes));
  assert.equal(dumped[0]!.name, "last");
  assert.equal(dumped[0]!.status, "2 message");
});

test("a value given twice: the last member wins, arrays grow", () => {
  const text = textField(1, "text");
  const array = field(5, field(1, textField(1, "a")));
  const values = (...fields: Bytes[]): number[] =>
    field(9, [...textField(1, "k"), ...fields.flatMap((each) => field(2, each))]);
  assert.deepEqual(attributesOf(values(text, [0x10, 1])), ["k:bool=true"]);
  assert.deepEqual(attributesOf(values([0x18, 5], text)), ["k:string=text"]);
  assert.deepEqual(attributesOf(values(array, array)), ["k:array=0a030a01610a030a0161"]);
  assert.deepEqual(attributesOf(field(9, textField(1, "k"))), ["k:empty="]);
});

test("unknown fields are stepped over, whatever their wire type", () => {
  // A varint, a fixed64, bytes, a group and a fixed32, all numbered 127.
  const unknown = [
    [0xf8, 0x07, 0x96, 0x01],
    [0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8],
    [0xfa, 0x07, 2, 0, 0],
    [0xfb, 0x07, 0x08, 1, 0xfc, 0x07],
    [0xfd, 0x07, 1, 2, 3, 4],
  ].flat();
  const { batch } = decodeWith(request([...unknown, ...IDS, ...textField(5, "n"), ...unknown]));
  assert.equal(dumpBatch(batch)[0]!.name, "n");
});

test("what is no message is malformed", () => {
  const bad: Record<string, Bytes> = {
    "field 0": [0x00, 0x00],
    "field 0 with bytes": [0x02, 0x00],
    "wire type 6": [0x0e],
    "a group that never ends": [0xfb, 0x07, 0x08, 1],
    "a group that never began": [0xfc, 0x07],
    "an overlong number": [0x30, ...new Array<number>(10).fill(0xff), 1],
    "a length beyond the span": [0x2a, 5, 0x61],
    "a time that is cut": [0x39, 1, 2, 3],
    "an array that is cut": field(9, field(2, [0x2a, 5, 0x0a])),
    "an array with a broken element": field(9, field(2, field(5, [0x0a, 9]))),
  };
  for (const [what, fields] of Object.entries(bad)) {
    assert.throws(
      () => decodeWith(request([...IDS, ...fields])),
      (error) => isSpoorError(error, "malformed"),
      what,
    );
  }
});

test("values nested to the limit are read, one deeper is malformed", () => {
  const nested = (depth: number): Uint8Array => {
    let value: Bytes = [0x10, 1];
    for (let d = 0; d < depth; d++) value = field(5, field(1, value));
    return request([...IDS, ...field(9, [...textField(1, "k"), ...field(2, value)])]);
  };
  const { batch } = decodeWith(nested(LIMITS.valueDepth));
  const table = batch.spanAttributes;
  assert.equal(batch.keyType[table.key[0]!], ATTRIBUTE_TYPE.ARRAY);
  decodeArrayOrMap(ATTRIBUTE_TYPE.ARRAY, dictEntry(batch, table.value[0]!));
  assert.throws(
    () => decodeWith(nested(LIMITS.valueDepth + 1)),
    (error) => isSpoorError(error, "malformed"),
  );
});

test("spans without valid ids are left out one by one, and counted", () => {
  const zero = new Array<number>(16).fill(0);
  const good = [...IDS, ...textField(5, "good")];
  const event = field(11, textField(2, "lost"));
  const decoded = decodeWith(
    request(
      good,
      [...field(1, zero), ...field(2, SPAN_ID), ...event],
      [...field(1, TRACE_ID.slice(1)), ...field(2, SPAN_ID)],
      [...field(1, TRACE_ID), ...field(2, zero.slice(8)), ...event],
      field(1, TRACE_ID),
      good,
    ),
  );
  assert.deepEqual(
    dumpBatch(decoded.batch).map((span) => span.name),
    ["good", "good"],
  );
  assert.equal(decoded.batch.eventCount, 0);
  assert.equal(decoded.rejected, 4);
  assert.deepEqual(decoded.rejectedReasons, { traceId: 2, spanId: 2 });
  assert.match(decoded.message, /4 spans rejected: 2 without a valid trace id, 2 without/);
});

test("more spans than a request may have are refused whole", () => {
  const three = request([...IDS], [...IDS], [...IDS]);
  assert.equal(decodeWith(three, { requestSpans: 3 }).batch.spanCount, 3);
  assert.throws(
    () => decodeWith(three, { requestSpans: 2 }),
    (error) => isSpoorError(error, "too-large"),
  );
});

test("what is beyond a limit is dropped or cut, counted, and the span says so", () => {
  const attribute = (key: string, value: string): number[] =>
    field(9, [...textField(1, key), ...field(2, textField(1, value))]);
  const span = [
    ...IDS,
    ...attribute("a", "short"),
    ...attribute("b", "ééééé"),
    ...attribute("c", "dropped"),
    ...field(11, []),
    ...field(11, []),
    ...field(13, []),
    ...field(13, []),
    ...textField(5, "operation"),
  ];
  const decoded = decodeWith(request(span), {
    attributesPerOwner: 2,
    attributeValueBytes: 5,
    nameBytes: 4,
    eventsPerSpan: 1,
    linksPerSpan: 1,
  });
  const dumped = dumpBatch(decoded.batch)[0]!;
  assert.equal(decoded.truncated, true);
  assert.equal(decoded.rejected, 0);
  assert.equal(dumped.name, "oper");
  assert.deepEqual(dumped.attributes.slice(0, 2), ["a:string=short", "b:string=éé"]);
  assert.equal(dumped.attributes.length, 3);
  assert.equal(dumped.dropped, "1 1 1");
  const table = decoded.batch.spanAttributes;
  assert.equal(
    utf8(dictEntry(decoded.batch, decoded.batch.keyNameId[table.key[2]!]!)),
    "@jaeger@warnings",
  );
  assert.deepEqual(elementsOf(decoded.batch, table.value[2]!), [
    "attribute value cut to 5 bytes",
    "name cut to 4 bytes",
    "attributes beyond 2 dropped",
    "events beyond 1 dropped",
    "links beyond 1 dropped",
  ]);
});

test("an array too long keeps its first whole elements", () => {
  const array = field(
    5,
    ["aaaa", "bbbb", "cccc"].flatMap((e) => field(1, textField(1, e))),
  );
  const span = [...IDS, ...field(9, [...textField(1, "k"), ...field(2, array)])];
  const { batch } = decodeWith(request(span), { attributeValueBytes: 17 });
  assert.deepEqual(elementsOf(batch, batch.spanAttributes.value[0]!), ["aaaa", "bbbb"]);
});

test("a parent or link with an id of wrong length goes, the span stays and says so", () => {
  const span = [...IDS, ...field(4, [1, 2]), ...field(13, field(1, [1])), ...field(13, [])];
  const decoded = decodeWith(request(span));
  const dumped = dumpBatch(decoded.batch)[0]!;
  assert.equal(dumped.parentSpanId, "0000000000000000");
  assert.equal(dumped.links.length, 1);
  assert.equal(dumped.dropped, "0 0 1");
  assert.equal(dumped.attributes.length, 1);
  assert.equal(decoded.truncated, true);
});

test("times to the last nanosecond, over all of 64 bits", () => {
  const type = otlpType("TracesData");
  const times = ["0", "1", "999", "1700000000123456789", "9007199254740991999"];
  times.push("9007199254740992000", "18446744073709551615");
  const pairs = times.flatMap((start) => times.map((end) => [start, end] as const));
  const spans = pairs.map(([startTimeUnixNano, endTimeUnixNano]) => ({
    traceId: Uint8Array.from(TRACE_ID),
    spanId: Uint8Array.from(SPAN_ID),
    startTimeUnixNano,
    endTimeUnixNano,
    events: [{ timeUnixNano: startTimeUnixNano }],
  }));
  const data = type.fromObject({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const dumped = dumpBatch(decodeWith(Uint8Array.from(type.encode(data).finish())).batch);
  pairs.forEach(([start, end], i) => {
    assert.equal(dumped[i]!.startNs, start);
    assert.equal(dumped[i]!.durationNs, String(BigInt(end) - BigInt(start)));
    assert.equal((dumped[i]!.events[0] as { timeNs: string }).timeNs, start);
  });
});
