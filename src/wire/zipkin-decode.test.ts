/** Tests of reading Zipkin's spans: shared ids, endpoints, annotations, kinds, what is mended. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BatchBuilder } from "../core/builder.ts";
import { isSpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { dumpJaeger } from "../../test/support/jaeger-dump.ts";
import type { ShownSpan } from "../../test/support/jaeger-dump.ts";
import type { OtlpDecoded } from "./otlp-decoded.ts";
import { decodeZipkinV1Json, decodeZipkinV2Json } from "./zipkin-json-decode.ts";
import { ipv6Bytes } from "./zipkin-texts.ts";

const US = 1_700_000_000_000_000;
const IDS = { traceId: "0af7651916cd43dd8448eb211c80319c", id: "1" };
const HOST = { serviceName: "shop", ipv4: "10.1.2.3", port: 8080 };

const body = (spans: readonly object[]): Uint8Array => {
  const whole = spans.map((span) => ({ ...IDS, ...span }));
  return Uint8Array.from(Buffer.from(JSON.stringify(whole)));
};

function decodeV2(...spans: readonly object[]): OtlpDecoded {
  return decodeZipkinV2Json(body(spans), { builder: new BatchBuilder() });
}

const v2 = (...spans: readonly object[]): ShownSpan[] => dumpJaeger(decodeV2(...spans).batch);

const v1 = (...spans: readonly object[]): ShownSpan[] =>
  dumpJaeger(decodeZipkinV1Json(body(spans), { builder: new BatchBuilder() }).batch);

function tagsOf({ shown }: ShownSpan): string[] {
  return (shown["tags"] as string[]).map((tag) => {
    const { key, type, value } = JSON.parse(tag) as Record<string, unknown>;
    return `${String(key)}:${String(type)}=${String(value)}`;
  });
}

const annotation = (us: number, value: string, endpoint: object = HOST): object => {
  return { timestamp: US + us, value, endpoint };
};

describe("Zipkin's second model", () => {
  it("has its kind, endpoints and debug flag", () => {
    const remote = { serviceName: "db", ipv6: "2001:db8::1", port: 5432 };
    const span = { kind: "CLIENT", localEndpoint: HOST, remoteEndpoint: remote, debug: true };
    const [only] = v2({ ...span, timestamp: US, duration: 7, name: "get" });
    assert.deepEqual(tagsOf(only!), [
      "net.host.ip:string=10.1.2.3",
      "net.host.port:int64=8080",
      "net.peer.ip:string=2001:db8::1",
      "net.peer.port:int64=5432",
      "peer.service:string=db",
      "span.kind:string=client",
    ]);
    assert.equal(only!.shown["flags"], 3);
    assert.equal(only!.shown["duration"], 7);
    assert.equal((only!.shown["process"] as { serviceName: string }).serviceName, "shop");
  });

  it("keeps both spans that share an id", () => {
    const local = { localEndpoint: HOST };
    const server = { kind: "SERVER", shared: true, localEndpoint: { serviceName: "db" } };
    const both = v2({ kind: "CLIENT", ...local }, server);
    assert.deepEqual(
      both.map(({ spanId, shown }) => [
        spanId,
        (shown["process"] as object & { serviceName: string }).serviceName,
      ]),
      [
        ["0000000000000001", "shop"],
        ["0000000000000001", "db"],
      ],
    );
  });

  it("reads errors in Zipkin's words and in OpenTelemetry's", () => {
    const of = (tags: object): string[] => tagsOf(v2({ tags, timestamp: US })[0]!);
    assert.deepEqual(of({ error: "" }), ["error:bool=true"]);
    assert.deepEqual(of({ error: "true" }), ["error:bool=true"]);
    assert.deepEqual(of({ error: "false" }), ["error:bool=false"]);
    assert.deepEqual(of({ error: "gone" }), ["error:bool=true", "error.message:string=gone"]);
    assert.deepEqual(of({ "otel.status_code": "ERROR", error: "gone" }), [
      "error:bool=true",
      "otel.status_code:string=ERROR",
      "otel.status_description:string=gone",
    ]);
    assert.deepEqual(of({ "otel.status_code": "OK" }), ["otel.status_code:string=OK"]);
  });

  it("reads events and links that OpenTelemetry put into texts, and no others", () => {
    const link = `${"ab".repeat(16)}|${"cd".repeat(8)}|a=b|{"k":1}|0`;
    const [span] = v2({
      parentId: "2",
      tags: { "otlp.link.0": link, "otlp.link.1": "no link" },
      annotations: [
        { timestamp: US, value: 'slow|{"rows":12,"ok":true}|0' },
        { timestamp: US + 1, value: "a|b" },
      ],
    });
    assert.deepEqual(span!.shown["logs"], [
      {
        timestamp: US,
        fields: [
          { key: "event", type: "string", value: "slow" },
          { key: "rows", type: "int64", value: 12 },
          { key: "ok", type: "bool", value: true },
        ],
      },
      { timestamp: US + 1, fields: [{ key: "event", type: "string", value: "a|b" }] },
    ]);
    const references = span!.shown["references"] as Record<string, string>[];
    assert.deepEqual(
      references.map(({ refType, spanID }) => [refType, spanID]),
      [
        ["CHILD_OF", "0000000000000002"],
        ["FOLLOWS_FROM", "cd".repeat(8)],
      ],
    );
    assert.ok(tagsOf(span!).includes("otlp.link.1:string=no link"));
    assert.ok(tagsOf(span!).includes("otel.zipkin.absentField.startTime:bool=true"));
  });

  it("takes a parent that is the span itself for none, and ids of 64 bits", () => {
    const [span] = v2({ traceId: "48485a3953bb6124", parentId: "0000000000000001" });
    assert.deepEqual(span!.shown["references"], []);
    assert.equal(span!.traceId, "000000000000000048485a3953bb6124");
  });

  it("leaves out spans without ids, refuses what is no list of spans, and limits", () => {
    const decoded = decodeV2({ traceId: "0" }, { id: undefined }, {});
    assert.equal(decoded.batch.spanCount, 1);
    assert.deepEqual(decoded.rejectedReasons, { traceId: 1, spanId: 1 });
    const wrong = [{ traceId: "xyz" }, { id: "0".repeat(17) }, { timestamp: {} }, { tags: [] }];
    for (const span of wrong) {
      assert.throws(
        () => decodeV2(span),
        (error) => isSpoorError(error, "malformed"),
      );
    }
    const builder = new BatchBuilder();
    for (const text of ["{}", "null", "", "[1]", "["]) {
      const bytes = Uint8Array.from(Buffer.from(text));
      const decode = (): unknown => decodeZipkinV2Json(bytes, { builder });
      assert.throws(decode, (error) => isSpoorError(error, "malformed"), text);
    }
    const limits = { ...LIMITS, requestSpans: 1 };
    const decode = (): unknown => decodeZipkinV2Json(body([{}, {}]), { builder, limits });
    assert.throws(decode, (error) => isSpoorError(error, "too-large"));
  });
});

describe("Zipkin's first model", () => {
  it("is two spans where client and server share one", () => {
    const [first, second] = v1({
      timestamp: US,
      duration: 300,
      annotations: [
        annotation(0, "cs"),
        annotation(20, "sr"),
        annotation(180, "ss"),
        annotation(300, "cr"),
      ],
    });
    assert.deepEqual(tagsOf(first!), ["span.kind:string=client"]);
    assert.deepEqual(tagsOf(second!), ["span.kind:string=server"]);
    assert.deepEqual([first!.shown["duration"], second!.shown["duration"]], [300, 160]);
    assert.equal(second!.shown["startTime"], US + 20);
    assert.equal(first!.spanId, second!.spanId);
  });

  it("finds times in annotations where the client told none, and mends what is wrong", () => {
    const timesOf = ({ shown }: ShownSpan): unknown[] => [shown["startTime"], shown["duration"]];
    const client = [annotation(5, "cs"), annotation(25, "cr")];
    assert.deepEqual(timesOf(v1({ annotations: client })[0]!), [US + 5, 20]);
    const server = [annotation(7, "sr"), annotation(17, "ss")];
    assert.deepEqual(timesOf(v1({ annotations: server })[0]!), [US + 7, 10]);
    assert.deepEqual(timesOf(v1({ timestamp: US })[0]!), [US, 1]);
    const [mended] = v1({ timestamp: US, duration: -5, parentId: "0" });
    assert.deepEqual(timesOf(mended!), [US, 1]);
    assert.deepEqual(tagsOf(mended!), [
      "errNegativeDuration:string=-5",
      "errZeroParentID:string=0",
    ]);
  });

  it("has typed binary annotations, peers, component and process tags", () => {
    const peer = { serviceName: "db", ipv4: "10.0.0.7", ipv6: "::1", port: 5432 };
    const [span] = v1({
      timestamp: US,
      duration: 1,
      annotations: [annotation(0, '{"a":"b","n":1}')],
      binaryAnnotations: [
        { key: "lc", value: "http", endpoint: HOST },
        { key: "sa", value: true, endpoint: peer },
        { key: "n", value: "9007199254740993", type: "I64" },
        { key: "d", value: 0.5, type: "DOUBLE" },
        { key: "b", value: "AP8=", type: "BYTES" },
        { key: "error", value: "gone" },
        { key: "jaegerClient", value: "Go-1" },
      ],
    });
    assert.deepEqual(tagsOf(span!), [
      "b:binary=AP8=",
      "component:string=http",
      "d:float64=0.5",
      "error:bool=true",
      "error.message:string=gone",
      "n:int64=9007199254740993",
      "peer.ipv4:int64=167772167",
      "peer.ipv6:binary=AAAAAAAAAAAAAAAAAAAAAQ==",
      "peer.port:int64=5432",
      "peer.service:string=db",
    ]);
    const { serviceName, tags } = span!.shown["process"] as { serviceName: string; tags: string[] };
    assert.equal(serviceName, "shop");
    assert.equal(tags.length, 2, tags.join());
    const [log] = span!.shown["logs"] as { fields: { key: string }[] }[];
    assert.deepEqual(
      log!.fields.map(({ key }) => key),
      ["a", "n"],
    );
    assert.equal(
      (v1({ timestamp: US })[0]!.shown["process"] as { serviceName: string }).serviceName,
      "unknown-service-name",
    );
  });
});

describe("addresses of IPv6", () => {
  it("are read in every way they are written", () => {
    const hex = (text: string): string | undefined => {
      const bytes = ipv6Bytes(text);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
    };
    assert.equal(hex("::1"), `${"0".repeat(31)}1`);
    assert.equal(hex("2001:db8::"), `20010db8${"0".repeat(24)}`);
    assert.equal(hex("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
    assert.equal(hex("::ffff:10.0.0.1"), "00000000000000000000ffff0a000001");
    for (const text of [
      "",
      "1",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "::g",
      "10.0.0.1",
    ]) {
      assert.equal(hex(text), undefined, text);
    }
  });
});
