/** Zipkin's Thrift spans, from HTTP bodies and the agent's UDP packets. */

import { utf8 } from "../base/bytes.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { THRIFT, ThriftScanner } from "./thrift-scanner.ts";
import type { ThriftProtocol } from "./thrift-scanner.ts";
import { ZipkinRows } from "./zipkin-rows.ts";
import type { ZipkinDecodeOptions, ZipkinEndpoint } from "./zipkin-rows.ts";
import { addZipkinV1, binaryValue } from "./zipkin-v1-rows.ts";
import type { ZipkinAnnotation, ZipkinBinaryAnnotation, ZipkinV1Span } from "./zipkin-v1-rows.ts";

const CALL = 1;
const ONEWAY = 4;
const NO_BYTES = new Uint8Array(0);

/**
 * Decodes a list of zipkincore.Span, the body of a request. The builder is reset first. Spans
 * without ids are left out and counted. Throws SpoorError `malformed` for what is no such list,
 * `too-large` beyond `requestSpans`.
 */
export function decodeZipkinThrift(
  bytes: Uint8Array,
  protocol: ThriftProtocol,
  { builder, limits = LIMITS, debug = false }: ZipkinDecodeOptions,
): OtlpDecoded {
  const scanner = new ZipkinScanner(bytes, protocol, builder, limits);
  scanner.rows.debug = debug;
  scanner.spans();
  return scanner.rows.decoded();
}

/** Reads Zipkin's spans, of one message or of several into the same builder, reset first. */
export class ZipkinScanner extends ThriftScanner {
  readonly rows: ZipkinRows;

  constructor(
    bytes: Uint8Array,
    protocol: ThriftProtocol,
    builder: BatchBuilder,
    limits: DecodeLimits,
  ) {
    super(bytes, protocol, builder, limits);
    this.rows = new ZipkinRows(builder, limits);
  }

  /** Reads the agent's message `emitZipkinBatch`. */
  emitZipkinBatch(): void {
    const { name, kind } = this.message();
    if (name !== "emitZipkinBatch" || (kind !== ONEWAY && kind !== CALL)) {
      const what = `message ${JSON.stringify(name)} of kind ${kind}`;
      throw this.malformed(`${what} is no emitZipkinBatch`);
    }
    let found = false;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.LIST)) {
        found = true;
        this.spans();
      } else this.skip();
    }
    if (!found) throw this.malformed("emitZipkinBatch without spans");
  }

  spans(): void {
    for (let left = this.structs(); left > 0; left--) addZipkinV1(this.rows, this.#span());
  }

  #span(): ZipkinV1Span {
    const low = new Uint8Array(16);
    let id = NO_BYTES;
    let parentId: Uint8Array | undefined;
    let name = NO_BYTES;
    let debug = false;
    let timestampUs = 0n;
    let hasTimestamp = false;
    let durationUs = 0n;
    let hasDuration = false;
    const annotations: ZipkinAnnotation[] = [];
    const binaryAnnotations: ZipkinBinaryAnnotation[] = [];
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (this.type === THRIFT.I64) {
        this.i64();
        if (field === 1) low.set(this.#bytes(), 8);
        else if (field === 12) low.set(this.#bytes());
        else if (field === 4) id = this.#bytes();
        else if (field === 5) parentId = this.#bytes();
        else if (field === 10) {
          timestampUs = this.#big();
          hasTimestamp = true;
        } else if (field === 11) {
          durationUs = this.#big();
          hasDuration = true;
        }
      } else if (field === 3 && this.is(THRIFT.STRING)) name = this.#slice();
      else if (field === 6 && this.is(THRIFT.LIST)) {
        for (let left = this.structs(); left > 0; left--) annotations.push(this.#annotation());
      } else if (field === 8 && this.is(THRIFT.LIST)) {
        for (let left = this.structs(); left > 0; left--) binaryAnnotations.push(this.#binary());
      } else if (field === 9 && this.is(THRIFT.BOOL)) debug = this.bool();
      else this.skip();
    }
    return {
      traceId: low,
      id,
      parentId,
      name,
      debug,
      timestampUs,
      hasTimestamp,
      durationUs,
      hasDuration,
      annotations,
      binaryAnnotations,
    };
  }

  #annotation(): ZipkinAnnotation {
    let us = 0n;
    let value = NO_BYTES;
    let host: ZipkinEndpoint | undefined;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.I64)) {
        this.i64();
        us = this.#big();
      } else if (field === 2 && this.is(THRIFT.STRING)) value = this.#slice();
      else if (field === 3 && this.is(THRIFT.STRUCT)) host = this.#endpoint();
      else this.skip();
    }
    return { us, value, host };
  }

  #binary(): ZipkinBinaryAnnotation {
    let key = "";
    let value = NO_BYTES;
    let type = 0;
    let host: ZipkinEndpoint | undefined;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.STRING)) key = this.#text();
      else if (field === 2 && this.is(THRIFT.STRING)) value = this.#slice();
      else if (field === 3 && this.is(THRIFT.I32)) type = this.i32();
      else if (field === 4 && this.is(THRIFT.STRUCT)) host = this.#endpoint();
      else this.skip();
    }
    return { key, value: binaryValue(type, value), host };
  }

  #endpoint(): ZipkinEndpoint {
    let serviceName = "";
    let ipv4: Uint8Array | undefined;
    let ipv6: Uint8Array | undefined;
    let port = 0;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.I32)) {
        const address = this.i32();
        if (address !== 0) ipv4 = Uint8Array.from([24, 16, 8, 0], (shift) => address >>> shift);
      } else if (field === 2 && this.is(THRIFT.I16)) port = this.i16() & 0xffff;
      else if (field === 3 && this.is(THRIFT.STRING)) serviceName = this.#text();
      else if (field === 4 && this.is(THRIFT.STRING)) {
        const address = this.#slice();
        if (address.length === 16) ipv6 = address;
      } else this.skip();
    }
    return { serviceName, ipv4, ipv6, port };
  }

  /** A copy of the i64 read last, highest byte first. */
  #bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, this.high);
    view.setInt32(4, this.low);
    return bytes;
  }

  #big(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  #slice(): Uint8Array<ArrayBuffer> {
    this.string();
    return this.bytes.slice(this.start, this.stop);
  }

  #text(): string {
    return utf8(this.#slice());
  }
}
