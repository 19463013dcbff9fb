/** OTLP values made by ourselves, as the bytes that ARRAY attributes hold. */

import { utf8Bytes } from "../base/bytes.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const MOST_BYTES = 2 ** 31;

/** Bytes of an ArrayValue whose elements are these texts. */
export function encodeStringArray(texts: readonly string[]): Uint8Array {
  const writer = new ProtobufWriter(new Uint8Array(256), MOST_BYTES);
  for (const text of texts) {
    const element = writer.begin(0x0a);
    writer.fieldBytes(0x0a, utf8Bytes(text));
    writer.end(element);
  }
  return writer.bytes.slice(0, writer.position);
}
