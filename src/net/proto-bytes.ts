/** The little protobuf that the well-known gRPC services need: fields by hand, nothing hot. */

import { utf8, utf8Bytes } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";

/** A length-delimited field, number up to 15. */
export function bytesField(number: number, content: Uint8Array): Uint8Array {
  return joined([Uint8Array.from([(number << 3) | 2, ...varint(content.length)]), content]);
}

/** A length-delimited field of text. */
export function textField(number: number, text: string): Uint8Array {
  return bytesField(number, utf8Bytes(text));
}

/** A varint field, number up to 15, of a value below 2^31. */
export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([number << 3, ...varint(value)]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Text of a length-delimited field of a message that has only such; undefined when absent. */
export function readText(message: Uint8Array, number: number): string | undefined {
  let at = 0;
  while (at < message.length) {
    const tag = message[at++]!;
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = message[at++] ?? 0;
      length |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127 && shift < 28);
    if ((tag & 7) !== 2 || at + length > message.length) {
      throw new SpoorError("malformed", "not a request of this service");
    }
    if (tag >>> 3 === number) return utf8(message.subarray(at, at + length));
    at += length;
  }
  return undefined;
}
