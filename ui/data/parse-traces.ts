/** Bytes of a file, whatever its format, into span batches. Runs in the worker. */

import { utf8 } from "../../src/base/bytes.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import { isSpoorError, SpoorError } from "../../src/core/errors.ts";
import { selectRows } from "../../src/core/trace/select.ts";
import { rowsOf } from "../../src/core/trace/summary.ts";
import { decodeJaegerJson, isJaegerJson } from "../../src/wire/jaeger-json-decode.ts";
import { decodeOtlpJson } from "../../src/wire/otlp-json-decode.ts";
import { decodeOtlpProto } from "../../src/wire/otlp-proto-decode.ts";
import { decodeZipkinV1Json, decodeZipkinV2Json } from "../../src/wire/zipkin-json-decode.ts";
import { jaegerParts, otlpParts } from "./json-parts.ts";
import { FILE_DECODE_LIMITS, UPLOAD_LIMITS } from "./upload-limits.ts";

/** What was in a file. */
export interface ParsedTraces {
  readonly batches: readonly SpanBatch[];
  /** What was left out, in words for a person. */
  readonly problems: readonly string[];
}

/** How JSON of another length is cut; tests cut small files. */
export interface ParseOptions {
  /** Default UPLOAD_LIMITS.jsonBytes and partBytes. */
  readonly jsonBytes?: number;
  readonly partBytes?: number;
}

const LINE_END = 0x0a;
const HEAD_BYTES = 4096;
/** The first byte of an OTLP message: field 1, a message. */
const PROTO_START = 0x0a;

/**
 * The spans of a file in any format the page reads, told by its content. Throws `malformed` with
 * what was expected, or `too-large` with the limit.
 */
export function parseTraces(file: Uint8Array, options: ParseOptions = {}): ParsedTraces {
  if (file.length > UPLOAD_LIMITS.fileBytes) throw tooLarge("file", UPLOAD_LIMITS.fileBytes);
  const bytes = file[0] === 0xef && file[1] === 0xbb ? file.subarray(3) : file;
  const parser = new Parser(options);
  const first = firstByte(bytes);
  const json = first === 0x7b || first === 0x5b;
  if (!json) parser.proto(bytes);
  else if (bytes[0] !== PROTO_START) parser.json(bytes);
  // A message may happen to look like a line end and a brace.
  else {
    try {
      parser.json(bytes);
    } catch (error) {
      if (!isSpoorError(error, "malformed")) throw error;
      parser.proto(bytes);
    }
  }
  return { batches: parser.batches, problems: parser.problems };
}

class Parser {
  batches: SpanBatch[] = [];
  readonly problems: string[] = [];
  readonly #builder = new BatchBuilder();
  readonly #jsonBytes: number;
  readonly #partBytes: number;
  #spans = 0;

  constructor(options: ParseOptions) {
    this.#jsonBytes = options.jsonBytes ?? UPLOAD_LIMITS.jsonBytes;
    this.#partBytes = options.partBytes ?? UPLOAD_LIMITS.partBytes;
  }

  proto(bytes: Uint8Array): void {
    try {
      for (const message of framedMessages(bytes) ?? [bytes]) {
        this.#add(decodeOtlpProto(message, this.#builder, FILE_DECODE_LIMITS));
      }
    } catch (cause) {
      if (!isSpoorError(cause, "malformed")) throw cause;
      throw unknownFormat(cause);
    }
  }

  json(bytes: Uint8Array): void {
    const lines = jsonLines(bytes);
    if (lines === undefined) this.#document(bytes);
    else for (const line of lines) this.#document(line);
  }

  #document(bytes: Uint8Array): void {
    const head = utf8(bytes.subarray(0, HEAD_BYTES));
    if (/"resource_?[sS]pans"/.test(head)) this.#otlp(bytes);
    else if (isJaegerJson(bytes)) this.#jaeger(bytes);
    else if (/^\s*\[\s*\{[^]*"traceId"/.test(head)) this.#zipkin(bytes, head);
    else if (/"(data|traceID|spans|processes)"/.test(head)) this.#jaeger(bytes);
    else if (/^\s*\[\s*\]\s*$/.test(head)) return;
    else throw unknownFormat();
  }

  #otlp(bytes: Uint8Array): void {
    for (const part of this.#parts(bytes, otlpParts)) {
      this.#add(decodeOtlpJson(part, this.#builder, FILE_DECODE_LIMITS));
    }
  }

  #jaeger(bytes: Uint8Array): void {
    for (const part of this.#parts(bytes, jaegerParts)) {
      const batch = decodeJaegerJson(part, this.#builder, UPLOAD_LIMITS.spans);
      this.#add({ batch, message: "" });
    }
  }

  #zipkin(bytes: Uint8Array, head: string): void {
    if (bytes.length > this.#jsonBytes) throw tooLarge("Zipkin JSON", this.#jsonBytes);
    // The first model tells where a span ran in its annotations only.
    const isFirst = /"binaryAnnotations"\s*:|"endpoint"\s*:\s*\{/.test(head);
    const decode = isFirst ? decodeZipkinV1Json : decodeZipkinV2Json;
    this.#add(decode(bytes, { builder: this.#builder, limits: FILE_DECODE_LIMITS }));
  }

  *#parts(
    bytes: Uint8Array,
    split: (bytes: Uint8Array, mostBytes: number) => Iterable<Uint8Array>,
  ): Generator<Uint8Array> {
    if (bytes.length <= this.#jsonBytes) {
      yield bytes;
      return;
    }
    for (const part of split(bytes, this.#partBytes)) {
      if (part.length > UPLOAD_LIMITS.jsonBytes) {
        throw tooLarge("one resource's spans", UPLOAD_LIMITS.jsonBytes);
      }
      yield part;
    }
  }

  #add({ batch, message }: { readonly batch: SpanBatch; readonly message: string }): void {
    if (message !== "" && !this.problems.includes(message)) this.problems.push(message);
    this.#spans += batch.spanCount;
    if (this.#spans > UPLOAD_LIMITS.spans) {
      throw new SpoorError("too-large", `more than ${UPLOAD_LIMITS.spans} spans in one file`);
    }
    if (batch.spanCount === 0) return;
    this.batches.push(batch);
    if (this.batches.length < UPLOAD_LIMITS.batches) return;
    this.batches = [selectRows(rowsOf(this.batches))];
  }
}

function firstByte(bytes: Uint8Array): number {
  return bytes.find((byte) => byte > 0x20) ?? 0;
}

/** The lines of JSONL: a document on the first line and more after it; else undefined. */
function jsonLines(bytes: Uint8Array): Uint8Array[] | undefined {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(LINE_END, at);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(at, end);
    at = end + 1;
    if (firstByte(line) === 0) continue;
    if (lines.length === 0 && !endsWithBrace(line)) return undefined;
    lines.push(line);
  }
  return lines.length > 1 ? lines : undefined;
}

/** Whether a line may be a whole object: indented JSON's first line is `{` or ends in a comma. */
function endsWithBrace(line: Uint8Array): boolean {
  let end = line.length - 1;
  while (end > 0 && line[end]! <= 0x20) end--;
  return end > 1 && line[end] === 0x7d && firstByte(line) === 0x7b;
}

/** Messages behind 4 bytes of length each, as the collector's file exporter writes them. */
function framedMessages(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 5 > bytes.length || bytes[at + 4] !== PROTO_START) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    messages.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return messages;
}

function unknownFormat(cause?: unknown): SpoorError {
  const known = "Jaeger, OTLP or Zipkin JSON, JSONL or OTLP protobuf is expected";
  return new SpoorError("malformed", `not a trace file: ${known}`, { cause });
}

function tooLarge(what: string, mostBytes: number): SpoorError {
  const mebibytes = Math.floor(mostBytes / 2 ** 20);
  return new SpoorError("too-large", `${what} over ${mebibytes} MiB: split it into several files`);
}
