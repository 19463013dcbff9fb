/** Batches of one process as Jaeger's Thrift, for tests; applications have clients for it. */

import type { SpanBatch } from "../../src/core/batch.ts";
import { CompactThriftWriter } from "../../src/wire/thrift-compact-writer.ts";
import type { ThriftProtocol } from "../../src/wire/thrift-scanner.ts";
import { BinaryThriftWriter, ThriftType } from "../../src/wire/thrift-writer.ts";
import type { ThriftWriter } from "../../src/wire/thrift-writer.ts";
import { dumpJaeger } from "./jaeger-dump.ts";

const MOST_BYTES = 2 ** 28;
const ONEWAY = 4;
const TAG_TYPES = ["string", "float64", "bool", "int64", "binary"];
const DOUBLES: Readonly<Record<string, number>> = { NaN, "+Inf": Infinity, "-Inf": -Infinity };

interface ShownTag {
  readonly key: string;
  readonly type: string;
  readonly value: string | number | boolean;
}

interface ShownLog {
  readonly timestamp: number;
  readonly fields: readonly ShownTag[];
}

interface ShownReference {
  readonly refType: string;
  readonly traceID: string;
  readonly spanID: string;
}

/** What the batch shows as Jaeger's JSON, as a struct Batch or the message `emitBatch`. */
export function encodeJaegerThrift(
  batch: SpanBatch,
  protocol: ThriftProtocol,
  asMessage: boolean,
): Uint8Array {
  const spans = dumpJaeger(batch);
  const Writer = protocol === "compact" ? CompactThriftWriter : BinaryThriftWriter;
  const writer = new Writer(new Uint8Array(4096), MOST_BYTES);
  const process = spans[0]?.shown["process"] as { serviceName: string; tags: string[] } | undefined;
  if (asMessage) {
    writer.messageBegin("emitBatch", ONEWAY, 0);
    writer.structBegin();
    writer.fieldStruct(1);
  }
  writer.structBegin();
  writer.fieldStruct(1);
  writer.structBegin();
  writer.fieldString(1, process?.serviceName ?? "");
  writeTags(writer, 2, (process?.tags ?? []).map(parseTag));
  writer.structEnd();
  writer.fieldList(2, ThriftType.struct, spans.length);
  for (const { traceId, spanId, shown } of spans) writeSpan(writer, traceId, spanId, shown);
  writer.structEnd();
  if (asMessage) writer.structEnd();
  return writer.bytes.slice(0, writer.position);
}

function parseTag(text: string): ShownTag {
  return JSON.parse(text) as ShownTag;
}

function writeSpan(
  writer: ThriftWriter,
  traceHex: string,
  spanHex: string,
  shown: Readonly<Record<string, unknown>>,
): void {
  writer.structBegin();
  writeI64(writer, 1, BigInt(`0x${traceHex.slice(16)}`));
  writeI64(writer, 2, BigInt(`0x${traceHex.slice(0, 16)}`));
  writeI64(writer, 3, BigInt(`0x${spanHex}`));
  writeI64(writer, 4, 0n);
  writer.fieldString(5, shown["operationName"] as string);
  const references = shown["references"] as ShownReference[];
  writer.fieldList(6, ThriftType.struct, references.length);
  for (const { refType, traceID, spanID } of references) {
    const trace = traceID.padStart(32, "0");
    writer.structBegin();
    writer.fieldI32(1, refType === "CHILD_OF" ? 0 : 1);
    writeI64(writer, 2, BigInt(`0x${trace.slice(16)}`));
    writeI64(writer, 3, BigInt(`0x${trace.slice(0, 16)}`));
    writeI64(writer, 4, BigInt(`0x${spanID}`));
    writer.structEnd();
  }
  writer.fieldI32(7, (shown["flags"] as number | undefined) ?? 0);
  writeI64(writer, 8, BigInt(shown["startTime"] as number));
  writeI64(writer, 9, BigInt(shown["duration"] as number));
  writeTags(writer, 10, (shown["tags"] as string[]).map(parseTag));
  const logs = shown["logs"] as ShownLog[];
  writer.fieldList(11, ThriftType.struct, logs.length);
  for (const { timestamp, fields } of logs) {
    writer.structBegin();
    writeI64(writer, 1, BigInt(timestamp));
    writeTags(writer, 2, fields);
    writer.structEnd();
  }
  writer.structEnd();
}

function writeTags(writer: ThriftWriter, field: number, tags: readonly ShownTag[]): void {
  writer.fieldList(field, ThriftType.struct, tags.length);
  for (const { key, type, value } of tags) {
    writer.structBegin();
    writer.fieldString(1, key);
    writer.fieldI32(2, TAG_TYPES.indexOf(type));
    if (type === "string") writer.fieldString(3, value as string);
    else if (type === "float64")
      writer.fieldDouble(4, DOUBLES[value as string] ?? (value as number));
    else if (type === "bool") writer.fieldBool(5, value as boolean);
    else if (type === "int64") writeI64(writer, 6, BigInt(value));
    else writer.fieldBytes(7, Uint8Array.from(Buffer.from(value as string, "base64")));
    writer.structEnd();
  }
}

function writeI64(writer: ThriftWriter, field: number, value: bigint): void {
  writer.fieldI64(field, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
}
