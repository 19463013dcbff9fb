// Reads Jaeger's Thrift batches with Apache's own `thrift` package, for tests of the client.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

interface Protocol {
  readMessageBegin(): { fname: string; mtype: number };
  readStructBegin(): unknown;
  readFieldBegin(): { ftype: number; fid: number };
  readListBegin(): { etype: number; size: number };
  readBool(): boolean;
  readByte(): number;
  readI16(): number;
  readI32(): number;
  readI64(): { toOctetString(): string } | bigint;
  readDouble(): number;
  readBinary(): Buffer;
}

interface ThriftPackage {
  TFramedTransport: new (bytes: Buffer) => { readPos: number };
  TBinaryProtocol: new (transport: unknown) => Protocol;
  TCompactProtocol: new (transport: unknown) => Protocol;
}

const thrift = require("thrift") as ThriftPackage;

/** A struct by field number; strings are still bytes. */
type Struct = Map<number, unknown>;

function readI64(protocol: Protocol): bigint {
  const value = protocol.readI64();
  if (typeof value === "bigint") return value;
  return BigInt.asIntN(64, BigInt(`0x${value.toOctetString()}`));
}

function readValue(protocol: Protocol, type: number): unknown {
  switch (type) {
    case 2:
      return protocol.readBool();
    case 3:
      return protocol.readByte();
    case 4:
      return protocol.readDouble();
    case 6:
      return protocol.readI16();
    case 8:
      return protocol.readI32();
    case 10:
      return readI64(protocol);
    case 11:
      return protocol.readBinary();
    case 12:
      return readStruct(protocol);
    case 15: {
      const { etype, size } = protocol.readListBegin();
      return Array.from({ length: size }, () => readValue(protocol, etype));
    }
    default:
      throw new Error(`unexpected Thrift type ${type}`);
  }
}

function readStruct(protocol: Protocol): Struct {
  const struct: Struct = new Map();
  protocol.readStructBegin();
  for (;;) {
    const { ftype, fid } = protocol.readFieldBegin();
    if (ftype === 0) break;
    struct.set(fid, readValue(protocol, ftype));
    (protocol as unknown as { readFieldEnd(): void }).readFieldEnd();
  }
  (protocol as unknown as { readStructEnd(): void }).readStructEnd();
  return struct;
}

export interface ReadSpan {
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  references: { type: number; traceId: string; spanId: string }[];
  flags: number;
  startUs: bigint;
  durationUs: bigint;
  tags: [string, string, unknown][];
  logs: { timestampUs: bigint; fields: [string, string, unknown][] }[];
}

export interface ReadBatch {
  service: string;
  processTags: [string, string, unknown][];
  spans: ReadSpan[];
  sequence: bigint;
  stats: bigint[];
}

function hex(value: unknown): string {
  return BigInt.asUintN(64, value as bigint)
    .toString(16)
    .padStart(16, "0");
}

function text(value: unknown): string {
  return (value as Buffer).toString("utf8");
}

/** [key, type, value] with the value of the field that the type names. */
function readTag(tag: Struct): [string, string, unknown] {
  const key = text(tag.get(1));
  switch (tag.get(2)) {
    case 0:
      return [key, "string", text(tag.get(3))];
    case 1:
      return [key, "double", tag.get(4)];
    case 2:
      return [key, "bool", tag.get(5)];
    case 3:
      return [key, "long", tag.get(6)];
    case 4:
      return [key, "binary", (tag.get(7) as Buffer).toString("hex")];
    default:
      throw new Error("unknown tag type");
  }
}

const list = (value: unknown): Struct[] => (value ?? []) as Struct[];

function readSpan(span: Struct): ReadSpan {
  return {
    traceId: hex(span.get(2)) + hex(span.get(1)),
    spanId: hex(span.get(3)),
    parentId: hex(span.get(4)),
    name: text(span.get(5)),
    references: list(span.get(6)).map((each) => ({
      type: each.get(1) as number,
      traceId: hex(each.get(3)) + hex(each.get(2)),
      spanId: hex(each.get(4)),
    })),
    flags: span.get(7) as number,
    startUs: span.get(8) as bigint,
    durationUs: span.get(9) as bigint,
    tags: list(span.get(10)).map(readTag),
    logs: list(span.get(11)).map((log) => ({
      timestampUs: log.get(1) as bigint,
      fields: list(log.get(2)).map(readTag),
    })),
  };
}

function readBatch(batch: Struct): ReadBatch {
  const process = batch.get(1) as Struct;
  const stats = batch.get(4) as Struct | undefined;
  return {
    service: text(process.get(1)),
    processTags: list(process.get(2)).map(readTag),
    spans: list(batch.get(2)).map(readSpan),
    sequence: (batch.get(3) ?? 0n) as bigint,
    stats: stats === undefined ? [] : [1, 2, 3].map((field) => stats.get(field) as bigint),
  };
}

/** The batch of one `emitBatch` packet. Throws when a byte is left over. */
export function readPacket(packet: Buffer, kind: "binary" | "compact"): ReadBatch {
  const transport = new thrift.TFramedTransport(packet);
  const Protocol = kind === "binary" ? thrift.TBinaryProtocol : thrift.TCompactProtocol;
  const protocol = new Protocol(transport);
  const { fname, mtype } = protocol.readMessageBegin();
  if (fname !== "emitBatch" || mtype !== 4) throw new Error(`message ${fname} of type ${mtype}`);
  const batch = readBatch(readStruct(protocol).get(1) as Struct);
  if (transport.readPos !== packet.length) throw new Error("bytes after the message");
  return batch;
}

/** The batch of an HTTP body. Throws when a byte is left over. */
export function readBody(body: Buffer): ReadBatch {
  const transport = new thrift.TFramedTransport(body);
  const batch = readBatch(readStruct(new thrift.TBinaryProtocol(transport)));
  if (transport.readPos !== body.length) throw new Error("bytes after the batch");
  return batch;
}
