/** Several PostSpans requests as one, without decoding a span. */

import { assert } from "../../base/assert.ts";
import { equalBytes } from "../../base/bytes.ts";
import { writeRaw } from "../../wire/batch-fields.ts";
import { lengthOfVarint, ProtobufWriter } from "../../wire/protobuf-writer.ts";

/*
 * A request as our encoder writes it is one field: the batch (0x0a). In it come the spans (0x0a)
 * and last the process (0x12). A span may have a process of its own (0x52), which collectors of
 * every version prefer to the batch's. Joined requests have all spans, those of other processes
 * with theirs, then the process of the first.
 */
const BATCH = 0x0a;
const SPAN = 0x0a;
const PROCESS = 0x12;
const OWN_PROCESS = 0x52;
/** Where the parts of a request are. */
export interface Parts {
  readonly bytes: Uint8Array;
  readonly spansStart: number;
  readonly processStart: number;
  readonly spanCount: number;
}

/** Steps over a request's fields. Only for what our own encoder wrote. */
export function partsOf(bytes: Uint8Array): Parts {
  assert(bytes[0] === BATCH, "a request is a batch");
  let at = 1;
  while (bytes[at++]! >= 128);
  const spansStart = at;
  let spanCount = 0;
  while (at < bytes.length && bytes[at] === SPAN) {
    const length = lengthAt(bytes, at + 1);
    at += 1 + lengthOfVarint(length) + length;
    spanCount++;
  }
  assert(bytes[at] === PROCESS, "the process comes behind the spans");
  return { bytes, spansStart, processStart: at, spanCount };
}

/** Bytes of the process, as a text that tells processes apart. */
export function processOf({ bytes, processStart }: Parts): string {
  const { buffer, byteOffset, length } = bytes;
  return Buffer.from(buffer, byteOffset, length).toString("latin1", processStart, length);
}

/** Bytes that the spans take in a request of another process, at most. */
export function strangerBytes({ bytes, processStart, spanCount }: Parts): number {
  // The length of a span that grows may take a byte more.
  return bytes.length + spanCount * (bytes.length - processStart + 1);
}

/** One request with the spans of all; those of one process should be behind each other. */
export function joinPostSpans(requests: readonly Uint8Array[]): Uint8Array {
  const parts = requests.map(partsOf);
  const [first] = parts;
  assert(first !== undefined, "there is a request to join");
  if (parts.length === 1) return first.bytes;
  const isOfFirst = parts.map((part) => sameProcess(first, part));
  let bodyBytes = first.bytes.length - first.processStart;
  for (const [i, part] of parts.entries()) {
    bodyBytes += isOfFirst[i]! ? part.processStart - part.spansStart : withProcessBytes(part);
  }
  const length = 1 + lengthOfVarint(bodyBytes) + bodyBytes;
  const writer = new ProtobufWriter(Buffer.allocUnsafeSlow(length), length);
  writer.fieldVarint(BATCH, bodyBytes);
  for (const [i, part] of parts.entries()) {
    const { bytes, spansStart, processStart } = part;
    if (isOfFirst[i]!) writeRaw(writer, bytes, spansStart, processStart);
    else writeWithProcess(writer, part);
  }
  writeRaw(writer, first.bytes, first.processStart, first.bytes.length);
  assert(writer.position === length, "a joined request is as long as was counted");
  return writer.bytes;
}

/** What `writeWithProcess` writes, in bytes. */
function withProcessBytes({ bytes, spansStart, processStart }: Parts): number {
  const processBytes = bytes.length - processStart;
  let written = 0;
  for (let at = spansStart; at < processStart;) {
    const length = lengthAt(bytes, at + 1);
    at += 1 + lengthOfVarint(length) + length;
    written += 1 + lengthOfVarint(length + processBytes) + length + processBytes;
  }
  return written;
}

/** The spans of a request, each with the request's process as its own. */
function writeWithProcess(writer: ProtobufWriter, { bytes, spansStart, processStart }: Parts) {
  const processBytes = bytes.length - processStart;
  for (let at = spansStart; at < processStart;) {
    const length = lengthAt(bytes, at + 1);
    const start = at + 1 + lengthOfVarint(length);
    at = start + length;
    writer.bytes[writer.position++] = SPAN;
    writer.varint(length + processBytes);
    writeRaw(writer, bytes, start, at);
    const ownAt = writer.position;
    writeRaw(writer, bytes, processStart, bytes.length);
    writer.bytes[ownAt] = OWN_PROCESS;
  }
}

function sameProcess(a: Parts, b: Parts): boolean {
  const length = a.bytes.length - a.processStart;
  if (b.bytes.length - b.processStart !== length) return false;
  return equalBytes(a.bytes, a.processStart, b.bytes, b.processStart, length);
}

/** The varint at a place; our encoder writes no length beyond 31 bits. */
function lengthAt(bytes: Uint8Array, place: number): number {
  let length = 0;
  for (let at = place, shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    length |= (byte & 127) << shift;
    if (byte < 128) return length;
  }
}
