/** The table of flags: one row a setting, whether it comes as flag, environment or file key. */

import type { ValueKind } from "./flag-values.ts";

/** One setting. The flag is `--name`; the file key is the name; the environment is `envOf`. */
export interface Flag {
  /** Jaeger's name where Jaeger has one. */
  readonly name: string;
  readonly kind: ValueKind;
  /** As a user would write it. */
  readonly default: string;
  /** One sentence: what it sets, and its unit where the kind does not say it. */
  readonly help: string;
  readonly group: keyof typeof FLAG_GROUPS;
  /** Allowed values, for kind "choice". */
  readonly choices?: readonly string[];
  /** When the environment variable is not the upper-cased name. */
  readonly env?: string;
  /** Known to Jaeger, not in this version: any value but the default is refused. */
  readonly notYet?: true;
}

/** Headings of --help and docs/config.md, in order. */
export const FLAG_GROUPS = {
  general: "General",
  receive: "Receiving spans",
  query: "Query API and UI",
  storage: "Storage",
} as const;

/** Every flag. docs/config.md and --help are generated from this. */
export const FLAGS = [
  {
    name: "config-file",
    kind: "text",
    default: "",
    group: "general",
    help: "YAML or JSON file with settings, nested or with dots; flags and environment win.",
  },
  {
    name: "host",
    kind: "text",
    default: "127.0.0.1",
    env: "SPOOR_HOST",
    group: "general",
    help: "Address for host-ports that name no host; 0.0.0.0 opens them to the network.",
  },
  {
    name: "log-level",
    kind: "choice",
    choices: ["debug", "info", "warn", "error", "fatal"],
    default: "info",
    group: "general",
    help: "Least severe level that is logged, as JSON lines on stderr.",
  },
  {
    name: "log-encoding",
    kind: "choice",
    choices: ["json", "console"],
    default: "json",
    group: "general",
    notYet: true,
    help: "Form of the log lines.",
  },
  {
    name: "admin.http.host-port",
    kind: "host-port",
    default: ":14269",
    group: "general",
    help: "Health (/), metrics and version.",
  },
  {
    name: "admin.http.tls.enabled",
    kind: "boolean",
    default: "false",
    group: "general",
    notYet: true,
    help: "TLS on the admin port.",
  },
  {
    name: "metrics-backend",
    kind: "choice",
    choices: ["prometheus", "none"],
    default: "prometheus",
    group: "general",
    help: "Whether the admin port serves metrics.",
  },
  {
    name: "metrics-http-route",
    kind: "text",
    default: "/metrics",
    group: "general",
    help: "Path of the metrics on the admin port.",
  },
  {
    name: "shutdown-timeout",
    kind: "duration",
    default: "10s",
    group: "general",
    help: "How long a stop waits for requests in flight before it cuts them off.",
  },
  {
    name: "multi-tenancy.enabled",
    kind: "boolean",
    default: "false",
    group: "general",
    notYet: true,
    help: "Separate tenants by a header.",
  },
  {
    name: "multi-tenancy.header",
    kind: "text",
    default: "x-tenant",
    group: "general",
    notYet: true,
    help: "Header that names the tenant.",
  },
  {
    name: "multi-tenancy.tenants",
    kind: "list",
    default: "",
    group: "general",
    notYet: true,
    help: "Tenants that are let in.",
  },
  {
    name: "collector.otlp.enabled",
    kind: "boolean",
    default: "true",
    group: "receive",
    help: "Receive OTLP over gRPC and HTTP.",
  },
  {
    name: "collector.otlp.grpc.host-port",
    kind: "host-port",
    default: ":4317",
    group: "receive",
    help: "OTLP over gRPC.",
  },
  {
    name: "collector.otlp.grpc.max-message-size",
    kind: "bytes",
    default: "64MiB",
    group: "receive",
    help: "Largest gRPC message that is taken.",
  },
  {
    name: "collector.otlp.grpc.tls.enabled",
    kind: "boolean",
    default: "false",
    group: "receive",
    notYet: true,
    help: "TLS on the OTLP gRPC port.",
  },
  {
    name: "collector.otlp.http.host-port",
    kind: "host-port",
    default: ":4318",
    group: "receive",
    help: "OTLP over HTTP, POST /v1/traces.",
  },
  {
    name: "collector.otlp.http.cors.allowed-origins",
    kind: "list",
    default: "",
    group: "receive",
    help: "Origins whose browsers may send spans; * for all, and * within an origin matches.",
  },
  {
    name: "collector.otlp.http.cors.allowed-headers",
    kind: "list",
    default: "",
    group: "receive",
    help: "Request headers browsers may use besides the usual ones.",
  },
  {
    name: "collector.otlp.http.tls.enabled",
    kind: "boolean",
    default: "false",
    group: "receive",
    notYet: true,
    help: "TLS on the OTLP HTTP port.",
  },
  {
    name: "collector.tags",
    kind: "list",
    default: "",
    group: "receive",
    help: "Attributes (key=value, or key=${VARIABLE:default}) added to every span's resource.",
  },
  {
    name: "downsampling.ratio",
    kind: "ratio",
    default: "1",
    group: "receive",
    help: "Share of traces that is kept, chosen by a hash of the trace id.",
  },
  {
    name: "downsampling.hashsalt",
    kind: "text",
    default: "",
    group: "receive",
    help: "Salt of that hash; the same in every collector.",
  },
  {
    name: "collector.zipkin.host-port",
    kind: "host-port",
    default: "",
    group: "receive",
    notYet: true,
    help: "Zipkin v1 and v2 over HTTP.",
  },
  {
    name: "query.http-server.host-port",
    kind: "host-port",
    default: ":16686",
    group: "query",
    help: "HTTP API and UI.",
  },
  {
    name: "query.http.tls.enabled",
    kind: "boolean",
    default: "false",
    group: "query",
    notYet: true,
    help: "TLS on the query port.",
  },
  {
    name: "query.grpc-server.host-port",
    kind: "host-port",
    default: ":16685",
    group: "query",
    notYet: true,
    help: "gRPC query API.",
  },
  {
    name: "query.base-path",
    kind: "text",
    default: "/",
    group: "query",
    help: "Prefix of every path, as behind a proxy; begins with / and does not end with it.",
  },
  {
    name: "query.max-clock-skew-adjustment",
    kind: "duration",
    default: "0s",
    group: "query",
    help: "Largest correction of a span's times to fit its parent; 0s leaves them.",
  },
  {
    name: "query.additional-headers",
    kind: "list",
    default: "",
    group: "query",
    help: "Headers (Name: value) added to every answer of the query port.",
  },
  {
    name: "query.static-files",
    kind: "text",
    default: "",
    group: "query",
    notYet: true,
    help: "Folder of UI files to serve instead of the ones that come along.",
  },
  {
    name: "query.ui-config",
    kind: "text",
    default: "",
    group: "query",
    notYet: true,
    help: "UI configuration file, .json or .js.",
  },
  {
    name: "query.bearer-token-propagation",
    kind: "boolean",
    default: "false",
    group: "query",
    notYet: true,
    help: "Pass the caller's bearer token on to the store.",
  },
  {
    name: "query.enable-tracing",
    kind: "boolean",
    default: "false",
    group: "query",
    notYet: true,
    help: "Trace the query service itself.",
  },
  {
    name: "query.log-static-assets-access",
    kind: "boolean",
    default: "false",
    group: "query",
    notYet: true,
    help: "Log requests for UI files.",
  },
  {
    name: "span-storage.type",
    kind: "text",
    default: "embedded",
    group: "storage",
    help: "embedded, memory, blackhole, or badger (the embedded store in badger's directory).",
  },
  {
    name: "embedded.directory",
    kind: "text",
    default: "./spoor-data",
    group: "storage",
    help: "Directory of the embedded store; made when absent.",
  },
  {
    name: "embedded.fsync",
    kind: "choice",
    choices: ["durable", "relaxed"],
    default: "durable",
    group: "storage",
    help: "durable acknowledges after fsync; relaxed before it, and a power cut may lose spans.",
  },
  {
    name: "embedded.retention",
    kind: "duration",
    default: "7d",
    group: "storage",
    help: "How long spans are kept after their arrival; 0s keeps them.",
  },
  {
    name: "embedded.max-size-bytes",
    kind: "bytes",
    default: "0",
    group: "storage",
    help: "Total size beyond which the oldest spans go; 0 sets no bound.",
  },
  {
    name: "memory.max-traces",
    kind: "integer",
    default: "100000",
    group: "storage",
    help: "Traces the memory store keeps; the oldest go first.",
  },
  {
    name: "badger.directory-key",
    kind: "text",
    default: "/go/bin/data/keys",
    group: "storage",
    help: "Directory badger kept keys in: with type badger, the embedded store is made there.",
  },
  {
    name: "badger.directory-value",
    kind: "text",
    default: "/go/bin/data/values",
    group: "storage",
    help: "Accepted for badger's sake; nothing is kept there.",
  },
  {
    name: "badger.ephemeral",
    kind: "boolean",
    default: "true",
    group: "storage",
    help: "With type badger, keep spans in a temporary directory that goes at the stop.",
  },
  {
    name: "badger.span-store-ttl",
    kind: "duration",
    default: "72h",
    group: "storage",
    help: "With type badger, how long spans are kept.",
  },
  {
    name: "badger.consistency",
    kind: "boolean",
    default: "false",
    group: "storage",
    help: "Accepted for badger's sake; embedded.fsync says what is durable.",
  },
] as const satisfies readonly Flag[];

/** The environment variable of a flag: upper-cased, `.` and `-` become `_`. */
export function envOf(flag: Flag): string {
  return flag.env ?? flag.name.toUpperCase().replaceAll(/[.-]/g, "_");
}
