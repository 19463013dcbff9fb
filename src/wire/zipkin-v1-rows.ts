/** Spans of Zipkin's first model as rows of a batch, as Jaeger has understood them since 1.0. */

import { utf8, utf8Bytes } from "../base/bytes.ts";
import { ATTRIBUTE_TYPE, SPAN_KIND } from "../core/batch.ts";
import type { ZipkinEndpoint, ZipkinRows, ZipkinSpan } from "./zipkin-rows.ts";
import { objectFields } from "./zipkin-texts.ts";
import type { ZipkinValue } from "./zipkin-texts.ts";

const { STRING, BOOL, INT, BYTES } = ATTRIBUTE_TYPE;
const NO_SERVICE = "unknown-service-name";
const CLIENT_SEND = "cs";
const CLIENT_RECEIVE = "cr";
const SERVER_RECEIVE = "sr";
const SERVER_SEND = "ss";

/** Kinds that core annotations tell of; all else is a log. */
const CORE_KINDS = new Map<string, number>([
  [CLIENT_SEND, SPAN_KIND.CLIENT],
  [CLIENT_RECEIVE, SPAN_KIND.CLIENT],
  [SERVER_RECEIVE, SPAN_KIND.SERVER],
  [SERVER_SEND, SPAN_KIND.SERVER],
]);
/** Binary annotations whose host is the other side. */
const PEERS = new Set(["sa", "ca", "ma"]);
/** Binary annotations that are the process's, with Jaeger's names for them. */
const PROCESS_TAGS = new Map([
  ["jaegerClient", "jaeger.version"],
  ["jaeger.hostname", "hostname"],
]);

export interface ZipkinAnnotation {
  readonly us: bigint;
  readonly value: Uint8Array;
  readonly host: ZipkinEndpoint | undefined;
}

export interface ZipkinBinaryAnnotation {
  readonly key: string;
  readonly value: ZipkinValue;
  readonly host: ZipkinEndpoint | undefined;
}

/** A span of the first model; `hasDuration` is false where the client left it to the server. */
export interface ZipkinV1Span extends ZipkinSpan {
  readonly hasTimestamp: boolean;
  readonly hasDuration: boolean;
  readonly annotations: readonly ZipkinAnnotation[];
  readonly binaryAnnotations: readonly ZipkinBinaryAnnotation[];
}

/** An annotation with its value as text. */
interface Named extends ZipkinAnnotation {
  readonly text: string;
}

/**
 * Adds a span; one that a client and a server share becomes two of the same id, that of the side
 * told of first with all tags, the other with its times alone.
 */
export function addZipkinV1(rows: ZipkinRows, span: ZipkinV1Span): void {
  const annotations = span.annotations.map((each) => ({ ...each, text: utf8(each.value) }));
  const find = (value: string): Named | undefined => annotations.find(({ text }) => text === value);
  const { startUs, durationUs, repaired } = times(span, annotations, find);
  const host = findHost(span, annotations);
  const tags = processTags(span, host);
  const timed = { ...span, timestampUs: startUs, durationUs };
  const service = host?.serviceName ?? NO_SERVICE;
  const row = rows.open(timed, service, tags);
  const kind = annotations.map(({ text }) => CORE_KINDS.get(text)).find((k) => k !== undefined);
  rows.builder.kind[row] = kind ?? SPAN_KIND.UNSPECIFIED;
  for (const [key, value] of repaired) rows.tag(key, value);
  const noParent = span.parentId?.every((byte) => byte === 0) === true;
  if (noParent) rows.tag("errZeroParentID", textValue("0"));
  for (const annotation of span.binaryAnnotations) addTag(rows, annotation);
  for (const { us, value, text } of annotations) {
    if (!CORE_KINDS.has(text)) rows.log(us, logFields(value, text));
  }
  rows.close(timed);
  const sent = find(CLIENT_SEND);
  const received = find(SERVER_RECEIVE);
  if (sent === undefined || received === undefined) return;
  const isClient = kind === SPAN_KIND.CLIENT;
  const first = isClient ? received : sent;
  const last = find(isClient ? SERVER_SEND : CLIENT_RECEIVE);
  const otherUs = last === undefined ? 0n : last.us - first.us;
  const other = rows.open({ ...span, timestampUs: first.us, durationUs: otherUs }, service, tags);
  rows.builder.kind[other] = isClient ? SPAN_KIND.SERVER : SPAN_KIND.CLIENT;
  rows.close(timed);
}

/** Start and duration, found in annotations where the client did not say, and what was mended. */
function times(
  span: ZipkinV1Span,
  annotations: readonly Named[],
  find: (value: string) => Named | undefined,
): { startUs: bigint; durationUs: bigint; repaired: (readonly [string, ZipkinValue])[] } {
  let startUs = span.timestampUs;
  let started = span.hasTimestamp && startUs !== 0n;
  if (!started) {
    const server = span.parentId === undefined ? find(SERVER_RECEIVE) : undefined;
    const first = find(CLIENT_SEND) ?? server;
    started = first !== undefined;
    startUs = first?.us ?? 0n;
  }
  if (span.hasDuration) {
    if (span.durationUs >= 0n) return { startUs, durationUs: span.durationUs, repaired: [] };
    const negative = textValue(String(span.durationUs));
    return { startUs, durationUs: 1n, repaired: [["errNegativeDuration", negative]] };
  }
  if (annotations.length < 2) return { startUs, durationUs: 1n, repaired: [] };
  const first = find(CLIENT_SEND) ?? annotations[0]!;
  const last = annotations.findLast(({ text }) => text === CLIENT_RECEIVE) ?? annotations.at(-1)!;
  if (first.us >= last.us) return { startUs, durationUs: 1n, repaired: [] };
  if (!started) startUs = first.us;
  return { startUs, durationUs: last.us - first.us, repaired: [] };
}

/** The endpoint that says whose span it is: of core annotations, `lc`, any, any binary one. */
function findHost(span: ZipkinV1Span, annotations: readonly Named[]): ZipkinEndpoint | undefined {
  const named = (host: ZipkinEndpoint | undefined): boolean =>
    host !== undefined && host.serviceName !== "";
  const binary = span.binaryAnnotations;
  return (
    annotations.find(({ text, host }) => CORE_KINDS.has(text) && named(host)) ??
    binary.find(({ key, host }) => key === "lc" && named(host)) ??
    annotations.find(({ host }) => named(host)) ??
    binary.find(({ key, host }) => !PEERS.has(key) && named(host))
  )?.host;
}

function processTags(
  span: ZipkinV1Span,
  host: ZipkinEndpoint | undefined,
): (readonly [string, ZipkinValue])[] {
  const tags: (readonly [string, ZipkinValue])[] = [];
  for (const { key, value } of span.binaryAnnotations) {
    const name = PROCESS_TAGS.get(key);
    if (name !== undefined) tags.push([name, value]);
  }
  if (host?.ipv4 !== undefined) tags.push(["ip", addressValue(host.ipv4)]);
  return tags;
}

function addTag(rows: ZipkinRows, { key, value, host }: ZipkinBinaryAnnotation): void {
  if (PROCESS_TAGS.has(key)) return;
  if (PEERS.has(key)) addPeer(rows, host);
  else if (key === "lc") {
    if (!(value.value instanceof Uint8Array) || value.value.length > 0)
      rows.tag("component", value);
  } else if (key === "error" && value.type === STRING) rows.error(value.value);
  else rows.tag(key, value);
}

function addPeer(rows: ZipkinRows, host: ZipkinEndpoint | undefined): void {
  if (host === undefined) return;
  if (host.serviceName !== "") rows.tag("peer.service", textValue(host.serviceName));
  if (host.ipv4 !== undefined) rows.tag("peer.ipv4", addressValue(host.ipv4));
  if (host.ipv6 !== undefined) rows.tag("peer.ipv6", { type: BYTES, value: host.ipv6 });
  if (host.port !== 0) rows.tag("peer.port", { type: INT, value: BigInt(host.port) });
}

/** A log is one field, or those of the JSON object that some clients write into it. */
function logFields(value: Uint8Array, text: string): (readonly [string, ZipkinValue])[] {
  return objectFields(text) ?? [["event", { type: STRING, value }]];
}

function textValue(text: string): ZipkinValue {
  return { type: STRING, value: utf8Bytes(text) };
}

function addressValue(ipv4: Uint8Array): ZipkinValue {
  const number = ipv4.reduce((sum, byte) => sum * 256 + byte, 0);
  return { type: INT, value: BigInt(number) };
}

/** The value of a binary annotation of this type (Thrift's numbers); the bytes if it is none. */
export function binaryValue(type: number, value: Uint8Array): ZipkinValue {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  switch (type) {
    case 0:
      if (value.length === 1) return { type: BOOL, value: value[0] !== 0 };
      break;
    case 2:
      if (value.length === 2) return { type: INT, value: BigInt(view.getInt16(0)) };
      break;
    case 3:
      if (value.length === 4) return { type: INT, value: BigInt(view.getInt32(0)) };
      break;
    case 4:
      if (value.length === 8) return { type: INT, value: view.getBigInt64(0) };
      break;
    case 5:
      if (value.length === 8) return { type: ATTRIBUTE_TYPE.DOUBLE, value: view.getFloat64(0) };
      break;
    case 6:
      return { type: STRING, value };
  }
  return { type: BYTES, value };
}
