/** Encodes one drawn span as OTLP protobuf: some ten attributes of mixed cardinality, events. */

import type { ProtoWriter } from "./proto-writer.ts";
import type { Random } from "./random.ts";
import type { Operation, Service } from "./shape.ts";
import { textAttribute } from "./shape.ts";
import type { Draft } from "./traces.ts";

/** What a query needs to know of a span to ask for it. */
export interface SpanTags {
  url: string;
  userId: string;
  requestId: string;
  status: number;
}

const eventShare = 0.082;
const spanAttribute = 9;
const eventAttribute = 3;

function intAttribute(to: ProtoWriter, key: string, value: number): void {
  const start = to.begin(spanAttribute);
  to.textField(1, key);
  const inner = to.begin(2);
  to.uintField(3, value);
  to.end(inner);
  to.end(start);
}

function boolAttribute(to: ProtoWriter, key: string, value: boolean): void {
  const start = to.begin(spanAttribute);
  to.textField(1, key);
  const inner = to.begin(2);
  to.uintField(2, value ? 1 : 0);
  to.end(inner);
  to.end(start);
}

function doubleAttribute(to: ProtoWriter, key: string, value: number): void {
  const start = to.begin(spanAttribute);
  to.textField(1, key);
  const inner = to.begin(2);
  to.doubleField(4, value);
  to.end(inner);
  to.end(start);
}

const agents = [9, 11, 12, 13, 14, 15].flatMap((system) =>
  [118, 121, 126, 130].map(
    (browser) => `Mozilla/5.0 (Linux; Android ${system}) Chrome/${browser}.0 Mobile`,
  ),
);

function statusCode(random: Random, operation: Operation, failed: boolean): number {
  if (failed) return random.pick([500, 500, 502, 503, 504]);
  if (random.unit() < 0.05) return random.pick([400, 401, 404, 409, 429]);
  return operation.method === "POST" ? 201 : 200;
}

function pathOf(random: Random, operation: Operation, noun: string): string {
  const query = operation.method === "GET" ? `?page=${random.below(50)}&size=25` : "";
  const path = operation.route.replace("{noun}", noun);
  return path.replace("{id}", String(1 + random.below(5_000_000))) + query;
}

function httpAttributes(
  to: ProtoWriter,
  random: Random,
  draft: Draft,
  noun: string,
  tags: SpanTags,
): void {
  const { operation } = draft;
  const client = operation.role === "client";
  tags.status = statusCode(random, operation, draft.failed);
  tags.requestId = random.hex(16);
  tags.url = `https://${client ? "gateway.internal:8443" : "shop.example.com"}`;
  tags.url += pathOf(random, operation, noun);
  textAttribute(to, spanAttribute, "http.method", operation.method);
  textAttribute(to, spanAttribute, "http.url", tags.url);
  intAttribute(to, "http.status_code", tags.status);
  textAttribute(to, spanAttribute, "request.id", tags.requestId);
  if (client) {
    const peer = operation.name.slice(operation.name.indexOf(" ") + 1);
    textAttribute(to, spanAttribute, "net.peer.name", peer);
    intAttribute(to, "net.peer.port", 8443);
    intAttribute(to, "http.retry_count", random.unit() < 0.03 ? 1 + random.below(3) : 0);
    boolAttribute(to, "http.reused_connection", random.unit() < 0.9);
    const pod = `${peer}-6f7c9d${(random.below(24) + 256).toString(16)}-x8k2p`;
    textAttribute(to, spanAttribute, "net.peer.pod", pod);
    return;
  }
  tags.userId = `u-${10_000_000 + random.below(200_000)}`;
  textAttribute(to, spanAttribute, "http.route", operation.route);
  textAttribute(to, spanAttribute, "user.id", tags.userId);
  const peer = random.below(5120);
  textAttribute(to, spanAttribute, "net.peer.ip", `172.${16 + (peer >> 8)}.4.${peer & 255}`);
  intAttribute(to, "http.response_content_length", Math.floor(600 * Math.exp(random.normal())));
  boolAttribute(to, "cache.hit", random.unit() < 0.35);
  textAttribute(to, spanAttribute, "http.user_agent", random.pick(agents));
}

function databaseAttributes(to: ProtoWriter, random: Random, draft: Draft): void {
  const { operation, service } = draft;
  textAttribute(to, spanAttribute, "db.system", "postgresql");
  textAttribute(to, spanAttribute, "db.name", "shop");
  textAttribute(to, spanAttribute, "db.operation", operation.method);
  textAttribute(to, spanAttribute, "db.statement", operation.statement);
  textAttribute(to, spanAttribute, "net.peer.name", `pg-${service % 5}.db.internal`);
  intAttribute(to, "net.peer.port", 5432);
  intAttribute(to, "db.rows", Math.floor(12 * Math.exp(1.2 * random.normal())));
  doubleAttribute(to, "db.cost", Math.round(random.unit() * 4000) / 100);
  boolAttribute(to, "db.pooled", random.unit() < 0.97);
  const user = `postgresql://shop_${service}@pg-${service % 5}.db.internal:5432/shop`;
  textAttribute(to, spanAttribute, "db.connection_string", user);
}

function internalAttributes(to: ProtoWriter, random: Random, draft: Draft, noun: string): void {
  const thread = random.below(32);
  textAttribute(to, spanAttribute, "code.namespace", `com.example.shop.${noun}`);
  textAttribute(to, spanAttribute, "code.function", "validate");
  const file = `src/main/java/com/example/shop/${noun}/Validation.java`;
  textAttribute(to, spanAttribute, "code.filepath", file);
  intAttribute(to, "code.lineno", 100 + ((draft.service * 37) % 400));
  intAttribute(to, "thread.id", 20 + thread);
  textAttribute(to, spanAttribute, "thread.name", `http-worker-${thread}`);
  textAttribute(to, spanAttribute, "rule.set", random.pick(["strict", "lenient", "legacy"]));
  intAttribute(to, "rule.count", 3 + random.below(40));
  doubleAttribute(to, "cpu.share", Math.round(random.unit() * 1e4) / 1e4);
  boolAttribute(to, "cache.hit", random.unit() < 0.5);
}

function messageAttributes(to: ProtoWriter, random: Random, draft: Draft): void {
  const { operation } = draft;
  textAttribute(to, spanAttribute, "messaging.system", "kafka");
  textAttribute(to, spanAttribute, "messaging.destination.name", operation.route);
  textAttribute(to, spanAttribute, "messaging.operation", operation.method);
  const client = `shop-${draft.service}-${draft.instance}`;
  textAttribute(to, spanAttribute, "messaging.client_id", client);
  textAttribute(to, spanAttribute, "messaging.message.id", random.hex(16));
  intAttribute(to, "messaging.kafka.partition", random.below(48));
  intAttribute(to, "messaging.kafka.offset", 4_000_000_000 + random.below(1_000_000_000));
  intAttribute(to, "messaging.message.body.size", Math.floor(900 * Math.exp(random.normal())));
  boolAttribute(to, "messaging.compressed", random.unit() < 0.8);
}

function event(
  to: ProtoWriter,
  atNs: number,
  baseSeconds: number,
  name: string,
  attributes: readonly (readonly [string, string])[],
): void {
  const start = to.begin(11);
  to.fixed64Nanos(1, baseSeconds + Math.floor(atNs / 1e9), atNs % 1e9);
  to.textField(2, name);
  for (const [key, value] of attributes) textAttribute(to, eventAttribute, key, value);
  to.end(start);
}

function events(to: ProtoWriter, random: Random, draft: Draft, baseSeconds: number): void {
  const atNs = draft.startNs + Math.floor(draft.durationNs * random.unit());
  if (draft.failed) {
    const type = random.pick(["TimeoutError", "ConnectionReset", "ConstraintViolation"]);
    event(to, atNs, baseSeconds, "exception", [
      ["exception.type", `com.example.shop.${type}`],
      ["exception.message", `${draft.operation.name} failed after ${random.below(30)} attempts`],
      [
        "exception.stacktrace",
        `at com.example.shop.Caller.call(Caller.java:${random.below(90)})\n` +
          "at com.example.shop.Handler.handle(Handler.java:118)\n" +
          "at com.example.http.Server.dispatch(Server.java:402)",
      ],
    ]);
  } else if (random.unit() < eventShare) {
    event(to, atNs, baseSeconds, random.pick(["cache.miss", "retry", "lock.acquired"]), [
      ["detail.key", `k-${random.below(2000)}`],
      ["detail.reason", random.pick(["cold", "expired", "evicted", "contention"])],
    ]);
  }
}

/** What is the same for all spans of a dataset, and the ids of the trace at hand. */
export interface EncodeContext {
  readonly random: Random;
  readonly services: readonly Service[];
  readonly baseSeconds: number;
  readonly tags: SpanTags;
  traceId: Uint8Array;
  parentId: Uint8Array | undefined;
}

const sampledAndRemoteKnown = 0x101;

/** Appends the span as field 2 of a ScopeSpans; `tags` is filled with what queries ask for. */
export function encodeSpan(to: ProtoWriter, draft: Draft, context: EncodeContext): void {
  const { random, services, traceId, parentId, baseSeconds, tags } = context;
  const { operation, startNs } = draft;
  const noun = (services[draft.service] as Service).noun;
  tags.url = tags.userId = tags.requestId = "";
  tags.status = 0;
  const span = to.begin(2);
  to.bytesField(1, traceId);
  to.bytesField(2, draft.spanId);
  if (parentId !== undefined) to.bytesField(4, parentId);
  to.textField(5, operation.name);
  to.uintField(6, operation.kind);
  const endNs = startNs + draft.durationNs;
  to.fixed64Nanos(7, baseSeconds + Math.floor(startNs / 1e9), startNs % 1e9);
  to.fixed64Nanos(8, baseSeconds + Math.floor(endNs / 1e9), endNs % 1e9);
  // Few tenants make most of the traffic: squaring a uniform number skews it.
  const tenant = Math.floor(random.unit() ** 2 * 400);
  textAttribute(to, spanAttribute, "tenant.id", `tenant-${1000 + tenant}`);
  if (operation.role === "server" || operation.role === "client") {
    httpAttributes(to, random, draft, noun, tags);
  } else if (operation.role === "database") {
    databaseAttributes(to, random, draft);
  } else if (operation.role === "internal") {
    internalAttributes(to, random, draft, noun);
  } else {
    messageAttributes(to, random, draft);
  }
  events(to, random, draft, baseSeconds);
  const status = to.begin(15);
  if (draft.failed) {
    to.textField(2, "operation failed");
    to.uintField(3, 2);
  }
  to.end(status);
  to.fixed32Field(16, sampledAndRemoteKnown);
  to.end(span);
}
