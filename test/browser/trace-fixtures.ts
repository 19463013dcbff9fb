/** Traces for the trace page's tests: one with everything a span can have, and big ones. */

import { seededRandom } from "../../src/base/clock.ts";
import { ATTRIBUTE_TYPE, SPAN_KIND, STATUS_CODE } from "../../src/core/batch.ts";
import type { SpanBatch } from "../../src/core/batch.ts";
import { BatchBuilder } from "../../src/core/builder.ts";
import {
  batchOf,
  bool,
  idBytes,
  int,
  NO_PARENT,
  plainSpan,
  serviceResource,
  text,
} from "../support/plain-spans.ts";
import type { PlainAttributes, PlainEvent, PlainLink, PlainSpan } from "../support/plain-spans.ts";

/** The trace of a shop's checkout: 20 spans, five services, an error, events, a link. */
export const SHOP_TRACE = "5a0b0000000000000000000000000001";
/** Its first moment. */
export const SHOP_START_NS = 1_763_800_000_123_456_789n;

interface ShopSpan {
  readonly service: string;
  readonly name: string;
  readonly parent?: number;
  /** µs after the trace's start, and of duration. */
  readonly at: number;
  readonly us: number;
  readonly kind?: number;
  readonly error?: string;
  readonly attributes?: PlainAttributes;
  readonly events?: readonly PlainEvent[];
  readonly links?: readonly PlainLink[];
}

const HTTP_OK: PlainAttributes = [
  ["http.request.method", text("GET")],
  ["http.response.status_code", int(200)],
  ["url.full", text("https://shop.example/cart?user=42")],
];

function query(sql: string): PlainAttributes {
  return [
    ["db.system", text("postgresql")],
    ["db.statement", text(sql)],
    ["server.address", text("db-1.internal")],
  ];
}

function event(us: number, name: string, attributes: PlainAttributes = []): PlainEvent {
  return { atNs: SHOP_START_NS + BigInt(us) * 1000n, name, attributes };
}

const { CLIENT, SERVER, INTERNAL, PRODUCER, CONSUMER } = SPAN_KIND;

const SHOP: readonly ShopSpan[] = [
  {
    service: "frontend",
    name: "POST /checkout",
    at: 0,
    us: 412_000,
    kind: SERVER,
    attributes: [
      ["http.request.method", text("POST")],
      ["http.response.status_code", int(502)],
      ["user.id", int(9_007_199_254_740_993n)],
      ["feature.flags", text('{"newCart":true,"limits":{"items":40},"regions":["eu","us"]}')],
      ["error", bool(true)],
    ],
    error: "payment declined",
  },
  { service: "frontend", name: "render cart", parent: 0, at: 1_200, us: 38_000, kind: INTERNAL },
  {
    service: "frontend",
    name: "GET cart",
    parent: 1,
    at: 2_000,
    us: 30_500,
    kind: CLIENT,
    attributes: HTTP_OK,
  },
  {
    service: "cart",
    name: "GET /cart/{id}",
    parent: 2,
    at: 3_100,
    us: 27_000,
    kind: SERVER,
    attributes: HTTP_OK,
    events: [
      event(3_300, "cache miss", [["cache.key", text("cart:42")]]),
      event(4_000, "query"),
      event(9_000, "rows", [["count", int(7)]]),
      event(28_000, "done"),
    ],
  },
  ...Array.from({ length: 7 }, (_, i): ShopSpan => {
    return {
      service: "cart",
      name: "SELECT item",
      parent: 3,
      at: 4_000 + i * 3_200,
      us: 2_900,
      kind: CLIENT,
      attributes: query(`SELECT * FROM item WHERE id = ${i}`),
    };
  }),
  { service: "frontend", name: "checkout", parent: 0, at: 41_000, us: 366_000, kind: INTERNAL },
  {
    service: "frontend",
    name: "POST payment",
    parent: 11,
    at: 44_000,
    us: 301_000,
    kind: CLIENT,
    error: "502 from payment",
    attributes: [
      ["http.request.method", text("POST")],
      ["http.response.status_code", int(502)],
    ],
  },
  {
    service: "payment",
    name: "POST /charge",
    parent: 12,
    at: 46_500,
    us: 296_000,
    kind: SERVER,
    error: "card declined",
    attributes: [
      ["http.response.status_code", int(502)],
      ["docs", text("https://docs.example/errors/declined")],
      ["hostile", text("javascript:alert(1)")],
      ["markup", text("<img src=x onerror=alert(1)>")],
    ],
    events: [
      event(300_000, "exception", [
        ["exception.type", text("CardDeclined")],
        ["exception.message", text("insufficient funds")],
      ]),
    ],
  },
  {
    service: "payment",
    name: "fraud check",
    parent: 13,
    at: 50_000,
    us: 120_000,
    kind: INTERNAL,
  },
  {
    service: "payment",
    name: "bank authorise",
    parent: 13,
    at: 171_000,
    us: 165_000,
    kind: CLIENT,
    attributes: [["peer.service", text("bank-gateway")]],
  },
  {
    service: "frontend",
    name: "publish order",
    parent: 11,
    at: 350_000,
    us: 4_000,
    kind: PRODUCER,
    attributes: [["messaging.system", text("kafka")]],
  },
  {
    service: "mailer",
    name: "send receipt",
    parent: 16,
    at: 356_000,
    us: 40_000,
    kind: CONSUMER,
    links: [
      { traceHex: "5a0b00000000000000000000000000ff", spanHex: "00000000000000aa", attributes: [] },
      { traceHex: SHOP_TRACE, spanHex: "0000000000000011", attributes: [] },
    ],
  },
  { service: "mailer", name: "render template", parent: 17, at: 358_000, us: 11_000 },
  { service: "mailer", name: "smtp", parent: 17, at: 370_000, us: 24_000, kind: CLIENT },
];

/** 16 hex digits of the shop's span `i`. */
export function shopSpanHex(i: number): string {
  return (i + 1).toString(16).padStart(16, "0");
}

/** The shop's trace as a batch; `extra` late spans hang below the root. */
export function shopBatch(extra = 0): SpanBatch {
  const late = Array.from({ length: extra }, (_, i): ShopSpan => {
    return { service: "audit", name: `late ${i}`, parent: 0, at: 500 + i * 7, us: 300 };
  });
  return batchOf([...SHOP, ...late].map(shopSpan));
}

function shopSpan(span: ShopSpan, i: number): PlainSpan {
  const { service, name, parent, at, us, kind = INTERNAL, error } = span;
  const { attributes = [], events = [], links = [] } = span;
  return plainSpan({
    traceHex: SHOP_TRACE,
    spanHex: shopSpanHex(i),
    parentHex: parent === undefined ? NO_PARENT : shopSpanHex(parent),
    startNs: SHOP_START_NS + BigInt(at) * 1000n,
    durationNs: BigInt(us) * 1000n,
    name,
    kind,
    status: error === undefined ? STATUS_CODE.UNSET : STATUS_CODE.ERROR,
    statusMessage: error ?? "",
    attributes,
    events,
    links,
    resource: serviceResource(service),
  });
}

export type BigShape = "mixed" | "deep" | "flat";

/** A trace id for a big trace of this shape and size. */
export function bigTraceHex(shape: BigShape, spans: number): string {
  const kind = { mixed: "1", deep: "2", flat: "3" }[shape];
  return `b16${kind}${spans.toString(16).padStart(28, "0")}`;
}

const BIG_SERVICES = 20;
const BIG_NAMES = ["GET /", "SELECT", "PUT /cart", "lookup", "publish", "render", "auth", "cache"];

/** One big trace; every span has six attributes, as those measured in Jaeger's UI. */
export function bigBatch(shape: BigShape, spans: number): SpanBatch {
  const random = seededRandom(spans);
  const builder = new BatchBuilder();
  const traceId = idBytes(bigTraceHex(shape, spans));
  const scope = builder.addScope();
  const resources = Array.from({ length: BIG_SERVICES }, (_, i) => {
    const row = builder.addResource();
    const key = builder.key(builder.text("service.name"), ATTRIBUTE_TYPE.STRING);
    builder.resourceAttributes.add(key, builder.text(`service-${String(i).padStart(2, "0")}`));
    return row;
  });
  const names = BIG_NAMES.map((name) => builder.text(name));
  const attributes = bigAttributes(builder);
  const start = new Float64Array(spans);
  const duration = new Float64Array(spans);
  const open: number[] = [];
  for (let i = 0; i < spans; i++) {
    const depth = depthOf(shape, open.length, random);
    while (open.length > depth) open.pop();
    const parent = open.at(-1) ?? -1;
    open.push(i);
    const whole = parent < 0 ? 60e9 : duration[parent]!;
    duration[i] = parent < 0 ? whole : durationOf(shape, whole, random());
    start[i] = (parent < 0 ? 0 : start[parent]!) + Math.floor((whole - duration[i]!) * random());
    const row = builder.addSpan(resources[Math.floor(random() * BIG_SERVICES)]!, scope);
    builder.traceId.set(traceId, row * 16);
    putId(builder.spanId, row, i);
    if (parent >= 0) putId(builder.parentSpanId, row, parent);
    builder.startUs[row] = BIG_START_US + Math.floor(start[i]! / 1000);
    builder.startNs[row] = start[i]! % 1000;
    builder.durationNs[row] = duration[i]!;
    builder.nameId[row] = names[Math.floor(random() * names.length)]!;
    builder.kind[row] = 1 + Math.floor(random() * 3);
    builder.status[row] = random() < 0.01 ? STATUS_CODE.ERROR : STATUS_CODE.UNSET;
    for (const { key, values } of attributes) {
      builder.spanAttributes.add(key, values[Math.floor(random() * values.length)]!);
    }
  }
  return builder.finish();
}

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const BIG_START_US = 1_763_800_000_000_000;

/** Six keys and the values to choose among, as dictionary ids. */
function bigAttributes(builder: BatchBuilder): { key: number; values: number[] }[] {
  const keys = ["http.url", "http.method", "db.statement", "peer.address", "thread", "tenant"];
  return keys.map((name, k) => ({
    key: builder.key(builder.text(name), ATTRIBUTE_TYPE.STRING),
    values:
      name === "http.method"
        ? METHODS.map((method) => builder.text(method))
        : Array.from({ length: 50 * (k + 1) }, (_, i) => builder.text(`${name}-value-${i}`)),
  }));
}

/** How deep the next span is, `depth` spans being open. */
function depthOf(shape: BigShape, depth: number, random: () => number): number {
  if (depth === 0) return 0;
  if (shape === "deep") return depth;
  if (shape === "flat") return 1;
  return 1 + Math.floor(random() * Math.min(9, depth));
}

function durationOf(shape: BigShape, whole: number, part: number): number {
  if (shape === "deep") return Math.max(1, Math.floor(whole * 0.99995));
  if (shape === "flat") return Math.floor(whole * 0.001 * part) + 1;
  return Math.floor(whole * (0.1 + 0.7 * part));
}

/** Ids that look random, as real ones do, and differ. */
function putId(ids: Uint8Array, row: number, i: number): void {
  const view = new DataView(ids.buffer, ids.byteOffset + row * 8, 8);
  view.setUint32(0, Math.imul(i + 1, 0x9e3779b1) >>> 0);
  view.setUint32(4, (i + 1) ^ 0x5bd1e995);
}
