/** SpanBatch: spans as read-only columns over one image of bytes, the form spans travel in. */

import { assert } from "../base/assert.ts";
import { SpoorError } from "./errors.ts";

/** Types of attribute values. A column of a store is (key, type). Numbers are on disk: fixed. */
export const ATTRIBUTE_TYPE = {
  /** Dictionary id of the bytes, UTF-8 by promise only. */
  STRING: 1,
  /** 0 or 1, no dictionary. */
  BOOL: 2,
  /** Dictionary id of 8 bytes, int64 little-endian. */
  INT: 3,
  /** Dictionary id of 8 bytes, IEEE 754 double little-endian (NaN bits survive). */
  DOUBLE: 4,
  /** Dictionary id of the bytes. */
  BYTES: 5,
  /** Dictionary id of an OTLP ArrayValue message. */
  ARRAY: 6,
  /** Dictionary id of an OTLP KeyValueList message. */
  MAP: 7,
  /** A key without a value; the value is 0. */
  EMPTY: 8,
} as const;

/** Span kinds, numbered as OTLP does. */
export const SPAN_KIND = {
  UNSPECIFIED: 0,
  INTERNAL: 1,
  SERVER: 2,
  CLIENT: 3,
  PRODUCER: 4,
  CONSUMER: 5,
} as const;

/** Status codes, numbered as OTLP does. */
export const STATUS_CODE = { UNSET: 0, OK: 1, ERROR: 2 } as const;

/**
 * Attributes of one level: owner `o` has the entries `offsets[o] ..< offsets[o + 1]`; each is a
 * `key` (index into the batch's keys) and a `value` (meaning by the key's type).
 */
export interface AttributeTable {
  readonly offsets: Uint32Array;
  readonly key: Uint32Array;
  readonly value: Uint32Array;
}

/** Numbers in an image's header, in words of 32 bits. */
const HEADER_WORDS = 24;
const MAGIC = 0x31425053; // "SPB1"
/** Word of the header that tells what is known of the texts. */
const TEXT_WORD = 17;

/** How many of each thing a batch holds: the input to its layout. */
export interface BatchCounts {
  spans: number;
  resources: number;
  scopes: number;
  events: number;
  links: number;
  rare: number;
  exactEvents: number;
  keys: number;
  dict: number;
  dictBytes: number;
  resourceAttributes: number;
  scopeAttributes: number;
  spanAttributes: number;
  eventAttributes: number;
  linkAttributes: number;
}

const COUNT_NAMES: readonly (keyof BatchCounts)[] = [
  "spans",
  "resources",
  "scopes",
  "events",
  "links",
  "rare",
  "exactEvents",
  "keys",
  "dict",
  "dictBytes",
  "resourceAttributes",
  "scopeAttributes",
  "spanAttributes",
  "eventAttributes",
  "linkAttributes",
];

/** Size of the image of a batch with these counts, a multiple of 8 bytes. */
export function imageSizeBytes(c: BatchCounts): number {
  const eights = 2 * c.spans + 2 * c.rare + c.events + c.exactEvents;
  const attributes =
    c.resourceAttributes +
    c.scopeAttributes +
    c.spanAttributes +
    c.eventAttributes +
    c.linkAttributes;
  const offsets = c.spans * 3 + c.resources + c.scopes + c.events + c.links + 7;
  const fours =
    c.spans * 7 +
    c.resources * 3 +
    c.scopes * 4 +
    c.events * 2 +
    c.links * 3 +
    (c.rare * 3 + c.exactEvents + c.keys + c.dict + 1) +
    offsets +
    attributes * 2;
  const twos = c.spans + c.events + c.rare;
  const ones = c.spans * 34 + c.links * 24 + c.rare + c.keys + c.dictBytes;
  return (HEADER_WORDS * 4 + eights * 8 + fours * 4 + twos * 2 + ones + 7) & ~7;
}

/** Columns of nothing, shared: a third of a usual batch's, and a head has hundreds of batches. */
const NO_F64 = new Float64Array(0);
const NO_I64 = new BigInt64Array(0);
const NO_U32 = new Uint32Array(0);
const NO_U16 = new Uint16Array(0);
const NO_U8 = new Uint8Array(0);

/** Hands out consecutive typed arrays over an image; alignment must not grow on the way. */
class Sections {
  readonly #buffer: ArrayBufferLike;
  #at: number;

  constructor(image: Uint8Array) {
    this.#buffer = image.buffer;
    this.#at = image.byteOffset + HEADER_WORDS * 4;
  }

  f64(count: number): Float64Array {
    if (count === 0) return NO_F64;
    const view = new Float64Array(this.#buffer, this.#at, count);
    this.#at += count * 8;
    return view;
  }

  i64(count: number): BigInt64Array {
    if (count === 0) return NO_I64;
    const view = new BigInt64Array(this.#buffer, this.#at, count);
    this.#at += count * 8;
    return view;
  }

  u32(count: number): Uint32Array {
    if (count === 0) return NO_U32;
    const view = new Uint32Array(this.#buffer, this.#at, count);
    this.#at += count * 4;
    return view;
  }

  u16(count: number): Uint16Array {
    if (count === 0) return NO_U16;
    const view = new Uint16Array(this.#buffer, this.#at, count);
    this.#at += count * 2;
    return view;
  }

  u8(count: number): Uint8Array {
    if (count === 0) return NO_U8;
    const view = new Uint8Array(this.#buffer, this.#at, count);
    this.#at += count;
    return view;
  }

  attributes(owners: number, count: number): AttributeTable {
    const offsets = this.u32(owners + 1);
    return { offsets, key: this.u32(count), value: this.u32(count) };
  }
}

/**
 * Spans as columns; row `i` of every span column is span `i`. Never written after it is built.
 * Ids are bytes; `…Id` columns of text are dictionary ids, entry 0 being the empty text.
 * All columns are views of `image`, which is also the record of the write-ahead log
 * (docs/formats/batch.md).
 */
export class SpanBatch {
  /** The bytes behind all columns; starts 8-byte aligned. */
  readonly image: Uint8Array;
  readonly spanCount: number;
  readonly resourceCount: number;
  readonly scopeCount: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly keyCount: number;
  readonly dictCount: number;
  /** True: every text is ASCII. False: nobody knows. */
  readonly isAscii: boolean;

  /** Start, whole microseconds since 1970; approximate beyond ±2^53, see `rareStartUs`. */
  readonly startUs: Float64Array;
  /** End minus start, nanoseconds, may be negative; approximate beyond ±2^53. */
  readonly durationNs: Float64Array;
  /** Exact times of rare row r whose `rareExact` is 1: floor µs, and ns of the duration. */
  readonly rareStartUs: BigInt64Array;
  readonly rareDurationUs: BigInt64Array;
  /** Event times, whole microseconds since 1970; exact ones of absurd clocks in `exactEvent*`. */
  readonly eventUs: Float64Array;
  readonly exactEventUs: BigInt64Array;

  readonly nameId: Uint32Array;
  readonly statusMessageId: Uint32Array;
  readonly traceStateId: Uint32Array;
  /** W3C trace flags (low 8 bits), OTLP's remote bits, and Jaeger's flags in `JAEGER_FLAGS`. */
  readonly flags: Uint32Array;
  /** 0, or 1 + the row of the rare columns that belongs to the span. */
  readonly rare: Uint32Array;
  readonly resourceRow: Uint32Array;
  readonly scopeRow: Uint32Array;
  /** Span `i` owns the events `eventOffsets[i] ..< eventOffsets[i + 1]`; links likewise. */
  readonly eventOffsets: Uint32Array;
  readonly linkOffsets: Uint32Array;

  /** Effective service name (dictionary id) of each resource; see builder's `finish`. */
  readonly resourceServiceId: Uint32Array;
  readonly resourceDropped: Uint32Array;
  readonly resourceSchemaUrlId: Uint32Array;
  readonly scopeNameId: Uint32Array;
  readonly scopeVersionId: Uint32Array;
  readonly scopeDropped: Uint32Array;
  readonly scopeSchemaUrlId: Uint32Array;
  readonly eventNameId: Uint32Array;
  readonly eventDropped: Uint32Array;
  readonly linkTraceStateId: Uint32Array;
  readonly linkFlags: Uint32Array;
  readonly linkDropped: Uint32Array;
  readonly rareDroppedAttributes: Uint32Array;
  readonly rareDroppedEvents: Uint32Array;
  readonly rareDroppedLinks: Uint32Array;
  /** Rows of events (ascending) whose exact time is in `exactEventUs`. */
  readonly exactEventRow: Uint32Array;
  /** Dictionary id of each key's name; its type is in `keyType`. */
  readonly keyNameId: Uint32Array;
  /** Entry `d` of the dictionary is `dictBytes[dictOffsets[d] ..< dictOffsets[d + 1]]`. */
  readonly dictOffsets: Uint32Array;

  readonly resourceAttributes: AttributeTable;
  readonly scopeAttributes: AttributeTable;
  readonly spanAttributes: AttributeTable;
  readonly eventAttributes: AttributeTable;
  readonly linkAttributes: AttributeTable;

  /** Nanoseconds within the start's microsecond, 0..999. */
  readonly startNs: Uint16Array;
  readonly eventNs: Uint16Array;
  readonly rareDurationNs: Uint16Array;

  /** 16 bytes a span, big-endian. */
  readonly traceId: Uint8Array;
  /** 8 bytes a span. */
  readonly spanId: Uint8Array;
  /** 8 bytes a span, zero for none. */
  readonly parentSpanId: Uint8Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly linkTraceId: Uint8Array;
  readonly linkSpanId: Uint8Array;
  readonly rareExact: Uint8Array;
  readonly keyType: Uint8Array;
  readonly dictBytes: Uint8Array;

  /** Views `image`, whose header must have been checked or written by us. */
  constructor(image: Uint8Array, c: BatchCounts) {
    const s = new Sections(image);
    this.image = image;
    this.spanCount = c.spans;
    this.resourceCount = c.resources;
    this.scopeCount = c.scopes;
    this.eventCount = c.events;
    this.linkCount = c.links;
    this.keyCount = c.keys;
    this.dictCount = c.dict;
    this.isAscii = image[TEXT_WORD * 4] === 1;
    this.startUs = s.f64(c.spans);
    this.durationNs = s.f64(c.spans);
    this.rareStartUs = s.i64(c.rare);
    this.rareDurationUs = s.i64(c.rare);
    this.eventUs = s.f64(c.events);
    this.exactEventUs = s.i64(c.exactEvents);
    // Ids come here because their sizes keep the 8-byte alignment: they are read as words too.
    this.traceId = s.u8(c.spans * 16);
    this.spanId = s.u8(c.spans * 8);
    this.parentSpanId = s.u8(c.spans * 8);
    this.linkTraceId = s.u8(c.links * 16);
    this.linkSpanId = s.u8(c.links * 8);
    this.nameId = s.u32(c.spans);
    this.statusMessageId = s.u32(c.spans);
    this.traceStateId = s.u32(c.spans);
    this.flags = s.u32(c.spans);
    this.rare = s.u32(c.spans);
    this.resourceRow = s.u32(c.spans);
    this.scopeRow = s.u32(c.spans);
    this.eventOffsets = s.u32(c.spans + 1);
    this.linkOffsets = s.u32(c.spans + 1);
    this.resourceServiceId = s.u32(c.resources);
    this.resourceDropped = s.u32(c.resources);
    this.resourceSchemaUrlId = s.u32(c.resources);
    this.scopeNameId = s.u32(c.scopes);
    this.scopeVersionId = s.u32(c.scopes);
    this.scopeDropped = s.u32(c.scopes);
    this.scopeSchemaUrlId = s.u32(c.scopes);
    this.eventNameId = s.u32(c.events);
    this.eventDropped = s.u32(c.events);
    this.linkTraceStateId = s.u32(c.links);
    this.linkFlags = s.u32(c.links);
    this.linkDropped = s.u32(c.links);
    this.rareDroppedAttributes = s.u32(c.rare);
    this.rareDroppedEvents = s.u32(c.rare);
    this.rareDroppedLinks = s.u32(c.rare);
    this.exactEventRow = s.u32(c.exactEvents);
    this.keyNameId = s.u32(c.keys);
    this.dictOffsets = s.u32(c.dict + 1);
    this.resourceAttributes = s.attributes(c.resources, c.resourceAttributes);
    this.scopeAttributes = s.attributes(c.scopes, c.scopeAttributes);
    this.spanAttributes = s.attributes(c.spans, c.spanAttributes);
    this.eventAttributes = s.attributes(c.events, c.eventAttributes);
    this.linkAttributes = s.attributes(c.links, c.linkAttributes);
    this.startNs = s.u16(c.spans);
    this.eventNs = s.u16(c.events);
    this.rareDurationNs = s.u16(c.rare);
    this.kind = s.u8(c.spans);
    this.status = s.u8(c.spans);
    this.rareExact = s.u8(c.rare);
    this.keyType = s.u8(c.keys);
    this.dictBytes = s.u8(c.dictBytes);
  }
}

/**
 * Jaeger's span flags (sampled 1, debug 2, firehose 8) sit in these bits of `flags`. ERROR_TAG
 * marks a status ERROR that the tag `error` alone told of: Jaeger shows no status code for it.
 */
export const JAEGER_FLAGS = { SHIFT: 16, MASK: 0xff, ERROR_TAG: 1 << 24 } as const;

/**
 * Makes an empty batch image in `bytes` (8-byte aligned, exactly `imageSizeBytes`). `isAscii`
 * promises that all entries of its dictionary but numbers will be ASCII.
 */
export function newBatch(bytes: Uint8Array, counts: BatchCounts, isAscii: boolean): SpanBatch {
  assert((bytes.byteOffset & 7) === 0, "a batch image starts 8-byte aligned");
  assert(bytes.length === imageSizeBytes(counts), "a batch image has its exact size");
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  header[0] = MAGIC;
  header[1] = bytes.length;
  for (let i = 0; i < COUNT_NAMES.length; i++) header[2 + i] = counts[COUNT_NAMES[i]!];
  for (let i = 2 + COUNT_NAMES.length; i < HEADER_WORDS; i++) header[i] = 0;
  header[TEXT_WORD] = isAscii ? 1 : 0;
  return new SpanBatch(bytes, counts);
}

/** Counts of an image as its header tells; a `corrupt` error when it is not an image. */
export function readCounts(image: Uint8Array): BatchCounts {
  if (image.length < HEADER_WORDS * 4) throw new SpoorError("corrupt", "batch image too short");
  const header = new Uint32Array(image.buffer, image.byteOffset, HEADER_WORDS);
  const n = (i: number): number => header[2 + i]!;
  const counts: BatchCounts = {
    spans: n(0),
    resources: n(1),
    scopes: n(2),
    events: n(3),
    links: n(4),
    rare: n(5),
    exactEvents: n(6),
    keys: n(7),
    dict: n(8),
    dictBytes: n(9),
    resourceAttributes: n(10),
    scopeAttributes: n(11),
    spanAttributes: n(12),
    eventAttributes: n(13),
    linkAttributes: n(14),
  };
  const whole = header[0] === MAGIC && header[1] === image.length;
  if (!whole || imageSizeBytes(counts) !== image.length) {
    throw new SpoorError("corrupt", "not a batch image");
  }
  return counts;
}

/**
 * The batch over an image that a checksum has vouched for (log record, arena, message from a
 * worker). Throws `corrupt` when the header does not fit the length. O(1).
 */
export function viewBatch(image: Uint8Array): SpanBatch {
  return new SpanBatch(image, readCounts(image));
}
