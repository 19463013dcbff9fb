/** Tests of reading Jaeger's Thrift and protobuf: what the mapping keeps, refuses and limits. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SPAN_KIND, STATUS_CODE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { dictText, serviceOf } from "../core/read.ts";
import { dumpJaeger } from "../../test/support/jaeger-dump.ts";
import { encodeJaegerThrift } from "../../test/support/jaeger-thrift-encode.ts";
import { postSpansRequest } from "../../test/support/jaeger-schema.ts";
import { decodeJaegerPostSpans } from "./jaeger-proto-decode.ts";
import { encodeJaegerPostSpans } from "./jaeger-proto-encode.ts";
import { decodeJaegerThriftBatch } from "./jaeger-thrift-decode.ts";
import { JaegerThriftMessages } from "./jaeger-thrift-messages.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OTHER = "000000000000000000000000000000ff";
const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const id = (n: number): Buffer => bytes(n.toString(16).padStart(16, "0"));

/** A PostSpansRequest of these spans, written by protobufjs; ids are there unless given. */
function request(spans: readonly object[], process: object | null = { serviceName: "shop" }) {
  const whole = spans.map((span) => ({ traceId: bytes(TRACE), spanId: id(1), ...span }));
  const batch = process === null ? { spans: whole } : { spans: whole, process };
  return Uint8Array.from(postSpansRequest.encode({ batch }).finish());
}

function decode(spans: readonly object[], process?: object | null): SpanBatch {
  return decodeJaegerPostSpans(request(spans, process), { builder: new BatchBuilder() }).batch;
}

const text = (key: string, vStr: string): object => ({ key, vStr });
const truth = (key: string, vBool = true): object => ({ key, vType: 1, vBool });
const reference = (spanId: number, refType = 0, traceHex = TRACE): object => ({
  traceId: bytes(traceHex),
  spanId: id(spanId),
  refType,
});

/** Tags of the one span, as shown. */
function shownTags(batch: SpanBatch): string[] {
  const tags = dumpJaeger(batch)[0]!.shown["tags"] as string[];
  return tags.map((tag) => {
    const { key, type, value } = JSON.parse(tag) as Record<string, unknown>;
    return `${String(key)}:${String(type)}=${String(value)}`;
  });
}

/** References of the one span, as shown: C or F, and the last byte of ids. */
function shownReferences(batch: SpanBatch): string {
  const list = dumpJaeger(batch)[0]!.shown["references"] as Record<string, string>[];
  return list
    .map(
      ({ refType, traceID, spanID }) => `${refType![0]}${traceID!.slice(-2)}${spanID!.slice(-1)}`,
    )
    .join(" ");
}

function refused(run: () => unknown, message: RegExp, code: "malformed" | "too-large"): void {
  assert.throws(run, (error) => isSpoorError(error, code) && message.test(error.message));
}

describe("Jaeger's model in a batch", () => {
  it("makes columns of tags only where they come back the same", () => {
    const cases: readonly (readonly object[])[] = [
      [text("span.kind", "client"), truth("error")],
      [text("span.kind", "client"), text("span.kind", "server")],
      [text("span.kind", "CLIENT"), text("span.kind", "")],
      [text("otel.status_code", "ERROR"), truth("error")],
      [text("otel.status_code", "ERROR")],
      [text("otel.status_code", "OK"), truth("error")],
      [text("otel.status_code", "OK")],
      [text("otel.status_code", "UNSET"), truth("error", false)],
      [truth("error"), truth("error"), text("error", "true")],
      [text("otel.status_description", "why"), text("otel.status_description", "")],
      [text("w3c.tracestate", "a=b"), text("w3c.tracestate", "c=d")],
      [text("otel.scope.name", "lib"), text("otel.scope.version", "1"), truth("otel.scope.x")],
      [text("otel.scope.name", ""), text("otel.library.name", "old"), text("otel.scope.", "")],
      [text("service.name", "tag of the span"), text("", "no key")],
    ];
    for (const tags of cases) {
      const wanted = tags.map((tag) => {
        const { key, vStr, vBool } = tag as { key: string; vStr?: string; vBool?: boolean };
        return vBool === undefined ? `${key}:string=${vStr}` : `${key}:bool=${vBool}`;
      });
      assert.deepEqual(shownTags(decode([{ tags }])).sort(), wanted.sort());
    }
    const error = decode([{ tags: [truth("error"), text("span.kind", "server")] }]);
    assert.equal(error.status[0], STATUS_CODE.ERROR);
    assert.equal(error.kind[0], SPAN_KIND.SERVER);
    assert.equal(error.spanAttributes.key.length, 0);
  });

  it("keeps references, the parent's first", () => {
    const of = (...references: object[]): string => shownReferences(decode([{ references }]));
    assert.equal(of(reference(2)), "C9c2");
    assert.equal(of(reference(2, 1)), "F9c2");
    assert.equal(of(reference(2), reference(3)), "C9c2 C9c3");
    assert.equal(of(reference(2), reference(2, 1)), "C9c2 F9c2");
    assert.equal(of(reference(2), reference(2)), "C9c2 C9c2");
    assert.equal(of(reference(9, 1, OTHER), reference(2)), "C9c2 Fff9");
    // As Jaeger's adjuster does: the parent changes places with the first.
    assert.equal(of(reference(3, 1), reference(4, 1), reference(2)), "C9c2 F9c4 F9c3");
    assert.equal(of(reference(9, 0, OTHER)), "Cff9");
    assert.equal(of(reference(0)), "C9c0");
    const parentOf = (...references: object[]): number => {
      return decode([{ references }]).parentSpanId[7]!;
    };
    assert.equal(parentOf(reference(9, 0, OTHER), reference(2, 1)), 2);
    assert.equal(parentOf(reference(2, 1), reference(3)), 3);
  });

  it("makes the one field `event` the name of a log, and keeps several", () => {
    const fields = (...list: object[]): unknown => {
      const batch = decode([{ logs: [{ timestamp: { seconds: 5 }, fields: list }] }]);
      const logs = dumpJaeger(batch)[0]!.shown["logs"] as { fields: Record<string, unknown>[] }[];
      return logs[0]!.fields.map(({ key, value }) => `${String(key)}=${String(value)}`).join(" ");
    };
    assert.equal(fields(text("event", "slow"), text("a", "b")), "event=slow a=b");
    assert.equal(fields(text("a", "b"), text("event", "slow")), "event=slow a=b");
    assert.equal(fields(text("event", "one"), text("event", "two")), "event=one event=two");
    assert.equal(fields(truth("event"), text("a", "b")), "event=true a=b");
    assert.equal(fields(text("event", "")), "event=");
    assert.equal(fields(), "");
  });

  it("takes the span's process, else the batch's, else Jaeger's name for none", () => {
    const own = { process: { serviceName: "db", tags: [text("a", "b")] } };
    const batch = decode([{}, own, own, {}]);
    const services = [0, 1, 2, 3].map((i) => serviceOf(batch, i));
    assert.deepEqual(services, ["shop", "db", "db", "shop"]);
    assert.equal(batch.resourceCount, 2);
    assert.equal(serviceOf(decode([{}], null), 0), "null-process-and-service-name");
    assert.equal(serviceOf(decode([{}], {}), 0), "empty-service-name");
  });

  it("shows a service name among the process's tags nowhere, and counts it", () => {
    const batch = decode([{}], { serviceName: "shop", tags: [text("service.name", "other")] });
    assert.equal(serviceOf(batch, 0), "shop");
    assert.equal(batch.resourceDropped[0], 1);
  });

  it("leaves out spans without ids and says so; ids of other lengths are malformed", () => {
    const none = request([{}, { traceId: Buffer.alloc(16) }, { spanId: Buffer.alloc(0) }]);
    const decoded = decodeJaegerPostSpans(none, { builder: new BatchBuilder() });
    assert.equal(decoded.batch.spanCount, 1);
    assert.deepEqual(decoded.rejectedReasons, { traceId: 1, spanId: 1 });
    refused(() => decode([{ traceId: id(1) }]), /an id of 8 bytes/, "malformed");
    refused(() => decode([{ spanId: bytes("01") }]), /an id of 1 bytes/, "malformed");
  });

  it("refuses times that protobuf does not allow", () => {
    const wrong = { startTime: { seconds: 253_402_300_800 } };
    refused(() => decode([wrong]), /a time of 253402300800 s/, "malformed");
    refused(() => decode([{ startTime: { nanos: -1 } }]), /-1 ns/, "malformed");
    refused(() => decode([{ duration: { nanos: 1_000_000_000 } }]), /a time of 0 s/, "malformed");
    refused(() => decode([{ duration: { seconds: 9_223_372_037 } }]), /9223372037 s/, "malformed");
    refused(() => decode([{ duration: { seconds: 1, nanos: -1 } }]), /1 s and -1 ns/, "malformed");
    const before = decode([{ startTime: { seconds: -1, nanos: 999 }, duration: { nanos: -5 } }]);
    assert.equal(before.startUs[0], -1_000_000);
    assert.equal(before.startNs[0], 999);
    assert.equal(before.durationNs[0], -5);
  });

  it("cuts to the limits, and the span says so", () => {
    const limits = {
      ...LIMITS,
      attributesPerOwner: 2,
      eventsPerSpan: 1,
      linksPerSpan: 1,
      attributeValueBytes: 4,
    };
    const logs = [{ fields: [] }, { fields: [] }];
    const tags = [text("a", "häää"), text("b", ""), text("c", "")];
    const references = [reference(2), reference(3), reference(4)];
    const bytesOfIt = request([{ tags, logs, references, warnings: ["odd"] }]);
    const { batch, truncated } = decodeJaegerPostSpans(bytesOfIt, {
      builder: new BatchBuilder(),
      limits,
    });
    assert.ok(truncated);
    assert.deepEqual(shownTags(batch), ["a:string=hä", "b:string="].sort());
    const row = batch.rare[0]! - 1;
    assert.equal(batch.rareDroppedAttributes[row], 1);
    assert.equal(batch.rareDroppedEvents[row], 1);
    assert.equal(batch.rareDroppedLinks[row], 1);
    const warnings = dumpJaeger(batch)[0]!.shown["warnings"] as string[];
    assert.equal(warnings.length, 5, warnings.join());
    const two = request([{}, {}]);
    const few = { builder: new BatchBuilder(), limits: { ...LIMITS, requestSpans: 1 } };
    refused(() => decodeJaegerPostSpans(two, few), /requestSpans/, "too-large");
  });
});

describe("batches as PostSpans requests", () => {
  it("are of the size asked for, but for a span that is larger alone", () => {
    const spans = Array.from({ length: 50 }, (_, n) => ({
      spanId: id(n + 1),
      operationName: "x".repeat(n === 20 ? 900 : 50),
    }));
    const batch = decode(spans);
    const requests = encodeJaegerPostSpans(batch, 500);
    const sizes = requests.map(({ length }) => length);
    assert.equal(sizes.filter((size) => size > 500).length, 1, sizes.join());
    const decoded = requests.flatMap((each) =>
      dumpJaeger(decodeJaegerPostSpans(each, { builder: new BatchBuilder() }).batch),
    );
    assert.deepEqual(decoded, dumpJaeger(batch));
  });

  it("have one process each, and protobufjs reads them", () => {
    const batch = decode([{}, { process: { serviceName: "db" } }, {}]);
    const processes = encodeJaegerPostSpans(batch, 2 ** 20).map((each) => {
      const whole = postSpansRequest.toObject(postSpansRequest.decode(each)) as {
        batch: { process: { serviceName: string }; spans: object[] };
      };
      return [whole.batch.process.serviceName, whole.batch.spans.length];
    });
    assert.deepEqual(processes, [
      ["shop", 2],
      ["db", 1],
    ]);
  });

  it("hold times that Go can hold", () => {
    const builder = new BatchBuilder();
    const span = builder.addSpan(builder.addResource(), builder.addScope());
    builder.traceId[0] = 1;
    builder.spanId[0] = 1;
    builder.setExactTimes(span, 2n ** 72n, 2n ** 70n);
    const [bytesOfIt] = encodeJaegerPostSpans(builder.finish(), 2 ** 20);
    const [shown] = dumpJaeger(decodeJaegerPostSpans(bytesOfIt!, { builder }).batch);
    assert.equal(shown!.startNs, "253402300799999999999");
    assert.equal(shown!.durationNs, String(2n ** 63n - 1n));
  });
});

describe("Jaeger's Thrift", () => {
  const golden = decode([{ references: [reference(2)], tags: [text("a", "b")] }]);

  it("reads messages in the old envelope too", () => {
    const strict = encodeJaegerThrift(golden, "binary", true);
    const old = Buffer.concat([strict.subarray(4, 17), Buffer.of(4), strict.subarray(17)]);
    const messages = new JaegerThriftMessages("binary");
    assert.equal(messages.add(Uint8Array.from(old)).seqNo, undefined);
    assert.equal(messages.finish().spanCount, 1);
  });

  it("adds the parent before the references, unless it is among them", () => {
    const binary = encodeJaegerThrift(golden, "binary", false);
    const parentAt = Buffer.from(binary).indexOf(Buffer.from([10, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]));
    const withParent = (n: number): string => {
      const changed = binary.slice();
      changed[parentAt + 10] = n;
      const builder = new BatchBuilder();
      return shownReferences(decodeJaegerThriftBatch(changed, "binary", { builder }).batch);
    };
    assert.equal(withParent(0), "C9c2");
    assert.equal(withParent(2), "C9c2");
    assert.equal(withParent(3), "C9c3 C9c2");
  });

  it("says of what it is not, which it is not", () => {
    const builder = new BatchBuilder();
    const message = encodeJaegerThrift(golden, "compact", true);
    const renamed = message.slice();
    renamed[renamed.indexOf(0x65)] = 0x45;
    const cases: readonly (readonly [Uint8Array, "binary" | "compact", RegExp])[] = [
      [renamed, "compact", /message "EmitBatch" of kind 4 is no emitBatch/],
      [message, "binary", /Thrift binary: /],
      [new Uint8Array(0), "compact", /ends too early/],
      [Uint8Array.of(0x82, 0x82, 0), "compact", /version 2/],
      [Uint8Array.of(0x80, 2, 0, 1), "binary", /not version 1/],
    ];
    for (const [packet, protocol, wanted] of cases) {
      refused(() => new JaegerThriftMessages(protocol).add(packet), wanted, "malformed");
    }
    const body = (...list: number[]): (() => unknown) => {
      return () => decodeJaegerThriftBatch(Uint8Array.from(list), "binary", { builder });
    };
    refused(body(0), /a batch without a process/, "malformed");
    refused(body(15, 0, 2, 12, 0x7f, 0xff, 0xff, 0xff), /a list larger/, "malformed");
    refused(body(15, 0, 2, 12, 0xff, 0xff, 0xff, 0xff), /a list larger/, "malformed");
    refused(body(13, 0, 9, 11, 11, 0x40, 0, 0, 0), /a map larger/, "malformed");
    refused(body(16, 0, 1), /type 16/, "malformed");
    const nested = Array.from({ length: 300 }, (_, i) => [12, 0, 100][i % 3]!);
    refused(body(...nested), /nested too deep/, "malformed");
  });

  it("tells tags of no known type in words", () => {
    const binary = Buffer.from(encodeJaegerThrift(golden, "binary", false));
    const at = binary.indexOf(Buffer.from([8, 0, 2, 0, 0, 0, 0]));
    binary[at + 6] = 77;
    const { batch } = decodeJaegerThriftBatch(Uint8Array.from(binary), "binary", {
      builder: new BatchBuilder(),
    });
    assert.deepEqual(shownTags(batch), ["a:string=Unknown VType: 77"]);
    assert.equal(dictText(batch, batch.resourceServiceId[0]!), "shop");
  });
});
