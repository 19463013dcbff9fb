/** Zipkin's protobuf spans, of its second model. */

import { utf8 } from "../base/bytes.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { ProtobufScanner } from "./protobuf-scanner.ts";
import { ZIPKIN_KINDS, ZipkinRows } from "./zipkin-rows.ts";
import type { ZipkinDecodeOptions, ZipkinEndpoint, ZipkinV2Span } from "./zipkin-rows.ts";

const NO_BYTES = new Uint8Array(0);
/** Zipkin's kinds by their numbers in protobuf. */
const { CLIENT, SERVER, PRODUCER, CONSUMER } = ZIPKIN_KINDS;
const KINDS = [0, CLIENT, SERVER, PRODUCER, CONSUMER];

/** A span while its fields come in. */
type Draft = { -readonly [name in keyof ZipkinV2Span]: ZipkinV2Span[name] } & {
  annotations: { us: bigint; value: Uint8Array }[];
  tags: [string, Uint8Array][];
};

/**
 * Decodes a message ListOfSpans. The builder is reset first. Spans without ids are left out and
 * counted. Throws SpoorError `malformed` for what is no such message, `too-large` beyond
 * `requestSpans`.
 */
export function decodeZipkinProto(
  bytes: Uint8Array,
  { builder, limits = LIMITS, debug = false }: ZipkinDecodeOptions,
): OtlpDecoded {
  const scanner = new ZipkinProtoScanner(bytes, builder, limits);
  scanner.rows.debug = debug;
  scanner.spans();
  return scanner.rows.decoded();
}

class ZipkinProtoScanner extends ProtobufScanner {
  readonly rows: ZipkinRows;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits) {
    super(bytes, builder, limits, "Zipkin protobuf");
    this.rows = new ZipkinRows(builder, limits);
  }

  spans(): void {
    this.#fields(0, this.bytes.length, (tag, start, stop) => {
      if (tag === 0x0a) this.rows.addV2(this.#span(start, stop));
    });
  }

  /** Calls `take` with each field's tag, and where a length-delimited one lies. */
  #fields(
    from: number,
    end: number,
    take: (tag: number, start: number, stop: number) => void,
  ): void {
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      const next = this.skip(tag, at, end);
      take(tag, (tag & 7) === 2 ? this.at : at, next);
      at = next;
    }
  }

  #span(from: number, end: number): ZipkinV2Span {
    const span: Draft = {
      traceId: NO_BYTES,
      id: NO_BYTES,
      parentId: undefined,
      name: NO_BYTES,
      timestampUs: 0n,
      durationUs: 0n,
      debug: false,
      kind: 0,
      local: undefined,
      remote: undefined,
      annotations: [],
      tags: [],
    };
    this.#fields(from, end, (tag, start, stop) => this.#spanField(span, tag, start, stop));
    return span;
  }

  #spanField(span: Draft, tag: number, start: number, stop: number): void {
    const slice = (): Uint8Array => this.bytes.slice(start, stop);
    if (tag === 0x0a) span.traceId = slice();
    else if (tag === 0x12) span.parentId = start === stop ? undefined : slice();
    else if (tag === 0x1a) span.id = slice();
    else if (tag === 0x20) span.kind = KINDS[this.varint64(start)] ?? 0;
    else if (tag === 0x2a) span.name = slice();
    else if (tag === 0x31) span.timestampUs = this.view.getBigUint64(start, true);
    else if (tag === 0x38) {
      const low = this.varint64(start);
      span.durationUs = (BigInt(this.high >>> 0) << 32n) | BigInt(low >>> 0);
    } else if (tag === 0x42) span.local = this.#endpoint(start, stop);
    else if (tag === 0x4a) span.remote = this.#endpoint(start, stop);
    else if (tag === 0x52) span.annotations.push(this.#annotation(start, stop));
    else if (tag === 0x5a) span.tags.push(this.#tag(start, stop));
    else if (tag === 0x60) span.debug = this.varint64(start) !== 0;
  }

  #endpoint(from: number, end: number): ZipkinEndpoint {
    let serviceName = "";
    let ipv4: Uint8Array | undefined;
    let ipv6: Uint8Array | undefined;
    let port = 0;
    this.#fields(from, end, (tag, start, stop) => {
      if (tag === 0x0a) serviceName = utf8(this.bytes.subarray(start, stop));
      else if (tag === 0x12 && stop - start === 4) ipv4 = this.bytes.slice(start, stop);
      else if (tag === 0x1a && stop - start === 16) ipv6 = this.bytes.slice(start, stop);
      else if (tag === 0x20) port = this.varint64(start) & 0xffff;
    });
    return { serviceName, ipv4, ipv6, port };
  }

  #annotation(from: number, end: number): { us: bigint; value: Uint8Array } {
    let us = 0n;
    let value: Uint8Array = NO_BYTES;
    this.#fields(from, end, (tag, start, stop) => {
      if (tag === 0x09) us = this.view.getBigUint64(start, true);
      else if (tag === 0x12) value = this.bytes.slice(start, stop);
    });
    return { us, value };
  }

  #tag(from: number, end: number): [string, Uint8Array] {
    let key = "";
    let value: Uint8Array = NO_BYTES;
    this.#fields(from, end, (tag, start, stop) => {
      if (tag === 0x0a) key = utf8(this.bytes.subarray(start, stop));
      else if (tag === 0x12) value = this.bytes.slice(start, stop);
    });
    return [key, value];
  }
}
