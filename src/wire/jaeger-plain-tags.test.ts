/** Tags as clients write them are read by shorter ways: they must say what the long way says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchBuilder } from "../core/builder.ts";
import { dumpJaeger } from "../../test/support/jaeger-dump.ts";
import { postSpansRequest } from "../../test/support/jaeger-schema.ts";
import {
  thriftBool,
  thriftBytes,
  thriftDouble,
  thriftEncoded,
  thriftI32,
  thriftI64,
  thriftList,
  thriftStruct,
  thriftText,
} from "../../test/support/thrift-bytes.ts";
import { decodeJaegerPostSpans } from "./jaeger-proto-decode.ts";
import { decodeJaegerThriftBatch } from "./jaeger-thrift-decode.ts";

type Protocol = "binary" | "compact";
type Value = ReturnType<typeof thriftText>;

/** Values by field: the type is the field's number less three. */
const VALUES: readonly (readonly [field: number, value: Value])[] = [
  [3, thriftText("")],
  [3, thriftText("schön")],
  [3, thriftText("x".repeat(127))],
  [3, thriftText("y".repeat(20_000))],
  [4, thriftDouble(-0.1)],
  [5, thriftBool(true)],
  [5, thriftBool(false)],
  [6, thriftI64(2n ** 62n + 1n)],
  [6, thriftI64(-1n)],
  [7, thriftBytes(Uint8Array.of(0, 255, 0))],
  [7, thriftBytes(new Uint8Array(300).fill(7))],
];
const KEYS = ["k", "", "q".repeat(127), "r".repeat(128)];

/** A Batch of one span with every tag; `more` is a field nobody knows at the end of each. */
function batchBytes(protocol: Protocol, more: Value | undefined): Uint8Array {
  const tags = KEYS.flatMap((key) =>
    VALUES.map(([field, value]) =>
      thriftStruct({ 1: thriftText(key), 2: thriftI32(field - 3), [field]: value, 9: more }),
    ),
  );
  const span = thriftStruct({
    1: thriftI64(1n),
    2: thriftI64(2n),
    3: thriftI64(3n),
    4: thriftI64(0n),
    5: thriftText("op"),
    7: thriftI32(1),
    8: thriftI64(1n),
    9: thriftI64(1n),
    10: thriftList(tags),
  });
  const process = thriftStruct({ 1: thriftText("shop") });
  return Uint8Array.from(
    thriftEncoded(thriftStruct({ 1: process, 2: thriftList([span]) }), protocol),
  );
}

function shownThrift(bytes: Uint8Array, protocol: Protocol): object {
  const builder = new BatchBuilder();
  return dumpJaeger(decodeJaegerThriftBatch(bytes, protocol, { builder }).batch);
}

for (const protocol of ["binary", "compact"] as const) {
  test(`Thrift ${protocol}: every type and length, alone and with a field more`, () => {
    const plain = shownThrift(batchBytes(protocol, undefined), protocol);
    assert.deepEqual(plain, shownThrift(batchBytes(protocol, thriftI32(5)), protocol));
    assert.equal(JSON.stringify(plain).split('\\"key\\"').length - 1, KEYS.length * VALUES.length);
  });

  test(`Thrift ${protocol}: the first and the last of several values`, () => {
    const of = (tag: Value): object => {
      const span = thriftStruct({
        ...Object.fromEntries([1, 2, 3, 4, 8, 9].map((n) => [n, thriftI64(1n)])),
        5: thriftText("op"),
        7: thriftI32(1),
        10: thriftList([tag]),
      });
      const process = thriftStruct({ 1: thriftText("shop") });
      const whole = thriftStruct({ 1: process, 2: thriftList([span]) });
      return shownThrift(Uint8Array.from(thriftEncoded(whole, protocol)), protocol);
    };
    const text = { 1: thriftText("a"), 2: thriftI32(0), 3: thriftText("one") };
    assert.deepEqual(of(thriftStruct(text)), of(thriftStruct({ ...text, 6: thriftI64(9n) })));
    const double = { 1: thriftText("a"), 2: thriftI32(1) };
    const zero = of(thriftStruct({ ...double, 4: thriftDouble(0) }));
    assert.deepEqual(of(thriftStruct({ ...double, 3: thriftText("no double") })), zero);
    assert.deepEqual(of(thriftStruct(double)), zero);
  });
}

test("protobuf: every type and length, alone and with a field more", () => {
  const values = [
    { vStr: "schön" },
    { vStr: "x".repeat(127) },
    { vStr: "y".repeat(20_000) },
    { vType: 1, vBool: true },
    { vType: 1 },
    { vType: 2, vInt64: "4611686018427387905" },
    { vType: 2, vInt64: "-1" },
    { vType: 2, vInt64: 7 },
    { vType: 2 },
    { vType: 3, vFloat64: -0.1 },
    { vType: 3 },
    { vType: 4, vBinary: Uint8Array.of(0, 255) },
    { vType: 77, vStr: "unknown" },
  ];
  const shown = (more: object): object => {
    const tags = KEYS.flatMap((key) => values.map((value) => ({ key, ...more, ...value })));
    const ids = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(1) };
    const spans = [{ ...ids, operationName: "op", tags }];
    const message = postSpansRequest.encode(
      postSpansRequest.fromObject({ batch: { spans, process: { serviceName: "shop" } } }),
    );
    const builder = new BatchBuilder();
    const bytes = Uint8Array.from(message.finish());
    return dumpJaeger(decodeJaegerPostSpans(bytes, { builder }).batch);
  };
  const plain = shown({});
  assert.equal(JSON.stringify(plain).split('\\"key\\"').length - 1, KEYS.length * values.length);
  // A value of another type beside the one that counts.
  assert.deepEqual(shown({ vBinary: Uint8Array.of(9) }), plain);
});
