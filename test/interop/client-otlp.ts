// Reads OTLP requests with protobufjs, for tests of the client.
import { otlpType } from "../support/otlp-schema.ts";

type Value = Record<string, unknown>;

interface Pair {
  key: string;
  value?: Value;
}

interface Message {
  resourceSpans: {
    resource: { attributes?: Pair[] };
    scopeSpans: { scope: { name: string }; spans: RawSpan[] }[];
  }[];
}

interface RawSpan {
  traceId: Uint8Array;
  spanId: Uint8Array;
  parentSpanId?: Uint8Array;
  traceState?: string;
  name: string;
  kind?: number;
  startTimeUnixNano: unknown;
  endTimeUnixNano: unknown;
  attributes?: Pair[];
  events?: { timeUnixNano: unknown; name?: string; attributes?: Pair[] }[];
  links?: { traceId: Uint8Array; spanId: Uint8Array; attributes?: Pair[] }[];
  status?: { code?: number; message?: string };
}

export interface OtlpSpan {
  service: string;
  resource: Record<string, unknown>;
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  kind: number;
  startNs: bigint;
  endNs: bigint;
  traceState: string;
  status: number;
  attributes: Record<string, unknown>;
  events: { name: string; timeNs: bigint; attributes: Record<string, unknown> }[];
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[];
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

/** Values as they are; int64 as bigint, so that they differ from doubles. */
function read(pairs: Pair[] | undefined): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { key, value } of pairs ?? []) {
    const [kind, content] = Object.entries(value ?? {})[0] ?? [];
    values[key] = kind === "intValue" ? BigInt(String(content)) : content;
  }
  return values;
}

/** Every span of a request. */
export function readOtlp(body: Buffer): OtlpSpan[] {
  const type = otlpType("TracesData");
  const message = type.toObject(type.decode(body), { longs: String }) as Message;
  return message.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const attributes = read(resource.attributes);
    const spans = scopeSpans.flatMap((each) => each.spans);
    return spans.map((span) => ({
      service: String(attributes["service.name"]),
      resource: attributes,
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      parentId: hex(span.parentSpanId),
      name: span.name,
      kind: span.kind ?? 0,
      startNs: BigInt(String(span.startTimeUnixNano)),
      endNs: BigInt(String(span.endTimeUnixNano)),
      traceState: span.traceState ?? "",
      status: span.status?.code ?? 0,
      attributes: read(span.attributes),
      events: (span.events ?? []).map((event) => ({
        name: event.name ?? "",
        timeNs: BigInt(String(event.timeUnixNano)),
        attributes: read(event.attributes),
      })),
      links: (span.links ?? []).map((link) => ({
        traceId: hex(link.traceId),
        spanId: hex(link.spanId),
        attributes: read(link.attributes),
      })),
    }));
  });
}
