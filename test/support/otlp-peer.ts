/** OTLP bytes read by protobufjs and written out as `dumpBatch` would: the independent reader. */

import { toHex } from "../../src/base/bytes.ts";
import type { DumpedSpan } from "./batch-equal.ts";
import { otlpType } from "./otlp-schema.ts";

interface Message {
  readonly [name: string]: unknown;
}

/** Spans of a TracesData as protobufjs understands it. Texts must be UTF-8. */
export function dumpPeer(bytes: Uint8Array): DumpedSpan[] {
  const type = otlpType("TracesData");
  const data = type.toObject(type.decode(bytes), { longs: String });
  const dumped: DumpedSpan[] = [];
  for (const group of list(data["resourceSpans"])) {
    const resource = message(group["resource"]);
    for (const scopeSpans of list(group["scopeSpans"])) {
      for (const span of list(scopeSpans["spans"])) {
        dumped.push({
          ...dumpSpan(span),
          resource: dumpResource(resource, group),
          scope: dumpScope(message(scopeSpans["scope"]), scopeSpans),
        });
      }
    }
  }
  return dumped;
}

function dumpSpan(span: Message): Omit<DumpedSpan, "resource" | "scope"> {
  const status = message(span["status"]);
  const start = big(span["startTimeUnixNano"]);
  return {
    traceId: hex(span["traceId"], 16),
    spanId: hex(span["spanId"], 8),
    parentSpanId: hex(span["parentSpanId"], 8),
    name: text(span["name"]),
    kind: number(span["kind"]),
    status: `${number(status["code"])} ${text(status["message"])}`,
    traceState: text(span["traceState"]),
    flags: number(span["flags"]),
    startNs: String(start),
    durationNs: String(big(span["endTimeUnixNano"]) - start),
    dropped: ["Attributes", "Events", "Links"]
      .map((what) => number(span[`dropped${what}Count`]))
      .join(" "),
    attributes: attributes(span),
    events: list(span["events"]).map((event) => ({
      timeNs: String(big(event["timeUnixNano"])),
      name: text(event["name"]),
      dropped: number(event["droppedAttributesCount"]),
      attributes: attributes(event),
    })),
    links: list(span["links"]).map((link) => ({
      traceId: hex(link["traceId"], 16),
      spanId: hex(link["spanId"], 8),
      traceState: text(link["traceState"]),
      flags: number(link["flags"]),
      dropped: number(link["droppedAttributesCount"]),
      attributes: attributes(link),
    })),
  };
}

function dumpResource(resource: Message, group: Message): object {
  const names = list(resource["attributes"]).filter(
    ({ key, value }) => key === "service.name" && "stringValue" in message(value),
  );
  const named = names.length > 0;
  const name = named ? text(message(names.at(-1)!["value"])["stringValue"]) : "";
  return {
    service: named ? name || "empty-service-name" : "OTLPResourceNoServiceName",
    schemaUrl: text(group["schemaUrl"]),
    dropped: number(resource["droppedAttributesCount"]),
    attributes: attributes(resource),
  };
}

function dumpScope(scope: Message, group: Message): object {
  return {
    name: text(scope["name"]),
    version: text(scope["version"]),
    schemaUrl: text(group["schemaUrl"]),
    dropped: number(scope["droppedAttributesCount"]),
    attributes: attributes(scope),
  };
}

function attributes(owner: Message): string[] {
  return list(owner["attributes"]).map(
    (entry) => `${text(entry["key"])}:${value(message(entry["value"]))}`,
  );
}

function value(any: Message): string {
  const member = Object.keys(any)[0];
  const inner = any[member ?? ""];
  switch (member) {
    case "stringValue":
      return `string=${text(inner)}`;
    case "boolValue":
      return `bool=${String(inner)}`;
    case "intValue":
      return `int=${String(inner)}`;
    case "doubleValue": {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, inner as number, true);
      return `double=${toHex(bytes)}`;
    }
    case "bytesValue":
      return `bytes=${toHex(inner as Uint8Array)}`;
    case "arrayValue":
      return `array=${encoded("ArrayValue", inner)}`;
    case "kvlistValue":
      return `map=${encoded("KeyValueList", inner)}`;
    default:
      return "empty=";
  }
}

function encoded(typeName: string, plain: unknown): string {
  const type = otlpType(typeName);
  return toHex(type.encode(type.fromObject(plain as object)).finish());
}

function list(given: unknown): readonly Message[] {
  return (given ?? []) as readonly Message[];
}

function message(given: unknown): Message {
  return (given ?? {}) as Message;
}

function text(given: unknown): string {
  return (given ?? "") as string;
}

function number(given: unknown): number {
  return (given ?? 0) as number;
}

function big(given: unknown): bigint {
  return BigInt((given ?? 0) as string);
}

function hex(given: unknown, length: number): string {
  const bytes = (given ?? new Uint8Array(0)) as Uint8Array;
  return toHex(bytes).padStart(length * 2, "0");
}
