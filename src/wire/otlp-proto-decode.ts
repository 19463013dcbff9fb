/** OTLP protobuf requests into span batches, in one pass. Bench: bench/otlp-decode.ts. */

import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import { OtlpAttributeScanner } from "./otlp-proto-attributes.ts";
import { addWarnings, WARNING } from "./otlp-warnings.ts";

const TWO_TO_53 = 2 ** 53;
const MAX_U32 = 0xffff_ffff;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * Decodes an ExportTraceServiceRequest (or TracesData, the same bytes). The builder is the
 * caller's to reuse; it is reset first. Spans without valid ids are left out and counted. Throws
 * SpoorError `malformed` for what is no such message, `too-large` beyond `requestSpans`.
 */
export function decodeOtlpProto(
  bytes: Uint8Array,
  builder: BatchBuilder,
  limits: DecodeLimits = LIMITS,
): OtlpDecoded {
  builder.reset();
  const scanner = new OtlpScanner(bytes, builder, limits);
  scanner.request();
  const batch = builder.finish();
  return otlpDecoded(batch, scanner.badTraceIds, scanner.badSpanIds, scanner.truncated);
}

/** Reads one request; every method takes where its message lies. */
class OtlpScanner extends OtlpAttributeScanner {
  badTraceIds = 0;
  badSpanIds = 0;
  truncated = false;
  #spans = 0;
  #resource = 0;
  #scope = 0;
  /** Warnings of the open resource and scope: every later span of theirs has them too. */
  #resourceWarnings = 0;
  #scopeWarnings = 0;
  /** Of the open span: what is known of its ids, where its times lie, what did not fit. */
  #traceIdGood = false;
  #spanIdGood = false;
  #parentGood = true;
  #startAt = -1;
  #endAt = -1;
  #overAttributes = 0;
  #overEvents = 0;
  #overLinks = 0;
  /** Dropped attributes, events and links as sent, valid if any was. */
  readonly #sent = new Uint32Array(3);
  #sentDropped = false;

  request(): void {
    const end = this.bytes.length;
    let at = 0;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        this.#resourceSpans(this.at, stop);
        at = stop;
      } else at = this.skip(tag, at, end);
    }
  }

  #resourceSpans(from: number, end: number): void {
    this.#resource = this.builder.addResource();
    this.#resourceWarnings = 0;
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a || tag === 0x12 || tag === 0x1a) {
        const stop = this.stop(at, end);
        if (tag === 0x12) this.#scopeSpans(this.at, stop);
        else {
          this.warnings = 0;
          if (tag === 0x0a) this.#resourceMessage(this.at, stop);
          else this.builder.resourceSchemaUrlId[this.#resource] = this.name(this.at, stop);
          this.#resourceWarnings |= this.warnings;
        }
        at = stop;
      } else at = this.skip(tag, at, end);
    }
    if (this.#resourceWarnings !== 0) this.truncated = true;
  }

  #resourceMessage(from: number, end: number): void {
    const table = this.builder.resourceAttributes;
    const dropped = this.builder.resourceDropped;
    let over = 0;
    let at = from;
    this.startOwner();
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a) {
        const stop = this.stop(at, end);
        if (!this.attribute(this.at, stop, table)) over++;
        at = stop;
      } else if (tag === 0x10) {
        dropped[this.#resource] = this.varint64(at) >>> 0;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    if (over !== 0) this.#over(dropped, this.#resource, over);
  }

  #scopeSpans(from: number, end: number): void {
    this.#scope = this.builder.addScope();
    this.#scopeWarnings = 0;
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x12) {
        const stop = this.stop(at, end);
        this.#countedSpan(this.at, stop);
        at = stop;
      } else if (tag === 0x0a || tag === 0x1a) {
        const stop = this.stop(at, end);
        this.warnings = 0;
        if (tag === 0x0a) this.#scopeMessage(this.at, stop);
        else this.builder.scopeSchemaUrlId[this.#scope] = this.name(this.at, stop);
        this.#scopeWarnings |= this.warnings;
        at = stop;
      } else at = this.skip(tag, at, end);
    }
    if (this.#scopeWarnings !== 0) this.truncated = true;
  }

  #scopeMessage(from: number, end: number): void {
    const builder = this.builder;
    const table = builder.scopeAttributes;
    let over = 0;
    let at = from;
    this.startOwner();
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x0a || tag === 0x12 || tag === 0x1a) {
        const stop = this.stop(at, end);
        if (tag === 0x0a) builder.scopeNameId[this.#scope] = this.name(this.at, stop);
        else if (tag === 0x12) builder.scopeVersionId[this.#scope] = this.name(this.at, stop);
        else if (!this.attribute(this.at, stop, table)) over++;
        at = stop;
      } else if (tag === 0x20) {
        builder.scopeDropped[this.#scope] = this.varint64(at) >>> 0;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    if (over !== 0) this.#over(builder.scopeDropped, this.#scope, over);
  }

  #countedSpan(from: number, end: number): void {
    if (++this.#spans > this.limits.requestSpans) {
      throw new SpoorError(
        "too-large",
        `more than ${this.limits.requestSpans} spans in one request (requestSpans)`,
      );
    }
    this.warnings = 0;
    const problem = this.#span(from, end);
    if (problem === 0) {
      if (this.warnings !== 0) this.truncated = true;
      const warnings = this.warnings | this.#resourceWarnings | this.#scopeWarnings;
      if (warnings !== 0) addWarnings(this.builder, warnings, this.limits);
      return;
    }
    this.builder.dropLastSpan();
    if (problem === 1) this.badTraceIds++;
    else this.badSpanIds++;
  }

  /** Reads a span. 0: it is fine; 1: its trace id, 2: its span id is not valid. */
  #span(from: number, end: number): 0 | 1 | 2 {
    const bytes = this.bytes;
    const row = this.builder.addSpan(this.#resource, this.#scope);
    this.#traceIdGood = false;
    this.#spanIdGood = false;
    this.#parentGood = true;
    this.#startAt = -1;
    this.#endAt = -1;
    this.#sentDropped = false;
    this.#overAttributes = 0;
    this.#overEvents = 0;
    this.#overLinks = 0;
    this.startOwner();
    let at = from;
    while (at < end) {
      let tag = bytes[at++]!;
      if (tag > 127) {
        tag = this.varint(at - 1);
        at = this.at;
      }
      if ((tag & 7) !== 2) {
        at = this.#spanNumber(tag, at, end, row);
        continue;
      }
      let length = at < end ? bytes[at++]! : 128;
      if (length > 127) {
        length = this.varint(at - 1);
        at = this.at;
      }
      const stop = at + length;
      if (stop > end) throw this.malformed("a field runs past its end");
      if (tag === 0x4a) {
        if (!this.attribute(at, stop, this.builder.spanAttributes)) this.#overAttributes++;
      } else this.#spanBytes(tag, at, stop, row);
      at = stop;
    }
    if (!this.#traceIdGood) return 1;
    if (!this.#spanIdGood) return 2;
    this.#finishSpan(row);
    return 0;
  }

  /** A length-delimited field of a span but its attributes. */
  #spanBytes(tag: number, at: number, stop: number, row: number): void {
    const builder = this.builder;
    switch (tag) {
      case 0x0a:
        this.#traceIdGood = this.#idWords(at, stop, builder.traceIdWords, row * 4, 4);
        break;
      case 0x12:
        this.#spanIdGood = this.#idWords(at, stop, builder.spanIdWords, row * 2, 2);
        break;
      case 0x22:
        this.#idWords(at, stop, builder.parentSpanIdWords, row * 2, 2);
        this.#parentGood = stop === at || stop - at === 8;
        break;
      case 0x2a:
        builder.nameId[row] = this.name(at, stop);
        break;
      case 0x7a:
        this.#status(at, stop, row);
        break;
      case 0x1a:
        builder.traceStateId[row] = this.name(at, stop);
        break;
      case 0x5a:
        if (builder.eventCount - builder.eventOffsets[row]! < this.limits.eventsPerSpan) {
          this.#event(at, stop);
          this.startOwner();
        } else this.#overEvents++;
        break;
      case 0x6a:
        if (builder.linkCount - builder.linkOffsets[row]! < this.limits.linksPerSpan) {
          this.#link(at, stop);
          this.startOwner();
        } else this.#overLinks++;
        break;
      default:
        if (tag >>> 3 === 0) throw this.malformed("a field numbered 0");
    }
  }

  /** A field of a span that is no length-delimited one; returns where the next begins. */
  #spanNumber(tag: number, at: number, end: number, row: number): number {
    switch (tag) {
      case 0x30: {
        const kind = this.varint64(at);
        this.builder.kind[row] = this.high === 0 && kind >= 0 && kind <= 5 ? kind : 0;
        return this.within(end);
      }
      case 0x39:
        this.#startAt = at;
        return this.fixedEnd(at + 8, end);
      case 0x41:
        this.#endAt = at;
        return this.fixedEnd(at + 8, end);
      case 0x85:
        this.fixedEnd(at + 4, end);
        this.builder.flags[row] = this.view.getUint32(at, true);
        return at + 4;
      case 0x50:
      case 0x60:
      case 0x70: {
        if (!this.#sentDropped) this.#sent.fill(0);
        this.#sentDropped = true;
        this.#sent[(tag >>> 4) - 5] = this.varint64(at) >>> 0;
        return this.within(end);
      }
      default:
        return this.skip(tag, at, end);
    }
  }

  /** Copies an id when its length is right, else zeros the place. False: absent, bad or zero. */
  #idWords(at: number, stop: number, out: Int32Array, outAt: number, words: number): boolean {
    const right = stop - at === words * 4;
    let any = 0;
    for (let i = 0; i < words; i++) {
      const word = right ? this.view.getInt32(at + i * 4, LITTLE_ENDIAN) : 0;
      out[outAt + i] = word;
      any |= word;
    }
    return any !== 0;
  }

  /** Copies an id when its length is right, else zeros the place. False: absent, bad or zero. */
  #id(at: number, stop: number, out: Uint8Array, outAt: number, length: number): boolean {
    if (stop - at !== length) {
      out.fill(0, outAt, outAt + length);
      return false;
    }
    const bytes = this.bytes;
    let any = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[at + i]!;
      out[outAt + i] = byte;
      any |= byte;
    }
    return any !== 0;
  }

  #status(from: number, end: number, row: number): void {
    let at = from;
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x12) {
        const stop = this.stop(at, end);
        this.builder.statusMessageId[row] = this.text(this.at, stop);
        at = stop;
      } else if (tag === 0x18) {
        const code = this.varint64(at);
        this.builder.status[row] = this.high === 0 && code >= 0 && code <= 2 ? code : 0;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
  }

  #event(from: number, end: number): void {
    const builder = this.builder;
    const row = builder.addEvent(0, 0, 0);
    let timeAt = -1;
    let over = 0;
    let at = from;
    this.startOwner();
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if (tag === 0x09) {
        timeAt = at;
        at = this.fixedEnd(at + 8, end);
      } else if (tag === 0x12 || tag === 0x1a) {
        const stop = this.stop(at, end);
        if (tag === 0x12) builder.eventNameId[row] = this.name(this.at, stop);
        else if (!this.attribute(this.at, stop, builder.eventAttributes)) over++;
        at = stop;
      } else if (tag === 0x20) {
        builder.eventDropped[row] = this.varint64(at) >>> 0;
        at = this.within(end);
      } else at = this.skip(tag, at, end);
    }
    if (over !== 0) this.#over(builder.eventDropped, row, over);
    if (timeAt === -1) return;
    const high = this.view.getUint32(timeAt + 4, true);
    const rest = high * 296 + this.view.getUint32(timeAt, true);
    const quotient = Math.floor(rest / 1000);
    const us = high * 4_294_967 + quotient;
    builder.eventNs[row] = rest - quotient * 1000;
    builder.eventUs[row] = us;
    if (us >= TWO_TO_53) {
      builder.setExactEventUs(row, this.view.getBigUint64(timeAt, true) / 1000n);
    }
  }

  #link(from: number, end: number): void {
    const builder = this.builder;
    const row = builder.addLink();
    let good = true;
    let over = 0;
    let at = from;
    this.startOwner();
    while (at < end) {
      const tag = this.varint(at);
      at = this.at;
      if ((tag & 7) === 2) {
        const stop = this.stop(at, end);
        const start = this.at;
        const length = stop - start;
        at = stop;
        if (tag === 0x0a) {
          this.#id(start, stop, builder.linkTraceId, row * 16, 16);
          good = good && (length === 16 || length === 0);
        } else if (tag === 0x12) {
          this.#id(start, stop, builder.linkSpanId, row * 8, 8);
          good = good && (length === 8 || length === 0);
        } else if (tag === 0x1a) builder.linkTraceStateId[row] = this.name(start, stop);
        else if (tag === 0x22 && !this.attribute(start, stop, builder.linkAttributes)) over++;
        else if (tag >>> 3 === 0) throw this.malformed("a field numbered 0");
      } else if (tag === 0x28) {
        builder.linkDropped[row] = this.varint64(at) >>> 0;
        at = this.within(end);
      } else if (tag === 0x35) {
        const next = this.fixedEnd(at + 4, end);
        builder.linkFlags[row] = this.view.getUint32(at, true);
        at = next;
      } else at = this.skip(tag, at, end);
    }
    if (over !== 0) this.#over(builder.linkDropped, row, over);
    if (good) return;
    builder.dropLastLink();
    this.#overLinks++;
    this.warnings |= WARNING.BAD_LINK;
  }

  /** Times, dropped counts and what is wrong with the parent, once all fields are read. */
  #finishSpan(row: number): void {
    this.#times(row);
    if (!this.#parentGood) this.warnings |= WARNING.BAD_PARENT;
    if (this.#overAttributes !== 0) this.warnings |= WARNING.ATTRIBUTES_DROPPED;
    if (this.#overEvents !== 0) this.warnings |= WARNING.EVENTS_DROPPED;
    if (this.#overLinks !== 0 && (this.warnings & WARNING.BAD_LINK) === 0) {
      this.warnings |= WARNING.LINKS_DROPPED;
    }
    const over = this.#overAttributes + this.#overEvents + this.#overLinks;
    if (!this.#sentDropped && over === 0) return;
    if (!this.#sentDropped) this.#sent.fill(0);
    this.builder.setDropped(
      row,
      Math.min(this.#sent[0]! + this.#overAttributes, MAX_U32),
      Math.min(this.#sent[1]! + this.#overEvents, MAX_U32),
      Math.min(this.#sent[2]! + this.#overLinks, MAX_U32),
    );
  }

  /** Start and duration: µs = hi·4294967 + ⌊(hi·296 + lo)/1000⌋ is exact below 2^53. */
  #times(row: number): void {
    const builder = this.builder;
    const view = this.view;
    const startAt = this.#startAt;
    const endAt = this.#endAt;
    const startHigh = startAt < 0 ? 0 : view.getUint32(startAt + 4, true);
    const startRest = startHigh * 296 + (startAt < 0 ? 0 : view.getUint32(startAt, true));
    const startQuotient = Math.floor(startRest / 1000);
    const startUs = startHigh * 4_294_967 + startQuotient;
    const startNs = startRest - startQuotient * 1000;
    const endHigh = endAt < 0 ? 0 : view.getUint32(endAt + 4, true);
    const endRest = endHigh * 296 + (endAt < 0 ? 0 : view.getUint32(endAt, true));
    const endQuotient = Math.floor(endRest / 1000);
    const endUs = endHigh * 4_294_967 + endQuotient;
    const durationNs = (endUs - startUs) * 1000 + (endRest - endQuotient * 1000 - startNs);
    if (startUs < TWO_TO_53 && endUs < TWO_TO_53 && Math.abs(durationNs) < TWO_TO_53) {
      builder.startUs[row] = startUs;
      builder.startNs[row] = startNs;
      builder.durationNs[row] = durationNs;
      return;
    }
    const startBig = startAt < 0 ? 0n : view.getBigUint64(startAt, true);
    const endBig = endAt < 0 ? 0n : view.getBigUint64(endAt, true);
    builder.setExactTimes(row, startBig, endBig - startBig);
  }

  #over(dropped: number[] | Uint32Array, row: number, count: number): void {
    dropped[row] = Math.min(dropped[row]! + count, MAX_U32);
    this.warnings |= WARNING.ATTRIBUTES_DROPPED;
  }
}
