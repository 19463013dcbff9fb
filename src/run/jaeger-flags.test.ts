/** Every flag of Jaeger's agent (1.57) and collector (1.76) works, or is refused in a line. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isSpoorError } from "../core/errors.ts";
import { flagsOf, readConfig } from "./config.ts";
import type { RoleName } from "./flag.ts";

const TLS = ["enabled", "cert", "key", "client-ca", "cipher-suites", "min-version", "max-version"];
const CORS = ["allowed-headers", "allowed-origins"];
const AGE = ["max-connection-age", "max-connection-age-grace", "max-message-size"];
const TIMEOUTS = ["idle-timeout", "read-timeout", "read-header-timeout"];

function below(prefix: string, names: readonly string[]): string[] {
  return names.map((name) => `${prefix}.${name}`);
}

const COMMON = [
  "admin.http.host-port",
  ...below("admin.http.tls", TLS),
  "config-file",
  "log-level",
  "metrics-backend",
  "metrics-http-route",
];

const AGENT = [
  ...COMMON,
  "agent.tags",
  "http-server.host-port",
  ...["jaeger-binary", "jaeger-compact", "zipkin-compact"].flatMap((name) => [
    `processor.${name}.workers`,
    ...["host-port", "max-packet-size", "queue-size", "socket-buffer-size"].map(
      (part) => `processor.${name}.server-${part}`,
    ),
  ]),
  "reporter.grpc.discovery.min-peers",
  "reporter.grpc.host-port",
  "reporter.grpc.retry.max",
  ...below("reporter.grpc.tls", ["ca", "cert", "enabled", "key", "server-name"]),
  "reporter.grpc.tls.skip-host-verify",
  "reporter.type",
];

const COLLECTOR = [
  ...COMMON,
  "admin.http.tls.reload-interval",
  "collector.enable-span-size-metrics",
  ...below("collector.grpc-server", ["host-port", ...AGE]),
  ...below("collector.grpc.tls", [...TLS, "reload-interval"]),
  ...below("collector.http-server", ["host-port", ...TIMEOUTS]),
  ...below("collector.http.tls", [...TLS, "reload-interval"]),
  "collector.num-workers",
  "collector.otlp.enabled",
  ...below("collector.otlp.grpc", ["host-port", ...AGE]),
  ...below("collector.otlp.grpc.tls", [...TLS, "reload-interval"]),
  ...below("collector.otlp.http", ["host-port", ...TIMEOUTS]),
  ...below("collector.otlp.http.cors", CORS),
  ...below("collector.otlp.http.tls", [...TLS, "reload-interval"]),
  "collector.queue-size",
  "collector.queue-size-memory",
  "collector.tags",
  ...below("collector.zipkin", ["host-port", "keep-alive"]),
  ...below("collector.zipkin.cors", CORS),
  ...below("collector.zipkin.tls", [...TLS, "reload-interval"]),
  "downsampling.hashsalt",
  "downsampling.ratio",
  "feature-gates",
  "log-encoding",
  ...below("multi-tenancy", ["enabled", "header", "tenants"]),
  ...below("sampling", ["strategies-file", "strategies-reload-interval"]),
  "sampling.default-sampling-probability",
  "sampling.aggregation-buckets",
  "sampling.buckets-for-calculation",
  "sampling.calculation-interval",
  "sampling.delay",
  "sampling.delta-tolerance",
  "sampling.follower-lease-refresh-interval",
  "sampling.initial-sampling-probability",
  "sampling.leader-lease-refresh-interval",
  "sampling.min-samples-per-second",
  "sampling.min-sampling-probability",
  "sampling.target-samples-per-second",
  "span-storage.type",
];

/** What Jaeger has and this version has not, by the program: each a line with the flag's name. */
const REFUSED: { readonly [role in RoleName]?: readonly (readonly [string, string])[] } = {
  collector: [
    ["feature-gates", "-jaeger.es.disableLegacyId"],
    ["multi-tenancy.enabled", "true"],
    ["multi-tenancy.header", "x-other"],
    ["multi-tenancy.tenants", "a,b"],
    ["sampling.aggregation-buckets", "11"],
    ["sampling.buckets-for-calculation", "2"],
    ["sampling.calculation-interval", "30s"],
    ["sampling.delay", "1m0s"],
    ["sampling.delta-tolerance", "0.5"],
    ["sampling.follower-lease-refresh-interval", "30s"],
    ["sampling.initial-sampling-probability", "0.5"],
    ["sampling.leader-lease-refresh-interval", "1s"],
    ["sampling.min-samples-per-second", "1"],
    ["sampling.min-sampling-probability", "1e-04"],
    ["sampling.target-samples-per-second", "2"],
  ],
  agent: [["feature-gates", "x"]],
};

for (const [role, names] of [
  ["agent", AGENT],
  ["collector", COLLECTOR],
  ["all-in-one", COLLECTOR],
] as const) {
  test(`${role}: every flag of Jaeger's is known, and takes Jaeger's default`, async () => {
    const rows = new Map(flagsOf(role).map((row) => [row.name, row]));
    const missing = names.filter((name) => !rows.has(name));
    assert.deepEqual(missing, []);
    const later = names.filter((name) => rows.get(name)?.notYet === true);
    for (const name of later) {
      await readConfig({ args: [`--${name}=${rows.get(name)!.default}`], env: {}, role });
    }
    const told = (REFUSED[role] ?? REFUSED.collector!).map(([name]) => name);
    for (const name of later) assert(told.includes(name), `${name} is refused: tell of it here`);
  });
}

for (const [role, refused] of Object.entries(REFUSED)) {
  test(`${role}: what is not in this version is refused in a line`, async () => {
    for (const [name, text] of refused) {
      const reading = readConfig({ args: [`--${name}=${text}`], env: {}, role: role as RoleName });
      await assert.rejects(reading, (error) => {
        assert(isSpoorError(error, "config"));
        assert.match(error.message, /^--[a-z.-]+ is not in this version of Spoor: [^\n]+$/);
        return error.message.startsWith(`--${name} `);
      });
    }
  });
}
