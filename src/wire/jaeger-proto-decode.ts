/** Jaeger's gRPC requests PostSpans into span batches. Bench: bench/jaeger-decode.ts. */

import { equalBytes } from "../base/bytes.ts";
import { hash32 } from "../base/hash.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import { isDuration, isTimestamp, totalNs } from "./go-time.ts";
import { JaegerRows } from "./jaeger-rows.ts";
import type { JaegerDecodeOptions } from "./jaeger-thrift-decode.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { addWarnings } from "./otlp-warnings.ts";
import { ProtobufScanner } from "./protobuf-scanner.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Attribute types by ValueType: string, bool, int64, float64, binary. */
const { STRING, BOOL, INT, DOUBLE, BYTES } = ATTRIBUTE_TYPE;
const VALUE_TYPES = Uint8Array.of(STRING, BOOL, INT, DOUBLE, BYTES);
/** Different processes of one hash that are told apart. */
const MOST_SAME_HASH = 8;

/**
 * Decodes api_v2's PostSpansRequest. The builder is reset first. Spans without ids are left out
 * and counted. Throws SpoorError `malformed` for what is no such message, `too-large` beyond
 * `requestSpans`.
 */
export function decodeJaegerPostSpans(
  bytes: Uint8Array,
  { builder, limits = LIMITS }: JaegerDecodeOptions,
): OtlpDecoded {
  const scanner = new PostSpansScanner(bytes, builder, limits);
  builder.reset();
  scanner.request();
  const { badTraceIds, badSpanIds, truncated } = scanner.rows;
  return otlpDecoded(builder.finish(), badTraceIds, badSpanIds, truncated);
}

/** A process that a span had of its own, by where its bytes lie. */
interface OwnProcess {
  readonly start: number;
  readonly end: number;
  readonly resource: number;
  readonly warnings: number;
}

/** Reads one request; every method takes where its message lies. */
class PostSpansScanner extends ProtobufScanner {
  readonly rows: JaegerRows;
  /** The batch's process: its row, -1 when it has none, and WARNING bits of it. */
  #resource = -1;
  #resourceWarnings = 0;
  readonly #processes = new Map<number, OwnProcess[]>();
  #last: OwnProcess | undefined;
  /** Seconds and nanoseconds read last. */
  #seconds = 0;
  #nanos = 0;
  /** Of the open span. */
  #processStart = -1;
  #processEnd = 0;
  #startSeconds = 0;
  #startNanos = 0;
  #durationSeconds = 0;
  #durationNanos = 0;
  /** Words of the ids of the reference being read. */
  readonly #referenceIds = new Int32Array(6);
  /** Texts of the open span's warnings as the elements of an ArrayValue, when it has any. */
  #ownWarnings: ProtobufWriter | undefined;
  /** The tag read last: its key in the builder and its value. */
  #key = 0;
  #value = 0;
  /** Fields of the tag being read: where texts and bytes lie, and the words of numbers. */
  #keyStart = 0;
  #keyEnd = 0;
  #textStart = 0;
  #textEnd = 0;
  #bytesStart = 0;
  #bytesEnd = 0;
  #longLow = 0;
  #longHigh = 0;
  #doubleLow = 0;
  #doubleHigh = 0;
  #truth = 0;

  constructor(bytes: Uint8Array, builder: BatchBuilder, limits: DecodeLimits) {
    super(bytes, builder, limits, "Jaeger protobuf");
    this.rows = new JaegerRows(builder, limits);
  }

  request(): void {
    const end = this.bytes.length;
    let at = 0;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        this.#batch(this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
  }

  /** The process comes after the spans that it belongs to, so it is read first. */
  #batch(from: number, end: number): void {
    this.#resource = -1;
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x12) {
        const stop = this.stop(at, end);
        if (this.#resource === -1) this.#resource = this.rows.openProcess();
        this.#process(this.#resource, this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
    this.#resourceWarnings = this.rows.processWarnings;
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        this.#span(this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
  }

  #process(resource: number, from: number, end: number): void {
    const rows = this.rows;
    let name = 0;
    this.warnings = 0;
    this.startOwner();
    // First the name, as in what comes by Thrift: in another order it is another process.
    for (const wanted of [0x0a, 0x12]) {
      for (let at = from; at < end;) {
        const tag = this.varint(at);
        at = this.at;
        if (tag === wanted) {
          const stop = this.stop(at, end);
          if (tag === 0x0a) name = this.name(this.at, stop);
          else {
            this.#tag(this.at, stop);
            rows.processTag(resource, this.#key, this.#value);
          }
          at = stop;
        } else at = this.skip(tag, at, end);
      }
      if (wanted === 0x0a) rows.serviceName(name);
    }
    rows.processWarnings |= this.warnings;
  }

  #span(from: number, end: number): void {
    const { rows, builder } = this;
    const row = rows.openSpan(0);
    this.warnings = 0;
    this.#processStart = -1;
    this.#startSeconds = 0;
    this.#startNanos = 0;
    this.#durationSeconds = 0;
    this.#durationNanos = 0;
    this.#ownWarnings = undefined;
    this.startOwner();
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if ((tag & 7) === 2) {
        const stop = this.stop(at, end);
        this.#spanBytes(tag, this.at, stop, row);
        at = stop;
      } else if (tag === 0x28) {
        const flags = this.varint64(at);
        builder.flags[row] = (flags & JAEGER_FLAGS.MASK) << JAEGER_FLAGS.SHIFT;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    this.#times(row);
    const warnings = this.warnings;
    builder.resourceRow[row] = this.#resourceOfSpan();
    const cut = rows.closeSpan();
    if (cut !== -1) this.#addWarnings(warnings | cut);
  }

  #spanBytes(tag: number, at: number, stop: number, row: number): void {
    const builder = this.builder;
    switch (tag) {
      case 0x0a:
        this.#id(at, stop, builder.traceIdWords, row * 4, 4);
        break;
      case 0x12:
        this.#id(at, stop, builder.spanIdWords, row * 2, 2);
        break;
      case 0x1a:
        builder.nameId[row] = this.name(at, stop);
        break;
      case 0x22:
        this.#reference(at, stop);
        break;
      case 0x32:
        this.#time(at, stop, isTimestamp);
        this.#startSeconds = this.#seconds;
        this.#startNanos = this.#nanos;
        break;
      case 0x3a:
        this.#time(at, stop, isDuration);
        this.#durationSeconds = this.#seconds;
        this.#durationNanos = this.#nanos;
        break;
      case 0x42:
        this.#tag(at, stop);
        this.rows.spanTag(this.#key, this.#value);
        break;
      case 0x4a:
        this.#log(at, stop);
        this.startOwner();
        break;
      case 0x52:
        this.#processStart = at;
        this.#processEnd = stop;
        break;
      case 0x62:
        this.#warning(at, stop);
        break;
      default:
        if (tag >>> 3 === 0) throw this.malformed("a field numbered 0");
    }
  }

  /** Copies an id; Jaeger's are of one length or absent. */
  #id(at: number, stop: number, out: Int32Array, outAt: number, words: number): void {
    const length = stop - at;
    if (length !== words * 4 && length !== 0) throw this.malformed(`an id of ${length} bytes`);
    for (let i = 0; i < words; i++) {
      out[outAt + i] = length === 0 ? 0 : this.view.getInt32(at + i * 4, LITTLE_ENDIAN);
    }
  }

  #reference(from: number, end: number): void {
    const ids = this.#referenceIds;
    ids.fill(0);
    let type = 0;
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a || tag === 0x12) {
        const stop = this.stop(at, end);
        if (tag === 0x0a) this.#id(this.at, stop, ids, 0, 4);
        else this.#id(this.at, stop, ids, 4, 2);
        at = stop;
      } else if (tag === 0x18) {
        type = this.varint64(at);
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    this.rows.reference(type, ids[0]!, ids[1]!, ids[2]!, ids[3]!, ids[4]!, ids[5]!);
  }

  /** Reads a Timestamp or Duration into `#seconds` and `#nanos`. */
  #time(from: number, end: number, fits: (seconds: number, nanos: number) => boolean): void {
    let seconds = 0;
    let nanos = 0;
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x08 || tag === 0x10) {
        const low = this.varint64(at);
        if (tag === 0x08) seconds = this.high * TWO_TO_32 + (low >>> 0);
        else nanos = low;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    if (!fits(seconds, nanos)) throw this.malformed(`a time of ${seconds} s and ${nanos} ns`);
    this.#seconds = seconds;
    this.#nanos = nanos;
  }

  #times(row: number): void {
    const nanos = this.#startNanos;
    const startUs = this.#startSeconds * 1e6 + Math.floor(nanos / 1000);
    const durationNs = this.#durationSeconds * 1e9 + this.#durationNanos;
    if (Math.abs(startUs) < TWO_TO_53 && Math.abs(durationNs) < TWO_TO_53) {
      this.builder.startUs[row] = startUs;
      this.builder.startNs[row] = nanos % 1000;
      this.builder.durationNs[row] = durationNs;
      return;
    }
    this.builder.setExactTimes(
      row,
      totalNs(this.#startSeconds, nanos),
      totalNs(this.#durationSeconds, this.#durationNanos),
    );
  }

  #log(from: number, end: number): void {
    const { rows, builder } = this;
    const row = rows.openLog();
    let seconds = 0;
    let nanos = 0;
    this.startOwner();
    for (let at = from; at < end;) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a || tag === 0x12) {
        const stop = this.stop(at, end);
        if (tag === 0x0a) {
          this.#time(this.at, stop, isTimestamp);
          seconds = this.#seconds;
          nanos = this.#nanos;
        } else {
          this.#tag(this.at, stop);
          rows.logTag(this.#key, this.#value);
        }
        at = stop;
      } else at = this.skip(tag, at, end);
    }
    rows.closeLog();
    if (row === -1) return;
    const us = seconds * 1e6 + Math.floor(nanos / 1000);
    builder.eventUs[row] = us;
    builder.eventNs[row] = nanos % 1000;
    if (Math.abs(us) < TWO_TO_53) return;
    builder.setExactEventUs(row, BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1000)));
  }

  /** Reads a KeyValue into `#key` and `#value`; its value is the field that its type names. */
  #tag(from: number, end: number): void {
    if (this.#plainTag(from, end)) return;
    const { bytes } = this;
    let valueType = 0;
    this.#keyStart = this.#keyEnd = 0;
    this.#textStart = this.#textEnd = 0;
    this.#bytesStart = this.#bytesEnd = 0;
    this.#longLow = this.#longHigh = 0;
    this.#doubleLow = this.#doubleHigh = 0;
    this.#truth = 0;
    let at = from;
    while (at < end) {
      const tag = bytes[at]!;
      if (tag === 0x0a || tag === 0x1a || tag === 0x3a) {
        const stop = this.stop(at + 1, end);
        this.#place(tag, this.at, stop);
        at = stop;
      } else if (tag === 0x10 || tag === 0x20 || tag === 0x28) {
        const low = this.varint64(at + 1);
        at = this.within(end);
        if (tag === 0x10) valueType = low;
        else if (tag === 0x20) this.#truth = low | this.high;
        else {
          this.#longLow = low;
          this.#longHigh = this.high;
        }
      } else if (tag === 0x31) {
        at = this.fixedEnd(at + 9, end);
        this.#doubleLow = this.view.getInt32(at - 8, true);
        this.#doubleHigh = this.view.getInt32(at - 4, true);
      } else {
        const other = this.varint(at);
        at = this.skip(other, this.at, end);
      }
    }
    const known = valueType >= 0 && valueType < VALUE_TYPES.length;
    const type = known ? VALUE_TYPES[valueType]! : STRING;
    this.#key = this.key(this.#keyStart, this.#keyEnd, type);
    this.#value = known ? this.#tagValue(type) : this.builder.text(`unknown type ${valueType}`);
  }

  /**
   * The same of a tag as every client writes it, of a text or a number: a short key, the type, the
   * value. False for any other. Saves a twelfth of the time of a request.
   */
  #plainTag(from: number, end: number): boolean {
    const { bytes, view } = this;
    const length = bytes[from + 1]!;
    const keyStart = from + 2;
    const keyEnd = keyStart + length;
    // The value's tag and a byte of it, with the type before them or not, are within the message.
    if (end - keyEnd < 2 || bytes[from] !== 0x0a || length > 127) return false;
    if (bytes[keyEnd] === 0x1a) {
      const stop = this.stop(keyEnd + 1, end);
      if (stop !== end) return false;
      const start = this.at;
      this.#key = this.key(keyStart, keyEnd, STRING);
      this.#value = this.value(start, end, true);
      return true;
    }
    const at = keyEnd + 2;
    if (end - at < 2 || bytes[keyEnd] !== 0x10) return false;
    const valueType = bytes[keyEnd + 1]!;
    let low = 0;
    let high = 0;
    if (valueType === 2 && bytes[at] === 0x28) {
      low = this.varint64(at + 1);
      high = this.high;
      if (this.at !== end) return false;
    } else if (valueType === 3 && bytes[at] === 0x31 && end === at + 9) {
      low = view.getInt32(at + 1, true);
      high = view.getInt32(at + 5, true);
    } else return false;
    this.#key = this.key(keyStart, keyEnd, VALUE_TYPES[valueType]!);
    this.#value = this.builder.dictionary.internWords(low, high);
    return true;
  }

  #place(tag: number, start: number, end: number): void {
    if (tag === 0x0a) {
      this.#keyStart = start;
      this.#keyEnd = end;
    } else if (tag === 0x1a) {
      this.#textStart = start;
      this.#textEnd = end;
    } else {
      this.#bytesStart = start;
      this.#bytesEnd = end;
    }
  }

  #tagValue(type: number): number {
    const dictionary = this.builder.dictionary;
    switch (type) {
      case STRING:
        return this.value(this.#textStart, this.#textEnd, true);
      case BOOL:
        return this.#truth === 0 ? 0 : 1;
      case INT:
        return dictionary.internWords(this.#longLow, this.#longHigh);
      case DOUBLE:
        return dictionary.internWords(this.#doubleLow, this.#doubleHigh);
      default:
        return this.value(this.#bytesStart, this.#bytesEnd, false);
    }
  }

  /** The row of the open span's process: its own, else the batch's, else Jaeger's of none. */
  #resourceOfSpan(): number {
    const start = this.#processStart;
    const end = this.#processEnd;
    const { rows, bytes } = this;
    if (start === -1) {
      if (this.#resource === -1) {
        this.#resource = rows.openProcess();
        this.#resourceWarnings = 0;
        rows.noProcess();
      }
      rows.processWarnings = this.#resourceWarnings;
      return this.#resource;
    }
    const hash = hash32(bytes, start, end);
    const others = this.#processes.get(hash) ?? [];
    const same = (known: OwnProcess): boolean =>
      known.end - known.start === end - start &&
      equalBytes(bytes, known.start, bytes, start, end - start);
    let found = this.#last !== undefined && same(this.#last) ? this.#last : undefined;
    found ??= others.find(same);
    if (found === undefined) {
      const resource = rows.openProcess();
      this.#process(resource, start, end);
      found = { start, end, resource, warnings: rows.processWarnings };
      // Who makes hashes collide on purpose gets rows instead of comparisons.
      if (others.length < MOST_SAME_HASH) this.#processes.set(hash, [...others, found]);
    }
    this.#last = found;
    rows.processWarnings = found.warnings;
    return found.resource;
  }

  /** Keeps a warning the span came with, within the limits of an attribute. */
  #warning(start: number, end: number): void {
    const writer = (this.#ownWarnings ??= new ProtobufWriter(new Uint8Array(256), 2 ** 31));
    if (writer.position + end - start > this.limits.attributeValueBytes) {
      this.rows.truncated = true;
      return;
    }
    const element = writer.begin(0x0a);
    writer.fieldBytes(0x0a, this.bytes.subarray(start, end));
    writer.end(element);
  }

  #addWarnings(warnings: number): void {
    if (warnings !== 0) this.rows.truncated = true;
    if (warnings === 0 && this.#ownWarnings === undefined) return;
    const own = this.#ownWarnings;
    addWarnings(this.builder, warnings, this.limits, own?.bytes.subarray(0, own.position));
  }
}
