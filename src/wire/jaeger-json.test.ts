/** Tests of Jaeger's UI JSON: golden files, every value type, any bytes, processes, size. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { seededRandom } from "../base/clock.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { adjustTrace } from "../core/trace/adjust.ts";
import { viewTrace } from "../core/trace/view.ts";
import type { TraceView } from "../core/trace/view.ts";
import { encodeJaegerTrace, jaegerTraceIdHex } from "./jaeger-json.ts";
import { jsonText, JsonWriter } from "./json-writer.ts";
import { decodeOtlpJson } from "./otlp-json-decode.ts";

const FIXTURES = new URL("../../test/fixtures/jaeger-json/", import.meta.url);

function fixture(name: string): Buffer {
  return readFileSync(new URL(name, FIXTURES));
}

function chunksOf(view: TraceView): Uint8Array[] {
  const writer = new JsonWriter();
  const chunks: Uint8Array[] = [];
  for (const _ of encodeJaegerTrace(writer, view)) chunks.push(...writer.take());
  chunks.push(...writer.take());
  return chunks;
}

function textOf(view: TraceView): string {
  return Buffer.concat(chunksOf(view)).toString();
}

/** A builder with one resource, one scope, and a way to add spans to them. */
function traceBuilder() {
  const builder = new BatchBuilder();
  const resource = builder.addResource();
  const name = builder.key(builder.text("service.name"), ATTRIBUTE_TYPE.STRING);
  builder.resourceAttributes.add(name, builder.text("s"));
  const scope = builder.addScope();
  const addSpan = (id: number): number => {
    const i = builder.addSpan(resource, scope);
    builder.traceId.fill(7, i * 16, i * 16 + 16);
    new DataView(builder.spanId.buffer).setUint32(i * 8 + 4, id);
    return i;
  };
  return { builder, addSpan };
}

describe("Jaeger JSON", () => {
  for (const form of ["adjusted", "raw"] as const) {
    it(`writes every conversion as in the golden file (${form})`, () => {
      const { batch } = decodeOtlpJson(fixture("conversions.otlp.json"), new BatchBuilder());
      const view = viewTrace([batch]);
      if (form === "adjusted") adjustTrace(view);
      assert.equal(textOf(view), fixture(`conversions.${form}.json`).toString());
    });
  }

  it("writes a trace id of 64 bits with 16 digits, a longer one with 32", () => {
    assert.equal(
      jaegerTraceIdHex(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9)),
      "0000000000000009",
    );
    assert.equal(jaegerTraceIdHex(new Uint8Array(16).fill(1)), "01".repeat(16));
  });

  it("writes Jaeger's flags and leaves them out when zero", () => {
    const { builder, addSpan } = traceBuilder();
    addSpan(1);
    builder.flags[addSpan(2)] = (3 << JAEGER_FLAGS.SHIFT) | 1;
    const { spans } = JSON.parse(textOf(viewTrace([builder.finish()])));
    assert.deepEqual(Object.keys(spans[0]), [
      "traceID",
      "spanID",
      "operationName",
      "references",
      "startTime",
      "duration",
      "tags",
      "logs",
      "processID",
      "warnings",
    ]);
    assert.deepEqual(Object.keys(spans[1]).slice(0, 3), ["traceID", "spanID", "flags"]);
    assert.equal(spans[1].flags, 3);
  });

  it("gives valid JSON for any bytes in names, keys and values", () => {
    const random = seededRandom(11);
    const { builder, addSpan } = traceBuilder();
    const someBytes = (): Uint8Array =>
      Uint8Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() * 256));
    for (let n = 0; n < 300; n++) {
      const i = addSpan(n + 1);
      builder.nameId[i] = builder.bytes(someBytes());
      for (const type of Object.values(ATTRIBUTE_TYPE)) {
        const key = builder.key(builder.bytes(someBytes()), type);
        if (type === ATTRIBUTE_TYPE.INT) builder.spanAttributes.add(key, builder.int(5n));
        else if (type === ATTRIBUTE_TYPE.DOUBLE) builder.spanAttributes.add(key, builder.double(n));
        else if (type === ATTRIBUTE_TYPE.BOOL) builder.spanAttributes.add(key, n & 1);
        else if (type === ATTRIBUTE_TYPE.EMPTY) builder.spanAttributes.add(key, 0);
        else builder.spanAttributes.add(key, builder.bytes(someBytes()));
      }
    }
    const batch = builder.finish();
    for (const adjusted of [false, true]) {
      const view = viewTrace([batch]);
      if (adjusted) adjustTrace(view);
      const { spans } = JSON.parse(textOf(view));
      assert.equal(spans.length, 300);
      for (const span of spans) assert.equal(span.tags.length, 8);
    }
  });

  it("shows malformed UTF-8 as U+FFFD and escapes what HTML would read", () => {
    const { builder, addSpan } = traceBuilder();
    builder.nameId[addSpan(1)] = builder.bytes(Uint8Array.of(0x61, 0xff, 0x3c));
    const text = textOf(viewTrace([builder.finish()]));
    assert.match(text, /"operationName":"a\ufffd\\u003c"/);
    assert.equal(jsonText("<&>\u2028\u2029"), String.raw`"\u003c\u0026\u003e\u2028\u2029"`);
  });

  it("numbers equal processes once, over all parts of a trace, and sorts them as texts", () => {
    const parts = Array.from({ length: 12 }, (_, p) => {
      const builder = new BatchBuilder();
      const name = builder.key(builder.text("service.name"), ATTRIBUTE_TYPE.STRING);
      for (const service of [`service-${p}`, "shared"]) {
        builder.addResource();
        builder.resourceAttributes.add(name, builder.text(service));
      }
      builder.addScope();
      for (let s = 0; s < 2; s++) {
        const i = builder.addSpan(s, 0);
        builder.traceId.fill(7, i * 16, i * 16 + 16);
        builder.spanId.set([1, 2, 3, 4, 5, 6, p, s + 1], i * 8);
      }
      return builder.finish();
    });
    const { spans, processes } = JSON.parse(textOf(viewTrace(parts)));
    const seen = spans.map((span: { processID: string }) => span.processID);
    assert.deepEqual(seen.slice(0, 6), ["p1", "p2", "p3", "p2", "p4", "p2"]);
    assert.equal(processes.p2.serviceName, "shared");
    assert.deepEqual(Object.keys(processes).slice(0, 5), ["p1", "p10", "p11", "p12", "p13"]);
  });

  it("comes in chunks, none of them much larger than the others", () => {
    const { builder, addSpan } = traceBuilder();
    const key = builder.key(builder.text("k"), ATTRIBUTE_TYPE.STRING);
    for (let n = 0; n < 5000; n++) {
      addSpan(n + 1);
      builder.spanAttributes.add(key, builder.text(`value ${n} ${"x".repeat(100)}`));
    }
    const chunks = chunksOf(viewTrace([builder.finish()]));
    assert.ok(chunks.length > 10, `${chunks.length} chunks`);
    for (const chunk of chunks) assert.ok(chunk.length < 80_000, `${chunk.length} bytes`);
    assert.equal(JSON.parse(Buffer.concat(chunks).toString()).spans.length, 5000);
  });

  it("keeps absurd times exactly", () => {
    const { builder, addSpan } = traceBuilder();
    const i = addSpan(1);
    builder.setExactTimes(i, 18_446_744_073_709_551_615n, 5_000_000_000_000_000_000n);
    const text = textOf(viewTrace([builder.finish()]));
    assert.match(text, /"startTime":18446744073709551,"duration":5000000000000000,/);
  });
});

describe("JsonWriter", () => {
  it("writes integers as String does", () => {
    const random = seededRandom(3);
    const values = [0, 1, 9, 10, 99_999_999, 100_000_000, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 53) + 1];
    for (let n = 0; n < 2000; n++) {
      values.push(Math.floor(random() * 10 ** Math.floor(random() * 16)) * (n & 1 ? 1 : -1));
    }
    for (const value of values) {
      const writer = new JsonWriter();
      writer.integer(value);
      assert.equal(Buffer.concat(writer.take()).toString(), String(value === 0 ? 0 : value));
    }
  });

  it("writes strings as Go does, whatever needs escaping where", () => {
    const parts = [
      "/a?b=1&c=2",
      "<i>",
      '"',
      "\\",
      "\n",
      "\u0001",
      "é",
      "\u2028",
      "😀",
      "x".repeat(70_000),
    ];
    for (const one of parts) {
      for (const other of ["", ...parts]) {
        const bytes = Buffer.from(`${one}-${other}`);
        const writer = new JsonWriter();
        writer.string(bytes, 0, bytes.length);
        assert.equal(Buffer.concat(writer.take()).toString(), jsonText(`${one}-${other}`));
      }
    }
  });

  it("writes base64 and hex as Node does", () => {
    for (let length = 0; length < 20; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + 200) & 255);
      const writer = new JsonWriter();
      writer.base64(bytes, 0, length);
      writer.hex(bytes, 0, length);
      const buffer = Buffer.from(bytes);
      const expected = `"${buffer.toString("base64")}""${buffer.toString("hex")}"`;
      assert.equal(Buffer.concat(writer.take()).toString(), expected);
    }
  });
});
