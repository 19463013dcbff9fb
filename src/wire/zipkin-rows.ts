/** Zipkin's spans as rows of a batch: what both models share, and the second's mapping. */

import { fromHexInto, toHex, utf8, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS, SPAN_KIND, STATUS_CODE } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { ipText } from "../core/trace/host-key.ts";
import { JaegerRows } from "./jaeger-rows.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded, RejectedReasons } from "./otlp-decoded.ts";
import { addWarnings, WARNING } from "./otlp-warnings.ts";
import { utf8Boundary } from "./row-scanner.ts";
import { eventOf, linkOf } from "./zipkin-texts.ts";
import type { ZipkinValue } from "./zipkin-texts.ts";

const { STRING, BOOL, INT, DOUBLE } = ATTRIBUTE_TYPE;
/** Jaeger's flags sampled and debug. */
const DEBUG_FLAGS = 3 << JAEGER_FLAGS.SHIFT;
const LINK_PREFIX = "otlp.link.";
const ABSENT_START = "otel.zipkin.absentField.startTime";
const STATUSES = ["UNSET", "OK", "ERROR"];

/** Where something happened; addresses are bytes, 4 or 16. */
export interface ZipkinEndpoint {
  readonly serviceName: string;
  readonly ipv4: Uint8Array | undefined;
  readonly ipv6: Uint8Array | undefined;
  readonly port: number;
}

/** What spans of both models have. Ids are bytes; times are µs, 0 when absent. */
export interface ZipkinSpan {
  readonly traceId: Uint8Array;
  readonly id: Uint8Array;
  readonly parentId: Uint8Array | undefined;
  readonly name: Uint8Array;
  readonly timestampUs: bigint;
  readonly durationUs: bigint;
  readonly debug: boolean;
}

/** A span of Zipkin's second model. */
export interface ZipkinV2Span extends ZipkinSpan {
  readonly kind: number;
  readonly local: ZipkinEndpoint | undefined;
  readonly remote: ZipkinEndpoint | undefined;
  readonly annotations: readonly { readonly us: bigint; readonly value: Uint8Array }[];
  readonly tags: readonly (readonly [key: string, value: Uint8Array])[];
}

/** The caller's builder, reset first, and limits other than LIMITS. */
export interface ZipkinDecodeOptions {
  readonly builder: BatchBuilder;
  readonly limits?: DecodeLimits;
  /** Whether every span has the debug flag, as a sender may say of a whole request. */
  readonly debug?: boolean;
}

/** Fills a builder from Zipkin's spans, one at a time. Zipkin is no hot path: objects will do. */
export class ZipkinRows {
  readonly builder: BatchBuilder;
  /** Whether every span has the debug flag. */
  debug = false;
  readonly #limits: DecodeLimits;
  readonly #rows: JaegerRows;
  readonly #processes = new Map<string, number>();
  #warnings = 0;

  constructor(builder: BatchBuilder, limits: DecodeLimits) {
    this.builder = builder;
    this.#limits = limits;
    this.#rows = new JaegerRows(builder, limits);
    builder.reset();
  }

  /** What was filled, packed. */
  decoded(): OtlpDecoded {
    const { badTraceIds, badSpanIds, truncated } = this.#rows;
    return otlpDecoded(this.builder.finish(), badTraceIds, badSpanIds, truncated);
  }

  /** Spans left out so far because of their ids. */
  get rejectedReasons(): RejectedReasons {
    return { traceId: this.#rows.badTraceIds, spanId: this.#rows.badSpanIds };
  }

  /** Takes back all spans and processes but the first so many. */
  truncate(spans: number, resources: number): void {
    this.builder.truncate(spans, resources);
    for (const [id, row] of this.#processes) if (row >= resources) this.#processes.delete(id);
  }

  /** Adds a span of the second model as OpenTelemetry reads it. */
  addV2(span: ZipkinV2Span): void {
    const builder = this.builder;
    const service = span.local?.serviceName ?? "";
    const row = this.open(span, service, []);
    builder.kind[row] = span.kind;
    if (span.timestampUs === 0n) this.tag(ABSENT_START, { type: BOOL, value: true });
    const tags = new Map(span.tags);
    this.#status(row, tags);
    for (const [key, value] of tags) {
      if (!key.startsWith(LINK_PREFIX) || !this.#link(utf8(value))) {
        this.tag(key, { type: STRING, value });
      }
    }
    this.#endpoint(span.local, "net.host.ip", "net.host.port");
    if (span.remote !== undefined && span.remote.serviceName !== "") {
      this.tag("peer.service", { type: STRING, value: utf8Bytes(span.remote.serviceName) });
    }
    this.#endpoint(span.remote, "net.peer.ip", "net.peer.port");
    for (const { us, value } of span.annotations) this.#annotation(us, value);
    this.close(span);
  }

  /** Opens a span of a process; `processTags` are part of what makes processes differ. */
  open(
    span: ZipkinSpan,
    service: string | undefined,
    processTags: readonly (readonly [string, ZipkinValue])[],
  ): number {
    const rows = this.#rows;
    this.#warnings = 0;
    const row = rows.openSpan(this.#process(service, processTags));
    const builder = this.builder;
    if (span.traceId.length > 16 || span.id.length > 8) throw malformed("an id is too long");
    builder.traceId.set(span.traceId, row * 16 + 16 - span.traceId.length);
    builder.spanId.set(span.id, row * 8 + 8 - span.id.length);
    builder.nameId[row] = this.#cut(span.name, this.#limits.nameBytes, WARNING.NAME_CUT);
    if (span.debug || this.debug) builder.flags[row] = DEBUG_FLAGS;
    this.#times(row, span.timestampUs, span.durationUs);
    return row;
  }

  #times(row: number, start: bigint, lasting: bigint): void {
    const builder = this.builder;
    const startUs = BigInt.asIntN(64, start);
    const durationUs = BigInt.asIntN(64, lasting);
    const duration = Number(durationUs) * 1000;
    if (Number.isSafeInteger(Number(startUs)) && Number.isSafeInteger(duration)) {
      builder.startUs[row] = Number(startUs);
      builder.durationNs[row] = duration;
    } else builder.setExactTimes(row, startUs * 1000n, durationUs * 1000n);
  }

  /** Adds a tag to the open span. */
  tag(key: string, value: ZipkinValue): void {
    this.#rows.spanTag(this.#key(key, value), this.#value(value));
  }

  /** Adds a log to the open span. */
  log(us: bigint, fields: readonly (readonly [string, ZipkinValue])[]): void {
    const rows = this.#rows;
    const row = rows.openLog();
    for (const [key, value] of fields) rows.logTag(this.#key(key, value), this.#value(value));
    rows.closeLog();
    if (row === -1) return;
    const exactUs = BigInt.asIntN(64, us);
    this.builder.eventUs[row] = Number(exactUs);
    if (!Number.isSafeInteger(Number(exactUs))) this.builder.setExactEventUs(row, exactUs);
  }

  /** Closes the open span; a parent of the span itself is none. */
  close({ parentId, id }: ZipkinSpan): void {
    if (parentId !== undefined && !sameId(parentId, id)) {
      if (parentId.length > 8) throw malformed("an id is too long");
      const words = new Int32Array(2);
      new Uint8Array(words.buffer).set(parentId, 8 - parentId.length);
      if ((words[0]! | words[1]!) !== 0) this.#rows.parent(words[0]!, words[1]!);
    }
    const cut = this.#rows.closeSpan();
    const warnings = cut | this.#warnings;
    if (cut === -1 || warnings === 0) return;
    this.#rows.truncated = true;
    addWarnings(this.builder, warnings, this.#limits);
  }

  #process(service: string | undefined, tags: readonly (readonly [string, ZipkinValue])[]): number {
    const texts = tags.map(([key, { type, value }]) => [key, type, String(value)]);
    const id = JSON.stringify([service, texts]);
    let row = this.#processes.get(id);
    if (row !== undefined) return row;
    row = this.#rows.openProcess();
    if (service !== undefined && service !== "") {
      const name = this.#cut(utf8Bytes(service), this.#limits.nameBytes, WARNING.NAME_CUT);
      this.#rows.serviceName(name);
    }
    for (const [key, value] of tags) {
      this.#rows.processTag(row, this.#key(key, value), this.#value(value));
    }
    this.#processes.set(id, row);
    return row;
  }

  #key(key: string, value: ZipkinValue): number {
    const name = this.#cut(utf8Bytes(key), this.#limits.nameBytes, WARNING.NAME_CUT);
    return this.builder.key(name, value.type);
  }

  #value(value: ZipkinValue): number {
    switch (value.type) {
      case BOOL:
        return value.value ? 1 : 0;
      case INT:
        return this.builder.int(BigInt.asIntN(64, value.value));
      case DOUBLE:
        return this.builder.double(value.value);
      default:
        return this.#cut(value.value, this.#limits.attributeValueBytes, WARNING.VALUE_CUT);
    }
  }

  /** Dictionary id of bytes, cut between characters when there are more than `most`. */
  #cut(bytes: Uint8Array, most: number, warning: number): number {
    if (bytes.length <= most) return this.builder.bytes(bytes);
    this.#warnings |= warning;
    return this.builder.bytes(bytes.subarray(0, utf8Boundary(bytes, 0, most)));
  }

  #endpoint(endpoint: ZipkinEndpoint | undefined, ipKey: string, portKey: string): void {
    if (endpoint === undefined) return;
    const ip = endpoint.ipv6 ?? endpoint.ipv4;
    if (ip !== undefined) this.tag(ipKey, { type: STRING, value: utf8Bytes(ipText(ip)) });
    if (endpoint.port !== 0) this.tag(portKey, { type: INT, value: BigInt(endpoint.port) });
  }

  /** The status as OpenTelemetry's exporters tell it in tags, or Zipkin's own `error`. */
  #status(row: number, tags: Map<string, Uint8Array>): void {
    const builder = this.builder;
    const code = tags.get("otel.status_code");
    const status = code === undefined ? -1 : STATUSES.indexOf(utf8(code));
    const error = tags.get("error");
    if (status >= 0) {
      builder.status[row] = status;
      tags.delete("otel.status_code");
      const message = tags.get("otel.status_description");
      if (status !== STATUS_CODE.ERROR || error === undefined) return;
      tags.delete("error");
      if (message === undefined && !isPlainError(utf8(error))) {
        tags.set("otel.status_description", error);
      }
    } else if (error !== undefined) {
      tags.delete("error");
      this.error(error);
    }
  }

  /** Zipkin's tag `error`: any text but "false" says so, and most say why. */
  error(value: Uint8Array): void {
    const text = utf8(value);
    this.tag("error", { type: BOOL, value: text.toLowerCase() !== "false" });
    if (!isPlainError(text)) this.tag("error.message", { type: STRING, value });
  }

  #link(text: string): boolean {
    const link = linkOf(text);
    if (link === undefined) return false;
    const words = new Int32Array(6);
    const bytes = new Uint8Array(words.buffer);
    const whole =
      fromHexInto(link.traceHex, bytes, 0, 16) && fromHexInto(link.spanHex, bytes, 16, 8);
    if (!whole) return false;
    this.#rows.reference(1, words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5]!);
    return true;
  }

  /** An annotation is an event; OpenTelemetry's have their attributes in the text. */
  #annotation(us: bigint, value: Uint8Array): void {
    const event = eventOf(utf8(value));
    const name = event === undefined ? value : utf8Bytes(event.name);
    this.log(us, [["event", { type: STRING, value: name }], ...(event?.fields ?? [])]);
  }
}

/** The kind that Zipkin's names or numbers of kinds stand for. */
export const ZIPKIN_KINDS: Readonly<Record<string, number>> = {
  CLIENT: SPAN_KIND.CLIENT,
  SERVER: SPAN_KIND.SERVER,
  PRODUCER: SPAN_KIND.PRODUCER,
  CONSUMER: SPAN_KIND.CONSUMER,
};

/** The error for what is no Zipkin request. */
export function malformed(what: string): SpoorError {
  return new SpoorError("malformed", `Zipkin: ${what}`);
}

function isPlainError(text: string): boolean {
  return text === "" || /^(true|false)$/i.test(text);
}

/** Whether two ids are the same number, zeros in front left out or not. */
function sameId(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a).padStart(16, "0") === toHex(b).padStart(16, "0");
}
