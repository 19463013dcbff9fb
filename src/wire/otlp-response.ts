/** What OTLP receivers answer: export responses and google.rpc.Status, as protobuf and JSON. */

import { utf8Bytes } from "../base/bytes.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";
const MOST_BYTES = 2 ** 31;

/**
 * Bytes of an ExportTraceServiceResponse. Without rejected spans and message it is empty, which
 * is full success; a message without rejected spans is a warning.
 */
export function encodeOtlpResponse(rejected: number, message: string): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(64 + message.length * 3), MOST_BYTES);
  if (rejected === 0 && message === "") return new Uint8Array(0);
  const partial = writer.begin(0x0a);
  if (rejected !== 0) writer.fieldVarint(0x08, rejected);
  if (message !== "") writer.fieldBytes(0x12, utf8Bytes(message));
  writer.end(partial);
  return writer.bytes.slice(0, writer.position);
}

/** JSON text of an ExportTraceServiceResponse: int64 as a string, absent when zero. */
export function encodeOtlpResponseJson(rejected: number, message: string): string {
  if (rejected === 0 && message === "") return "{}";
  const partialSuccess: { rejectedSpans?: string; errorMessage?: string } = {};
  if (rejected !== 0) partialSuccess.rejectedSpans = String(rejected);
  if (message !== "") partialSuccess.errorMessage = message;
  return JSON.stringify({ partialSuccess });
}

/**
 * Bytes of a google.rpc.Status (gRPC's status numbers): the body of an HTTP error, and the
 * trailer `grpc-status-details-bin`. With `retryDelayMs` it carries a RetryInfo, which is how
 * OTLP tells a client that sending again will help, and when.
 */
export function encodeStatus(code: number, message: string, retryDelayMs?: number): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(128 + message.length * 3), MOST_BYTES);
  if (code !== 0) writer.fieldVarint(0x08, code);
  if (message !== "") writer.fieldBytes(0x12, utf8Bytes(message));
  if (retryDelayMs !== undefined) {
    const detail = writer.begin(0x1a);
    writer.fieldBytes(0x0a, utf8Bytes(RETRY_INFO));
    const info = writer.begin(0x12);
    const delay = writer.begin(0x0a);
    const seconds = Math.floor(retryDelayMs / 1000);
    const nanos = Math.round((retryDelayMs - seconds * 1000) * 1e6);
    if (seconds !== 0) writer.fieldVarint(0x08, seconds);
    if (nanos !== 0) writer.fieldVarint(0x10, nanos);
    writer.end(delay);
    writer.end(info);
    writer.end(detail);
  }
  return writer.bytes.slice(0, writer.position);
}

/** JSON text of the same google.rpc.Status. */
export function encodeStatusJson(code: number, message: string, retryDelayMs?: number): string {
  const status: { code: number; message: string; details?: object[] } = { code, message };
  if (retryDelayMs !== undefined) {
    status.details = [{ "@type": RETRY_INFO, retryDelay: `${retryDelayMs / 1000}s` }];
  }
  return JSON.stringify(status);
}

/**
 * Spans that an ExportTraceServiceResponse says were rejected. An answer that is no such message
 * comes from a server that said OK: then it is 0.
 */
export function decodeOtlpRejected(bytes: Uint8Array): number {
  const partial = lastField(bytes, 0x0a);
  const rejected = typeof partial === "object" ? lastField(partial, 0x08) : undefined;
  return typeof rejected === "number" ? rejected : 0;
}

/** The last field with this tag: a number for a varint, bytes for a length; else undefined. */
function lastField(bytes: Uint8Array, wanted: number): number | Uint8Array | undefined {
  let at = 0;
  let found: number | Uint8Array | undefined;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length && scale < 2 ** 53; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    at = bytes.length;
    return 0;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = varint();
    if ((tag & 7) === 0) found = tag === wanted ? number : found;
    else if ((tag & 7) === 2) {
      if (tag === wanted) found = bytes.subarray(at, at + number);
      at += number;
    } else return found;
  }
  return found;
}
