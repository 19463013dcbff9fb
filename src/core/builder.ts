/** BatchBuilder: how codecs and stores make a SpanBatch, row by row. Bench: decode. */

import { utf8Bytes } from "../base/bytes.ts";
import { AttributeTableBuilder, copyColumn, grown } from "./attribute-table.ts";
import { ATTRIBUTE_TYPE, imageSizeBytes, newBatch } from "./batch.ts";
import type { BatchCounts, SpanBatch } from "./batch.ts";
import { DictionaryBuilder } from "./dictionary.ts";

/** Service name of spans whose resource has none, as Jaeger's OTLP translation calls it. */
export const NO_SERVICE_NAME = "OTLPResourceNoServiceName";
/** Service name of spans whose resource has an empty one. */
export const EMPTY_SERVICE_NAME = "empty-service-name";

const SERVICE_NAME_KEY = utf8Bytes("service.name");
const NUMBER_VIEW = new DataView(new ArrayBuffer(8));

/**
 * Collects spans into growing columns; `finish` packs them into a SpanBatch. Reusable: `finish`
 * leaves it as it is, `reset` empties it and keeps its memory.
 *
 * Order of calls: `addResource`, then its attributes (`resourceAttributes.add`); `addScope`
 * likewise; `addSpan(resource, scope)`, then in any order: write the span's columns at the
 * returned row, `spanAttributes.add`, `addEvent` + `eventAttributes.add`, `addLink` + ….
 * Resources and scopes may be completed later as long as no other row of theirs was opened.
 */
export class BatchBuilder {
  readonly dictionary = new DictionaryBuilder();
  readonly resourceAttributes = new AttributeTableBuilder();
  readonly scopeAttributes = new AttributeTableBuilder();
  readonly spanAttributes = new AttributeTableBuilder();
  readonly eventAttributes = new AttributeTableBuilder();
  readonly linkAttributes = new AttributeTableBuilder();

  spanCount = 0;
  startUs = new Float64Array(256);
  durationNs = new Float64Array(256);
  startNs = new Uint16Array(256);
  nameId = new Uint32Array(256);
  statusMessageId = new Uint32Array(256);
  traceStateId = new Uint32Array(256);
  flags = new Uint32Array(256);
  rare = new Uint32Array(256);
  resourceRow = new Uint32Array(256);
  scopeRow = new Uint32Array(256);
  eventOffsets = new Uint32Array(256);
  linkOffsets = new Uint32Array(256);
  kind = new Uint8Array(256);
  status = new Uint8Array(256);
  /** 16 bytes a span. */
  traceId = new Uint8Array(256 * 16);
  /** 8 bytes a span. */
  spanId = new Uint8Array(256 * 8);
  parentSpanId = new Uint8Array(256 * 8);
  /** The same ids as words of the machine's byte order, for who copies them so. */
  traceIdWords = new Int32Array(this.traceId.buffer);
  spanIdWords = new Int32Array(this.spanId.buffer);
  parentSpanIdWords = new Int32Array(this.parentSpanId.buffer);

  resourceDropped: number[] = [];
  resourceSchemaUrlId: number[] = [];
  scopeNameId: number[] = [];
  scopeVersionId: number[] = [];
  scopeDropped: number[] = [];
  scopeSchemaUrlId: number[] = [];

  eventCount = 0;
  eventUs = new Float64Array(64);
  eventNs = new Uint16Array(64);
  eventNameId = new Uint32Array(64);
  eventDropped = new Uint32Array(64);
  readonly exactEvents: { row: number; us: bigint }[] = [];

  linkCount = 0;
  linkTraceId = new Uint8Array(16 * 16);
  linkSpanId = new Uint8Array(16 * 8);
  linkTraceStateId = new Uint32Array(16);
  linkFlags = new Uint32Array(16);
  linkDropped = new Uint32Array(16);

  readonly #rare: RareRow[] = [];
  /** The keys so far, for codecs that guess the next one; changed by `key` alone. */
  keyCount = 0;
  keyNameId = new Uint32Array(64);
  keyType = new Uint8Array(64);
  /** First key of a dictionary id + 1, and the next key of the same id + 1. */
  #keyOfName = new Uint32Array(1024);
  #nextKey = new Uint32Array(64);

  /** Index of the key (name, type), where `nameId` is a dictionary id. */
  key(nameId: number, type: number): number {
    if (nameId >= this.#keyOfName.length) {
      while (nameId >= this.#keyOfName.length) this.#keyOfName = grown(this.#keyOfName);
    }
    let key = this.#keyOfName[nameId]!;
    while (key !== 0) {
      if (this.keyType[key - 1] === type) return key - 1;
      key = this.#nextKey[key - 1]!;
    }
    if (this.keyCount === this.keyType.length) {
      this.keyNameId = grown(this.keyNameId);
      this.keyType = grown(this.keyType);
      this.#nextKey = grown(this.#nextKey);
    }
    const made = this.keyCount++;
    this.keyNameId[made] = nameId;
    this.keyType[made] = type;
    this.#nextKey[made] = this.#keyOfName[nameId]!;
    this.#keyOfName[nameId] = made + 1;
    return made;
  }

  /** Dictionary id of a text. */
  text(text: string): number {
    if (text.length === 0) return 0;
    const bytes = utf8Bytes(text);
    return this.dictionary.intern(bytes, 0, bytes.length);
  }

  /** Dictionary id of bytes. */
  bytes(bytes: Uint8Array): number {
    return this.dictionary.intern(bytes, 0, bytes.length);
  }

  /** Dictionary id of an int64. */
  int(value: bigint): number {
    NUMBER_VIEW.setBigInt64(0, value, true);
    return this.dictionary.internWords(
      NUMBER_VIEW.getInt32(0, true),
      NUMBER_VIEW.getInt32(4, true),
    );
  }

  /** Dictionary id of a double. */
  double(value: number): number {
    NUMBER_VIEW.setFloat64(0, value, true);
    return this.dictionary.internWords(
      NUMBER_VIEW.getInt32(0, true),
      NUMBER_VIEW.getInt32(4, true),
    );
  }

  /** Opens the next resource row. */
  addResource(): number {
    this.resourceDropped.push(0);
    this.resourceSchemaUrlId.push(0);
    return this.resourceAttributes.open();
  }

  /** Opens the next scope row. */
  addScope(): number {
    this.scopeNameId.push(0);
    this.scopeVersionId.push(0);
    this.scopeDropped.push(0);
    this.scopeSchemaUrlId.push(0);
    return this.scopeAttributes.open();
  }

  /** How many spans there is room for. */
  get capacity(): number {
    return this.kind.length;
  }

  /** Makes room for so many spans with so many attributes in all, for who knows: less is copied. */
  reserve(spans: number, attributes: number): void {
    const times = Math.ceil(spans / this.kind.length);
    if (times > 1) this.#growSpans(times);
    this.spanAttributes.reserve(spans, attributes);
  }

  /** Opens the next span with every column zero; returns its row. */
  addSpan(resourceRow: number, scopeRow: number): number {
    const i = this.spanCount;
    if (i === this.kind.length) this.#growSpans();
    this.spanCount = i + 1;
    this.spanAttributes.open();
    this.startUs[i] = 0;
    this.durationNs[i] = 0;
    this.startNs[i] = 0;
    this.nameId[i] = 0;
    this.statusMessageId[i] = 0;
    this.traceStateId[i] = 0;
    this.flags[i] = 0;
    this.rare[i] = 0;
    this.resourceRow[i] = resourceRow;
    this.scopeRow[i] = scopeRow;
    this.eventOffsets[i] = this.eventCount;
    this.linkOffsets[i] = this.linkCount;
    this.kind[i] = 0;
    this.status[i] = 0;
    this.traceIdWords[i * 4] = 0;
    this.traceIdWords[i * 4 + 1] = 0;
    this.traceIdWords[i * 4 + 2] = 0;
    this.traceIdWords[i * 4 + 3] = 0;
    this.spanIdWords[i * 2] = 0;
    this.spanIdWords[i * 2 + 1] = 0;
    this.parentSpanIdWords[i * 2] = 0;
    this.parentSpanIdWords[i * 2 + 1] = 0;
    return i;
  }

  /** Opens the next event of the open span. */
  addEvent(us: number, ns: number, nameId: number): number {
    const e = this.eventCount;
    if (e === this.eventNs.length) {
      this.eventUs = grown(this.eventUs);
      this.eventNs = grown(this.eventNs);
      this.eventNameId = grown(this.eventNameId);
      this.eventDropped = grown(this.eventDropped);
    }
    this.eventCount = e + 1;
    this.eventAttributes.open();
    this.eventUs[e] = us;
    this.eventNs[e] = ns;
    this.eventNameId[e] = nameId;
    this.eventDropped[e] = 0;
    return e;
  }

  /** Keeps the exact microseconds of an event whose time is beyond ±2^53 µs. */
  setExactEventUs(row: number, us: bigint): void {
    this.eventUs[row] = Number(us);
    this.exactEvents.push({ row, us });
  }

  /** Opens the next link of the open span, ids zero. */
  addLink(): number {
    const l = this.linkCount;
    if (l === this.linkFlags.length) {
      this.linkTraceId = grown(this.linkTraceId);
      this.linkSpanId = grown(this.linkSpanId);
      this.linkTraceStateId = grown(this.linkTraceStateId);
      this.linkFlags = grown(this.linkFlags);
      this.linkDropped = grown(this.linkDropped);
    }
    this.linkCount = l + 1;
    this.linkAttributes.open();
    this.linkTraceId.fill(0, l * 16, l * 16 + 16);
    this.linkSpanId.fill(0, l * 8, l * 8 + 8);
    this.linkTraceStateId[l] = 0;
    this.linkFlags[l] = 0;
    this.linkDropped[l] = 0;
    return l;
  }

  /** Dropped counts of a span as its client reported (or we truncated) them. */
  setDropped(span: number, attributes: number, events: number, links: number): void {
    if (attributes === 0 && events === 0 && links === 0 && this.rare[span] === 0) return;
    const row = this.#rareRow(span);
    row.droppedAttributes = attributes;
    row.droppedEvents = events;
    row.droppedLinks = links;
  }

  /**
   * Sets a span's times from nanoseconds beyond what the plain columns hold exactly.
   * `startNs` and `durationNs` are exact; any int64-and-a-bit value will do.
   */
  setExactTimes(span: number, startNs: bigint, durationNs: bigint): void {
    const startUs = floorDiv(startNs, 1000n);
    const durationUs = floorDiv(durationNs, 1000n);
    const row = this.#rareRow(span);
    row.exact = 1;
    row.startUs = startUs;
    row.durationUs = durationUs;
    row.durationNs = Number(durationNs - durationUs * 1000n);
    this.startUs[span] = Number(startUs);
    this.startNs[span] = Number(startNs - startUs * 1000n);
    this.durationNs[span] = Number(durationNs);
  }

  /** Takes back the link added last, with its attributes. */
  dropLastLink(): void {
    this.linkAttributes.truncate(--this.linkCount);
  }

  /** Takes back the span added last, with its attributes, events and links. */
  dropLastSpan(): void {
    const i = --this.spanCount;
    this.spanAttributes.truncate(i);
    this.eventAttributes.truncate(this.eventOffsets[i]!);
    this.linkAttributes.truncate(this.linkOffsets[i]!);
    this.eventCount = this.eventOffsets[i]!;
    this.linkCount = this.linkOffsets[i]!;
    while (this.#rare.length > 0 && this.#rare.at(-1)!.span >= i) this.#rare.pop();
    while (this.exactEvents.length > 0 && this.exactEvents.at(-1)!.row >= this.eventCount) {
      this.exactEvents.pop();
    }
  }

  /** Takes back all spans and resources but the first so many; nothing else must be of theirs. */
  truncate(spans: number, resources: number): void {
    while (this.spanCount > spans) this.dropLastSpan();
    this.resourceAttributes.truncate(resources);
    this.resourceDropped.length = resources;
    this.resourceSchemaUrlId.length = resources;
  }

  /** Empties the builder, keeping its memory. */
  reset(): void {
    this.#keyOfName.fill(0, 0, Math.min(this.#keyOfName.length, this.dictionary.count));
    this.keyCount = 0;
    this.dictionary.reset();
    this.resourceAttributes.reset();
    this.scopeAttributes.reset();
    this.spanAttributes.reset();
    this.eventAttributes.reset();
    this.linkAttributes.reset();
    this.spanCount = 0;
    this.eventCount = 0;
    this.linkCount = 0;
    this.resourceDropped.length = 0;
    this.resourceSchemaUrlId.length = 0;
    this.scopeNameId.length = 0;
    this.scopeVersionId.length = 0;
    this.scopeDropped.length = 0;
    this.scopeSchemaUrlId.length = 0;
    this.exactEvents.length = 0;
    this.#rare.length = 0;
  }

  /**
   * Packs what was collected into a new batch. `allocate` gives the image's memory (8-byte
   * aligned); without it the image has a buffer of its own. Every resource gets its effective
   * service name: the string attribute `service.name`, or the names above when absent or empty.
   */
  finish(allocate?: (sizeBytes: number) => Uint8Array): SpanBatch {
    const services = this.#services();
    const counts = this.#counts();
    const size = imageSizeBytes(counts);
    const image = allocate === undefined ? new Uint8Array(size) : allocate(size);
    const batch = newBatch(image, counts, this.dictionary.isAscii);
    this.#copySpans(batch);
    this.#copyRest(batch);
    batch.resourceServiceId.set(services);
    return batch;
  }

  #counts(): BatchCounts {
    return {
      spans: this.spanCount,
      resources: this.resourceAttributes.owners,
      scopes: this.scopeAttributes.owners,
      events: this.eventCount,
      links: this.linkCount,
      rare: this.#rare.length,
      exactEvents: this.exactEvents.length,
      keys: this.keyCount,
      dict: this.dictionary.count,
      dictBytes: this.dictionary.sizeBytes,
      resourceAttributes: this.resourceAttributes.count,
      scopeAttributes: this.scopeAttributes.count,
      spanAttributes: this.spanAttributes.count,
      eventAttributes: this.eventAttributes.count,
      linkAttributes: this.linkAttributes.count,
    };
  }

  #services(): number[] {
    const table = this.resourceAttributes;
    const found: number[] = [];
    const nameId = this.dictionary.intern(SERVICE_NAME_KEY, 0, SERVICE_NAME_KEY.length);
    const wanted = this.key(nameId, ATTRIBUTE_TYPE.STRING);
    table.offsets[table.owners] = table.count;
    for (let r = 0; r < table.owners; r++) {
      let service = -1;
      for (let a = table.offsets[r]!; a < table.offsets[r + 1]!; a++) {
        if (table.key[a] === wanted) service = table.value[a]!;
      }
      if (service === -1) service = this.text(NO_SERVICE_NAME);
      else if (service === 0) service = this.text(EMPTY_SERVICE_NAME);
      found.push(service);
    }
    return found;
  }

  #copySpans(batch: SpanBatch): void {
    const n = this.spanCount;
    copyColumn(this.startUs, batch.startUs);
    copyColumn(this.durationNs, batch.durationNs);
    copyColumn(this.startNs, batch.startNs);
    copyColumn(this.nameId, batch.nameId);
    copyColumn(this.statusMessageId, batch.statusMessageId);
    copyColumn(this.traceStateId, batch.traceStateId);
    copyColumn(this.flags, batch.flags);
    copyColumn(this.rare, batch.rare);
    copyColumn(this.resourceRow, batch.resourceRow);
    copyColumn(this.scopeRow, batch.scopeRow);
    copyColumn(this.eventOffsets, batch.eventOffsets);
    batch.eventOffsets[n] = this.eventCount;
    copyColumn(this.linkOffsets, batch.linkOffsets);
    batch.linkOffsets[n] = this.linkCount;
    copyColumn(this.kind, batch.kind);
    copyColumn(this.status, batch.status);
    copyColumn(this.traceId, batch.traceId);
    copyColumn(this.spanId, batch.spanId);
    copyColumn(this.parentSpanId, batch.parentSpanId);
    this.#rare.forEach((row, r) => {
      batch.rareExact[r] = row.exact;
      batch.rareStartUs[r] = row.startUs;
      batch.rareDurationUs[r] = row.durationUs;
      batch.rareDurationNs[r] = row.durationNs;
      batch.rareDroppedAttributes[r] = row.droppedAttributes;
      batch.rareDroppedEvents[r] = row.droppedEvents;
      batch.rareDroppedLinks[r] = row.droppedLinks;
    });
  }

  #copyRest(batch: SpanBatch): void {
    batch.resourceDropped.set(this.resourceDropped);
    batch.resourceSchemaUrlId.set(this.resourceSchemaUrlId);
    batch.scopeNameId.set(this.scopeNameId);
    batch.scopeVersionId.set(this.scopeVersionId);
    batch.scopeDropped.set(this.scopeDropped);
    batch.scopeSchemaUrlId.set(this.scopeSchemaUrlId);
    copyColumn(this.eventUs, batch.eventUs);
    copyColumn(this.eventNs, batch.eventNs);
    copyColumn(this.eventNameId, batch.eventNameId);
    copyColumn(this.eventDropped, batch.eventDropped);
    this.exactEvents.forEach((event, i) => {
      batch.exactEventRow[i] = event.row;
      batch.exactEventUs[i] = event.us;
    });
    copyColumn(this.linkTraceId, batch.linkTraceId);
    copyColumn(this.linkSpanId, batch.linkSpanId);
    copyColumn(this.linkTraceStateId, batch.linkTraceStateId);
    copyColumn(this.linkFlags, batch.linkFlags);
    copyColumn(this.linkDropped, batch.linkDropped);
    copyColumn(this.keyNameId, batch.keyNameId);
    copyColumn(this.keyType, batch.keyType);
    const dictionary = this.dictionary;
    copyColumn(dictionary.offsets, batch.dictOffsets);
    copyColumn(dictionary.bytes, batch.dictBytes);
    this.resourceAttributes.copyInto(batch.resourceAttributes);
    this.scopeAttributes.copyInto(batch.scopeAttributes);
    this.spanAttributes.copyInto(batch.spanAttributes);
    this.eventAttributes.copyInto(batch.eventAttributes);
    this.linkAttributes.copyInto(batch.linkAttributes);
  }

  #rareRow(span: number): RareRow {
    const known = this.rare[span]!;
    if (known !== 0) return this.#rare[known - 1]!;
    const row: RareRow = {
      span,
      exact: 0,
      startUs: 0n,
      durationUs: 0n,
      durationNs: 0,
      droppedAttributes: 0,
      droppedEvents: 0,
      droppedLinks: 0,
    };
    this.rare[span] = this.#rare.push(row);
    return row;
  }

  #growSpans(times = 2): void {
    this.startUs = grown(this.startUs, times);
    this.durationNs = grown(this.durationNs, times);
    this.startNs = grown(this.startNs, times);
    this.nameId = grown(this.nameId, times);
    this.statusMessageId = grown(this.statusMessageId, times);
    this.traceStateId = grown(this.traceStateId, times);
    this.flags = grown(this.flags, times);
    this.rare = grown(this.rare, times);
    this.resourceRow = grown(this.resourceRow, times);
    this.scopeRow = grown(this.scopeRow, times);
    this.eventOffsets = grown(this.eventOffsets, times);
    this.linkOffsets = grown(this.linkOffsets, times);
    this.kind = grown(this.kind, times);
    this.status = grown(this.status, times);
    this.traceId = grown(this.traceId, times);
    this.spanId = grown(this.spanId, times);
    this.parentSpanId = grown(this.parentSpanId, times);
    this.traceIdWords = new Int32Array(this.traceId.buffer);
    this.spanIdWords = new Int32Array(this.spanId.buffer);
    this.parentSpanIdWords = new Int32Array(this.parentSpanId.buffer);
  }
}

interface RareRow {
  span: number;
  exact: number;
  startUs: bigint;
  durationUs: bigint;
  durationNs: number;
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
