/** Thrift structs written by the npm package `thrift`, which owes nothing to our own writers. */

import { Int64, TBinaryProtocol, TBufferedTransport, TCompactProtocol, Thrift } from "thrift";
import type { TProtocol } from "thrift";

const { BOOL, DOUBLE, I16, I32, I64, LIST, STRING, STRUCT } = Thrift.Type;
const ONEWAY = 4;

/** A value with its type, made by the functions below. */
interface ThriftValue {
  readonly type: Thrift.Type;
  readonly write: (out: TProtocol) => void;
}

export const thriftBool = (value: boolean): ThriftValue => ({
  type: BOOL,
  write: (out) => out.writeBool(value),
});
export const thriftDouble = (value: number): ThriftValue => ({
  type: DOUBLE,
  write: (out) => out.writeDouble(value),
});
export const thriftI16 = (value: number): ThriftValue => ({
  type: I16,
  write: (out) => out.writeI16(value),
});
export const thriftI32 = (value: number): ThriftValue => ({
  type: I32,
  write: (out) => out.writeI32(value),
});
export const thriftText = (value: string): ThriftValue => ({
  type: STRING,
  write: (out) => out.writeString(value),
});
export const thriftBytes = (value: Uint8Array): ThriftValue => ({
  type: STRING,
  write: (out) => out.writeBinary(Buffer.from(value)),
});

/** An int64, also of an id's eight bytes. */
export function thriftI64(value: bigint): ThriftValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return { type: I64, write: (out) => out.writeI64(new Int64(bytes)) };
}

/** A struct of the fields that are not undefined, by their numbers. */
export function thriftStruct(fields: {
  readonly [id: number]: ThriftValue | undefined;
}): ThriftValue {
  return {
    type: STRUCT,
    write(out) {
      out.writeStructBegin("");
      for (const [id, value] of Object.entries(fields)) {
        if (value === undefined) continue;
        out.writeFieldBegin("", value.type, Number(id));
        value.write(out);
        out.writeFieldEnd();
      }
      out.writeFieldStop();
      out.writeStructEnd();
    },
  };
}

export function thriftList(items: readonly ThriftValue[]): ThriftValue {
  return {
    type: LIST,
    write(out) {
      out.writeListBegin(items[0]?.type ?? STRUCT, items.length);
      for (const item of items) item.write(out);
      out.writeListEnd();
    },
  };
}

/** Bytes of a value, or of a one-way message whose arguments it is. */
export function thriftEncoded(
  value: ThriftValue,
  protocol: "binary" | "compact",
  message?: string,
): Buffer {
  let bytes = Buffer.alloc(0);
  const transport = new TBufferedTransport(undefined, (written) => {
    bytes = Buffer.from(written ?? []);
  });
  const out =
    protocol === "binary" ? new TBinaryProtocol(transport) : new TCompactProtocol(transport);
  if (message !== undefined) out.writeMessageBegin(message, ONEWAY, 0);
  value.write(out);
  if (message !== undefined) out.writeMessageEnd();
  out.flush();
  return bytes;
}
