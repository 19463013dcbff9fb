/** Jaeger's Thrift batches, from HTTP bodies and UDP packets. Bench: bench/jaeger-decode.ts. */

import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import { JaegerRows, REFERENCE } from "./jaeger-rows.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { addWarnings } from "./otlp-warnings.ts";
import { THRIFT, ThriftScanner } from "./thrift-scanner.ts";
import type { ThriftProtocol } from "./thrift-scanner.ts";

const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Attribute types by TagType: string, double, bool, long, binary. */
const { STRING, DOUBLE, BOOL, INT, BYTES } = ATTRIBUTE_TYPE;
const TAG_TYPES = Uint8Array.of(STRING, DOUBLE, BOOL, INT, BYTES);
/** Thrift's types of their values: string, double, bool, i64, string. */
const VALUE_TYPES = Uint8Array.of(11, 4, 2, 10, 11);
/** Headers of the fields with their values in the compact protocol; a bool's is its value too. */
const COMPACT_HEADERS = Uint8Array.of(0x18, 0x27, 0x31, 0x46, 0x58);
/** Bytes that are read after a tag's key whatever it says: its type, a number and an end. */
const BINARY_REST = 19;
const COMPACT_REST = 13;
/** Where the halves of a reference's ids go, by field: the trace's low one comes first. */
const REFERENCE_WORD = Uint8Array.of(0, 0, 2, 0, 4);
/** Bits of the fields a span must have: all but references, tags and logs. */
const SPAN_FIELDS = 0b1110111110;
const CALL = 1;
const ONEWAY = 4;

/** What a client says it lost since it started. */
export interface ClientStats {
  readonly fullQueueDroppedSpans: number;
  readonly tooLargeDroppedSpans: number;
  readonly failedToEmitSpans: number;
}

/** A decoded batch with what its client tells of itself. */
export interface JaegerThriftDecoded extends OtlpDecoded {
  /** Number of the batch among those of its client, when told. */
  readonly seqNo: number | undefined;
  readonly stats: ClientStats | undefined;
}

/** The caller's builder, reset first, and limits other than LIMITS. */
export interface JaegerDecodeOptions {
  readonly builder: BatchBuilder;
  readonly limits?: DecodeLimits;
}

/**
 * Decodes jaeger.thrift's struct Batch as it is the body of a request. Spans without ids are left
 * out and counted. Throws SpoorError `malformed` for what is no Batch, `too-large` beyond
 * `requestSpans`. Bytes after the struct are ignored, as Jaeger does.
 */
export function decodeJaegerThriftBatch(
  bytes: Uint8Array,
  protocol: ThriftProtocol,
  options: JaegerDecodeOptions,
): JaegerThriftDecoded {
  const scanner = new BatchScanner(bytes, protocol, options.builder, options.limits ?? LIMITS);
  options.builder.reset();
  scanner.batch();
  return scanner.decoded();
}

/** The same of the agent's message `emitBatch`, one UDP packet. */
export function decodeJaegerThriftMessage(
  bytes: Uint8Array,
  protocol: ThriftProtocol,
  options: JaegerDecodeOptions,
): JaegerThriftDecoded {
  const scanner = new BatchScanner(bytes, protocol, options.builder, options.limits ?? LIMITS);
  options.builder.reset();
  scanner.emitBatch();
  return scanner.decoded();
}

/** Reads one batch; every method reads the struct at the cursor. */
class BatchScanner extends ThriftScanner {
  readonly #rows: JaegerRows;
  #resource = 0;
  #named = false;
  #seqNo: number | undefined;
  #stats: ClientStats | undefined;
  /** Ids of the reference being read: words of its trace's and of its span's. */
  readonly #referenceWords = [0, 0, 0, 0, 0, 0];
  /** The tag read last: its key in the builder and its value. */
  #key = 0;
  #value = 0;
  /** Fields of the tag being read. */
  #keyStart = 0;
  #keyStop = 0;
  #textStart = 0;
  #textStop = 0;
  #bytesStart = 0;
  #bytesStop = 0;
  #doubleLow = 0;
  #doubleHigh = 0;
  #longLow = 0;
  #longHigh = 0;
  #truth = false;

  constructor(
    bytes: Uint8Array,
    protocol: ThriftProtocol,
    builder: BatchBuilder,
    limits: DecodeLimits,
  ) {
    super(bytes, protocol, builder, limits);
    this.#rows = new JaegerRows(builder, limits);
  }

  decoded(): JaegerThriftDecoded {
    const { badTraceIds, badSpanIds, truncated } = this.#rows;
    const decoded = otlpDecoded(this.builder.finish(), badTraceIds, badSpanIds, truncated);
    return { ...decoded, seqNo: this.#seqNo, stats: this.#stats };
  }

  emitBatch(): void {
    const { name, kind } = this.message();
    if (name !== "emitBatch" || (kind !== ONEWAY && kind !== CALL)) {
      throw this.malformed(`message ${JSON.stringify(name)} of kind ${kind} is no emitBatch`);
    }
    let found = false;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field !== 1 || !this.is(THRIFT.STRUCT) || found) this.skip();
      else {
        found = true;
        this.batch();
      }
    }
    if (!found) throw this.malformed("emitBatch without a batch");
  }

  batch(): void {
    this.#resource = this.#rows.openProcess();
    let spans = false;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.STRUCT) && !this.#named) this.#process();
      else if (field === 2 && this.is(THRIFT.LIST)) {
        spans = true;
        this.startOwner();
        for (let left = this.structs(); left > 0; left--) this.#span();
      } else if (field === 3 && this.is(THRIFT.I64)) {
        this.i64();
        this.#seqNo = this.#number();
      } else if (field === 4 && this.is(THRIFT.STRUCT)) this.#clientStats();
      else this.skip();
    }
    if (!this.#named) throw this.malformed("a batch without a process");
    if (!spans) throw this.malformed("a batch without spans");
  }

  #process(): void {
    this.warnings = 0;
    let name = -1;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.STRING)) {
        this.string();
        name = this.name(this.start, this.stop);
        this.#rows.serviceName(name);
      } else if (field === 2 && this.is(THRIFT.LIST)) {
        this.startOwner();
        for (let left = this.structs(); left > 0; left--) {
          this.#tag();
          this.#rows.processTag(this.#resource, this.#key, this.#value);
        }
      } else this.skip();
    }
    if (name === -1) throw this.malformed("a process without a name");
    this.#named = true;
    this.#rows.processWarnings |= this.warnings;
  }

  #clientStats(): void {
    const counts = [0, 0, 0, 0];
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field >= 1 && field <= 3 && this.is(THRIFT.I64)) {
        this.i64();
        counts[field] = this.#number();
      } else this.skip();
    }
    this.#stats = {
      fullQueueDroppedSpans: counts[1]!,
      tooLargeDroppedSpans: counts[2]!,
      failedToEmitSpans: counts[3]!,
    };
  }

  #span(): void {
    const rows = this.#rows;
    const row = rows.openSpan(this.#resource);
    this.warnings = 0;
    let seen = 0;
    let parentHigh = 0;
    let parentLow = 0;
    let startUs = 0;
    let startHigh = 0;
    let startLow = 0;
    let durationUs = 0;
    let durationHigh = 0;
    let durationLow = 0;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (this.type === THRIFT.I64) {
        this.i64();
        if (field === 8) {
          startHigh = this.high;
          startLow = this.low;
          startUs = this.#number();
        } else if (field === 9) {
          durationHigh = this.high;
          durationLow = this.low;
          durationUs = this.#number();
        } else if (field === 4) {
          parentHigh = this.high;
          parentLow = this.low;
        } else if (field >= 1 && field <= 3) this.#id(field, row);
        else continue;
      } else if (!this.#spanField(field, row)) {
        this.skip();
        continue;
      }
      seen |= 1 << field;
    }
    if ((seen & SPAN_FIELDS) !== SPAN_FIELDS) throw this.malformed("a span without all its fields");
    if (Math.abs(startUs) < TWO_TO_53 && Math.abs(durationUs * 1000) < TWO_TO_53) {
      this.builder.startUs[row] = startUs;
      this.builder.durationNs[row] = durationUs * 1000;
    } else {
      const start = bigOf(startHigh, startLow);
      this.builder.setExactTimes(row, start * 1000n, bigOf(durationHigh, durationLow) * 1000n);
    }
    if ((parentHigh | parentLow) !== 0) rows.parent(toWord(parentHigh), toWord(parentLow));
    const cut = rows.closeSpan();
    if (cut === -1) return;
    const warnings = cut | this.warnings;
    if (warnings === 0) return;
    rows.truncated = true;
    addWarnings(this.builder, warnings, this.limits);
  }

  /** A field of a span that is no i64; false when it is none we know. */
  #spanField(field: number, row: number): boolean {
    if (field === 5 && this.is(THRIFT.STRING)) {
      this.string();
      this.builder.nameId[row] = this.name(this.start, this.stop);
    } else if (field === 10 && this.is(THRIFT.LIST)) {
      this.startOwner();
      for (let left = this.structs(); left > 0; left--) {
        this.#tag();
        this.#rows.spanTag(this.#key, this.#value);
      }
    } else if (field === 11 && this.is(THRIFT.LIST)) {
      for (let left = this.structs(); left > 0; left--) this.#log();
    } else if (field === 6 && this.is(THRIFT.LIST)) {
      for (let left = this.structs(); left > 0; left--) this.#reference();
    } else if (field === 7 && this.is(THRIFT.I32)) {
      this.builder.flags[row] = (this.i32() & JAEGER_FLAGS.MASK) << JAEGER_FLAGS.SHIFT;
    } else return false;
    return true;
  }

  /** Half of a trace id (1 the low one, 2 the high one) or a span id (3). */
  #id(field: number, row: number): void {
    const { traceIdWords, spanIdWords } = this.builder;
    const high = toWord(this.high);
    const low = toWord(this.low);
    if (field === 3) {
      spanIdWords[row * 2] = high;
      spanIdWords[row * 2 + 1] = low;
      return;
    }
    const at = row * 4 + (field === 1 ? 2 : 0);
    traceIdWords[at] = high;
    traceIdWords[at + 1] = low;
  }

  #reference(): void {
    let type: number = REFERENCE.CHILD_OF;
    const words = this.#referenceWords;
    words.fill(0);
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.I32)) type = this.i32();
      else if (field >= 2 && field <= 4 && this.is(THRIFT.I64)) {
        this.i64();
        const at = REFERENCE_WORD[field]!;
        words[at] = toWord(this.high);
        words[at + 1] = toWord(this.low);
      } else this.skip();
    }
    this.#rows.reference(type, words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5]!);
  }

  #log(): void {
    const rows = this.#rows;
    const row = rows.openLog();
    let us = 0;
    let exact: bigint | undefined;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.I64)) {
        this.i64();
        us = this.#number();
        exact = Math.abs(us) < TWO_TO_53 ? undefined : bigOf(this.high, this.low);
      } else if (field === 2 && this.is(THRIFT.LIST)) {
        this.startOwner();
        for (let left = this.structs(); left > 0; left--) {
          this.#tag();
          rows.logTag(this.#key, this.#value);
        }
      } else this.skip();
    }
    rows.closeLog();
    if (row === -1) return;
    this.builder.eventUs[row] = us;
    if (exact !== undefined) this.builder.setExactEventUs(row, exact);
  }

  /** Reads a Tag into `#key` and `#value`; its value is the field that its type names. */
  #tag(): void {
    if (this.compact ? this.#plainCompactTag() : this.#plainBinaryTag()) return;
    let tagType = -1;
    this.#keyStart = -1;
    this.#textStart = this.#textStop = 0;
    this.#bytesStart = this.#bytesStop = 0;
    this.#doubleLow = this.#doubleHigh = 0;
    this.#longLow = this.#longHigh = 0;
    this.#truth = false;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 2 && this.type === THRIFT.I32) tagType = this.i32();
      else if (!this.#tagField(field)) this.skip();
    }
    if (this.#keyStart === -1) throw this.malformed("a tag without a key");
    if (tagType === -1) throw this.malformed("a tag without a type");
    const known = tagType >= 0 && tagType < TAG_TYPES.length;
    this.#key = this.key(this.#keyStart, this.#keyStop, known ? TAG_TYPES[tagType]! : STRING);
    this.#value = known
      ? this.#tagValue(TAG_TYPES[tagType]!)
      : this.builder.text(`Unknown VType: ${tagType}`);
  }

  /**
   * The same of a tag as every client writes it: key, type and the one value, in this order. False
   * for any other, the cursor where it was. Saves a fifth of the time of a batch.
   */
  #plainBinaryTag(): boolean {
    const { bytes, view } = this;
    const keyStart = this.at + 7;
    const most = bytes.length - keyStart - BINARY_REST;
    if (most < 0 || bytes[this.at] !== THRIFT.STRING || view.getInt16(keyStart - 6) !== 1) {
      return false;
    }
    const length = view.getInt32(keyStart - 4);
    if (length < 0 || length > most) return false;
    const keyEnd = keyStart + length;
    if (bytes[keyEnd] !== THRIFT.I32 || view.getInt16(keyEnd + 1) !== 2) return false;
    const tagType = view.getInt32(keyEnd + 3);
    // The field of the value is three more than the number of its type.
    if (tagType < 0 || tagType > 4 || view.getInt16(keyEnd + 8) !== tagType + 3) return false;
    if (bytes[keyEnd + 7] !== VALUE_TYPES[tagType]) return false;
    const at = keyEnd + 10;
    if (tagType === 0 || tagType === 4) {
      return this.#plainText(tagType, keyStart, keyEnd, at + 4, view.getInt32(at));
    }
    const size = tagType === 2 ? 1 : 8;
    if (bytes[at + size] !== THRIFT.STOP) return false;
    this.at = at + size + 1;
    this.#key = this.key(keyStart, keyEnd, TAG_TYPES[tagType]!);
    if (tagType === 2) this.#value = bytes[at] === 0 ? 0 : 1;
    else this.#value = this.#words(view.getInt32(at + 4), view.getInt32(at));
    return true;
  }

  /** The same in the compact protocol: headers are a byte, keys shorter than 128. */
  #plainCompactTag(): boolean {
    const { bytes } = this;
    const keyStart = this.at + 2;
    const most = bytes.length - keyStart - COMPACT_REST;
    const length = bytes[keyStart - 1]!;
    if (most < 0 || bytes[this.at] !== 0x18 || length > 127 || length > most) return false;
    const keyEnd = keyStart + length;
    const type = bytes[keyEnd + 1]!;
    if (bytes[keyEnd] !== 0x15 || type > 8 || (type & 1) !== 0) return false;
    const tagType = type >> 1;
    const header = bytes[keyEnd + 2]!;
    let at = keyEnd + 3;
    if (header !== COMPACT_HEADERS[tagType] && (tagType !== 2 || header !== 0x32)) return false;
    if (tagType === 0 || tagType === 4) {
      let size = bytes[at++]!;
      if (size > 127) {
        const more = bytes[at++]!;
        if (more > 127) return false;
        size = (size & 127) | (more << 7);
      }
      return this.#plainText(tagType, keyStart, keyEnd, at, size);
    }
    const tagStart = this.at;
    this.at = at;
    if (tagType === 3) this.i64();
    else if (tagType === 1) this.double();
    if (bytes[this.at] !== THRIFT.STOP) {
      this.at = tagStart;
      return false;
    }
    this.at++;
    const { low, high } = this;
    this.#key = this.key(keyStart, keyEnd, TAG_TYPES[tagType]!);
    this.#value = tagType === 2 ? (header === 0x32 ? 0 : 1) : this.#words(low, high);
    return true;
  }

  /** The end of such a tag whose value is a text or bytes. */
  #plainText(tagType: number, keyStart: number, keyEnd: number, start: number, size: number) {
    const { bytes } = this;
    if (size < 0 || size >= bytes.length - start) return false;
    const stop = start + size;
    if (bytes[stop] !== THRIFT.STOP) return false;
    this.at = stop + 1;
    this.#key = this.key(keyStart, keyEnd, TAG_TYPES[tagType]!);
    this.#value = this.value(start, stop, tagType === 0);
    return true;
  }

  #words(low: number, high: number): number {
    return this.builder.dictionary.internWords(low, high);
  }

  #tagField(field: number): boolean {
    if (field === 1 && this.type === THRIFT.STRING) {
      this.string();
      this.#keyStart = this.start;
      this.#keyStop = this.stop;
    } else if (field === 3 && this.type === THRIFT.STRING) {
      this.string();
      this.#textStart = this.start;
      this.#textStop = this.stop;
    } else if (field === 4 && this.type === THRIFT.DOUBLE) {
      this.double();
      this.#doubleLow = this.low;
      this.#doubleHigh = this.high;
    } else if (field === 5 && this.type === THRIFT.BOOL) this.#truth = this.bool();
    else if (field === 6 && this.type === THRIFT.I64) {
      this.i64();
      this.#longLow = this.low;
      this.#longHigh = this.high;
    } else if (field === 7 && this.type === THRIFT.STRING) {
      this.string();
      this.#bytesStart = this.start;
      this.#bytesStop = this.stop;
    } else return false;
    return true;
  }

  #tagValue(type: number): number {
    const dictionary = this.builder.dictionary;
    switch (type) {
      case STRING:
        return this.value(this.#textStart, this.#textStop, true);
      case DOUBLE:
        return dictionary.internWords(this.#doubleLow, this.#doubleHigh);
      case BOOL:
        return this.#truth ? 1 : 0;
      case INT:
        return dictionary.internWords(this.#longLow, this.#longHigh);
      default:
        return this.value(this.#bytesStart, this.#bytesStop, false);
    }
  }

  /** The i64 read last; beyond ±2^53 the nearest there is. */
  #number(): number {
    return this.high * TWO_TO_32 + (this.low >>> 0);
  }
}

/** A word of an id as a builder has it: its bytes in order, the highest first. */
function toWord(word: number): number {
  if (!LITTLE_ENDIAN) return word;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | ((word >>> 24) & 0xff);
}

function bigOf(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
