/** Jaeger's Thrift batches. Bench: bench/jaeger-decode.ts. */

import { equalBytes } from "../base/bytes.ts";
import { JAEGER_FLAGS } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import { JaegerRows, REFERENCE } from "./jaeger-rows.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { addWarnings } from "./otlp-warnings.ts";
import { TagScanner } from "./jaeger-thrift-tags.ts";
import { THRIFT } from "./thrift-scanner.ts";
import type { ThriftProtocol } from "./thrift-scanner.ts";

const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
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
): OtlpDecoded {
  const { builder, limits = LIMITS } = options;
  const scanner = new BatchScanner(bytes, protocol, builder, limits);
  builder.reset();
  scanner.batch();
  const { badTraceIds, badSpanIds, truncated } = scanner.rows;
  return otlpDecoded(builder.finish(), badTraceIds, badSpanIds, truncated);
}

/** A process read before, and its bytes as they came. */
interface KnownProcess {
  readonly bytes: Uint8Array;
  readonly resource: number;
  /** WARNING bits of it. */
  readonly warnings: number;
}

/** Processes that are compared with the one that comes: those of one machine. */
const MOST_KNOWN = 64;

/** Reads a batch, or one after the other into the same builder. */
export class BatchScanner extends TagScanner {
  readonly rows: JaegerRows;
  /** Of the batch read last: row of its process, and what its client told of itself. */
  resource = -1;
  seqNo: number | undefined;
  stats: ClientStats | undefined;
  readonly #known: KnownProcess[] = [];
  #named = false;
  /** Where a process lies that was not known. */
  #processStart = -1;
  #processStop = 0;
  /** Ids of the reference being read: words of its trace's and of its span's. */
  readonly #referenceWords = [0, 0, 0, 0, 0, 0];

  constructor(
    bytes: Uint8Array,
    protocol: ThriftProtocol,
    builder: BatchBuilder,
    limits: DecodeLimits,
  ) {
    super(bytes, protocol, builder, limits);
    this.rows = new JaegerRows(builder, limits);
  }

  /** Reads the agent's message `emitBatch`. */
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
    this.resource = -1;
    this.seqNo = undefined;
    this.stats = undefined;
    this.#named = false;
    this.#processStart = -1;
    let spans = false;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.STRUCT) && !this.#named) this.#process();
      else if (field === 2 && this.is(THRIFT.LIST)) {
        spans = true;
        if (this.resource === -1) this.resource = this.rows.openProcess();
        this.startOwner();
        for (let left = this.structs(); left > 0; left--) this.#span();
      } else if (field === 3 && this.is(THRIFT.I64)) {
        this.i64();
        this.seqNo = this.#number();
      } else if (field === 4 && this.is(THRIFT.STRUCT)) this.#clientStats();
      else this.skip();
    }
    if (!this.#named) throw this.malformed("a batch without a process");
    if (!spans) throw this.malformed("a batch without spans");
  }

  /** Remembers the process of the batch read last: the next ones are often of the same. */
  keepProcess(): void {
    if (this.#processStart === -1 || this.#known.length === MOST_KNOWN) return;
    // A copy: `slice` of a Buffer would be none.
    const bytes = new Uint8Array(this.bytes.subarray(this.#processStart, this.#processStop));
    this.#known.push({ bytes, resource: this.resource, warnings: this.rows.processWarnings });
  }

  /** Steps over a process that is known, byte for byte; false when it is not. */
  #knownProcess(): boolean {
    const { at } = this;
    const left = this.bytes.length - at;
    for (const { bytes, resource, warnings } of this.#known) {
      if (bytes.length > left || !equalBytes(this.bytes, at, bytes, 0, bytes.length)) continue;
      this.at = at + bytes.length;
      this.resource = resource;
      this.rows.processWarnings = warnings;
      this.#named = true;
      return true;
    }
    return false;
  }

  #process(): void {
    if (this.resource === -1) {
      if (this.#knownProcess()) return;
      this.resource = this.rows.openProcess();
      this.#processStart = this.at;
    }
    this.warnings = 0;
    let name = -1;
    for (let field = 0; this.next(field);) {
      field = this.field;
      if (field === 1 && this.is(THRIFT.STRING)) {
        this.string();
        name = this.name(this.start, this.stop);
        this.rows.serviceName(name);
      } else if (field === 2 && this.is(THRIFT.LIST)) {
        this.startOwner();
        for (let left = this.structs(); left > 0; left--) {
          this.tag();
          this.rows.processTag(this.resource, this.tagKey, this.tagValue);
        }
      } else this.skip();
    }
    if (name === -1) throw this.malformed("a process without a name");
    this.#named = true;
    this.rows.processWarnings |= this.warnings;
    if (this.#processStart !== -1) this.#processStop = this.at;
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
    this.stats = {
      fullQueueDroppedSpans: counts[1]!,
      tooLargeDroppedSpans: counts[2]!,
      failedToEmitSpans: counts[3]!,
    };
  }

  #span(): void {
    const rows = this.rows;
    const row = rows.openSpan(this.resource);
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
        this.tag();
        this.rows.spanTag(this.tagKey, this.tagValue);
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
    this.rows.reference(type, words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5]!);
  }

  #log(): void {
    const rows = this.rows;
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
          this.tag();
          rows.logTag(this.tagKey, this.tagValue);
        }
      } else this.skip();
    }
    rows.closeLog();
    if (row === -1) return;
    this.builder.eventUs[row] = us;
    if (exact !== undefined) this.builder.setExactEventUs(row, exact);
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
