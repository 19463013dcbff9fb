/** OTLP/JSON requests into span batches. Bench: bench/otlp-decode.ts. */

import { fromHexInto, isZero, utf8, utf8Bytes } from "../base/bytes.ts";
import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import { ATTRIBUTE_TYPE } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { otlpDecoded } from "./otlp-decoded.ts";
import type { DecodeLimits, OtlpDecoded } from "./otlp-decoded.ts";
import * as json from "./otlp-json-values.ts";
import type { JsonObject } from "./otlp-json-values.ts";
import { utf8Boundary } from "./row-scanner.ts";
import { addWarnings, WARNING } from "./otlp-warnings.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const { STRING, BOOL, INT, DOUBLE, BYTES, ARRAY, MAP, EMPTY } = ATTRIBUTE_TYPE;
const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES = ["UNSET", "OK", "ERROR"];
const MAX_U32 = 0xffff_ffff;
const MOST_BYTES = 2 ** 31;
const TWO_TO_53 = 2 ** 53;
/** Texts longer than this are looked up by their bytes at once. */
const REMEMBERED_LENGTH = 128;

/**
 * Decodes the JSON form of an ExportTraceServiceRequest or TracesData: `{"resourceSpans": […]}`.
 * Names may be snake_case, numbers texts, enums names; what is unknown is ignored. The builder
 * is the caller's to reuse. Result and errors are those of `decodeOtlpProto`.
 */
export function decodeOtlpJson(
  bytes: Uint8Array,
  builder: BatchBuilder,
  limits: DecodeLimits = LIMITS,
): OtlpDecoded {
  builder.reset();
  const request = json.parseJson(utf8(bytes));
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    throw json.malformedJson("the request is no object");
  }
  const reader = new OtlpJsonReader(builder, limits);
  reader.request(request as JsonObject);
  const batch = builder.finish();
  return otlpDecoded(batch, reader.badTraceIds, reader.badSpanIds, reader.truncated);
}

/** Walks parsed JSON into a builder. */
class OtlpJsonReader {
  badTraceIds = 0;
  badSpanIds = 0;
  truncated = false;
  readonly #builder: BatchBuilder;
  readonly #limits: DecodeLimits;
  readonly #texts = new Map<string, number>();
  readonly #writer = new ProtobufWriter(new Uint8Array(1024), MOST_BYTES);
  #spans = 0;
  #warnings = 0;

  constructor(builder: BatchBuilder, limits: DecodeLimits) {
    this.#builder = builder;
    this.#limits = limits;
  }

  request(request: JsonObject): void {
    const builder = this.#builder;
    const all = request["resourceSpans"] ?? request["resource_spans"];
    for (const item of json.listOf(all, "resourceSpans")) {
      const group = json.objectOf(item, "an element of resourceSpans");
      const resource = json.objectOf(group["resource"], "resource");
      this.#warnings = 0;
      const row = builder.addResource();
      builder.resourceSchemaUrlId[row] = this.#schemaUrl(group);
      const over = this.#attributes(resource["attributes"], builder.resourceAttributes);
      builder.resourceDropped[row] = droppedOf(resource, over);
      const warnings = this.#warnings;
      if (warnings !== 0) this.truncated = true;
      const scopes = group["scopeSpans"] ?? group["scope_spans"];
      for (const scope of json.listOf(scopes, "scopeSpans")) {
        this.#scopeSpans(json.objectOf(scope, "an element of scopeSpans"), row, warnings);
      }
    }
  }

  #scopeSpans(group: JsonObject, resourceRow: number, resourceWarnings: number): void {
    const builder = this.#builder;
    const scope = json.objectOf(group["scope"], "scope");
    this.#warnings = 0;
    const row = builder.addScope();
    builder.scopeNameId[row] = this.#name(json.textOf(scope["name"], "a scope's name"));
    builder.scopeVersionId[row] = this.#name(json.textOf(scope["version"], "a scope's version"));
    builder.scopeSchemaUrlId[row] = this.#schemaUrl(group);
    const over = this.#attributes(scope["attributes"], builder.scopeAttributes);
    builder.scopeDropped[row] = droppedOf(scope, over);
    const warnings = this.#warnings | resourceWarnings;
    if (warnings !== 0) this.truncated = true;
    for (const span of json.listOf(group["spans"], "spans")) {
      this.#countedSpan(json.objectOf(span, "a span"), resourceRow, row, warnings);
    }
  }

  #schemaUrl(group: JsonObject): number {
    return this.#name(json.textOf(group["schemaUrl"] ?? group["schema_url"], "schemaUrl"));
  }

  #countedSpan(span: JsonObject, resource: number, scope: number, warnings: number): void {
    if (++this.#spans > this.#limits.requestSpans) {
      throw new SpoorError(
        "too-large",
        `more than ${this.#limits.requestSpans} spans in one request (requestSpans)`,
      );
    }
    const builder = this.#builder;
    const row = builder.addSpan(resource, scope);
    this.#warnings = 0;
    const traceId = span["traceId"] ?? span["trace_id"];
    const spanId = span["spanId"] ?? span["span_id"];
    const traceIdGood = this.#id(traceId, builder.traceId, row * 16, 16) === 1;
    const spanIdGood = this.#id(spanId, builder.spanId, row * 8, 8) === 1;
    this.#span(span, row);
    if (traceIdGood && spanIdGood) {
      if (this.#warnings !== 0) this.truncated = true;
      const all = this.#warnings | warnings;
      if (all !== 0) addWarnings(builder, all, this.#limits);
      return;
    }
    builder.dropLastSpan();
    if (!traceIdGood) this.badTraceIds++;
    else this.badSpanIds++;
  }

  #span(span: JsonObject, row: number): void {
    const builder = this.#builder;
    const parentId = span["parentSpanId"] ?? span["parent_span_id"];
    if (this.#id(parentId, builder.parentSpanId, row * 8, 8) < 0) {
      this.#warnings |= WARNING.BAD_PARENT;
    }
    const traceState = span["traceState"] ?? span["trace_state"];
    builder.traceStateId[row] = this.#name(json.textOf(traceState, "traceState"));
    builder.nameId[row] = this.#name(json.textOf(span["name"], "a span's name"));
    builder.kind[row] = json.enumOf(span["kind"], "SPAN_KIND_", KINDS);
    builder.flags[row] = json.uint32Of(span["flags"], "flags");
    this.#times(span, row);
    const status = json.objectOf(span["status"], "status");
    builder.status[row] = json.enumOf(status["code"], "STATUS_CODE_", STATUS_CODES);
    builder.statusMessageId[row] = this.#text(
      json.textOf(status["message"], "a status' message"),
      this.#limits.attributeValueBytes,
      WARNING.VALUE_CUT,
    );
    const overAttributes = this.#attributes(span["attributes"], builder.spanAttributes);
    const overEvents = this.#events(span["events"]);
    const overLinks = this.#links(span["links"]);
    const events = span["droppedEventsCount"] ?? span["dropped_events_count"];
    const links = span["droppedLinksCount"] ?? span["dropped_links_count"];
    builder.setDropped(
      row,
      droppedOf(span, overAttributes),
      Math.min(json.uint32Of(events, "droppedEventsCount") + overEvents, MAX_U32),
      Math.min(json.uint32Of(links, "droppedLinksCount") + overLinks, MAX_U32),
    );
  }

  #times(span: JsonObject, row: number): void {
    const builder = this.#builder;
    const start = span["startTimeUnixNano"] ?? span["start_time_unix_nano"];
    const end = span["endTimeUnixNano"] ?? span["end_time_unix_nano"];
    const startUs = json.microsecondsOf(start);
    const startNs = json.restNs;
    const endUs = json.microsecondsOf(end);
    const durationNs = (endUs - startUs) * 1000 + (json.restNs - startNs);
    if (startUs >= 0 && endUs >= 0 && Math.abs(durationNs) < TWO_TO_53) {
      builder.startUs[row] = startUs;
      builder.startNs[row] = startNs;
      builder.durationNs[row] = durationNs;
      return;
    }
    const startBig = json.timeOf(start, "startTimeUnixNano");
    const durationBig = json.timeOf(end, "endTimeUnixNano") - startBig;
    builder.setExactTimes(row, startBig, durationBig);
  }

  /** Adds the events of the open span; returns how many were too many. */
  #events(given: unknown): number {
    const builder = this.#builder;
    const events = json.listOf(given, "events");
    const count = Math.min(events.length, this.#limits.eventsPerSpan);
    for (let i = 0; i < count; i++) {
      const event = json.objectOf(events[i], "an event");
      const time = event["timeUnixNano"] ?? event["time_unix_nano"];
      const name = this.#name(json.textOf(event["name"], "an event's name"));
      const us = json.microsecondsOf(time);
      const row = builder.addEvent(us, us < 0 ? 0 : json.restNs, name);
      if (us < 0) this.#exactEvent(row, json.timeOf(time, "timeUnixNano"));
      const over = this.#attributes(event["attributes"], builder.eventAttributes);
      builder.eventDropped[row] = droppedOf(event, over);
    }
    if (count < events.length) this.#warnings |= WARNING.EVENTS_DROPPED;
    return events.length - count;
  }

  #exactEvent(row: number, ns: bigint): void {
    const us = ns / 1000n;
    this.#builder.eventNs[row] = Number(ns - us * 1000n);
    if (us < TWO_TO_53) this.#builder.eventUs[row] = Number(us);
    else this.#builder.setExactEventUs(row, us);
  }

  #links(given: unknown): number {
    const builder = this.#builder;
    const links = json.listOf(given, "links");
    const count = Math.min(links.length, this.#limits.linksPerSpan);
    let over = links.length - count;
    if (over > 0) this.#warnings |= WARNING.LINKS_DROPPED;
    for (let i = 0; i < count; i++) {
      const link = json.objectOf(links[i], "a link");
      const row = builder.addLink();
      const traceId = link["traceId"] ?? link["trace_id"];
      const spanId = link["spanId"] ?? link["span_id"];
      const good = this.#id(traceId, builder.linkTraceId, row * 16, 16);
      if (good < 0 || this.#id(spanId, builder.linkSpanId, row * 8, 8) < 0) {
        builder.dropLastLink();
        this.#warnings |= WARNING.BAD_LINK;
        over++;
        continue;
      }
      const state = link["traceState"] ?? link["trace_state"];
      builder.linkTraceStateId[row] = this.#name(json.textOf(state, "a link's traceState"));
      builder.linkFlags[row] = json.uint32Of(link["flags"], "a link's flags");
      const overAttributes = this.#attributes(link["attributes"], builder.linkAttributes);
      builder.linkDropped[row] = droppedOf(link, overAttributes);
    }
    return over;
  }

  /** Writes an id given as hex. 1: it is good, 0: absent or zero, -1: no such hex. */
  #id(given: unknown, out: Uint8Array, at: number, length: number): 1 | 0 | -1 {
    const text = json.textOf(given, "an id");
    if (text.length !== length * 2 || !fromHexInto(text, out, at, length)) {
      out.fill(0, at, at + length);
      return text === "" ? 0 : -1;
    }
    return isZero(out, at, length) ? 0 : 1;
  }

  /** Adds attributes to the open owner of the table; returns how many were too many. */
  #attributes(given: unknown, table: AttributeTableBuilder): number {
    const list = json.listOf(given, "attributes");
    const count = Math.min(list.length, this.#limits.attributesPerOwner);
    for (let i = 0; i < count; i++) {
      const entry = json.objectOf(list[i], "an attribute");
      const nameId = this.#name(json.textOf(entry["key"], "a key"));
      this.#value(table, nameId, json.objectOf(entry["value"], "an attribute's value"));
    }
    if (count < list.length) this.#warnings |= WARNING.ATTRIBUTES_DROPPED;
    return list.length - count;
  }

  #value(table: AttributeTableBuilder, nameId: number, any: JsonObject): void {
    const builder = this.#builder;
    const member = json.memberOf(any);
    const value = any[member];
    const most = this.#limits.attributeValueBytes;
    switch (member) {
      case "stringValue":
      case "string_value": {
        const text = json.textOf(value, "stringValue");
        const id = this.#text(text, most, WARNING.VALUE_CUT);
        table.add(builder.key(nameId, STRING), id);
        return;
      }
      case "boolValue":
      case "bool_value":
        table.add(builder.key(nameId, BOOL), json.boolOf(value) ? 1 : 0);
        return;
      case "intValue":
      case "int_value": {
        const low = json.int64Words(value, "intValue");
        table.add(builder.key(nameId, INT), builder.dictionary.internWords(low, json.highWord));
        return;
      }
      case "doubleValue":
      case "double_value":
        table.add(builder.key(nameId, DOUBLE), builder.double(json.doubleOf(value)));
        return;
      case "bytesValue":
      case "bytes_value": {
        const bytes = json.base64Of(value);
        if (bytes.length > most) this.#warnings |= WARNING.VALUE_CUT;
        table.add(builder.key(nameId, BYTES), builder.bytes(bytes.subarray(0, most)));
        return;
      }
      case "":
        table.add(builder.key(nameId, EMPTY), 0);
        return;
      default:
        this.#nested(table, nameId, member.startsWith("kvlist"), value);
    }
  }

  #nested(table: AttributeTableBuilder, nameId: number, keyed: boolean, value: unknown): void {
    const builder = this.#builder;
    const writer = this.#writer;
    writer.position = 0;
    const { valueDepth, attributeValueBytes } = this.#limits;
    if (!json.writeElements(writer, value, keyed, 0, valueDepth, attributeValueBytes)) {
      this.#warnings |= WARNING.VALUE_CUT;
    }
    const id = builder.dictionary.intern(writer.bytes, 0, writer.position);
    table.add(builder.key(nameId, keyed ? MAP : ARRAY), id);
  }

  #name(text: string): number {
    return this.#text(text, this.#limits.nameBytes, WARNING.NAME_CUT);
  }

  /** Dictionary id of a text of at most `most` bytes. */
  #text(text: string, most: number, warning: number): number {
    if (text === "") return 0;
    const short = text.length <= REMEMBERED_LENGTH && text.length * 3 <= most;
    const known = short ? this.#texts.get(text) : undefined;
    if (known !== undefined) return known;
    const bytes = utf8Bytes(text);
    let end = bytes.length;
    if (end > most) {
      this.#warnings |= warning;
      end = utf8Boundary(bytes, 0, most);
    }
    const id = this.#builder.dictionary.intern(bytes, 0, end);
    if (short) this.#texts.set(text, id);
    return id;
  }
}

/** The dropped count of an owner as sent, and `over` more. */
function droppedOf(owner: JsonObject, over: number): number {
  const sent = owner["droppedAttributesCount"] ?? owner["dropped_attributes_count"];
  return Math.min(json.uint32Of(sent, "droppedAttributesCount") + over, MAX_U32);
}
