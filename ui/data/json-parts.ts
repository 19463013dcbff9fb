/** Cuts JSON of traces that is too long for one string into documents that are not. */

import { utf8, utf8Bytes } from "../../src/base/bytes.ts";
import { SpoorError } from "../../src/core/errors.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A stretch of the bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Jaeger's JSON (envelope, list or one trace) as documents of one trace each, with the processes
 * and at most about `mostBytes` of its spans. Throws `malformed` where the structure is broken.
 */
export function* jaegerParts(bytes: Uint8Array, mostBytes: number): Generator<Uint8Array> {
  const scanner = new JsonScanner(bytes);
  if (scanner.peek() === OPEN_LIST) {
    for (const _ of scanner.list()) yield* traceParts(scanner, mostBytes);
    return;
  }
  const start = scanner.at;
  let enveloped = false;
  for (const key of scanner.object()) {
    if (key !== "data") scanner.skip();
    else {
      enveloped = true;
      for (const _ of scanner.list()) yield* traceParts(scanner, mostBytes);
    }
  }
  if (enveloped) return;
  scanner.at = start;
  yield* traceParts(scanner, mostBytes);
}

/** OTLP JSON as documents with some of its `resourceSpans` each. */
export function* otlpParts(bytes: Uint8Array, mostBytes: number): Generator<Uint8Array> {
  const scanner = new JsonScanner(bytes);
  for (const key of scanner.object()) {
    if (key !== "resourceSpans" && key !== "resource_spans") scanner.skip();
    else {
      for (const range of groups(scanner, mostBytes)) {
        yield joined(['{"resourceSpans":[', bytes.subarray(range.start, range.end), "]}"]);
      }
    }
  }
}

function* traceParts(scanner: JsonScanner, mostBytes: number): Generator<Uint8Array> {
  const { bytes } = scanner;
  const spans: Range[] = [];
  let processes: Range | undefined;
  for (const key of scanner.object()) {
    if (key === "spans" && scanner.peek() === OPEN_LIST) spans.push(...groups(scanner, mostBytes));
    else {
      scanner.peek();
      const start = scanner.at;
      scanner.skip();
      if (key === "processes") processes = { start, end: scanner.at };
    }
  }
  const texts =
    processes === undefined ? utf8Bytes("{}") : bytes.subarray(processes.start, processes.end);
  for (const { start, end } of spans) {
    yield joined(['{"spans":[', bytes.subarray(start, end), '],"processes":', texts, "}"]);
  }
}

/** The elements of the list at the scanner in groups of about `mostBytes`, commas within. */
function* groups(scanner: JsonScanner, mostBytes: number): Generator<Range> {
  let start = -1;
  let end = -1;
  for (const _ of scanner.list()) {
    scanner.peek();
    const from = scanner.at;
    scanner.skip();
    if (start !== -1 && scanner.at - start > mostBytes) {
      yield { start, end };
      start = -1;
    }
    if (start === -1) start = from;
    end = scanner.at;
  }
  if (start !== -1) yield { start, end };
}

function joined(pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const parts = pieces.map((piece) => (typeof piece === "string" ? utf8Bytes(piece) : piece));
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Walks over JSON bytes; knows where values end, not whether they are right. */
class JsonScanner {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The first byte of what comes next, blanks skipped. */
  peek(): number {
    const { bytes } = this;
    for (; this.at < bytes.length; this.at++) {
      const byte = bytes[this.at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
    throw malformed();
  }

  /** Stops at each element of a list; who iterates moves over it. */
  *list(): Generator<void> {
    this.#expect(OPEN_LIST);
    if (this.peek() === CLOSE_LIST) {
      this.at++;
      return;
    }
    for (;;) {
      yield;
      if (this.#separator(CLOSE_LIST)) return;
    }
  }

  /** Stops at the value of each member of an object, telling its key. */
  *object(): Generator<string> {
    this.#expect(OPEN_OBJECT);
    if (this.peek() === CLOSE_OBJECT) {
      this.at++;
      return;
    }
    for (;;) {
      if (this.peek() !== QUOTE) throw malformed();
      const start = this.at;
      this.#string();
      const key = utf8(this.bytes.subarray(start + 1, this.at - 1));
      this.#expect(COLON);
      yield key;
      if (this.#separator(CLOSE_OBJECT)) return;
    }
  }

  /** Moves over a value of any kind. */
  skip(): void {
    const { bytes } = this;
    const first = this.peek();
    if (first === QUOTE) {
      this.#string();
      return;
    }
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
      while (this.at < bytes.length && !isEnd(bytes[this.at]!)) this.at++;
      return;
    }
    let depth = 0;
    while (this.at < bytes.length) {
      const byte = bytes[this.at]!;
      if (byte === QUOTE) {
        this.#string();
        continue;
      }
      this.at++;
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        depth--;
        if (depth === 0) return;
      }
    }
    throw malformed();
  }

  #separator(close: number): boolean {
    const byte = this.peek();
    this.at++;
    if (byte === close) return true;
    if (byte !== COMMA) throw malformed();
    return false;
  }

  #expect(byte: number): void {
    if (this.peek() !== byte) throw malformed();
    this.at++;
  }

  #string(): void {
    const { bytes } = this;
    for (let at = this.at + 1; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) {
        this.at = at + 1;
        return;
      }
    }
    throw malformed();
  }
}

function isEnd(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT || byte <= 0x20;
}

function malformed(): SpoorError {
  return new SpoorError("malformed", "the JSON is broken or cut short");
}
