/** The encodings OTLP over HTTP comes in, each with what decodes it and what answers in it. */

import type { DecodeRequest } from "../../core/intake.ts";
import { decodeOtlpJson } from "../../wire/otlp-json-decode.ts";
import { decodeOtlpProto } from "../../wire/otlp-proto-decode.ts";
import {
  encodeOtlpResponse,
  encodeOtlpResponseJson,
  encodeStatus,
  encodeStatusJson,
} from "../../wire/otlp-response.ts";

/** One encoding of requests and responses. */
export interface OtlpEncoding {
  readonly decode: DecodeRequest;
  /** Headers of a response in it. */
  readonly headers: Readonly<Record<string, string>>;
  /** An ExportTraceServiceResponse. */
  readonly response: (rejected: number, message: string) => Uint8Array | string;
  /** A google.rpc.Status. */
  readonly status: (code: number, message: string) => Uint8Array | string;
}

const PROTOBUF: OtlpEncoding = {
  decode: (bytes, builder) => decodeOtlpProto(bytes, builder),
  headers: { "content-type": "application/x-protobuf" },
  response: encodeOtlpResponse,
  status: (code, message) => encodeStatus(code, message),
};

const JSON_TEXT: OtlpEncoding = {
  decode: (bytes, builder) => decodeOtlpJson(bytes, builder),
  headers: { "content-type": "application/json" },
  response: encodeOtlpResponseJson,
  status: (code, message) => encodeStatusJson(code, message),
};

const ENCODINGS: Readonly<Record<string, OtlpEncoding>> = {
  "application/x-protobuf": PROTOBUF,
  "application/json": JSON_TEXT,
};

/** Content types of requests, without parameters. */
export const OTLP_CONTENT_TYPES: readonly string[] = Object.keys(ENCODINGS);

/** The encoding of a content type; protobuf for one that is not OTLP's. */
export function encodingOf(contentType: string): OtlpEncoding {
  return ENCODINGS[contentType] ?? PROTOBUF;
}
