/** One span with everything Jaeger's model has, as a request of every protocol. */

import { otlpType } from "./otlp-schema.ts";
import { postSpansRequest } from "./jaeger-schema.ts";
import {
  thriftBool,
  thriftBytes,
  thriftDouble,
  thriftEncoded,
  thriftI16,
  thriftI32,
  thriftI64,
  thriftList,
  thriftStruct,
  thriftText,
} from "./thrift-bytes.ts";
import { zipkinSpans } from "./zipkin-schema.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = "00f067aa0ba902b7";
const OTHER_TRACE = "ff00000000000000000000000000000f";
const OTHER_SPAN = "000000000000abcd";
const START_US = 1_700_000_000_123_456n;
const DURATION_US = 2345n;
const LOG_US = START_US + 1000n;
const NAME = "GET /käse";
const BIG = 9_007_199_254_740_993n;
const BLOB = Buffer.from("00ff10", "hex");

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const id = (text: string): bigint => BigInt(`0x${text}`);
const [TRACE_HIGH, TRACE_LOW] = [id(TRACE.slice(0, 16)), id(TRACE.slice(16))];

function thriftTag(key: string, type: number, field: number, value: ReturnType<typeof thriftBool>) {
  return thriftStruct({ 1: thriftText(key), 2: thriftI32(type), [field]: value });
}

function jaegerThrift() {
  const text = (key: string, value: string) => thriftTag(key, 0, 3, thriftText(value));
  const reference = (type: number, trace: string, span: string) =>
    thriftStruct({
      1: thriftI32(type),
      2: thriftI64(id(trace.slice(16))),
      3: thriftI64(id(trace.slice(0, 16))),
      4: thriftI64(id(span)),
    });
  const span = thriftStruct({
    1: thriftI64(TRACE_LOW),
    2: thriftI64(TRACE_HIGH),
    3: thriftI64(id(SPAN)),
    4: thriftI64(id(PARENT)),
    5: thriftText(NAME),
    6: thriftList([reference(1, OTHER_TRACE, OTHER_SPAN)]),
    7: thriftI32(3),
    8: thriftI64(START_US),
    9: thriftI64(DURATION_US),
    10: thriftList([
      text("span.kind", "server"),
      thriftTag("error", 2, 5, thriftBool(true)),
      text("text", "schön"),
      thriftTag("whole", 3, 6, thriftI64(BIG)),
      thriftTag("half", 1, 4, thriftDouble(0.5)),
      thriftTag("no", 2, 5, thriftBool(false)),
      thriftTag("blob", 4, 7, thriftBytes(BLOB)),
    ]),
    11: thriftList([
      thriftStruct({
        1: thriftI64(LOG_US),
        2: thriftList([text("event", "miss"), thriftTag("attempt", 3, 6, thriftI64(2n))]),
      }),
    ]),
  });
  const process = thriftStruct({ 1: thriftText("shop"), 2: thriftList([text("zone", "eu")]) });
  return thriftStruct({ 1: process, 2: thriftList([span]) });
}

function postSpans(): Uint8Array {
  const at = (us: bigint) => ({
    seconds: Number(us / 1_000_000n),
    nanos: Number(us % 1_000_000n) * 1000,
  });
  const whole = (key: string, value: bigint) => ({ key, vType: 2, vInt64: String(value) });
  const span = {
    traceId: hex(TRACE),
    spanId: hex(SPAN),
    operationName: NAME,
    references: [
      { traceId: hex(TRACE), spanId: hex(PARENT), refType: 0 },
      { traceId: hex(OTHER_TRACE), spanId: hex(OTHER_SPAN), refType: 1 },
    ],
    flags: 3,
    startTime: at(START_US),
    duration: at(DURATION_US),
    tags: [
      { key: "span.kind", vStr: "server" },
      { key: "error", vType: 1, vBool: true },
      { key: "text", vStr: "schön" },
      whole("whole", BIG),
      { key: "half", vType: 3, vFloat64: 0.5 },
      { key: "no", vType: 1, vBool: false },
      { key: "blob", vType: 4, vBinary: BLOB },
    ],
    logs: [
      { timestamp: at(LOG_US), fields: [{ key: "event", vStr: "miss" }, whole("attempt", 2n)] },
    ],
  };
  const process = { serviceName: "shop", tags: [{ key: "zone", vStr: "eu" }] };
  return encoded(postSpansRequest, { batch: { spans: [span], process } });
}

interface ProtoType {
  fromObject(object: object): protobufMessage;
  encode(message: protobufMessage): { finish(): Uint8Array };
}
type protobufMessage = never;

function encoded(type: unknown, object: object): Uint8Array {
  const known = type as ProtoType;
  return known.encode(known.fromObject(object)).finish();
}

/** The OTLP request; `bytes` and `integer` are how the encoding writes such. */
function otlp(bytes: (value: Buffer) => unknown, ids: (text: string) => unknown): object {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    traceId: ids(TRACE),
    spanId: ids(SPAN),
    parentSpanId: ids(PARENT),
    name: NAME,
    kind: 2,
    flags: 0x101,
    startTimeUnixNano: String(START_US * 1000n),
    endTimeUnixNano: String((START_US + DURATION_US) * 1000n),
    status: { code: 2 },
    attributes: [
      text("text", "schön"),
      { key: "whole", value: { intValue: String(BIG) } },
      { key: "half", value: { doubleValue: 0.5 } },
      { key: "no", value: { boolValue: false } },
      { key: "blob", value: { bytesValue: bytes(BLOB) } },
    ],
    events: [
      {
        timeUnixNano: String(LOG_US * 1000n),
        name: "miss",
        attributes: [{ key: "attempt", value: { intValue: "2" } }],
      },
    ],
    links: [{ traceId: ids(OTHER_TRACE), spanId: ids(OTHER_SPAN) }],
  };
  const resource = { attributes: [text("service.name", "shop"), text("zone", "eu")] };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
}

/** Zipkin's tags are texts, and its process is a service name. */
const ZIPKIN_TAGS = { error: "true", text: "schön", whole: String(BIG), half: "0.5", no: "false" };

function zipkinV2(): object {
  return {
    traceId: TRACE,
    id: SPAN,
    parentId: PARENT,
    name: NAME,
    kind: "SERVER",
    timestamp: Number(START_US),
    duration: Number(DURATION_US),
    debug: true,
    localEndpoint: { serviceName: "shop" },
    annotations: [{ timestamp: Number(LOG_US), value: "miss" }],
    tags: ZIPKIN_TAGS,
  };
}

function zipkinProto(): Uint8Array {
  const span = {
    ...zipkinV2(),
    traceId: hex(TRACE),
    id: hex(SPAN),
    parentId: hex(PARENT),
    kind: 2,
  };
  return encoded(zipkinSpans, { spans: [span] });
}

function zipkinV1(): object {
  const endpoint = { serviceName: "shop" };
  const at = (us: bigint, value: string) => ({ timestamp: Number(us), value, endpoint });
  return {
    traceId: TRACE,
    id: SPAN,
    parentId: PARENT,
    name: NAME,
    timestamp: Number(START_US),
    duration: Number(DURATION_US),
    debug: true,
    annotations: [at(START_US, "sr"), at(LOG_US, "miss"), at(START_US + DURATION_US, "ss")],
    binaryAnnotations: Object.entries(ZIPKIN_TAGS).map(([key, value]) => ({
      key,
      value,
      endpoint,
    })),
  };
}

function zipkinThrift() {
  const host = thriftStruct({ 1: thriftI32(0), 2: thriftI16(0), 3: thriftText("shop") });
  const at = (us: bigint, value: string) =>
    thriftStruct({ 1: thriftI64(us), 2: thriftText(value), 3: host });
  return thriftStruct({
    1: thriftI64(TRACE_LOW),
    3: thriftText(NAME),
    4: thriftI64(id(SPAN)),
    5: thriftI64(id(PARENT)),
    6: thriftList([at(START_US, "sr"), at(LOG_US, "miss"), at(START_US + DURATION_US, "ss")]),
    8: thriftList(
      Object.entries(ZIPKIN_TAGS).map(([key, value]) =>
        thriftStruct({ 1: thriftText(key), 2: thriftText(value), 3: thriftI32(6), 4: host }),
      ),
    ),
    9: thriftBool(true),
    10: thriftI64(START_US),
    11: thriftI64(DURATION_US),
    12: thriftI64(TRACE_HIGH),
  });
}

/** A list alone, without the struct around it. */
function listBytes(span: ReturnType<typeof zipkinThrift>): Buffer {
  const wrapped = thriftEncoded(thriftStruct({ 1: thriftList([span]) }), "binary");
  return wrapped.subarray(3, -1);
}

const batch = jaegerThrift();

/** Bodies and packets by protocol. */
export const RICH_REQUESTS = {
  "jaeger-thrift-http": thriftEncoded(batch, "binary"),
  "jaeger-udp-compact": thriftEncoded(thriftStruct({ 1: batch }), "compact", "emitBatch"),
  "jaeger-udp-binary": thriftEncoded(thriftStruct({ 1: batch }), "binary", "emitBatch"),
  "jaeger-grpc": postSpans(),
  "otlp-proto": encoded(
    otlpType("TracesData"),
    otlp((value) => value, hex),
  ),
  "otlp-json": Buffer.from(
    JSON.stringify(
      otlp(
        (value) => value.toString("base64"),
        (text) => text,
      ),
    ),
  ),
  "zipkin-v2-json": Buffer.from(JSON.stringify([zipkinV2()])),
  "zipkin-v2-proto": zipkinProto(),
  "zipkin-v1-json": Buffer.from(JSON.stringify([zipkinV1()])),
  "zipkin-v1-thrift": listBytes(zipkinThrift()),
  "zipkin-udp-compact": thriftEncoded(
    thriftStruct({ 1: thriftList([zipkinThrift()]) }),
    "compact",
    "emitZipkinBatch",
  ),
} as const satisfies { readonly [protocol: string]: Uint8Array };

export type Protocol = keyof typeof RICH_REQUESTS;
