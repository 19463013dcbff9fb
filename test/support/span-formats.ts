/** Every format spans come in, by the folder of its fixtures: for the battery and the fuzzer. */

import type { SpanBatch } from "../../src/core/batch.ts";
import type { BatchBuilder } from "../../src/core/builder.ts";
import { decodeJaegerPostSpans } from "../../src/wire/jaeger-proto-decode.ts";
import { decodeJaegerThriftBatch } from "../../src/wire/jaeger-thrift-decode.ts";
import { JaegerThriftMessages } from "../../src/wire/jaeger-thrift-messages.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";
import { decodeOtlpProto } from "../../src/wire/otlp-proto-decode.ts";
import { decodeZipkinV1Json, decodeZipkinV2Json } from "../../src/wire/zipkin-json-decode.ts";
import { decodeZipkinProto } from "../../src/wire/zipkin-proto-decode.ts";
import { decodeZipkinThrift } from "../../src/wire/zipkin-thrift-decode.ts";
import { ZipkinThriftMessages } from "../../src/wire/zipkin-thrift-messages.ts";

/** How a format is decoded, and how its files of bytes end. */
export interface SpanFormat {
  readonly extension: string;
  /** What containers and lengths look like in it, for who breaks them on purpose. */
  readonly encoding: "protobuf" | "thrift-binary" | "thrift-compact" | "json";
  readonly decode: (bytes: Uint8Array, builder: BatchBuilder) => SpanBatch;
}

export const spanFormats: Readonly<Record<string, SpanFormat>> = {
  "otlp-proto": {
    extension: ".bin",
    encoding: "protobuf",
    decode: (bytes, builder) => decodeOtlpProto(bytes, builder).batch,
  },
  "otlp-json": {
    extension: ".json",
    encoding: "json",
    decode: (bytes, builder) => decodeOtlpJson(bytes, builder).batch,
  },
  "jaeger-thrift-http": {
    extension: ".bin",
    encoding: "thrift-binary",
    decode: (bytes, builder) => decodeJaegerThriftBatch(bytes, "binary", { builder }).batch,
  },
  "jaeger-thrift-udp-binary": {
    extension: ".bin",
    encoding: "thrift-binary",
    decode: (bytes, builder) => oneMessage(new JaegerThriftMessages("binary", builder), bytes),
  },
  "jaeger-thrift-udp-compact": {
    extension: ".bin",
    encoding: "thrift-compact",
    decode: (bytes, builder) => oneMessage(new JaegerThriftMessages("compact", builder), bytes),
  },
  "jaeger-proto": {
    extension: ".bin",
    encoding: "protobuf",
    decode: (bytes, builder) => decodeJaegerPostSpans(bytes, { builder }).batch,
  },
  "zipkin-thrift": {
    extension: ".bin",
    encoding: "thrift-binary",
    decode: (bytes, builder) => decodeZipkinThrift(bytes, "binary", { builder }).batch,
  },
  "zipkin-thrift-udp-compact": {
    extension: ".bin",
    encoding: "thrift-compact",
    decode: (bytes, builder) => oneMessage(new ZipkinThriftMessages("compact", builder), bytes),
  },
  "zipkin-v1-json": {
    extension: ".body.json",
    encoding: "json",
    decode: (bytes, builder) => decodeZipkinV1Json(bytes, { builder }).batch,
  },
  "zipkin-v2-json": {
    extension: ".body.json",
    encoding: "json",
    decode: (bytes, builder) => decodeZipkinV2Json(bytes, { builder }).batch,
  },
  "zipkin-proto": {
    extension: ".bin",
    encoding: "protobuf",
    decode: (bytes, builder) => decodeZipkinProto(bytes, { builder }).batch,
  },
};

function oneMessage(
  messages: JaegerThriftMessages | ZipkinThriftMessages,
  bytes: Uint8Array,
): SpanBatch {
  messages.add(bytes);
  return messages.finish();
}
