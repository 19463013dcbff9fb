/** Zipkin's JSON spans, of its first and its second model. */

import { fromHexInto, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, SPAN_KIND } from "../core/batch.ts";
import { LIMITS } from "../core/limits.ts";
import { parse } from "./jaeger-json-values.ts";
import type { JsonObject } from "./jaeger-json-values.ts";
import type { OtlpDecoded } from "./otlp-decoded.ts";
import { malformed, ZIPKIN_KINDS, ZipkinRows } from "./zipkin-rows.ts";
import type {
  ZipkinDecodeOptions,
  ZipkinEndpoint,
  ZipkinSpan,
  ZipkinV2Span,
} from "./zipkin-rows.ts";
import { ipv4Bytes, ipv6Bytes } from "./zipkin-texts.ts";
import type { ZipkinValue } from "./zipkin-texts.ts";
import { addZipkinV1 } from "./zipkin-v1-rows.ts";
import type { ZipkinAnnotation, ZipkinBinaryAnnotation, ZipkinV1Span } from "./zipkin-v1-rows.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES } = ATTRIBUTE_TYPE;
const INTEGER = /^-?\d{1,20}$/;
const NO_BYTES = new Uint8Array(0);

/**
 * Decodes a JSON list of spans of the second model. The builder is reset first. Spans without
 * ids are left out and counted. Throws SpoorError `malformed` for what is no such list,
 * `too-large` beyond `requestSpans`.
 */
export function decodeZipkinV2Json(
  bytes: Uint8Array,
  { builder, limits = LIMITS, debug = false }: ZipkinDecodeOptions,
): OtlpDecoded {
  const rows = new ZipkinRows(builder, limits);
  rows.debug = debug;
  for (const span of list(parse(bytes, "Zipkin"), "the request")) rows.addV2(v2Span(object(span)));
  return rows.decoded();
}

/** The same of the first model. */
export function decodeZipkinV1Json(
  bytes: Uint8Array,
  { builder, limits = LIMITS, debug = false }: ZipkinDecodeOptions,
): OtlpDecoded {
  const rows = new ZipkinRows(builder, limits);
  rows.debug = debug;
  for (const span of list(parse(bytes, "Zipkin"), "the request")) {
    addZipkinV1(rows, v1Span(object(span)));
  }
  return rows.decoded();
}

function v2Span(span: JsonObject): ZipkinV2Span {
  const kind = span["kind"];
  const tags = span["tags"] === undefined || span["tags"] === null ? {} : object(span["tags"]);
  return {
    ...common(span),
    kind:
      typeof kind === "string" && Object.hasOwn(ZIPKIN_KINDS, kind)
        ? ZIPKIN_KINDS[kind]!
        : SPAN_KIND.UNSPECIFIED,
    local: endpoint(span["localEndpoint"]),
    remote: endpoint(span["remoteEndpoint"]),
    annotations: list(span["annotations"] ?? [], "annotations").map((item) => {
      const annotation = object(item);
      return { us: integer(annotation["timestamp"]), value: text(annotation["value"]) };
    }),
    tags: Object.entries(tags).map(([key, value]) => [key, text(value)]),
  };
}

function v1Span(span: JsonObject): ZipkinV1Span {
  return {
    ...common(span),
    hasTimestamp: isPresent(span["timestamp"]),
    hasDuration: isPresent(span["duration"]),
    annotations: list(span["annotations"] ?? [], "annotations").map(annotationOf),
    binaryAnnotations: list(span["binaryAnnotations"] ?? [], "binaryAnnotations").map(binaryOf),
  };
}

function common(span: JsonObject): ZipkinSpan {
  return {
    traceId: id(span["traceId"], 16) ?? NO_BYTES,
    id: id(span["id"], 8) ?? NO_BYTES,
    parentId: id(span["parentId"], 8),
    name: text(span["name"] ?? ""),
    timestampUs: integer(span["timestamp"]),
    durationUs: integer(span["duration"]),
    debug: span["debug"] === true,
  };
}

function annotationOf(item: unknown): ZipkinAnnotation {
  const annotation = object(item);
  return {
    us: integer(annotation["timestamp"]),
    value: text(annotation["value"]),
    host: endpoint(annotation["endpoint"]),
  };
}

function binaryOf(item: unknown): ZipkinBinaryAnnotation {
  const annotation = object(item);
  const key = annotation["key"];
  if (typeof key !== "string") throw malformed("a binary annotation without a key");
  const value = typedValue(annotation["type"], annotation["value"]);
  return { key, value, host: endpoint(annotation["endpoint"]) };
}

/** A value by the type told, else by what JSON it is. */
function typedValue(type: unknown, value: unknown): ZipkinValue {
  if (typeof value === "boolean") return { type: BOOL, value };
  if (type === "BYTES" && typeof value === "string") {
    return { type: BYTES, value: base64(value) ?? utf8Bytes(value) };
  }
  const isWhole = type === "I16" || type === "I32" || type === "I64";
  const digits = typeof value === "string" && INTEGER.test(value);
  if ((isWhole && digits) || Number.isSafeInteger(value)) {
    if (type !== "DOUBLE") return { type: INT, value: integer(value) };
  }
  if (typeof value === "number") return { type: DOUBLE, value };
  if (type === "DOUBLE" && typeof value === "string" && value !== "") {
    const number = Number(value);
    if (!Number.isNaN(number)) return { type: DOUBLE, value: number };
  }
  return { type: STRING, value: text(value ?? "") };
}

function endpoint(value: unknown): ZipkinEndpoint | undefined {
  if (!isPresent(value)) return undefined;
  const { serviceName, ipv4, ipv6, port } = object(value);
  return {
    serviceName: typeof serviceName === "string" ? serviceName : "",
    ipv4: typeof ipv4 === "string" ? ipv4Bytes(ipv4) : undefined,
    ipv6: typeof ipv6 === "string" ? ipv6Bytes(ipv6) : undefined,
    port: typeof port === "number" && Number.isInteger(port) ? port & 0xffff : 0,
  };
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The bytes of a hex id, undefined when absent. */
function id(value: unknown, length: number): Uint8Array | undefined {
  if (!isPresent(value) || value === "") return undefined;
  const bytes = new Uint8Array(length);
  if (typeof value !== "string" || !fromHexInto(value, bytes, 0, length)) {
    throw malformed(`no id: ${JSON.stringify(value).slice(0, 80)}`);
  }
  return bytes;
}

function object(value: unknown): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw malformed("an object is missing");
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(`${what} is no list`);
}

/** A text; numbers and booleans as JSON writes them. */
function text(value: unknown): Uint8Array {
  if (typeof value === "string") return utf8Bytes(value);
  if (typeof value === "number" || typeof value === "boolean") return utf8Bytes(String(value));
  throw malformed("a text is missing");
}

/** A whole number, or its digits in a text; 0 when absent, a fraction is cut. */
function integer(value: unknown): bigint {
  if (!isPresent(value)) return 0n;
  if (typeof value === "number" && Number.isFinite(value)) return BigInt(Math.trunc(value));
  if (typeof value === "string" && INTEGER.test(value)) return BigInt(value);
  throw malformed("a number is missing");
}

function base64(value: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
