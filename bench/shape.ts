/** The fleet the bench pretends to watch: 20 services of 10 operations and 3 instances each. */

import { ProtoWriter, bytesOf } from "./proto-writer.ts";
import type { Random } from "./random.ts";

export type Role = "server" | "client" | "database" | "internal" | "producer" | "consumer";

export interface Operation {
  readonly name: string;
  readonly role: Role;
  /** OTLP's SpanKind. */
  readonly kind: number;
  readonly method: string;
  readonly route: string;
  /** Of a database operation. */
  readonly statement: string;
}

interface Instance {
  /** A Resource message with its 12 attributes. */
  readonly resource: Buffer;
  readonly address: string;
}

export interface Service {
  readonly name: string;
  readonly noun: string;
  readonly operations: readonly Operation[];
  readonly byRole: ReadonlyMap<Role, readonly Operation[]>;
  readonly instances: readonly Instance[];
  readonly callees: readonly number[];
}

const kinds: Record<Role, number> = {
  internal: 1,
  server: 2,
  client: 3,
  database: 3,
  producer: 4,
  consumer: 5,
};

const names = [
  "frontend",
  "api-gateway",
  "checkout",
  "cart",
  "catalog",
  "pricing",
  "inventory",
  "orders",
  "payments",
  "shipping",
  "accounts",
  "auth",
  "search",
  "recommendations",
  "reviews",
  "notifications",
  "emails",
  "analytics",
  "billing",
  "fraud",
];
const nouns = [
  "pages",
  "routes",
  "checkouts",
  "carts",
  "products",
  "prices",
  "stock",
  "orders",
  "payments",
  "parcels",
  "accounts",
  "sessions",
  "queries",
  "suggestions",
  "reviews",
  "messages",
  "letters",
  "reports",
  "invoices",
  "verdicts",
];

function operation(role: Role, name: string, method = "", route = "", statement = ""): Operation {
  return { name, role, kind: kinds[role], method, route, statement };
}

function operationsOf(index: number): Operation[] {
  const noun = nouns[index] as string;
  const peer = names[(index + 1) % names.length] as string;
  const last = index % 2 === 0 ? "producer" : "consumer";
  const verb = index % 2 === 0 ? "publish" : "process";
  const server = (method: string, route: string): Operation =>
    operation("server", `${method} ${route}`, method, route);
  return [
    server("GET", `/api/v1/${noun}`),
    server("GET", `/api/v1/${noun}/{id}`),
    server("POST", `/api/v1/${noun}`),
    server("PUT", `/api/v1/${noun}/{id}/state`),
    operation("client", `GET ${peer}`, "GET", "/api/v1/{noun}/{id}"),
    operation("client", `POST ${peer}`, "POST", "/api/v1/{noun}"),
    operation(
      "database",
      `SELECT shop.${noun}`,
      "SELECT",
      "",
      `SELECT id, owner, state, updated_at FROM shop.${noun} WHERE id = $1 AND state <> $2`,
    ),
    operation(
      "database",
      `UPDATE shop.${noun}`,
      "UPDATE",
      "",
      `UPDATE shop.${noun} SET state = $1, updated_at = now() WHERE id = $2`,
    ),
    operation("internal", `${noun}.validate`),
    operation(last, `shop.${noun} ${verb}`, verb, `shop.${noun}`),
  ];
}

/** Writes one string attribute; `field` is 1 in a Resource, 9 in a Span, 3 in an Event. */
export function textAttribute(to: ProtoWriter, field: number, key: string, value: string): void {
  const start = to.begin(field);
  to.textField(1, key);
  const inner = to.begin(2);
  to.textField(1, value);
  to.end(inner);
  to.end(start);
}

function instanceOf(random: Random, service: number, instance: number): Instance {
  const name = names[service] as string;
  const out = new ProtoWriter(1024);
  const replica = `${random.hex(9)}-${random.hex(5)}`;
  const host = `node-${1 + ((service * 3 + instance) % 12)}.eu-west-1.compute.internal`;
  const id = random.hex(32);
  const uuid = [0, 8, 12, 16, 20].map((at, i) => id.slice(at, [8, 12, 16, 20, 32][i])).join("-");
  const attributes: [string, string][] = [
    ["service.name", name],
    ["service.version", `1.${service % 7}.${(service * 5) % 11}`],
    ["service.namespace", "shop"],
    ["service.instance.id", uuid],
    ["deployment.environment", "production"],
    ["host.name", host],
    ["k8s.pod.name", `${name}-${replica}`],
    ["k8s.namespace.name", "shop"],
    ["k8s.node.name", host.split(".")[0] as string],
    ["telemetry.sdk.name", "opentelemetry"],
    ["telemetry.sdk.language", service % 3 === 0 ? "nodejs" : service % 3 === 1 ? "java" : "go"],
    ["telemetry.sdk.version", "1.30.1"],
  ];
  for (const [key, value] of attributes) textAttribute(out, 1, key, value);
  const address = `10.${40 + instance}.${service}.${7 + instance * 3}`;
  return { resource: Buffer.from(out.view()), address };
}

/** The 20 services, the same for the same seed. */
export function buildServices(random: Random): Service[] {
  return names.map((name, index) => {
    const operations = operationsOf(index);
    const byRole = new Map<Role, Operation[]>();
    for (const each of operations) {
      byRole.set(each.role, [...(byRole.get(each.role) ?? []), each]);
    }
    return {
      name,
      noun: nouns[index] as string,
      operations,
      byRole,
      instances: [0, 1, 2].map((instance) => instanceOf(random, index, instance)),
      callees: [1, 2, 5, 9].map((step) => (index + step) % names.length),
    };
  });
}

function scope(name: string, version: string): Buffer {
  const out = new ProtoWriter(128);
  out.textField(1, name);
  out.textField(2, version);
  return Buffer.from(out.view());
}

/** InstrumentationScope messages; `scopeOf` says which one a role's spans come from. */
export const scopes: readonly Buffer[] = [
  scope("@opentelemetry/instrumentation-http", "0.57.2"),
  scope("@opentelemetry/instrumentation-pg", "0.50.0"),
  scope("shop.application", "3.4.1"),
];

export function scopeOf(role: Role): number {
  if (role === "server" || role === "client") return 0;
  return role === "database" ? 1 : 2;
}

export const schemaUrl = bytesOf("https://opentelemetry.io/schemas/1.26.0");
