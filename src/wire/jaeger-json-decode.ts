/** Decodes Jaeger's UI JSON (files its UI and API give out) into a span batch. */

import { fromHexInto, utf8Strict } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { LIMITS } from "../core/limits.ts";
import * as json from "./jaeger-json-values.ts";
import type { JsonObject, Tag } from "./jaeger-json-values.ts";
import { JaegerRows, REFERENCE } from "./jaeger-rows.ts";
import type { DecodeLimits } from "./otlp-decoded.ts";
import { addWarnings, encodeStringArray } from "./otlp-warnings.ts";

/** Whether a file looks like Jaeger's JSON (a trace, several, or an API's envelope of them). */
export function isJaegerJson(bytes: Uint8Array): boolean {
  const start = utf8Strict(bytes.subarray(0, 128).filter((byte) => byte < 0x80)) ?? "";
  return /^\s*(\{\s*"(data|traceID|spans|processes)"|\[\s*\{\s*"(traceID|spans)")/.test(start);
}

/**
 * Spans of one or more traces: `{"data":[…]}`, a list of traces, or one trace. The builder is
 * the caller's to reuse. What Jaeger holds in tags and a batch in columns becomes columns: kind,
 * status, scope, trace state. Throws `malformed`, or `too-large` beyond `mostSpans`.
 */
export function decodeJaegerJson(
  bytes: Uint8Array,
  builder: BatchBuilder,
  mostSpans: number = LIMITS.requestSpans,
): SpanBatch {
  builder.reset();
  const root = json.parse(bytes);
  const enveloped = typeof root === "object" && root !== null && "data" in root;
  const traces = enveloped ? root.data : Array.isArray(root) ? root : [root];
  const decoder = new Decoder(builder, mostSpans);
  for (const trace of json.list(traces, "data")) decoder.trace(json.object(trace, "a trace"));
  return builder.finish();
}

/**
 * Texts whose ids are remembered: keys, names and most values repeat, and making bytes of each
 * again took 0.9 of the 2 s that 100,000 spans took. The longest of them, and how many.
 */
const KEPT_CHARACTERS = 256;
const KEPT_TEXTS = 65_536;

class Decoder {
  readonly #builder: BatchBuilder;
  readonly #texts = new Map<string, number>();
  readonly #limits: DecodeLimits;
  readonly #rows: JaegerRows;
  readonly #ids = new Int32Array(6);
  readonly #idBytes = new Uint8Array(this.#ids.buffer);

  constructor(builder: BatchBuilder, mostSpans: number) {
    this.#builder = builder;
    this.#limits = { ...LIMITS, requestSpans: mostSpans };
    this.#rows = new JaegerRows(builder, this.#limits);
  }

  trace(trace: JsonObject): void {
    const processes = json.object(trace["processes"] ?? {}, "processes");
    const resources = new Map<string, number>();
    for (const [id, process] of Object.entries(processes)) {
      resources.set(id, this.#resource(json.object(process, `process ${id}`)));
    }
    for (const item of json.list(trace["spans"] ?? [], "spans")) {
      const span = json.object(item, "a span");
      const id = json.text(span["processID"]);
      let resource = resources.get(id);
      if (resource === undefined) {
        resource = this.#resource(json.object(span["process"] ?? {}, "process"));
        if (span["process"] === undefined) resources.set(id, resource);
      }
      this.#span(span, resource);
    }
  }

  #resource(process: JsonObject): number {
    const rows = this.#rows;
    const row = rows.openProcess();
    const service = process["serviceName"];
    if (typeof service === "string") rows.serviceName(this.#text(service));
    for (const tag of json.tags(process["tags"])) {
      rows.processTag(row, this.#key(tag), this.#value(tag));
    }
    return row;
  }

  #span(span: JsonObject, resource: number): void {
    const builder = this.#builder;
    const rows = this.#rows;
    const i = rows.openSpan(resource);
    readId(span["traceID"], builder.traceId, i * 16, 16, "traceID");
    readId(span["spanID"], builder.spanId, i * 8, 8, "spanID");
    builder.nameId[i] = this.#text(json.text(span["operationName"]));
    this.#times(span, i);
    const flags = json.integer(span["flags"] ?? 0, "flags");
    builder.flags[i] = (Number(flags) & JAEGER_FLAGS.MASK) << JAEGER_FLAGS.SHIFT;
    for (const tag of json.tags(span["tags"])) rows.spanTag(this.#key(tag), this.#value(tag));
    this.#references(span);
    for (const log of json.list(span["logs"] ?? [], "logs")) this.#log(json.object(log, "a log"));
    this.#warnings(span["warnings"], rows.closeSpan({ anyIds: true }));
  }

  #times(span: JsonObject, i: number): void {
    const builder = this.#builder;
    const startUs = json.integer(span["startTime"] ?? 0, "startTime");
    const durationUs = json.integer(span["duration"] ?? 0, "duration");
    const exact =
      Number.isSafeInteger(Number(startUs)) && Number.isSafeInteger(Number(durationUs * 1000n));
    if (exact) {
      builder.startUs[i] = Number(startUs);
      builder.durationNs[i] = Number(durationUs) * 1000;
    } else builder.setExactTimes(i, startUs * 1000n, durationUs * 1000n);
  }

  #warnings(warnings: unknown, cut: number): void {
    const texts = json.list(warnings ?? [], "warnings").map(json.text);
    if (texts.length === 0 && cut === 0) return;
    addWarnings(this.#builder, cut, this.#limits, encodeStringArray(texts));
  }

  /** The references, or the parent as old files have it where none is into the trace. */
  #references(span: JsonObject): void {
    const rows = this.#rows;
    const [ids, bytes] = [this.#ids, this.#idBytes];
    let inTrace = false;
    for (const item of json.list(span["references"] ?? [], "references")) {
      const { refType, traceID, spanID } = json.object(item, "a reference");
      readId(traceID, bytes, 0, 16, "reference's traceID");
      readId(spanID, bytes, 16, 8, "reference's spanID");
      inTrace ||= sameHex(traceID, span["traceID"]);
      const type = refType === "CHILD_OF" ? REFERENCE.CHILD_OF : REFERENCE.FOLLOWS_FROM;
      rows.reference(type, ids[0]!, ids[1]!, ids[2]!, ids[3]!, ids[4]!, ids[5]!);
    }
    const parentId = span["parentSpanID"];
    if (inTrace || parentId === undefined || parentId === "") return;
    readId(parentId, bytes, 16, 8, "parentSpanID");
    if ((ids[4]! | ids[5]!) !== 0) rows.parent(ids[4]!, ids[5]!);
  }

  #log(log: JsonObject): void {
    const rows = this.#rows;
    const us = json.integer(log["timestamp"] ?? 0, "timestamp");
    const row = rows.openLog();
    for (const tag of json.tags(log["fields"])) rows.logTag(this.#key(tag), this.#value(tag));
    rows.closeLog();
    if (row === -1) return;
    this.#builder.eventUs[row] = Number(us);
    if (!Number.isSafeInteger(Number(us))) this.#builder.setExactEventUs(row, us);
  }

  /** Dictionary id of a text. */
  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const id = this.#builder.text(text);
    if (text.length <= KEPT_CHARACTERS && this.#texts.size < KEPT_TEXTS) this.#texts.set(text, id);
    return id;
  }

  #key({ key, type, value }: Tag): number {
    const name = this.#text(key);
    switch (typeof value) {
      case "string":
        return this.#builder.key(name, ATTRIBUTE_TYPE.STRING);
      case "boolean":
        return this.#builder.key(name, ATTRIBUTE_TYPE.BOOL);
      case "bigint":
        return this.#builder.key(name, ATTRIBUTE_TYPE.INT);
      case "number":
        return this.#builder.key(name, ATTRIBUTE_TYPE.DOUBLE);
      case "object":
        return this.#builder.key(name, ATTRIBUTE_TYPE.BYTES);
      default:
        throw json.malformed(`tag ${key} has no value of type ${type}`);
    }
  }

  #value({ value }: Tag): number {
    const builder = this.#builder;
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "bigint":
        return builder.int(BigInt.asIntN(64, value));
      case "number":
        return builder.double(value);
      case "object":
        return builder.bytes(value);
      default:
        return value === true ? 1 : 0;
    }
  }
}

/** Reads hex of an id, zeros in front left out or not. */
function readId(value: unknown, out: Uint8Array, at: number, length: number, what: string): void {
  const whole = typeof value === "string" && value !== "" && fromHexInto(value, out, at, length);
  if (!whole) throw json.malformed(`${what} is no id: ${JSON.stringify(value)}`);
}

function sameHex(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): string => json.text(value).toLowerCase().replace(/^0+/, "");
  return plain(a) === plain(b);
}
