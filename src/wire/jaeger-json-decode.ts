/** Decodes Jaeger's UI JSON (files its UI and API give out) into a span batch. */

import { fromHexInto, utf8Strict } from "../base/bytes.ts";
import type { AttributeTableBuilder } from "../core/attribute-table.ts";
import { ATTRIBUTE_TYPE, JAEGER_FLAGS, STATUS_CODE } from "../core/batch.ts";
import type { SpanBatch } from "../core/batch.ts";
import { NO_SERVICE_NAME } from "../core/builder.ts";
import type { BatchBuilder } from "../core/builder.ts";
import { SpoorError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { REF_TYPE_ATTRIBUTE } from "../core/trace/references.ts";
import * as json from "./jaeger-json-values.ts";
import type { JsonObject, Tag } from "./jaeger-json-values.ts";
import { encodeStringArray, WARNINGS_KEY } from "./otlp-warnings.ts";

const KINDS = ["", "internal", "server", "client", "producer", "consumer"];
const STATUSES = ["UNSET", "OK", "ERROR"];
const SCOPE_PREFIX = "otel.scope.";

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

class Decoder {
  readonly #builder: BatchBuilder;
  readonly #mostSpans: number;
  readonly #scopes = new Map<string, number>();

  constructor(builder: BatchBuilder, mostSpans: number) {
    this.#builder = builder;
    this.#mostSpans = mostSpans;
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
    const builder = this.#builder;
    const row = builder.addResource();
    const service = process["serviceName"];
    if (typeof service === "string" && service !== NO_SERVICE_NAME) {
      this.#add(builder.resourceAttributes, {
        key: "service.name",
        type: "string",
        value: service,
      });
    }
    for (const tag of json.tags(process["tags"])) this.#add(builder.resourceAttributes, tag);
    return row;
  }

  #span(span: JsonObject, resource: number): void {
    const builder = this.#builder;
    if (builder.spanCount >= this.#mostSpans) {
      throw new SpoorError("too-large", `more than ${this.#mostSpans} spans`);
    }
    const tags = json.tags(span["tags"]);
    const i = builder.addSpan(resource, this.#scope(tags));
    readId(span["traceID"], builder.traceId, i * 16, 16, "traceID");
    readId(span["spanID"], builder.spanId, i * 8, 8, "spanID");
    builder.nameId[i] = builder.text(json.text(span["operationName"]));
    this.#times(span, i);
    const flags = json.integer(span["flags"] ?? 0, "flags");
    builder.flags[i] = (Number(flags) & JAEGER_FLAGS.MASK) << JAEGER_FLAGS.SHIFT;
    for (const tag of tags) this.#spanTag(tag, i);
    this.#warnings(span["warnings"]);
    this.#references(span, i);
    for (const log of json.list(span["logs"] ?? [], "logs")) this.#log(json.object(log, "a log"));
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

  /** The row of the scope that a span's tags tell of. */
  #scope(tags: readonly Tag[]): number {
    const own = tags.filter(({ key }) => isScopeTag(key));
    const known = JSON.stringify(own.map(({ key, type, value }) => [key, type, String(value)]));
    const found = this.#scopes.get(known);
    if (found !== undefined) return found;
    const builder = this.#builder;
    const row = builder.addScope();
    for (const tag of own) {
      const name = tag.key.slice(tag.key.lastIndexOf(".") + 1);
      const isName = /^otel\.(scope|library)\.name$/.test(tag.key);
      const isVersion = /^otel\.(scope|library)\.version$/.test(tag.key);
      if (isName) builder.scopeNameId[row] = builder.text(String(tag.value));
      else if (isVersion) builder.scopeVersionId[row] = builder.text(String(tag.value));
      else {
        const key = tag.key.startsWith(SCOPE_PREFIX) ? tag.key.slice(SCOPE_PREFIX.length) : name;
        this.#add(builder.scopeAttributes, { ...tag, key });
      }
    }
    this.#scopes.set(known, row);
    return row;
  }

  /** A tag is a column of the span when Jaeger's encoder made it from one. */
  #spanTag(tag: Tag, i: number): void {
    const builder = this.#builder;
    const { key, value } = tag;
    if (isScopeTag(key)) return;
    const kind = key === "span.kind" ? KINDS.indexOf(String(value)) : -1;
    const status = key === "otel.status_code" ? STATUSES.indexOf(String(value)) : -1;
    if (kind > 0) builder.kind[i] = kind;
    else if (status >= 0) builder.status[i] = status;
    else if (key === "error" && value === true) builder.status[i] = STATUS_CODE.ERROR;
    else if (key === "otel.status_description" && typeof value === "string") {
      builder.statusMessageId[i] = builder.text(value);
    } else if (key === "w3c.tracestate" && typeof value === "string") {
      builder.traceStateId[i] = builder.text(value);
    } else this.#add(builder.spanAttributes, tag);
  }

  #warnings(warnings: unknown): void {
    const texts = json.list(warnings ?? [], "warnings").map(json.text);
    if (texts.length === 0) return;
    const builder = this.#builder;
    const key = builder.key(builder.text(WARNINGS_KEY), ATTRIBUTE_TYPE.ARRAY);
    builder.spanAttributes.add(key, builder.bytes(encodeStringArray(texts)));
  }

  /** The first CHILD_OF into the trace is the parent, else the first reference into it. */
  #references(span: JsonObject, i: number): void {
    const builder = this.#builder;
    const references = json
      .list(span["references"] ?? [], "references")
      .map((reference) => json.object(reference, "a reference"));
    const inTrace = references.filter(({ traceID }) => sameHex(traceID, span["traceID"]));
    const parent = inTrace.find(({ refType }) => refType === "CHILD_OF") ?? inTrace[0];
    const parentId = parent?.["spanID"] ?? span["parentSpanID"];
    if (parentId !== undefined && parentId !== "") {
      readId(parentId, builder.parentSpanId, i * 8, 8, "parent's spanID");
    }
    for (const reference of references) {
      const childOf = reference["refType"] === "CHILD_OF";
      if (reference === parent && childOf) continue;
      const link = builder.addLink();
      readId(reference["traceID"], builder.linkTraceId, link * 16, 16, "reference's traceID");
      readId(reference["spanID"], builder.linkSpanId, link * 8, 8, "reference's spanID");
      // A link says FOLLOWS_FROM by itself; only the other type needs telling.
      const type = { key: REF_TYPE_ATTRIBUTE, type: "string", value: "child_of" };
      if (childOf) this.#add(builder.linkAttributes, type);
    }
  }

  #log(log: JsonObject): void {
    const builder = this.#builder;
    const us = json.integer(log["timestamp"] ?? 0, "timestamp");
    const fields = json.tags(log["fields"]);
    const named = fields.findIndex(
      ({ key, value }) => key === "event" && typeof value === "string",
    );
    const name = named === -1 ? 0 : builder.text(String(fields[named]!.value));
    const event = builder.addEvent(Number(us), 0, name);
    if (!Number.isSafeInteger(Number(us))) builder.setExactEventUs(event, us);
    fields.forEach((field, n) => {
      if (n !== named) this.#add(builder.eventAttributes, field);
    });
  }

  #add(table: AttributeTableBuilder, { key, type, value }: Tag): void {
    const builder = this.#builder;
    const name = builder.text(key);
    if (value instanceof Uint8Array) {
      table.add(builder.key(name, ATTRIBUTE_TYPE.BYTES), builder.bytes(value));
    } else if (typeof value === "string") {
      table.add(builder.key(name, ATTRIBUTE_TYPE.STRING), builder.text(value));
    } else if (typeof value === "boolean") {
      table.add(builder.key(name, ATTRIBUTE_TYPE.BOOL), value ? 1 : 0);
    } else if (typeof value === "bigint") {
      table.add(builder.key(name, ATTRIBUTE_TYPE.INT), builder.int(BigInt.asIntN(64, value)));
    } else if (typeof value === "number") {
      table.add(builder.key(name, ATTRIBUTE_TYPE.DOUBLE), builder.double(value));
    } else throw json.malformed(`tag ${key} has no value of type ${type}`);
  }
}

function isScopeTag(key: string): boolean {
  return key.startsWith(SCOPE_PREFIX) || /^otel\.library\.(name|version)$/.test(key);
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
