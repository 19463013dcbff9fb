/** Tests of reading Jaeger's JSON: what we wrote comes back the same, what is wrong is told. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { JAEGER_FLAGS, SPAN_KIND, STATUS_CODE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { dictText, serviceOf } from "../core/read.ts";
import { viewsByTrace } from "../core/trace/view.ts";
import { decodeJaegerJson, isJaegerJson } from "./jaeger-json-decode.ts";
import { encodeJaegerTrace } from "./jaeger-json.ts";
import { JsonWriter } from "./json-writer.ts";

const GOLDEN = readFileSync(
  new URL("../../test/fixtures/jaeger-json/conversions.raw.json", import.meta.url),
);

function decode(text: string | Uint8Array): SpanBatch {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return decodeJaegerJson(bytes, new BatchBuilder());
}

/** Each trace of the batch as stored. */
function encode(batch: SpanBatch): string[] {
  return viewsByTrace([batch]).map((view) => {
    const writer = new JsonWriter();
    for (const _ of encodeJaegerTrace(writer, view)) continue;
    return Buffer.concat(writer.take()).toString();
  });
}

/** A trace of one span with these members besides its ids. */
function oneSpan(members: object, more: object = {}): string {
  const span = { traceID: "1", spanID: "2", processID: "p1", ...members };
  return JSON.stringify({ traceID: "1", spans: [span], processes: { p1: {} }, ...more });
}

describe("reading Jaeger JSON", () => {
  it("is the inverse of writing it, for every conversion", () => {
    // The name of a log comes first, wherever its field stood.
    const byName = '{"key":"a","type":"string","value":"first by name"}';
    const event = '{"key":"event","type":"string","value":"shown"}';
    const moved = GOLDEN.toString().replace(`${byName},${event}`, `${event},${byName}`);
    assert.notEqual(moved, GOLDEN.toString());
    assert.deepEqual(encode(decode(GOLDEN)), [moved]);
    const again = encode(decode(moved));
    assert.deepEqual(encode(decode(again[0]!)), again);
  });

  it("keeps integers that a double cannot hold, beside times of sixteen digits", () => {
    for (const digits of ["9007199254740993", "-9007199254740993", "12345678901234567"]) {
      const tag = `{"key":"n","type":"int64","value":${digits}}`;
      const text = oneSpan({ startTime: 1_763_800_000_123_457, tags: [] });
      const [written] = encode(decode(text.replace('"tags":[]', `"tags":[${tag}]`)));
      assert.ok(written!.includes(`"value":${digits}`) || written!.includes(`"value":"${digits}"`));
      assert.ok(written!.includes('"startTime":1763800000123457'));
    }
  });

  it("takes an envelope, a list and a single trace", () => {
    const trace = oneSpan({ operationName: "n" });
    for (const text of [trace, `[${trace}]`, `{"data":[${trace}],"total":0}`]) {
      assert.ok(isJaegerJson(Buffer.from(text)), text);
      assert.equal(decode(text).spanCount, 1);
    }
    assert.ok(!isJaegerJson(Buffer.from('{"resourceSpans":[]}')));
    assert.equal(decode('{"data":[]}').spanCount, 0);
  });

  it("makes columns of the tags that stand for them", () => {
    const tags = [
      { key: "span.kind", type: "string", value: "client" },
      { key: "error", type: "bool", value: true },
      { key: "otel.scope.name", type: "string", value: "lib" },
      { key: "w3c.tracestate", type: "string", value: "a=b" },
    ];
    const batch = decode(oneSpan({ tags, flags: 3 }));
    assert.equal(batch.kind[0], SPAN_KIND.CLIENT);
    assert.equal(batch.status[0], STATUS_CODE.ERROR);
    assert.equal(dictText(batch, batch.scopeNameId[batch.scopeRow[0]!]!), "lib");
    assert.equal(dictText(batch, batch.traceStateId[0]!), "a=b");
    assert.equal(batch.spanAttributes.key.length, 0);
    assert.equal((batch.flags[0]! >>> JAEGER_FLAGS.SHIFT) & JAEGER_FLAGS.MASK, 3);
  });

  it("finds the parent among the references, and the old parentSpanID", () => {
    const ref = (refType: string, traceID: string, spanID: string) => ({
      refType,
      traceID,
      spanID,
    });
    const parentOf = (members: object): number => decode(oneSpan(members)).parentSpanId[7]!;
    const follows = ref("FOLLOWS_FROM", "01", "3");
    assert.equal(parentOf({ references: [follows, ref("CHILD_OF", "1", "4")] }), 4);
    assert.equal(parentOf({ references: [ref("CHILD_OF", "9", "5"), follows] }), 3);
    assert.equal(parentOf({ references: [ref("CHILD_OF", "9", "5")] }), 0);
    assert.equal(parentOf({ parentSpanID: "6" }), 6);
    assert.equal(parentOf({}), 0);
  });

  it("takes the process within the span", () => {
    const process = { serviceName: "inside", tags: [] };
    const batch = decode(oneSpan({ process, processID: undefined }));
    assert.equal(serviceOf(batch, 0), "inside");
  });

  it("tells what is wrong, at every cut too", () => {
    const wrong = (text: string, message: RegExp): void => {
      assert.throws(
        () => decode(text),
        (error) =>
          error instanceof SpoorError && error.code === "malformed" && message.test(error.message),
        text,
      );
    };
    wrong("5", /a trace is no object/);
    wrong(oneSpan({ spanID: "xyz" }), /spanID is no id: "xyz"/);
    wrong(oneSpan({ traceID: "0".repeat(33) }), /traceID is no id/);
    wrong(oneSpan({ startTime: 1.5 }), /startTime is no whole number/);
    wrong(oneSpan({ tags: {} }), /tags is no list/);
    wrong(
      oneSpan({ tags: [{ key: "k", type: "bool", value: 1 }] }),
      /tag k has no value of type bool/,
    );
    wrong(oneSpan({ tags: [{ key: "k", type: "float64", value: "constructor" }] }), /tag k/);
    wrong(oneSpan({ references: [{ traceID: "1" }] }), /spanID is no id/);
    const text = GOLDEN.toString();
    for (let cut = 0; cut < text.length; cut += 7) wrong(text.slice(0, cut), /Jaeger JSON: /);
  });
});
